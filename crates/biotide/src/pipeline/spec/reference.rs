//! The reference page of pipelines, made from the tables of the actions.

use std::fmt::{self, Write};

use super::streaming::{ERROR_HANDLING, FILE_READER, MEMORY_MANAGEMENT, STREAMING};
use crate::pipeline::actions::{Actions, Param};

const HEAD: &str = "\
<!-- Generated: BIOTIDE_BLESS=1 scripts/test --lib -- pipeline -->

# Pipelines

A pipeline is a file in YAML: steps, each with an action and its parameters. Editors check it as it is written with
[the JSON Schema](pipeline.schema.json): `# yaml-language-server: $schema=…/pipeline.schema.json` as its first line.

| key | |
|---|---|
| `name`, `description`, `version` | What it is called, and what it is for. |
| `parameters` | Names and values, or a list of `{name, required, default, description}`. `--set name=value` says other values. |
| `metadata` | Whatever its author wants to say. |
| `streaming` | How a run goes about its work, see [below](#streaming). |
| `mappings` | Names, and sources of `CREATE MAPPING` such as `sssom('a.sssom.tsv')`, or paths. |
| `steps` | A list of `{name, description, condition, is_required, action: {type, params}}`. Only the action must be there; `{type, params}` alone will do. A file that is nothing but this list is a pipeline too. |

The type of an action, and values that are one of a choice, may be in any case; editors complete and check the lower-case
form. The schema is stricter than a run in more: it does not take numbers in quotes, a parameter with nothing after its
colon, or an empty `streaming:`.

`is_required: false` lets the run go on where a step cannot be prepared, or a check, a cache, a report or a sink fails. Rows are
made when a step takes them that writes, keeps or counts: one that fails then (`1/0`, a cast) ends that step, whose own
`is_required` says what becomes of the run.

## Placeholders

| written | is |
|---|---|
| `${parameters.x}`, `${parameters.x.y[0]}` | a parameter, or a part of it |
| `${metadata.files[0].path}` | a part of the metadata |
| `${env.X}`, `${X}` | a variable of the environment |
| `${…:-text}` | the same, or the text where it is not set |
| `${parameters.${env.SITE}}` | the parameter that the variable names |
| `$${…}` | the text `${…}` |

A value that is one placeholder and nothing else takes the type too: a list, a number, true or false. Inside a text it is
put in. What is no name of these (`${1}`, a variable that is not set) stays as it is; a parameter, a part of the metadata
or an `env.` that does not exist is an error.

## Conditions

`condition: \"1 in ${parameters.stages} and '${parameters.mode}' != 'dry'\"`: numbers, `'texts'`, `true`, `false`, `null`,
lists (`[1, 2]`, `(1, 2)`), `in`, `not in`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `and`, `or`, `not`, parentheses. A
placeholder outside of quotes is a value, not text. Numbers are compared with all their digits. What is neither true nor
false is refused, a placeholder that stands for nothing too.

## Files

A run that would lose rows is refused before anything runs, in a dry run too: one in which two steps write the same file
or a sink replaces the table of another one, in which a cache, a report or the log of bad rows takes the place of a file
that is read, and in which a sink replaces a file that a later sink, check, cache or report reads. The last of them that
reads a file may replace it. Links, `.` and `..` make no other file of one. Folders of logs, reports and files that are
written are made; a log, report or cache whose folder cannot be is refused before anything runs. Of runs that share the
file of a cache at the same time one makes it and the others wait for that; one that would make another of it is refused.

## Streaming
";

/// The page of the built-in actions.
pub fn pipeline_reference() -> String {
    reference_of(&Actions::default())
}

/// The page of these actions.
pub fn reference_of(actions: &Actions) -> String {
    let mut page = String::from(HEAD);
    // (Writing to a String cannot fail.)
    let _ = write(&mut page, actions);
    page
}

fn write(page: &mut String, actions: &Actions) -> fmt::Result {
    table(page, STREAMING)?;
    for (name, params) in [
        ("streaming.file_readers", FILE_READER),
        ("streaming.memory_management", MEMORY_MANAGEMENT),
        ("streaming.error_handling", ERROR_HANDLING),
    ] {
        write!(
            page,
            "\nOf `{name}`{}:\n",
            match name {
                "streaming.file_readers" =>
                    ", for each of `csv`, `tsv` and `jsonl` (of which `encoding` alone)",
                _ => "",
            }
        )?;
        table(page, params)?;
    }
    page.push_str("\n## Actions\n");
    for action in actions.iter() {
        write!(page, "\n### {}\n\n{}", action.name, action.summary)?;
        if !action.aliases.is_empty() {
            write!(page, " Also called {}.", names(action.aliases))?;
        }
        page.push('\n');
        table(page, action.params)?;
        for param in action.params.iter().filter(|param| !param.items.is_empty()) {
            write!(page, "\nOf each of `{}`:\n", param.name)?;
            table(page, param.items)?;
        }
    }
    Ok(())
}

fn table(page: &mut String, params: &[Param]) -> fmt::Result {
    page.push_str("\n| parameter | takes | default | |\n|---|---|---|---|\n");
    for param in params {
        let default = match (param.required, param.default) {
            (true, _) => String::from("**needed**"),
            (false, Some(default)) => format!("`{}`", cell(default)),
            (false, None) => String::new(),
        };
        let mut kind = cell(&param.kind.describe());
        if param.at_least > 1 {
            write!(kind, ", {} or more", param.at_least)?;
        }
        let mut doc = cell(param.doc);
        if !param.aliases.is_empty() {
            write!(doc, " Also {}.", names(param.aliases))?;
        }
        writeln!(page, "| `{}` | {kind} | {default} | {doc} |", param.name)?;
    }
    Ok(())
}

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn names(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
