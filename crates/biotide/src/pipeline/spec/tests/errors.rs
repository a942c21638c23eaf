//! What is wrong is told with its place, and what would do.

use super::{error, load, read_with};

/// The message of a pipeline, and what it must be.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(error(text), format!("p.yaml, {expected}"), "{text}");
    }
}

#[test]
fn shapes_that_are_none() {
    check(&[
        (
            "",
            "line 1, column 1: the file is empty: a pipeline has steps",
        ),
        (
            "x",
            "line 1, column 1: a pipeline is a map with steps, not the text 'x'",
        ),
        ("name: x\n", "line 1, column 1: the pipeline has no steps"),
        ("steps: []\n", "line 1, column 8: the pipeline has no steps"),
        (
            "steps: 1\n",
            "line 1, column 8: steps are a list of actions, not the number 1",
        ),
        (
            "stps: []\n",
            "line 1, column 1: a pipeline has no 'stps'; did you mean 'steps'?",
        ),
        (
            "steps: [x]\n",
            "line 1, column 9: a step is a map of name, description, condition, is_required, action, type, params, not the text 'x'",
        ),
        (
            "- {acton: load}\n",
            "line 1, column 4: a step has no 'acton'; did you mean 'action'?",
        ),
        (
            "- {name: x}\n",
            "line 1, column 3: the step names no action: action: {type: …, params: …}",
        ),
        (
            "- {action: {params: {}}}\n",
            "line 1, column 12: the step names no action: action: {type: …, params: …}",
        ),
        (
            "- {action: [load]}\n",
            "line 1, column 12: an action is its name, or {type: …, params: …}, not a list of 1",
        ),
        (
            "- {action: {type: cache}, type: cache}\n",
            "line 1, column 33: the step has an action and a type: one of them is enough",
        ),
        (
            "- {action: {type: cache}, params: {}}\n",
            "line 1, column 35: params belong into the action here, beside its type",
        ),
        (
            "- {action: {type: cache, parms: {}}}\n",
            "line 1, column 26: an action has no 'parms'; did you mean 'params'?",
        ),
        (
            "- {type: cache, params: [1]}\n",
            "line 1, column 25: params of cache are a map, not a list of 1",
        ),
        (
            "- {type: cache, is_required: maybe}\n",
            "line 1, column 30: is_required is true or false, not the text 'maybe'",
        ),
        (
            "- {type: cache, name: [x]}\n",
            "line 1, column 23: name is a text, not a list of 1",
        ),
        (
            "- {name: a, type: cache}\n- {name: a, type: cache}\n",
            "line 2, column 10: two steps have the name 'a', the first on line 1",
        ),
        (
            "mappings: [x]\nsteps: [{type: cache}]\n",
            "line 1, column 11: mappings are a map of names to sources such as sssom('a.sssom.tsv'), not a list of 1",
        ),
        (
            "mappings: {x: [1]}\nsteps: [{type: cache}]\n",
            "line 1, column 15: the mapping 'x' is a source such as sssom('a.sssom.tsv'), or a path, not a list of 1",
        ),
    ]);
}

#[test]
fn actions_that_do_not_exist() {
    let unknown = error("- type: STREAMING_DATA_PROCESOR\n");
    assert_eq!(
        unknown,
        "p.yaml, line 1, column 9: there is no action 'STREAMING_DATA_PROCESOR'; did you mean 'streaming_data_processor'?"
    );
    let unknown = error("- action:\n    type: Fiter\n");
    assert_eq!(
        unknown,
        "p.yaml, line 2, column 11: there is no action 'Fiter'; did you mean 'filter'?"
    );
    let unknown = error("- type: xyzzy\n");
    assert!(
        unknown.contains("there is no action 'xyzzy'; there are load, "),
        "{unknown}"
    );
}

#[test]
fn parameters_of_steps() {
    for (params, expected) in [
        (
            "chunksize: 5",
            "line 6, column 7: load has no parameter 'chunksize'; did you mean 'chunk_size'?",
        ),
        (
            "chunk_size: 0",
            "line 6, column 19: chunk_size is 0, which is out of range; it takes a whole number, 1 to 100000",
        ),
        (
            "chunk_size: 100001",
            "line 6, column 19: chunk_size is 100001, which is out of range; it takes a whole number, 1 to 100000",
        ),
        (
            "chunk_size: 1.5",
            "line 6, column 19: chunk_size is the number 1.5; it takes a whole number, 1 to 100000",
        ),
        (
            "chunk_size: many",
            "line 6, column 19: chunk_size is the text 'many'; it takes a whole number, 1 to 100000",
        ),
        (
            "memory_limit_mb: 10",
            "line 6, column 24: memory_limit_mb is 10, which is out of range; it takes a whole number, 50 to 8000",
        ),
        (
            "max_rows: -1",
            "line 6, column 17: max_rows is -1, which is out of range; it takes a whole number, 1 or more",
        ),
        (
            "error_threshold: 1.1",
            "line 6, column 24: error_threshold is 1.1, which is out of range; it takes a number, 0 to 1",
        ),
        (
            "error_threshold: [1]",
            "line 6, column 24: error_threshold is a list of 1; it takes a number, 0 to 1",
        ),
        (
            "skip_empty: 2",
            "line 6, column 19: skip_empty is the number 2; it takes true or false",
        ),
        (
            "file_format: tvs",
            "line 6, column 20: file_format is 'tvs'; it takes auto, csv, tsv, jsonl, parquet, sssom (did you mean 'tsv'?)",
        ),
        (
            "file_format: [csv]",
            "line 6, column 20: file_format is a list of 1; it takes auto, csv, tsv, jsonl, parquet, sssom",
        ),
        (
            "columns: []",
            "line 6, column 16: columns has 0; it takes columns, 1 or more",
        ),
        (
            "columns: [a, '']",
            "line 6, column 20: columns has an empty value; it takes columns",
        ),
        (
            "columns: [a, [b]]",
            "line 6, column 20: columns has a list of 1; it takes columns",
        ),
        (
            "output: ' '",
            "line 6, column 15: output is empty; it takes a name",
        ),
        (
            "output: {a: b}",
            "line 6, column 15: output is a map of 1; it takes a name",
        ),
        (
            "output: a\noutput_key: b",
            "line 7, column 7: 'output_key' is the same as 'output' on line 6",
        ),
        (
            "delimiter: [x]",
            "line 6, column 18: delimiter is a list of 1; it takes a text",
        ),
    ] {
        assert_eq!(
            error(&load(params)),
            format!("p.yaml, {expected}"),
            "{params}"
        );
    }
    let other = error(&load("qwertyuiop: 1"));
    let start = "p.yaml, line 6, column 7: load has no parameter 'qwertyuiop'; it has file_path, file_format, ";
    assert!(other.starts_with(start), "{other}");
}

#[test]
fn what_a_step_must_have() {
    check(&[
        (
            "- type: load\n",
            "line 1, column 3: load needs the parameter 'file_path' (paths or URLs), also called file_paths, path, file",
        ),
        (
            "- type: load\n  params: {file_path: }\n",
            "line 1, column 3: load needs the parameter 'file_path' (paths or URLs), also called file_paths, path, file",
        ),
        (
            "- type: calculate_set_overlap\n  params: {inputs: [a], columns: x}\n",
            "line 2, column 20: inputs has 1; it takes datasets, 2 or more",
        ),
        (
            "- type: select\n  params: {columns: [a]}\n",
            "line 2, column 21: columns is a list of 1; it takes a map",
        ),
        (
            "- type: normalize\n  params: {rules: [a]}\n",
            "line 2, column 19: rules is a list of 1; it takes a path, a name, or rules",
        ),
        (
            "- type: validate\n  params: {checks: {a: 1}}\n",
            "line 2, column 20: checks is a map of 1; it takes a list",
        ),
        (
            "- type: validate\n  params: {checks: []}\n",
            "line 2, column 20: checks has 0; it takes a list, 1 or more",
        ),
        (
            "- type: validate\n  params: {checks: [{severty: info}]}\n",
            "line 2, column 22: checks has no parameter 'severty'; did you mean 'severity'?",
        ),
        (
            "- type: filter_dataset\n  params: {conditions: [{column: a, operator: equal}]}\n",
            "line 2, column 47: operator is 'equal'; it takes equals, not_equals, greater_than, less_than, greater_equal, less_equal, contains, not_contains, in_list, not_in_list, regex, is_null, is_not_null (did you mean 'equals'?)",
        ),
        (
            "- type: cross_reference\n  params: {column: a, mapping: m, max_hops: 9}\n",
            "line 2, column 45: max_hops is 9, which is out of range; it takes a whole number, 1 to 8",
        ),
    ]);
}

#[test]
fn sections() {
    let with = |section: &str| format!("{section}\nsteps: [{{type: cache}}]\n");
    for (section, expected) in [
        (
            "streaming: {chunk_sise: 1}",
            "line 1, column 13: streaming has no parameter 'chunk_sise'; did you mean 'chunk_size'?",
        ),
        (
            "streaming: {chunk_size: 0}",
            "line 1, column 25: chunk_size is 0, which is out of range; it takes a whole number, 1 to 100000",
        ),
        (
            "streaming: 5",
            "line 1, column 12: streaming is a map of chunk_size, max_concurrent_chunks, backpressure_threshold, file_readers, memory_management, error_handling, not the number 5",
        ),
        (
            "streaming: {file_readers: {xml: {}}}",
            "line 1, column 28: file_readers has no parameter 'xml'; it has csv, tsv, jsonl",
        ),
        (
            "streaming: {file_readers: {csv: {delimter: x}}}",
            "line 1, column 34: csv has no parameter 'delimter'; did you mean 'delimiter'?",
        ),
        (
            "streaming: {file_readers: {jsonl: {delimiter: ';'}}}",
            "line 1, column 47: delimiter: it is for delimited text, not for jsonl; leave it out",
        ),
        (
            "streaming: {file_readers: {jsonl: {quote: x}}}",
            "line 1, column 43: quote: it is for delimited text, not for jsonl; leave it out",
        ),
        (
            "streaming: {memory_management: {max_memory_mb: 1}}",
            "line 1, column 48: max_memory_mb is 1, which is out of range; it takes a whole number, 50 to 16777216",
        ),
        (
            "streaming: {error_handling: {error_output_path: bad.csv.gz}}",
            "line 1, column 49: error_output_path: 'bad.csv.gz' ends in .gz, as which bad rows are not written: use .jsonl, .csv, .tsv or .parquet",
        ),
        (
            "parameters: 5",
            "line 1, column 13: parameters are a map, or a list of {name, default, …}, not the number 5",
        ),
        (
            "parameters: [{default: 5}]",
            "line 1, column 14: the parameter has no name",
        ),
        (
            "parameters: [{name: a, deflt: 5}]",
            "line 1, column 24: a parameter has no 'deflt'; did you mean 'default'?",
        ),
        (
            "parameters: [{name: a}, {name: a}]",
            "line 1, column 32: the parameter 'a' is there twice, the first on line 1",
        ),
        (
            "parameters: [{name: a, required: true}]",
            "line 1, column 21: the parameter 'a' has no value: --set a=… gives one",
        ),
    ] {
        assert_eq!(
            error(&with(section)),
            format!("p.yaml, {expected}"),
            "{section}"
        );
    }
}

#[test]
fn the_command_line() {
    let text = "parameters: {stages: [1, 2]}\nsteps: [{type: cache, condition: '3 in ${parameters.stages}'}]\n";
    let unknown = read_with(text, &[("stage", "3")]).unwrap_err();
    assert_eq!(
        unknown,
        "--set stage=3: p.yaml has no parameter 'stage', and there is no option of this name; did you mean 'stages'?"
    );
    let unknown = read_with(text, &[("on_eror", "fail")]).unwrap_err();
    assert!(unknown.ends_with("; did you mean 'on_error'?"), "{unknown}");
    let unknown = read_with(text, &[("n.m", "3")]).unwrap_err();
    assert!(
        unknown.ends_with(
            "no parameter 'n.m', and there is no option of this name; its parameters are stages"
        ),
        "{unknown}"
    );
    let text = "parameters: {n: 1}\nsteps: [{type: load, params: {path: a, chunk_size: '${parameters.n}'}}]\n";
    let wrong = read_with(text, &[("parameters.n", "many")]).unwrap_err();
    assert_eq!(
        wrong,
        "p.yaml, line 2, column 52: chunk_size is the text 'many'; it takes a whole number, 1 to 100000"
    );
    let broken = read_with(text, &[("n", "[1, ")]).unwrap_err();
    assert!(broken.starts_with("--set n=[1, "), "{broken}");
}

#[test]
fn errors_of_parameters_are_made_at_their_places() {
    let pipeline = read_with(&load("chunk_size: 5"), &[]).unwrap();
    let params = &pipeline.steps[0].params;
    let error = params
        .error("file_path", "there is no such file")
        .to_string();
    assert_eq!(
        error,
        "p.yaml, line 5, column 18: file_path: there is no such file"
    );
    let error = params.error("max_rows", "is needed here").to_string();
    assert_eq!(error, "p.yaml, line 2, column 3: max_rows: is needed here");
}
