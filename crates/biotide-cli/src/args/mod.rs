//! The command line as it was typed.
//!
//! The flags that say how files are read are not written here: they are made from the list of options
//! (`reading`), so that a new option is a flag without further ado.

mod globals;
mod reading;
mod verbs;

use std::ffi::OsString;

use clap::Command;
use clap::error::ErrorKind;

pub(crate) use self::globals::Globals;
pub(crate) use self::verbs::{
    ConvertArgs, Ending, InspectArgs, InspectTo, ReportTo, RunArgs, Script, SqlArgs, XrefArgs,
};
use crate::output::Format;

/// Everything that was typed.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) globals: Globals,
    /// Read options given as flags: name and value.
    pub(crate) read_options: Vec<(&'static str, String)>,
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Verb {
    Sql(SqlArgs),
    Convert(ConvertArgs),
    Inspect(InspectArgs),
    Xref(XrefArgs),
    Run(RunArgs),
    Shell,
}

/// Reads the command line. The error also stands for `--help` and `--version`.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(args)?;
    let Some((verb, mut matches)) = matches.remove_subcommand() else {
        return Ok(Args {
            globals: globals::given(&mut matches),
            read_options: Vec::new(),
            verb: Verb::Shell,
        });
    };
    let mut globals = globals::given(&mut matches);
    if verb == "run" {
        return Ok(Args {
            verb: Verb::Run(verbs::run(&mut matches, &mut globals.set)),
            globals,
            read_options: Vec::new(),
        });
    }
    let mut read_options = reading::given(&matches);
    let verb = match verb.as_str() {
        "convert" => Verb::Convert(verbs::convert(&mut matches)),
        "inspect" => Verb::Inspect(verbs::inspect(&mut matches)),
        "xref" => {
            if let Some(flag) = verbs::given_again(&matches) {
                let message = format!("the argument '--{flag}' cannot be used multiple times");
                return Err(command.error(ErrorKind::ArgumentConflict, message));
            }
            let (args, options) = verbs::xref(&mut matches);
            read_options.extend(options);
            Verb::Xref(args)
        }
        _ => {
            let args = verbs::sql(&mut matches);
            let file = args.output.as_ref().is_some_and(|output| output != "-");
            if file && args.format == Some(Format::Table) {
                let message = "--output-format table is for standard output, not for -o FILE";
                return Err(command.error(ErrorKind::ArgumentConflict, message));
            }
            Verb::Sql(args)
        }
    };
    Ok(Args {
        globals,
        read_options,
        verb,
    })
}

fn command() -> Command {
    Command::new("biotide")
        .about("SQL over large, messy text tables, and their conversion")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help("Without a command: a SQL shell.")
        .args_override_self(true)
        .disable_help_subcommand(true)
        .args(globals::args())
        .subcommand(verbs::sql_command())
        .subcommand(verbs::convert_command())
        .subcommand(verbs::inspect_command())
        .subcommand(verbs::xref_command())
        .subcommand(verbs::run_command())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args, clap::Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn flags_of_all_kinds_are_read() {
        let args = parsed(
            "biotide convert --threads 3 a.tsv b.tsv out.parquet --no-header --skip-empty \
             --null-values -9,-99 --set on_error=lenient --partition-by a,b --report json",
        )
        .unwrap();
        assert_eq!(args.globals.threads, Some(3));
        assert_eq!(
            args.globals.set,
            [("on_error".to_owned(), "lenient".to_owned())]
        );
        let mut options = args.read_options;
        options.sort();
        let expected = [
            ("header", "false"),
            ("null_values", "-9,-99"),
            ("skip_empty", "true"),
        ]
        .map(|(k, v)| (k, v.to_owned()));
        assert_eq!(options, expected);
        let Verb::Convert(convert) = args.verb else {
            panic!("not convert")
        };
        assert_eq!(convert.request.inputs, ["a.tsv", "b.tsv"]);
        assert_eq!(convert.request.output, "out.parquet");
        assert_eq!(convert.request.partition_by, ["a", "b"]);
    }

    #[test]
    fn what_is_said_again_adds_up_or_is_refused() {
        let line =
            "biotide xref in.tsv --column id --mapping a.tsv --to chebi,kegg --priority hgnc";
        let again =
            " --mapping b.tsv --to hmdb --priority uniprot,chebi --notes --max-hops 1 --max-hops 3";
        let args = parsed(&format!("{line}{again}")).unwrap();
        let expected = [
            ("xref_max_hops", "3"),
            ("xref_priority", "hgnc,uniprot,chebi"),
        ];
        assert_eq!(args.read_options, expected.map(|(k, v)| (k, v.to_owned())));
        let Verb::Xref(XrefArgs { request, .. }) = args.verb else {
            panic!("not xref")
        };
        assert_eq!(request.mappings, ["a.tsv", "b.tsv"]);
        assert_eq!(request.targets, ["chebi", "kegg", "hmdb"]);
        assert_eq!((request.column.as_str(), request.notes), ("id", true));
        for again in ["--column x", "--namespace a --namespace b"] {
            let error = parsed(&format!("{line} {again}")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{again}");
        }
    }

    #[test]
    fn wrong_usage_has_code_two() {
        for line in [
            "biotide nothing",
            "biotide sql",
            "biotide sql --on-error ignore x",
            "biotide convert a.tsv",
            "biotide sql x --threads 0",
            "biotide sql x -o a.csv --output-format table",
            "biotide sql x --memory-limit lots",
        ] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
