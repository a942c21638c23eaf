//! The verbs and their flags.

use std::collections::BTreeMap;
use std::path::PathBuf;

use biotide::prelude::{ConvertRequest, InspectRequest};
use biotide::{BiotideOptions, XrefRequest};
use clap::builder::{NonEmptyStringValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};

use super::{Globals, reading};
use crate::output::Format;

/// `biotide sql`.
#[derive(Debug)]
pub(crate) struct SqlArgs {
    pub(crate) script: Script,
    pub(crate) output: Option<String>,
    pub(crate) format: Option<Format>,
    pub(crate) ending: Ending,
}

/// Where statements come from.
#[derive(Debug)]
pub(crate) enum Script {
    Text(String),
    Stdin,
    File(PathBuf),
}

/// `biotide convert`.
#[derive(Debug)]
pub(crate) struct ConvertArgs {
    pub(crate) request: ConvertRequest,
    pub(crate) ending: Ending,
}

/// `biotide inspect`.
#[derive(Debug)]
pub(crate) struct InspectArgs {
    pub(crate) request: InspectRequest,
    pub(crate) to: InspectTo,
}

/// `biotide xref`.
#[derive(Debug)]
pub(crate) struct XrefArgs {
    pub(crate) request: XrefRequest,
    pub(crate) format: Option<Format>,
    pub(crate) ending: Ending,
}

/// `biotide run`.
#[derive(Debug)]
pub(crate) struct RunArgs {
    pub(crate) pipeline: String,
    /// Values of parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) dry_run: bool,
    pub(crate) resume: bool,
    pub(crate) checkpoint_rows: u64,
    pub(crate) ending: Ending,
}

/// Who an inspection is for.
#[derive(Debug)]
pub(crate) enum InspectTo {
    People,
    Json,
    Html(PathBuf),
}

/// What is said of a job that is done.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) report: Option<ReportTo>,
    pub(crate) fail_on_rejects: Option<u64>,
}

/// Where the report goes.
#[derive(Debug, Clone)]
pub(crate) enum ReportTo {
    Stdout,
    File(PathBuf),
}

fn ending_args() -> [Arg; 2] {
    [
        Arg::new("report")
            .long("report")
            .value_name("json|FILE")
            .help("Report rows, bytes, rejects, time and memory as JSON: `json` for standard output, or a file")
            .value_parser(ValueParser::new(report_to)),
        Arg::new("fail_on_rejects")
            .long("fail-on-rejects")
            .value_name("N")
            .help("Exit with code 3 if more than N records were rejected")
            .value_parser(value_parser!(u64)),
    ]
}

fn ending(matches: &mut ArgMatches) -> Ending {
    Ending {
        report: matches.remove_one("report"),
        fail_on_rejects: matches.remove_one("fail_on_rejects"),
    }
}

pub(super) fn sql_command() -> Command {
    Command::new("sql")
        .about("Run SQL statements; files are tables: SELECT * FROM 'data.tsv'")
        .arg(
            Arg::new("query")
                .value_name("SQL")
                .help("Statements, separated by `;`; - reads them from standard input"),
        )
        .arg(
            Arg::new("file")
                .short('f')
                .long("file")
                .value_name("FILE")
                .help("Take the statements from a file")
                .value_parser(value_parser!(PathBuf)),
        )
        .group(
            ArgGroup::new("script")
                .args(["query", "file"])
                .required(true),
        )
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FILE")
                .help("Write the result of the last statement to a file; its name says the format")
                .value_parser(NonEmptyStringValueParser::new()),
        )
        .arg(
            Arg::new("output_format")
                .long("output-format")
                .value_name("FORMAT")
                .help("Format of the results [default: a table on a terminal, else csv]")
                .value_parser(value_parser!(Format)),
        )
        .args(ending_args())
        .args(reading::args())
}

pub(super) fn sql(matches: &mut ArgMatches) -> SqlArgs {
    let file: Option<PathBuf> = matches.remove_one("file");
    let script = match (file, matches.remove_one::<String>("query")) {
        (Some(file), _) if file.as_os_str() == "-" => Script::Stdin,
        (Some(file), _) => Script::File(file),
        (None, Some(query)) if query != "-" => Script::Text(query),
        (None, _) => Script::Stdin,
    };
    SqlArgs {
        script,
        output: matches.remove_one("output"),
        format: matches.remove_one("output_format"),
        ending: ending(matches),
    }
}

pub(super) fn convert_command() -> Command {
    Command::new("convert")
        .about(
            "Convert tables to Parquet, CSV, TSV, JSON Lines or Arrow, in the order of the input",
        )
        .arg(
            Arg::new("inputs")
                .value_name("IN")
                .required(true)
                .num_args(1..)
                .help("Files, globs, URLs, or - for standard input"),
        )
        .arg(
            Arg::new("out")
                .value_name("OUT")
                .required(true)
                .help("A file, a folder, or - for standard output (csv, tsv, jsonl)"),
        )
        .arg(
            Arg::new("output_format")
                .long("format")
                .value_name("FORMAT")
                .help("Format of OUT [default: as its name says]")
                .value_parser(["parquet", "csv", "tsv", "jsonl", "arrow"]),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .help("Replace OUT if it exists")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("unordered")
                .long("unordered")
                .help("Rows may come in any order, which may be faster")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("partition_by")
                .long("partition-by")
                .value_name("COLUMNS")
                .help("Write a folder for every value of these columns")
                .value_delimiter(',')
                .value_parser(NonEmptyStringValueParser::new()),
        )
        .arg(
            Arg::new("resume")
                .long("resume")
                .help("Note how far it is, and go on where the same conversion with --resume was broken off")
                .action(ArgAction::SetTrue),
        )
        .arg(checkpoint_arg().requires("resume"))
        .args(ending_args())
        .args(reading::args())
}

fn checkpoint_arg() -> Arg {
    Arg::new("checkpoint_rows")
        .long("checkpoint-rows")
        .value_name("N")
        .help("Make durable what is written after so many rows [default: 1000000, not oftener than every 2 s]")
        .value_parser(value_parser!(u64).range(1..))
}

pub(super) fn inspect_command() -> Command {
    Command::new("inspect")
        .about("Show what is in files: dialect, encoding, types and why, the look of every column, what is odd")
        .arg(
            Arg::new("inputs")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .help("Files, globs, URLs, or - for standard input"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .help("Format of the files [default: as their names say]")
                .value_parser(["tsv", "csv", "jsonl"]),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .help("Print JSON, for programs")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("html")
                .long("html")
                .value_name("PAGE")
                .help("Write a page with plots, to look at or to mail")
                .conflicts_with("json")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("full")
                .long("full")
                .help("Look at all rows, not only at the first 100,000")
                .action(ArgAction::SetTrue),
        )
        .args(reading::args())
}

pub(super) fn inspect(matches: &mut ArgMatches) -> InspectArgs {
    let json = matches.get_flag("json");
    InspectArgs {
        request: InspectRequest {
            inputs: many(matches, "inputs"),
            format: matches.remove_one("format"),
            full: matches.get_flag("full"),
        },
        to: match matches.remove_one("html") {
            Some(page) => InspectTo::Html(page),
            None if json => InspectTo::Json,
            None => InspectTo::People,
        },
    }
}

pub(super) fn run_command() -> Command {
    Command::new("run")
        .about("Run a pipeline: a YAML file of steps")
        .after_help("--set NAME=VALUE also sets the pipeline's parameters (--set parameters.NAME=VALUE one that is called like an option).")
        .arg(
            Arg::new("pipeline")
                .value_name("PIPELINE")
                .required(true)
                .help("The file"),
        )
        .arg(
            Arg::new("dry_run")
                .long("dry-run")
                .help("Show the columns of each step and the plan of each sink, and write nothing")
                // (There is nothing to report of what did not run.)
                .conflicts_with("report")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("resume")
                .long("resume")
                .help("Go on where the run was broken off")
                .conflicts_with("dry_run")
                .action(ArgAction::SetTrue),
        )
        .arg(checkpoint_arg())
        .arg(
            Arg::new("rejects")
                .long("rejects")
                .value_name("FILE")
                .help("Write bad rows to this file, whatever the pipeline says: .jsonl, .csv, .tsv or .parquet"),
        )
        .args(ending_args())
}

/// What was typed, and of what was set what is no option of the session.
pub(super) fn run(matches: &mut ArgMatches, set: &mut Vec<(String, String)>) -> RunArgs {
    let mut parameters = BTreeMap::new();
    set.retain(|(key, value)| {
        let named = key.strip_prefix("parameters.");
        if named.is_none() && (BiotideOptions::is_known(key) || Globals::is_known(key)) {
            return true;
        }
        parameters.insert(named.unwrap_or(key).to_owned(), value.clone());
        false
    });
    if let Some(rejects) = matches.remove_one("rejects") {
        set.push(("rejects".to_owned(), rejects));
    }
    RunArgs {
        pipeline: matches.remove_one("pipeline").unwrap_or_default(),
        parameters,
        dry_run: matches.get_flag("dry_run"),
        resume: matches.get_flag("resume"),
        checkpoint_rows: matches.remove_one("checkpoint_rows").unwrap_or_default(),
        ending: ending(matches),
    }
}

/// Options that have a shorter flag in `biotide xref`.
const XREF: [(&str, &str, &str, &str, &str); 6] = [
    (
        "max_hops",
        "max-hops",
        "xref_max_hops",
        "N",
        "The most edges of a path, 1 to 8 [default: 2]",
    ),
    (
        "min_confidence",
        "min-confidence",
        "xref_min_confidence",
        "SHARE",
        "Leave out results below this, 0 to 1 [default: 0]",
    ),
    (
        "policy",
        "policy",
        "xref_policy",
        "WORD",
        "Several results: explode (a row of each), first (the best), error, drop [default: explode]",
    ),
    (
        "priority",
        "priority",
        "xref_priority",
        "LIST",
        "Prefixes, the best first, such as hgnc,uniprot: what --policy first goes by; may be repeated",
    ),
    (
        "namespace",
        "namespace",
        "xref_namespace",
        "PREFIX",
        "The namespace of identifiers without a prefix [default: what the column's name says]",
    ),
    (
        "unmapped",
        "unmapped",
        "xref_unmapped",
        "WORD",
        "Rows without a result: keep, drop; --notes says why there is none [default: keep]",
    ),
];

/// Of those, the ones that what is said last does not replace.
const NOT_REPLACED: [&str; 2] = ["priority", "namespace"];

pub(super) fn xref_command() -> Command {
    // (Either is the same option.)
    let own = XREF.iter().map(|&(id, long, option, value, help)| {
        let arg = Arg::new(id)
            .long(long)
            .value_name(value)
            .help(help)
            .conflicts_with(option);
        match NOT_REPLACED.contains(&id) {
            true => arg.action(ArgAction::Append),
            false => arg,
        }
    });
    Command::new("xref")
        .about("Cross-reference a column of identifiers: what each maps to, over which path")
        .after_help("What is said of a table (--delimiter, --skip-rows, --max-rows, --columns, --schema and so on) is said of FILE; mappings are read as they are.")
        .arg(
            Arg::new("input")
                .value_name("FILE")
                .required(true)
                .help("A file, a glob, a URL, or - for standard input"),
        )
        .arg(
            Arg::new("column")
                .long("column")
                .value_name("COLUMN")
                .required(true)
                .action(ArgAction::Append)
                .help("The column of identifiers, in any case"),
        )
        .arg(
            Arg::new("mapping")
                .long("mapping")
                .value_name("FILE")
                .required(true)
                .action(ArgAction::Append)
                .help("What maps to what: a file of SSSOM, one with the columns subject_id and object_id, or a stored mapping; several, if it is repeated, are as one"),
        )
        .arg(
            Arg::new("negatives")
                .long("negatives")
                .value_name("FILE")
                .help("What does not map to what: files as for --mapping, whatever they say is denied; may be repeated")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("PREFIXES")
                .help("The prefixes of results, such as chebi,kegg; may be repeated [default: any]")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .conflicts_with("xref_targets")
                .value_parser(NonEmptyStringValueParser::new()),
        )
        .arg(
            Arg::new("notes")
                .long("notes")
                .help("Say why: add the columns resolved (what was looked up), note and conflicts (what is denied)")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FILE")
                .help("Write the result to a file; its name says the format, and as .sssom.tsv it is a set of what was found")
                .value_parser(NonEmptyStringValueParser::new()),
        )
        .arg(
            Arg::new("output_format")
                .long("output-format")
                .value_name("FORMAT")
                .help("Format of the result [default: a table on a terminal, else csv]")
                .value_parser(value_parser!(Format)),
        )
        .args(own)
        .args(ending_args())
        .args(reading::args())
}

/// What of `biotide xref` was said again of which there is one: no value of it is to be dropped unsaid.
pub(super) fn given_again(matches: &ArgMatches) -> Option<&'static str> {
    let is_again = |id: &&str| {
        let given = matches.get_many::<String>(id);
        given.is_some_and(|given| given.len() > 1)
    };
    ["column", "namespace"].into_iter().find(is_again)
}

/// What was asked for, and options of the session.
pub(super) fn xref(matches: &mut ArgMatches) -> (XrefArgs, Vec<(&'static str, String)>) {
    let mut options = Vec::new();
    for (id, _, option, ..) in XREF {
        let given = many(matches, id);
        if !given.is_empty() {
            options.push((option, given.join(",")));
        }
    }
    let mut one = |id| matches.remove_one::<String>(id);
    let (input, column, output) = (one("input"), one("column"), one("output"));
    let request = XrefRequest {
        input: input.unwrap_or_default(),
        column: column.unwrap_or_default(),
        mappings: many(matches, "mapping"),
        negatives: many(matches, "negatives"),
        targets: many(matches, "to"),
        notes: matches.get_flag("notes"),
        output,
        format: None,
    };
    let args = XrefArgs {
        request,
        format: matches.remove_one("output_format"),
        ending: ending(matches),
    };
    (args, options)
}

fn many(matches: &mut ArgMatches, id: &str) -> Vec<String> {
    matches
        .remove_many(id)
        .map(Iterator::collect)
        .unwrap_or_default()
}

pub(super) fn convert(matches: &mut ArgMatches) -> ConvertArgs {
    ConvertArgs {
        request: ConvertRequest {
            inputs: many(matches, "inputs"),
            output: matches.remove_one("out").unwrap_or_default(),
            format: matches.remove_one("output_format"),
            force: matches.get_flag("force"),
            unordered: matches.get_flag("unordered"),
            partition_by: many(matches, "partition_by"),
            resume: matches.get_flag("resume"),
            checkpoint_rows: matches.remove_one("checkpoint_rows").unwrap_or_default(),
        },
        ending: ending(matches),
    }
}

fn report_to(text: &str) -> Result<ReportTo, String> {
    Ok(match text {
        "json" | "-" => ReportTo::Stdout,
        "" => return Err("neither json nor a file".to_owned()),
        file => ReportTo::File(file.into()),
    })
}
