//! `biotide inspect FILE…`: what is in files.

mod html;
mod text;

use std::io::Write;
use std::path::Path;

use biotide::prelude::{BiotideContext, Inspection};

use super::report::create;
use crate::args::{InspectArgs, InspectTo};
use crate::error::{Context, Failure};
use crate::output::print;
use crate::settings::Settings;
use crate::stderr;

/// Looks at files, and shows what was found.
pub(crate) async fn run(
    args: InspectArgs,
    settings: &Settings,
    context: &BiotideContext,
) -> Result<(), Failure> {
    let inputs = args.request.inputs.clone();
    let inspection = context.inspect(args.request).await?;
    match args.to {
        InspectTo::People => print(&text::render(&inspection, &inputs)),
        InspectTo::Json => {
            let json = serde_json::to_string_pretty(&inspection).context("writing JSON")?;
            print(&format!("{json}\n"))
        }
        InspectTo::Html(path) => {
            write(&path, &html::render(&inspection, &inputs))?;
            if !settings.quiet {
                stderr::say(summary(&inspection, &path));
            }
            Ok(())
        }
    }
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    let written = create(path).and_then(|mut file| file.write_all(page.as_bytes()));
    Ok(written.with_context(|| format!("writing {}", path.display()))?)
}

fn summary(inspection: &Inspection, path: &Path) -> String {
    let columns = inspection.columns.len();
    let warnings = inspection.warnings.len();
    let path = path.display();
    format!("{columns} columns, {warnings} warnings: see {path}")
}

/// What is said of all files together: format, sizes, compression, encoding, rows.
fn facts(inspection: &Inspection) -> Vec<String> {
    let mut facts = vec![inspection.format.clone()];
    if inspection.files.len() > 1 {
        facts.push(format!("{} files", inspection.files.len()));
    }
    facts.push(biotide::format_size(inspection.bytes));
    let one = |of: &dyn Fn(&biotide::inspect::InspectedFile) -> &str| {
        let mut kinds: Vec<String> = inspection.files.iter().map(|f| of(f).to_owned()).collect();
        kinds.sort();
        kinds.dedup();
        kinds.join(", ")
    };
    facts.push(match one(&|file| &file.compression).as_str() {
        "none" => "not compressed".to_owned(),
        "inside" => "compressed inside".to_owned(),
        compression => compression.to_owned(),
    });
    facts.push(one(&|file| &file.encoding));
    facts.push(match (inspection.rows, inspection.rows_exact) {
        (Some(1), true) => "1 row".to_owned(),
        (Some(rows), true) => format!("{} rows", grouped(rows)),
        (Some(rows), false) => format!("about {} rows", grouped(rounded(rows))),
        (None, _) => format!("more than {} rows", grouped(inspection.rows_read)),
    });
    facts
}

/// An estimate is not known to its last digit.
fn rounded(n: u64) -> u64 {
    let digits = n.checked_ilog10().unwrap_or(0);
    let unit = 10u64.pow(digits.saturating_sub(1));
    n / unit * unit
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as a person reads it: nothing for none, and never 0 % or 100 % for some.
fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => String::new(),
        100.0 => "100 %".to_owned(),
        p if p < 0.1 => "<0.1 %".to_owned(),
        p if p > 99.9 => ">99.9 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(rounded(1_234_567), 1_200_000);
        assert_eq!(rounded(7), 7);
        assert_eq!(percent(0.0), "");
        assert_eq!(percent(0.000_01), "<0.1 %");
        assert_eq!(percent(0.5), "50.0 %");
        assert_eq!(percent(1.0), "100 %");
    }
}
