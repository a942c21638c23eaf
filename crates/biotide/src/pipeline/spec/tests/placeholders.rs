//! Placeholders, the ones that lead nowhere too.

use super::{error, read, read_with};
use crate::pipeline::spec::{Node, Tree, Value};

const PARAMETERS: &str = "\
parameters:
  dir: /data
  file: ${parameters.dir}/a.tsv
  stages: [1, 2]
  n: 5
  yes_: true
  text: '5'
  zurich: at home
  none:
  deep: {list: [a, {b: c}]}
metadata:
  files: [{path: m.tsv}, {path: '${parameters.dir}/n.tsv'}]
";

/// What a text becomes.
fn value(text: &str) -> Tree {
    let yaml = format!(
        "{PARAMETERS}  probe: {}\nsteps: [{{type: cache}}]\n",
        serde_json::json!(text)
    );
    read(&yaml).metadata.get("probe").unwrap().clone()
}

fn text(text: &str) -> String {
    value(text).as_text().unwrap().to_owned()
}

fn wrong(text: &str) -> String {
    let text = serde_json::json!(text);
    let error = error(&format!(
        "{PARAMETERS}  probe: {text}\nsteps: [{{type: cache}}]\n"
    ));
    error
        .strip_prefix("p.yaml, line 13, column 10: ")
        .unwrap_or(&error)
        .to_owned()
}

#[test]
fn names_lead_to_their_values() {
    for (given, expected) in [
        ("no placeholder", "no placeholder"),
        ("${parameters.dir}", "/data"),
        ("${parameters.file}", "/data/a.tsv"),
        ("a ${parameters.n} b ${parameters.dir} c", "a 5 b /data c"),
        ("${ parameters.n }x", "5x"),
        ("${metadata.files[0].path}", "m.tsv"),
        ("${metadata.files[1].path}", "/data/n.tsv"),
        ("${parameters.deep.list[1].b}", "c"),
        ("${env.SITE}", "zurich"),
        ("${SITE}", "zurich"),
        ("${parameters.${env.SITE}}", "at home"),
        ("${NOWHERE:-there}", "there"),
        ("${NOWHERE:-${parameters.dir}/x}", "/data/x"),
        ("${NOWHERE:-}x", "x"),
        ("${EMPTY:-there}", "there"),
        ("${env.NOWHERE:-there}", "there"),
        ("${parameters.nothing:-there}", "there"),
        ("${parameters.none:-there}", "there"),
        ("${parameters.deep.x.y:-there}", "there"),
        ("${parameters.dir:-there}", "/data"),
        ("x${parameters.none}y", "xy"),
        ("x${parameters.stages}", "x[1, 2]"),
        // What is no name of ours stays.
        ("${NOWHERE}", "${NOWHERE}"),
        ("${1}, $1, $, ${}, ${a b}", "${1}, $1, $, ${}, ${a b}"),
        ("a ${open", "a ${open"),
        (
            "$${parameters.dir} is ${parameters.dir}",
            "${parameters.dir} is /data",
        ),
        // The environment is not looked through.
        ("${STRANGE}", "${parameters.x}"),
        ("über ${parameters.n} ü", "über 5 ü"),
    ] {
        assert_eq!(text(given), expected, "{given}");
    }
}

#[test]
fn a_placeholder_alone_has_a_type() {
    let of = |text: &str| value(text).as_scalar().unwrap().value;
    assert_eq!(of("${parameters.n}"), Value::Integer(5));
    assert_eq!(of("${parameters.yes_}"), Value::Boolean(true));
    assert_eq!(of("${parameters.text}"), Value::Text);
    assert_eq!(of("${NUMBER}"), Value::Integer(7));
    assert_eq!(of("${NOWHERE:-true}"), Value::Boolean(true));
    assert_eq!(of("${NOWHERE:-0.5}"), Value::Number(0.5));
    assert_eq!(of("${NOWHERE:-007}"), Value::Text);
    assert_eq!(of("${NOWHERE:-nan}"), Value::Text);
    assert_eq!(of("1${parameters.n}"), Value::Integer(15));
    assert_eq!(value("${parameters.stages}").as_list().unwrap().len(), 2);
    assert_eq!(value("${parameters.none}").node, Node::Null);
    // It stands where it is used.
    let place = value("${parameters.n}").place;
    assert_eq!((place.line, place.column), (13, 10));
}

#[test]
fn names_that_lead_nowhere() {
    for (given, expected) in [
        (
            "${parameters.dri}",
            "there is no parameter 'dri'; did you mean 'dir'?",
        ),
        (
            "a ${parameters.qqqqqq}",
            "there is no parameter 'qqqqqq'; there are dir, file, stages, n, yes_, text, zurich, none, deep",
        ),
        (
            "${parameters.deep.lst}",
            "${parameters.deep.lst}: there is no 'lst'; did you mean 'list'?",
        ),
        (
            "${parameters.deep.list[2]}",
            "${parameters.deep.list[2]}: there is no [2] in a list of 2; the first is [0]",
        ),
        (
            "${parameters.n.x}",
            "${parameters.n.x}: there is no 'x' in the number 5",
        ),
        (
            "${parameters.deep.list[x]}",
            "${parameters.deep.list[x]}: '[x]' is no .key and no [number]",
        ),
        (
            "${metadata.file}",
            "${metadata.file}: there is no 'file'; did you mean 'files'?",
        ),
        (
            "${env.NOWHERE}",
            "the environment has no variable NOWHERE; ${env.NOWHERE:-…} gives a default",
        ),
    ] {
        assert_eq!(wrong(given), expected, "{given}");
    }
}

#[test]
fn circles_are_shown() {
    let step = "steps: [{type: cache}]\n";
    let circle = error(&format!(
        "parameters: {{a: '${{parameters.b}}', b: 'x${{parameters.a}}'}}\n{step}"
    ));
    assert_eq!(
        circle,
        "p.yaml, line 1, column 17: references go in a circle: parameters.b → parameters.a → parameters.b"
    );
    let own = error(&format!("metadata: {{a: '${{metadata.a}}'}}\n{step}"));
    assert!(own.contains("metadata.a → metadata.a"), "{own}");
    // A default does not hide one.
    let hidden = error(&format!(
        "parameters: {{a: '${{parameters.a:-x}}'}}\n{step}"
    ));
    assert!(hidden.contains("parameters.a → parameters.a"), "{hidden}");
    let mut long = String::from("parameters:\n  p0: end\n");
    for n in 1..=11 {
        long += &format!("  p{n}: ${{parameters.p{}}}\n", n - 1);
    }
    let ten = long
        .lines()
        .take(12)
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let last = &read(&format!("{ten}{step}")).parameters[10];
    assert_eq!(last.value.as_text(), Some("end"));
    let long = error(&format!("{long}{step}"));
    assert!(long.contains("more than 10 references in a row"), "{long}");
}

#[test]
fn the_command_line_says_values_of_every_type() {
    let text = "parameters: {x: 1}\nmetadata: {probe: '${parameters.x}'}\nsteps: [{type: cache}]\n";
    let set = |value: &str| {
        let pipeline = read_with(text, &[("x", value)]).unwrap();
        pipeline.metadata.get("probe").unwrap().clone()
    };
    assert_eq!(set("[1, a]").as_list().unwrap().len(), 2);
    assert_eq!(set("true").as_scalar().unwrap().value, Value::Boolean(true));
    assert_eq!(set("a: b # c").as_text(), Some("a: b # c"));
    assert_eq!(set("${env.SITE}").as_text(), Some("zurich"));
    assert_eq!(set("").as_text(), Some(""));
}

#[test]
fn placeholders_stand_wherever_values_do() {
    let text = "\
name: run ${NUMBER}
parameters: {t: load, cols: [a, b], on: no}
streaming: {chunk_size: '${NUMBER}'}
mappings: {m: \"sssom('${SITE}.tsv')\"}
steps:
- name: ${parameters.t}_1
  is_required: ${parameters.on}
  type: ${parameters.t}
  params: {path: x, columns: '${parameters.cols}', chunk_size: '${env.NUMBER}'}
";
    let pipeline = read(text);
    assert_eq!(pipeline.name, "run 7");
    assert_eq!(pipeline.streaming.chunk_size, Some(7));
    assert_eq!(pipeline.mappings[0].1.value, "sssom('zurich.tsv')");
    let step = &pipeline.steps[0];
    assert_eq!((&*step.name, step.action.name), ("load_1", "load"));
    assert_eq!(step.params.texts("columns"), ["a", "b"]);
    assert_eq!(step.params.integer("chunk_size"), Some(7));
}
