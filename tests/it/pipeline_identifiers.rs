//! Pipelines: identifiers found, mapped and brought forward.

use crate::pipeline::{made, made_file, run, tried};
use crate::support;

/// Steps over a table: what they make.
async fn of(table: &str, steps: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", table);
    let steps = format!("- {{type: load, params: {{file_path: '{file}'}}}}\n{steps}");
    let rows = made(&steps).await;
    rows.iter().map(|row| row.join(" ")).collect()
}

/// What is wrong with steps over a table. The first of them is on line 2.
async fn refused(table: &str, steps: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", table);
    let out = folder.path().join("o.csv").display().to_string();
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}\n{steps}\n- {{type: sink, params: {{to: '{out}'}}}}"
    );
    tried(&support::context(), &yaml).await.unwrap_err()
}

const TABLE: &str = "id\tn\np29460 \t1\nnone\t2\nP12345;Q14213\t3\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_form_of_what_is_found() {
    let parse = |more: &str| {
        format!("- {{type: parse, params: {{column: id, identifier_type: uniprot{more}}}}}")
    };
    let columns = of(TABLE, &parse("")).await;
    assert_eq!(columns.len(), 3);
    assert!(columns[0].contains("1 P29460 uniprot"), "{columns:?}");
    assert!(columns[2].contains("3 P12345 uniprot"), "{columns:?}");
    let rows = of(
        TABLE,
        &parse(", output_format: rows, prefix: x, on_invalid: drop"),
    )
    .await;
    assert_eq!(rows.len(), 3);
    assert!(rows[2].contains("3 Q14213 uniprot"), "{rows:?}");
    let select = "\n- {type: select, params: {columns: {n: n, ids: cardinality(id_ids)}}}";
    let list = of(TABLE, &(parse(", output_format: list") + select)).await;
    assert_eq!(list, ["1 1", "2 0", "3 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_row_without_an_identifier_ends_the_run() {
    let step = "- {type: parse, params: {column: id, identifier_type: uniprot, on_invalid: fail}}";
    let table = "id\tn\nP29460\t1\nbad one\t2\nP12345\t3\nworse\t4\n";
    let error = refused(table, step).await;
    assert!(
        error.contains("p.yaml, line 2")
            && error.contains("step parse")
            && error.contains("'bad one'"),
        "{error}"
    );
    // Whatever is asked for later.
    let later = format!("{step}\n- {{type: filter, params: {{condition: n <> 2}}}}");
    assert!(refused(table, &later).await.contains("'bad one'"));
    // With its place where that is known.
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", table);
    let out = folder.path().join("o.csv").display().to_string();
    for (load, place) in [
        (
            "load, params: {metadata_columns: true,",
            "line 3, column id: ".to_owned(),
        ),
        (
            "load_dataset_identifiers, params: {identifier_column: id,",
            format!("{file}, line 3, column id: "),
        ),
    ] {
        let yaml = format!(
            "- {{type: {load} file_path: '{file}'}}}}\n{step}\n- {{type: sink, params: {{to: '{out}'}}}}"
        );
        let error = tried(&support::context(), &yaml).await.unwrap_err();
        assert!(
            error.contains(&format!("step parse: {place}there is no identifier")),
            "{error}"
        );
    }
    // Nothing is told apart from a text that says so.
    let error = refused("id\tn\nP29460\t1\nNULL\t2\n", step).await;
    assert!(
        error.contains("there is no identifier in it, and on_invalid is fail: 'NULL'"),
        "{error}"
    );
    let error = refused("id\tn\nP29460\t1\n\t2\n", step).await;
    assert!(
        error.ends_with("column id: it has no value (NULL), and on_invalid is fail"),
        "{error}"
    );
    let good = of("id\nP29460\nP12345\n", step).await;
    assert_eq!(good.len(), 2);
    let any = "- {type: parse, params: {column: id, output_format: rows, on_invalid: fail}}";
    assert!(refused(table, any).await.contains("'bad one'"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_may_be_called_as_they_like() {
    let table =
        "id\tpart\tparts\tone\tx_right\tuniprot\tfate\nUniProtKB:P29460\t1\t2\t3\t4\t5\t6\n";
    for format in ["columns", "rows", "list"] {
        let step = format!("- {{type: parse, params: {{column: id, output_format: {format}}}}}");
        let found = of(table, &step).await;
        assert!(
            found[0].starts_with("UniProtKB:P29460 1 2 3 4 5 6 "),
            "{found:?}"
        );
    }
    let twice = "- {type: parse, params: {column: id}}\n- {type: parse, params: {column: id}}";
    let error = refused(table, twice).await;
    assert!(
        error.contains("p.yaml, line 3") && error.contains("prefix: the input has 'id_id' already"),
        "{error}"
    );
    let xrefs =
        "- {type: protein_extract_uniprot_from_xrefs, params: {column: id, output_format: first}}
- {type: select, params: {columns: {own: uniprot, made: id_uniprot}}}";
    assert_eq!(of(table, xrefs).await, ["5 P29460"]);
    let named =
        "- {type: protein_extract_uniprot_from_xrefs, params: {column: id, output_column: one}}";
    assert!(
        refused(table, named)
            .await
            .contains("output_column: the input has 'one' already")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accessions_come_in_each_form() {
    let table = "x\tn\nPR:1|UniProtKB:P29460-2|UniProtKB:Q14213\t1\nPR:2\t2\n";
    let step = |more: &str| {
        format!(
            "- {{type: protein_extract_uniprot_from_xrefs, params: {{column: x{more}}}}}
- {{type: select, params: {{columns: {{n: n, uniprot: uniprot}}}}}}"
        )
    };
    assert_eq!(of(table, &step("")).await, ["1 [P29460, Q14213]"]);
    let kept = of(table, &step(", output_format: first, drop_na: false")).await;
    assert_eq!(kept, ["1 P29460", "2 NULL"]);
    let rows = of(
        table,
        &step(", output_format: expand_rows, keep_isoforms: true"),
    )
    .await;
    assert_eq!(rows, ["1 P29460-2", "1 Q14213"]);
    let rows = of(table, &step(", output_format: expand_rows, drop_na: false")).await;
    assert_eq!(rows, ["1 P29460", "1 Q14213", "2 NULL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_beside_columns_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let map = made_file(
        folder.path(),
        "m.tsv",
        "subject_id\tobject_id\nuniprot:P04217\thgnc:1\n",
    );
    let xref = format!(
        "- {{type: cross_reference, params: {{columns: uniprot, mapping: '{map}', targets: [hgnc]}}}}"
    );
    let table = "uniprot\ttarget\tconfidence\nP04217\tmine\t0.5\n";
    let select = "- {type: select, params: {columns: {a: target, b: uniprot_target, c: confidence, d: verdict}}}";
    let found = of(table, &format!("{xref}\n{select}")).await;
    assert_eq!(found, ["mine hgnc:1 0.5 ok"]);
    let error = refused(table, &format!("{xref}\n{xref}")).await;
    assert!(
        error.contains("p.yaml, line 3")
            && error.contains("the input has 'target' and 'uniprot_target' already"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retired_accessions_need_a_table_and_take_it_from_the_step() {
    let folder = tempfile::tempdir().unwrap();
    let retired = made_file(
        folder.path(),
        "sec_ac.txt",
        "UniProt - secondary\n\nSecondary AC  Primary AC\n____  ____\nP29358        P68250\nA0A000        P12345\n\
         A0A000        P29460\n",
    );
    let table = "id\nP68250\nP29358\nA0A000\n";
    let step = |more: &str| {
        format!("- {{type: protein_historical_resolution, params: {{column: id{more}}}}}")
    };
    let error = refused(table, &step("")).await;
    assert!(
        error.starts_with(
            "p.yaml, line 2, column 3, step protein_historical_resolution: there is no table"
        ) && error
            .contains("of uniprot: name its file by the parameter secondary (UniProt's sec_ac.txt"),
        "{error}"
    );
    let error = refused(table, &step(", secondary: /nowhere/sec_ac.txt")).await;
    assert!(error.contains("/nowhere/sec_ac.txt"), "{error}");
    let found = of(table, &step(&format!(", secondary: '{retired}'"))).await;
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], "P68250 P68250 ok 1 NULL");
    assert_eq!(found[1], "P29358 P68250 retired 0.9 replaced");
    assert_eq!(found[2], "A0A000 A0A000 ambiguous 0.85 split into several");
    // Built in.
    let built_in = "- {type: protein_historical_resolution, params: {column: id, namespace: hgnc}}";
    let found = of("id\nHGNC:5\nHGNC:5-2\n", built_in).await;
    assert_eq!(found[0], "HGNC:5 HGNC:5 ok 1 NULL");
    assert!(
        found[1].starts_with("HGNC:5-2 HGNC:5-2 invalid NULL"),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_isoform_has_the_fate_of_its_accession() {
    let folder = tempfile::tempdir().unwrap();
    let retired = made_file(
        folder.path(),
        "sec.tsv",
        "secondaryID\tprimaryID\nQ00001\tP11111\nQ00002\tP11111\nQ00002\tP22222\nQ00003\t\n",
    );
    let table = "id\nP12345-2\np12345-2\nUniProtKB:P12345-12\nQ00001-2\nUniProtKB:Q00001-2\nQ00002-3\nQ00003-3\nP12345-0\n\
                 junk-2\nNA\n";
    for namespace in ["uniprot", "UniProtKB"] {
        let step = format!(
            "- {{type: protein_historical_resolution, params: {{column: id, secondary: '{retired}', namespace: {namespace}}}}}
- {{type: select, params: {{columns: {{c: id_current, v: id_verdict, s: id_confidence, n: \"split_part(id_note, ';', 2)\"}}}}}}"
        );
        let found = of(table, &step).await;
        let replaced =
            |id: &str| format!("{id} retired 0.9  the isoform is of the retired accession alone");
        let (alone, with_prefix) = (replaced("P11111"), replaced("UniProtKB:P11111"));
        assert_eq!(
            found,
            [
                "P12345-2 ok 1 NULL",
                "P12345-2 repaired 1 (empty)",
                "UniProtKB:P12345-12 ok 1 NULL",
                alone.as_str(),
                with_prefix.as_str(),
                "Q00002-3 ambiguous 0.85 (empty)",
                "Q00003-3 withdrawn 0 (empty)",
                "P12345-0 invalid NULL (empty)",
                "junk-2 invalid NULL (empty)",
                "NA null NULL NULL",
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_within_a_pipeline_tell_its_places() {
    let rules = |name: &str| {
        format!(
            "- type: normalize
  params:
    rules:
      field_rules:
      - source_field: id
        transformations:
        - {{type: strip}}
        - {{type: {name}, params: {{target_type: int}}}}"
        )
    };
    let error = refused("id\n1\n", &rules("kast")).await;
    assert!(error.contains("p.yaml, line 9, column 1"), "{error}");
    assert!(
        error.contains(
            "step normalize: \"kast\" is no transformation: did you mean 'cast'? There are uppercase"
        ),
        "{error}"
    );
    let missing = rules("cast").replace("source_field: id", "{source_field: idd, required: true}");
    let missing = missing.split("\n        transformations").next().unwrap();
    let error = refused("id\n1\n", missing).await;
    assert!(error.contains("p.yaml, line 6, column 2"), "{error}");
    assert!(
        error.contains(
            "step normalize: source_field: there is no column \"idd\": did you mean 'id'?"
        ),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n");
    let out = folder.path().join("o.csv").display().to_string();
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}\n{}\n- {{type: sink, params: {{to: '{out}'}}}}",
        rules("cast")
    );
    assert_eq!(run(&support::context(), &yaml).await.rows, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_ends_the_run_is_told_from_the_rule_that_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "val\tid\n1\tA\n1.5\t\n");
    let rules = |steps: &str| {
        format!(
            "- type: normalize
  params:
    rules:
      field_rules:
      - {steps}"
        )
    };
    let cast = rules(
        "{source_field: val, transformations: [{type: cast, params: {target_type: int}, on_error: raise}]}",
    );
    let required = rules("{source_field: id, required: true}");
    let load = |more: &str| format!("- {{type: load, params: {{file_path: '{file}'{more}}}}}");
    let ids = format!(
        "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', identifier_column: id, drop_empty_ids: false}}}}"
    );
    let value = "the value '1.5' of val: cast (rule at p.yaml, line 6); on_error: skip";
    for (load, rules, problem) in [
        (load(""), &cast, value.to_owned()),
        (
            load(", metadata_columns: true"),
            &cast,
            format!("line 3, {value}"),
        ),
        (ids, &cast, format!("{file}, line 3, {value}")),
        (
            load(""),
            &required,
            "id has no value: it is required (rule at p.yaml, line 6); on_error: skip".to_owned(),
        ),
    ] {
        let out = folder.path().join("o.csv").display().to_string();
        let yaml = format!("{load}\n{rules}\n- {{type: sink, params: {{to: '{out}'}}}}");
        let error = tried(&support::context(), &yaml).await.unwrap_err();
        assert!(
            error.contains(&format!("step normalize: {problem}")),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nearest_column_is_offered() {
    for step in [
        "{type: parse, params: {column: uniport}}",
        "{type: parse_composite_identifiers, params: {column: uniport}}",
        "{type: protein_extract_uniprot_from_xrefs, params: {column: uniport}}",
        "{type: protein_historical_resolution, params: {column: uniport}}",
        "{type: cross_reference, params: {columns: uniport, mapping: m.tsv}}",
    ] {
        let error = refused("uniprot\nP12345\n", &format!("- {step}")).await;
        assert!(error.contains("did you mean 'uniprot'?"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_canonical_and_the_first_that_is_an_identifier() {
    let table =
        "k\tx\n1\tP29459,UniProtKB:p29460-2\n2\tp12345\n3\tjunk\n4\t\n5\tHGNC:5969; Q9Y6K9\n";
    let parse = |more: &str| {
        format!(
            "- {{type: parse, params: {{column: x{more}}}}}
- {{type: derive, params: {{columns: {{x: k}}}}}}"
        )
    };
    let list = of(table, &parse(", output_format: list")).await;
    let uniprot = of(
        table,
        &parse(", output_format: list, identifier_type: uniprot"),
    )
    .await;
    assert_eq!(list[..2], ["1 1 [P29459, P29460-2]", "2 2 [P12345]"]);
    assert_eq!(uniprot[..2], list[..2]);
    assert_eq!(
        (list[2].as_str(), uniprot[2].as_str()),
        ("3 3 []", "3 3 []")
    );
    assert_eq!(
        (list[4].as_str(), uniprot[4].as_str()),
        ("5 5 [5969, Q9Y6K9]", "5 5 [Q9Y6K9]")
    );
    for namespace in ["", ", identifier_type: uniprot"] {
        for format in ["list", "columns"] {
            let more = format!("{namespace}, output_format: {format}, on_invalid");
            let kept = of(table, &parse(&format!("{more}: drop"))).await;
            let kept: Vec<&str> = kept.iter().map(|row| &row[..1]).collect();
            assert_eq!(kept, ["1", "2", "5"], "{more}");
            let error = refused(table, &parse(&format!("{more}: fail"))).await;
            assert!(error.contains("no identifier in it"), "{error}");
        }
    }
    let found = of(
        table,
        &parse(", identifier_type: uniprot, on_invalid: drop"),
    )
    .await;
    assert_eq!(found[2], "5 5 Q9Y6K9 uniprot ok");
    let found = of(table, &parse(", identifier_type: uniprot")).await;
    assert_eq!(found[2], "3 3 NULL uniprot invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_none_is_told_apart_from_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = made_file(
        folder.path(),
        "sec.tsv",
        "secondaryID\tprimaryID\nP11111\tP12345\n",
    );
    let step = format!(
        "- {{type: protein_historical_resolution, params: {{column: id, secondary: '{table}', namespace: uniprto}}}}"
    );
    let error = refused("id\nP12345\n", &step).await;
    assert!(
        error.contains(
            "namespace: 'uniprto' is no namespace that is known; did you mean 'uniprot'?"
        ),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_none_are_told_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let ids = made_file(folder.path(), "ids.tsv", "id\nP12345\n");
    let load = |more: &str| {
        format!(
            "{{type: load_dataset_identifiers, params: {{file_path: '{ids}'{more}, column_mappings: [{{column: id, \
             identifier_type: uniprt}}]}}}}"
        )
    };
    let (load, validated) = (load(""), load(", validate_format: true"));
    let namespace =
        "identifier_type: 'uniprt' is no namespace that is known; did you mean 'uniprot'?";
    for (step, place, problem) in [
        (
            "{type: parse, params: {column: id, identifier_type: uniprt}}",
            Some(55),
            namespace,
        ),
        (
            "{type: parse_composite_identifiers, params: {column: id, validate: true, identifier_type: uniprt}}",
            None,
            namespace,
        ),
        (load.as_str(), None, namespace),
        (validated.as_str(), None, namespace),
        (
            "{type: normalize, params: {rules: olnk}}",
            Some(37),
            "rules: olnk: there is no such file, and no built-in rules of this name; did you mean 'olink'?",
        ),
    ] {
        let error = refused("id\nP12345\n", &format!("- {step}")).await;
        assert!(error.contains(problem), "{error}");
        let place = place.map_or(String::new(), |column| format!(", column {column}: "));
        assert!(
            error.contains("p.yaml, line 2") && error.contains(&place),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_may_have_columns_of_the_readers_names() {
    let folder = tempfile::tempdir().unwrap();
    let table = made_file(
        folder.path(),
        "f.tsv",
        "id\t_line\t_offset\nP12345\t70\t80\n\t71\t81\nP29460\t72\t82\n",
    );
    let json = made_file(
        folder.path(),
        "f.jsonl",
        "{\"id\": \"P12345\", \"_line\": 70}\n",
    );
    let some = ", metadata_columns: [_line], filter_column: _line, filter_values: ['72']";
    for (file, more, expected) in [
        (&table, "", vec!["P12345 70 80 2", "P29460 72 82 4"]),
        (&table, some, vec!["P29460 72 4"]),
        (&json, "", vec!["P12345 70 1"]),
    ] {
        let found = made(&format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', identifier_column: id{more}}}}}"
        ))
        .await;
        let found: Vec<String> = found.iter().map(|row| row.join(" ")).collect();
        let expected: Vec<String> = expected.iter().map(|row| format!("{row} {file}")).collect();
        assert_eq!(found, expected, "{more}");
    }
}
