//! Conditions of steps.

use super::{error, read, read_with};

fn yaml(condition: &str) -> String {
    format!(
        "parameters: {{stages: [1, 2], mode: \"it's\", n: 3, on: true, off: false, none: , m: {{a: 1}}, names: [a, b],\n  cond: '1 in [1]', words: '1 in (', flag: '', big: 9223372036854775809}}\nsteps:\n- type: cache\n  condition: {condition}\n"
    )
}

#[track_caller]
fn holds(condition: &str) -> bool {
    read(&yaml(condition)).steps[0].runs
}

fn wrong(condition: &str) -> String {
    let error = error(&yaml(condition));
    let start = "p.yaml, line 5, column 14: ";
    assert!(error.starts_with(start), "{error}");
    error[start.len()..].to_owned()
}

#[test]
fn conditions_hold_or_do_not() {
    for (condition, expected) in [
        ("true", true),
        ("no", false),
        ("~", true),
        ("1 in ${parameters.stages}", true),
        ("3 in ${parameters.stages}", false),
        ("3 not in ${parameters.stages}", true),
        ("1 in [1, 2,]", true),
        ("1 in (1, 2)", true),
        ("1 in (1)", true),
        ("1 in []", false),
        ("\"'a' in ['a', 'b']\"", true),
        ("\"'a' in ${parameters.names}\"", true),
        ("\"'b' in 'abc'\"", true),
        ("1 == 1.0", true),
        ("9007199254740993 == 9007199254740992", false),
        ("9007199254740993 != 9007199254740992", true),
        ("9007199254740993 > 9007199254740992", true),
        ("9007199254740993 in [9007199254740992]", false),
        ("9_007_199_254_740_993 = 9007199254740993.0", true),
        (
            "${NOWHERE:-18446744073709551617} == 18446744073709551616",
            false,
        ),
        ("${parameters.big} == 9223372036854775809", true),
        ("${parameters.big} == 9223372036854775808", false),
        ("0.1 == 0.10000000000000000001", false),
        ("1 = 2", false),
        ("1 != 2", true),
        ("1 <> 1", false),
        ("\"'a' < 'b'\"", true),
        ("2 <= 1", false),
        ("1e2 > 99.5", true),
        ("-1 >= -1", true),
        ("\"'1' == 1\"", false),
        ("\"${parameters.mode} == 'it''s'\"", true),
        ("\"'${parameters.mode}' == 'it''s'\"", true),
        ("\"'x${parameters.n}' == 'x3'\"", true),
        ("${parameters.on}", true),
        ("${parameters.off}", false),
        ("${parameters.cond}", true),
        ("not ${parameters.on}", false),
        ("not not true", true),
        ("true and not false or false", true),
        ("false or true and false", false),
        ("(true or false) and false", false),
        ("1 == 1 AND 2 == 2", true),
        ("${parameters.none} == null", true),
        ("${parameters.none} > 3", false),
        ("${NOWHERE:-1} == 1", true),
        ("\"${SITE} == 'zurich'\"", true),
        ("\"[1, 2] == ${parameters.stages}\"", true),
    ] {
        assert_eq!(holds(condition), expected, "{condition}");
    }
}

#[test]
fn conditions_that_are_none() {
    for (condition, expected) in [
        (
            "1 inn [1]",
            "the condition `1 inn [1]`, character 3: inn is not expected here",
        ),
        (
            "1 in",
            "the condition `1 in`, character 5: a value is expected here",
        ),
        (
            "1 in 2",
            "the condition `1 in 2`, character 3: 'in' needs a list such as [1, 2], not 2",
        ),
        (
            "fast == 1",
            "the condition `fast == 1`, character 1: fast means nothing here; a text has quotes: 'fast'",
        ),
        (
            "5",
            "the condition `5`, character 1: 5 is neither true nor false",
        ),
        (
            "1 and true",
            "the condition `1 and true`, character 1: 1 is neither true nor false",
        ),
        (
            "not 'x'",
            "the condition `not 'x'`, character 5: 'x' is neither true nor false",
        ),
        (
            "(1 == 1",
            "the condition `(1 == 1`, character 8: ',' or ')' is expected here",
        ),
        (
            "1 == 1)",
            "the condition `1 == 1)`, character 7: ')' is not expected here",
        ),
        (
            "1 not [1]",
            "the condition `1 not [1]`, character 7: 'in' is expected after 'not' here",
        ),
        (
            "a 'b",
            "the condition `a 'b`, character 3: the quote ' is not closed",
        ),
        (
            "1 == 1 ; 2",
            "the condition `1 == 1 ; 2`, character 8: ';' means nothing here",
        ),
        (
            "1x == 1",
            "the condition `1x == 1`, character 1: '1x' is no number",
        ),
        (
            "1 < 'a'",
            "the condition `1 < 'a'`, character 3: 1 and 'a' have no order",
        ),
        (
            "== 1",
            "the condition `== 1`, character 1: a value is expected here, not '=='",
        ),
        (
            "''",
            "the condition is empty, which is neither true nor false",
        ),
        (
            "' '",
            "the condition is empty, which is neither true nor false",
        ),
        (
            "${parameters.flag}",
            "${parameters.flag} stands for nothing, which is neither true nor false",
        ),
        (
            "\" ${parameters.none} \"",
            "${parameters.none} stands for nothing, which is neither true nor false",
        ),
        (
            "not ${parameters.flag}",
            "the condition `not ${parameters.flag}`, character 5: '' is neither true nor false",
        ),
        ("[1]", "a list of 1 is no condition"),
        ("{a: b}", "a map of 1 is no condition"),
        ("${parameters.stages}", "a list of 2 is no condition"),
        (
            "${parameters.words}",
            "the condition `1 in (`, character 7: a value is expected here",
        ),
        (
            "${NOWHERE} == 1",
            "the condition `${NOWHERE} == 1`, character 1: ${NOWHERE} is not set",
        ),
        (
            "1 == ${x",
            "the condition `1 == ${x`, character 6: ${ is not closed",
        ),
        (
            "${parameters.x} == 1",
            "there is no parameter 'x'; there are stages, mode, n, on, off, none, m, names, cond, words, flag, big",
        ),
        (
            "${parameters.m} < 1",
            "the condition `${parameters.m} < 1`, character 17: a map and 1 have no order",
        ),
        (
            "ü == 1",
            "the condition `ü == 1`, character 1: ü means nothing here; a text has quotes: 'ü'",
        ),
    ] {
        assert_eq!(wrong(condition), expected, "{condition}");
    }
    let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
    assert!(wrong(&deep).ends_with("is nested more than 64 deep"));
    let long = format!("true{}", " or true".repeat(10_000));
    assert_eq!(wrong(&long), "the condition is longer than 16384 bytes");
    let deep = "not ".repeat(1000) + "true";
    assert!(wrong(&deep).ends_with("is nested more than 64 deep"));
}

#[test]
fn a_value_cannot_become_a_part_of_the_expression() {
    let text = "parameters: {x: \"' or true or '\"}\nsteps: [{type: cache, condition: \"'${parameters.x}' == 'a'\"}]\n";
    assert!(!read(text).steps[0].runs);
}

#[test]
fn a_value_that_is_set_to_nothing_is_no_truth() {
    let text =
        "parameters: {flag: true}\nsteps: [{type: cache, condition: \"${parameters.flag}\"}]\n";
    let set = |value| read_with(text, &[("flag", value)]);
    assert!(!set("false").unwrap().steps[0].runs);
    for (value, problem) in [
        ("", "stands for nothing"),
        (" ", "stands for nothing"),
        ("0", "0 is neither true nor false"),
        ("no", "no means nothing here"),
        ("''", "'' is neither true nor false"),
        ("null", "null is neither true nor false"),
    ] {
        let error = set(value).unwrap_err();
        assert!(error.starts_with("p.yaml, line 2, column "), "{error}");
        assert!(error.contains(problem), "{error}");
    }
}
