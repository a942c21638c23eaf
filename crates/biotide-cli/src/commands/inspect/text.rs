//! An inspection on a terminal.

use biotide::inspect::{Bin, Inspection};
use console::truncate_str;

use super::{facts, grouped, percent};
use crate::output::table;

/// Files that are listed one by one, and bad rows that are shown.
const LISTED: usize = 5;

pub(super) fn render(inspection: &Inspection, inputs: &[String]) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&inputs.join(", "));
    line(&format!("  {}", facts(inspection).join(" · ")));
    if !inspection.dialect.is_empty() {
        line(&format!("  {}", inspection.dialect.join(", ")));
    }
    line(&format!("  read as {}", inspection.read_as(inputs)));
    line("");
    let columns = [
        ("column", false),
        ("type", false),
        ("null", true),
        ("distinct", true),
        ("min", false),
        ("max", false),
        ("histogram", false),
        ("examples", false),
        ("found by", false),
    ];
    let rows: Vec<Vec<String>> = inspection
        .columns
        .iter()
        .map(|column| {
            let profile = &column.profile;
            vec![
                column.name.clone(),
                column.data_type.clone(),
                percent(profile.null_share),
                grouped(profile.distinct),
                profile.min.as_deref().map(short).unwrap_or_default(),
                profile.max.as_deref().map(short).unwrap_or_default(),
                bars(&profile.histogram),
                profile
                    .examples
                    .iter()
                    .take(3)
                    .map(|e| short(e))
                    .collect::<Vec<_>>()
                    .join(", "),
                column.evidence.clone(),
            ]
        })
        .collect();
    line(table(&columns, &rows).trim_end());
    if !inspection.rows_exact {
        let rows = grouped(inspection.rows_read);
        line(&format!("of the first {rows} rows (--full looks at all)"));
    }
    if !inspection.different.is_empty() {
        line("");
        line("Files whose columns are not those of the first:");
        for different in inspection.different.iter().take(LISTED) {
            line(&format!("  {}: {}", different.file, different.difference));
        }
        more(&mut line, inspection.different.len());
    }
    if !inspection.warnings.is_empty() {
        line("");
        line("Warnings:");
        for warning in &inspection.warnings {
            line(&format!("  {warning}"));
        }
    }
    if !inspection.rejects.is_empty() {
        line("");
        line("Bad rows and values:");
        for bad in inspection.rejects.iter().take(LISTED) {
            let raw: String = bad.raw.chars().take(60).collect();
            let raw = raw.escape_debug();
            let many = inspection.files.len() > 1;
            let file = if many {
                format!("{}, ", bad.file)
            } else {
                String::new()
            };
            line(&format!(
                "  {file}line {}: {} ({}): {raw}",
                bad.line, bad.message, bad.reason
            ));
        }
        more(&mut line, inspection.rejects.len());
    }
    out
}

fn more(line: &mut impl FnMut(&str), n: usize) {
    if n > LISTED {
        line(&format!("  … and {} more", n - LISTED));
    }
}

fn short(text: &str) -> String {
    truncate_str(text, 17, "…").into_owned()
}

/// A histogram in one line.
fn bars(bins: &[Bin]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    // Ten are enough for a line.
    let parts = bins.len().div_ceil(10).max(1);
    let heights: Vec<u64> = bins
        .chunks(parts)
        .map(|part| part.iter().map(|b| b.count).sum())
        .collect();
    let most = heights.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&height: &u64| match height {
        0 => ' ',
        height => BARS[((height * 8).div_ceil(most) as usize - 1).min(7)],
    };
    heights.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_where_values_lie() {
        let bin = |count| Bin {
            from: 0.0,
            to: 1.0,
            count,
        };
        let bins: Vec<Bin> = [0, 1, 100, 50].map(bin).into();
        assert_eq!(bars(&bins), " ▁█▄");
        assert_eq!(bars(&[]), "");
    }
}
