//! The flags that say how files are read, one for every option there is.

use std::sync::LazyLock;

use biotide::OptionInfo;
use clap::builder::{BoolishValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};

/// `--no-header`, the other half of `--header`.
const NO_HEADER: &str = "no_header";

/// Options and the names of their flags, which clap wants to live as long as the program.
static FLAGS: LazyLock<Vec<(&'static OptionInfo, String)>> = LazyLock::new(|| {
    biotide::options()
        .iter()
        .map(|info| (info, info.name.replace('_', "-")))
        .collect()
});

/// The flags.
pub(super) fn args() -> Vec<Arg> {
    let mut args = Vec::with_capacity(FLAGS.len() + 1);
    for (info, long) in FLAGS.iter() {
        let flag = flag(info, long);
        if info.name == "header" {
            args.push(flag.overrides_with(NO_HEADER));
            args.push(
                Arg::new(NO_HEADER)
                    .long("no-header")
                    .help("The first record is data")
                    .help_heading("Reading")
                    .action(ArgAction::SetTrue)
                    .overrides_with("header"),
            );
        } else {
            args.push(flag);
        }
    }
    args
}

/// The options that were given, with their values.
pub(super) fn given(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let value = |info: &OptionInfo| match info.kind {
        _ if info.name == "header" && matches.get_flag(NO_HEADER) => Some("false".to_owned()),
        "boolean" => matches.get_one::<bool>(info.name).map(bool::to_string),
        _ => matches.get_one::<String>(info.name).cloned(),
    };
    FLAGS
        .iter()
        .filter_map(|(info, _)| Some((info.name, value(info)?)))
        .collect()
}

fn flag(info: &'static OptionInfo, long: &'static str) -> Arg {
    let heading = match info.name.split('_').next() {
        Some("parquet") => "Writing",
        Some("identifiers") => "Identifiers",
        Some("xref") => "Cross-reference",
        _ => "Reading",
    };
    let arg = Arg::new(info.name)
        .long(long)
        .help(format!("{} [default: {}]", info.doc, info.default))
        .help_heading(heading);
    if let Some(choices) = info.kind.strip_prefix("one of:") {
        let choices = PossibleValuesParser::new(choices.split_whitespace());
        return arg
            .value_name("WORD")
            .value_parser(choices)
            .ignore_case(true);
    }
    match info.kind {
        // The value needs an equals sign: what follows `--skip-empty` is not to be taken for it.
        "boolean" => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(BoolishValueParser::new())
            .hide_possible_values(true),
        "number" => arg.value_name("N"),
        "size" => arg.value_name("SIZE"),
        kind if kind.starts_with("share") => arg.value_name("SHARE"),
        // `--null-values -9,-99` is a value, not a flag.
        "list" => arg.value_name("LIST").allow_hyphen_values(true),
        _ if info.name == "rejects" => arg.value_name("FILE"),
        _ => arg.value_name("TEXT").allow_hyphen_values(true),
    }
}
