//! `biotide xref FILE --column C --mapping M --to a,b`.

use biotide::XrefReport;
use biotide::prelude::BiotideContext;

use super::report::Ender;
use super::sql;
use crate::args::XrefArgs;
use crate::error::Failure;
use crate::output::Output;
use crate::settings::Settings;

/// Cross-references a column, and says what came of it.
pub(crate) async fn run(
    mut args: XrefArgs,
    settings: &Settings,
    context: &BiotideContext,
) -> Result<(), Failure> {
    let file = args.request.output.clone().filter(|file| file != "-");
    let mut out = Output::new(args.format.filter(|_| file.is_none()))?;
    // (The name of a file says its format, standard output has none.)
    let format = match file {
        Some(_) => args.format,
        None => Some(out.format()),
    };
    args.request.format = format.map(|format| format.name().to_owned());
    let mut ender = Ender::new(args.ending, settings, file.is_some()).counting();
    ender.check(context)?;
    let (context, query) = args.request.query(context).await?;
    let report = match &file {
        Some(file) => {
            sql::write_file(&context, &query, file, args.format, &ender, settings).await?
        }
        None => sql::show(&context, &query, &mut out, &ender, settings, true).await?,
    };
    if let Some(report) = report {
        if let Some(xref) = &report.xref {
            ender.say(|| summary(xref));
        }
        ender.add(&report)?;
    }
    ender.end()
}

/// `2900 of 2923 identifiers mapped: 2850 ok, 50 ambiguous; 23 not: 3 invalid, 20 unmapped`.
fn summary(report: &XrefReport) -> String {
    let (mut mapped, mut not) = (Vec::new(), Vec::new());
    for row in &report.counts {
        let list: &mut Vec<(&str, u64)> = if row.hops > 0 { &mut mapped } else { &mut not };
        match list.iter_mut().find(|(verdict, _)| *verdict == row.verdict) {
            Some((_, n)) => *n += row.n,
            None => list.push((row.verdict, row.n)),
        }
    }
    let sum = |list: &[(&str, u64)]| list.iter().map(|(_, n)| n).sum::<u64>();
    let shown = |list: &[(&str, u64)]| {
        let words: Vec<String> = list
            .iter()
            .map(|(verdict, n)| format!("{n} {verdict}"))
            .collect();
        words.join(", ")
    };
    let mut text = format!(
        "{} of {} identifiers mapped",
        sum(&mapped),
        sum(&mapped) + sum(&not)
    );
    if !mapped.is_empty() {
        text.push_str(&format!(": {}", shown(&mapped)));
    }
    if !not.is_empty() {
        text.push_str(&format!("; {} not: {}", sum(&not), shown(&not)));
    }
    text
}
