//! The flags that every verb takes.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::progress::ShowProgress;

/// Flags of every verb.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    pub(crate) memory_limit: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) batch_size: Option<usize>,
    pub(crate) temp_dir: Option<PathBuf>,
    pub(crate) temp_limit: Option<u64>,
    pub(crate) quiet: bool,
    pub(crate) progress: ShowProgress,
    pub(crate) metrics: Option<String>,
    pub(crate) set: Vec<(String, String)>,
    pub(crate) config: Option<PathBuf>,
}

impl Globals {
    /// Whether `--set` knows this as one of them.
    pub(super) fn is_known(key: &str) -> bool {
        let name = key
            .strip_prefix("biotide.")
            .unwrap_or(key)
            .replace('-', "_");
        let known = [
            "memory_limit",
            "threads",
            "batch_size",
            "temp_dir",
            "temp_limit",
        ];
        known.contains(&name.as_str())
            || ["biotide.", "datafusion."]
                .iter()
                .any(|of| key.starts_with(of))
    }
}

pub(super) fn args() -> Vec<Arg> {
    let global = |id: &'static str, long: &'static str, help: &'static str| {
        Arg::new(id)
            .long(long)
            .help(help)
            .global(true)
            .help_heading("Global options")
    };
    let number = value_parser!(u64).range(1..);
    vec![
        global(
            "memory_limit",
            "memory-limit",
            "Most memory to use, such as 200MB [default: half of what there is]",
        )
        .value_name("SIZE")
        .value_parser(ValueParser::new(size)),
        global(
            "threads",
            "threads",
            "Worker threads [default: one a processor]",
        )
        .value_name("N")
        .value_parser(number),
        global(
            "batch_size",
            "batch-size",
            "Most rows of a batch [default: 8192]",
        )
        .value_name("ROWS")
        .value_parser(number),
        global(
            "temp_dir",
            "temp-dir",
            "Where what does not fit into memory goes [default: the system's]",
        )
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf)),
        global("temp_limit", "temp-limit", "Most space to use there")
            .value_name("SIZE")
            .value_parser(ValueParser::new(size)),
        global("quiet", "quiet", "Say nothing but errors")
            .short('q')
            .action(ArgAction::SetTrue),
        global(
            "progress",
            "progress",
            "Show how far the work is [default: auto]",
        )
        .value_name("WHEN")
        .value_parser(value_parser!(ShowProgress)),
        global(
            "metrics",
            "metrics",
            "Serve numbers of the work for Prometheus, such as at 127.0.0.1:9184",
        )
        .value_name("ADDRESS")
        .value_parser(NonEmptyStringValueParser::new()),
        global(
            "set",
            "set",
            "Set any option: --set on_error=lenient; may be repeated",
        )
        .value_name("KEY=VALUE")
        .action(ArgAction::Append)
        .value_parser(ValueParser::new(key_value)),
        global(
            "config",
            "config",
            "Take options from a file of lines `key = value` or `key: value`",
        )
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf)),
    ]
}

pub(super) fn given(matches: &mut ArgMatches) -> Globals {
    let number = |matches: &mut ArgMatches, id| {
        let n: Option<u64> = matches.remove_one(id);
        n.map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    Globals {
        memory_limit: matches.remove_one("memory_limit"),
        threads: number(matches, "threads"),
        batch_size: number(matches, "batch_size"),
        temp_dir: matches.remove_one("temp_dir"),
        temp_limit: matches.remove_one("temp_limit"),
        quiet: matches.get_flag("quiet"),
        progress: matches.remove_one("progress").unwrap_or_default(),
        metrics: matches.remove_one("metrics"),
        set: matches
            .remove_many("set")
            .map(Iterator::collect)
            .unwrap_or_default(),
        config: matches.remove_one("config"),
    }
}

fn size(text: &str) -> Result<u64, String> {
    let size = biotide::parse_size(text).filter(|&size| size > 0);
    size.ok_or_else(|| "not a size: use 200MB, 1GiB, 65536".to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("not key=value".to_owned()),
    }
}
