//! Commands of the shell itself, which begin with a backslash.

use super::{Shell, schema_of};
use crate::error::{Context, Failure};
use crate::output::{print, table};
use crate::stderr;

/// A command, what it takes, and what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 7] = [
    (
        "\\d",
        "[NAME]",
        "list tables; or the columns of a table or file",
    ),
    (
        "\\timing",
        "[on|off]",
        "tell rows and time of every statement",
    ),
    (
        "\\o",
        "[FILE]",
        "write results to a file, whose name says the format; or to the screen again",
    ),
    ("\\i", "FILE", "run the statements of a file"),
    (
        "\\pager",
        "[on|off]",
        "show long and wide results in $PAGER, or less",
    ),
    ("\\?", "", "show this"),
    ("\\q", "", "leave"),
];

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Leave,
}

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meta {
    Tables,
    Columns(String),
    Timing(Option<bool>),
    Pager(Option<bool>),
    Output(Option<String>),
    Run(String),
    Help,
    Leave,
}

impl Meta {
    /// The command that a line is; nothing if it is SQL.
    pub(super) fn parse(line: &str) -> Result<Option<Self>, Failure> {
        let line = line.trim().trim_end_matches(';').trim_end();
        if matches!(line.to_ascii_lowercase().as_str(), "exit" | "quit") {
            return Ok(Some(Self::Leave));
        }
        let Some(command) = line.strip_prefix('\\') else {
            return Ok(None);
        };
        let (name, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let rest = rest.trim();
        let given = (!rest.is_empty()).then(|| unquoted(rest));
        let switch = || match rest {
            "" => Ok(None),
            "on" => Ok(Some(true)),
            "off" => Ok(Some(false)),
            _ => Err(Failure::usage(format!(
                "\\{name} takes on or off, not {rest}"
            ))),
        };
        Ok(Some(match (name, given) {
            ("d", None) => Self::Tables,
            ("d", Some(_)) => Self::Columns(rest.to_owned()),
            ("timing", _) => Self::Timing(switch()?),
            ("pager", _) => Self::Pager(switch()?),
            ("o", given) => Self::Output(given),
            ("i", Some(file)) => Self::Run(file),
            ("i", None) => return Err(Failure::usage("\\i FILE: which file?")),
            ("?" | "h" | "help", _) => Self::Help,
            ("q" | "quit", _) => Self::Leave,
            _ => {
                let problem = format!("there is no command \\{name}; \\? lists them");
                return Err(Failure::usage(problem));
            }
        }))
    }
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    inner.unwrap_or(text).to_owned()
}

impl Shell<'_> {
    /// Does what the command says.
    pub(super) async fn meta(&mut self, meta: Meta) -> Result<Next, Failure> {
        match meta {
            Meta::Leave => return Ok(Next::Leave),
            Meta::Help => {
                let lines = COMMANDS.map(|(name, takes, what)| {
                    let call = format!("{name} {takes}");
                    format!("{call:<18}{what}\n")
                });
                print(&lines.concat())?;
            }
            Meta::Tables => {
                let names = self.context.table_names();
                let rows: Vec<Vec<String>> = names.into_iter().map(|name| vec![name]).collect();
                print(&table(&[("table", false)], &rows))?;
            }
            Meta::Columns(source) => {
                // A name as SQL has it; a path needs no quotes here.
                let known = self.context.table_names().contains(&source);
                let source = match known || source.starts_with(['\'', '"']) || source.contains('(')
                {
                    true => source,
                    false => format!("'{}'", source.replace('\'', "''")),
                };
                let schema = schema_of(self.context, &source).await?;
                let fields = schema.fields().iter();
                let row = |field: &arrow::datatypes::FieldRef| {
                    vec![field.name().clone(), field.data_type().to_string()]
                };
                let rows: Vec<Vec<String>> = fields.map(row).collect();
                print(&table(&[("column", false), ("type", false)], &rows))?;
            }
            Meta::Timing(on) => {
                self.timing = on.unwrap_or(!self.timing);
                say_switch("timing", self.timing);
            }
            Meta::Pager(on) => {
                self.pager = on.unwrap_or(!self.pager);
                say_switch("pager", self.pager);
            }
            Meta::Output(file) => {
                stderr::say(match &file {
                    Some(file) => format!("the result of every query replaces {file}"),
                    None => "results go to the screen".to_owned(),
                });
                self.output = file;
            }
            Meta::Run(file) => {
                let script =
                    std::fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
                self.script(script.trim_start_matches('\u{feff}')).await?;
            }
        }
        Ok(Next::Go)
    }
}

fn say_switch(what: &str, on: bool) {
    stderr::say(format_args!("{what} is {}", if on { "on" } else { "off" }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(line: &str) -> Option<Meta> {
        Meta::parse(line).unwrap()
    }

    #[test]
    fn commands_are_known() {
        assert_eq!(meta("SELECT 1;"), None);
        assert_eq!(meta(" \\d ;"), Some(Meta::Tables));
        assert_eq!(
            meta("\\d 'a b.tsv'"),
            Some(Meta::Columns("'a b.tsv'".into()))
        );
        assert_eq!(meta("\\timing"), Some(Meta::Timing(None)));
        assert_eq!(meta("\\timing off"), Some(Meta::Timing(Some(false))));
        assert_eq!(meta("\\o"), Some(Meta::Output(None)));
        assert_eq!(
            meta("\\o 'x.csv'"),
            Some(Meta::Output(Some("x.csv".into())))
        );
        assert_eq!(meta("\\i x.sql"), Some(Meta::Run("x.sql".into())));
        assert_eq!(meta("quit;"), Some(Meta::Leave));
        for wrong in ["\\nothing", "\\i", "\\timing maybe"] {
            assert!(Meta::parse(wrong).is_err(), "{wrong}");
        }
    }
}
