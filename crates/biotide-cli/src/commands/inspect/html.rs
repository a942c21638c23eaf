//! An inspection as a page to mail: one file, without scripts, that asks for nothing else.

use std::fmt::Write;

use biotide::inspect::{Bin, InspectedColumn, Inspection};

use super::{facts, grouped, percent};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --dim: #5c6b7a; --line: #d9e0e7; --back: #ffffff;
  --card: #f6f8fa; --bar: #2f6f9f; --warn: #9a5b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --dim: #9aa8b5; --line: #33404c;
  --back: #14191e; --card: #1b2228; --bar: #6fb1e0; --warn: #e0a84c; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back); margin: 0 auto;
  max-width: 1200px; padding: 24px; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 28px 0 8px; }
p, li { overflow-wrap: anywhere; }
.dim { color: var(--dim); }
code { font: 13px ui-monospace, monospace; background: var(--card); padding: 1px 4px; border-radius: 3px;
  overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { font-weight: 600; }
svg { display: block; fill: var(--bar); }
ul.warn { color: var(--warn); padding-left: 20px; }
.small { font-size: 12.5px; }
";

pub(super) fn render(inspection: &Inspection, inputs: &[String]) -> String {
    let mut page = String::new();
    let title = escape(&inputs.join(", "));
    push(
        &mut page,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p>{}<br>\n<span class=\"dim\">{}</span><br>\n<code>{}</code></p>\n",
            escape(&facts(inspection).join(" · ")),
            escape(&inspection.dialect.join(", ")),
            escape(&inspection.read_as(inputs)),
        ),
    );
    if !inspection.warnings.is_empty() {
        list(
            &mut page,
            "Warnings",
            "warn",
            inspection.warnings.iter().map(String::as_str),
        );
    }
    if !inspection.different.is_empty() {
        let lines: Vec<String> = inspection
            .different
            .iter()
            .map(|different| format!("{}: {}", different.file, different.difference))
            .collect();
        let title = "Files whose columns are not those of the first";
        list(&mut page, title, "", lines.iter().map(String::as_str));
    }
    let looked = match inspection.rows_exact {
        true => "all rows".to_owned(),
        false => format!("the first {} rows", grouped(inspection.rows_read)),
    };
    push(
        &mut page,
        format_args!(
            "<h2>{} columns</h2>\n<p class=\"dim\">of {looked}</p>\n<div class=\"scroll\">\n<table>\n\
             <tr><th>column</th><th>type</th><th>null</th><th>distinct</th><th>range</th>\
             <th>distribution</th><th>values</th></tr>\n",
            inspection.columns.len()
        ),
    );
    for column in &inspection.columns {
        row(&mut page, column);
    }
    page.push_str("</table>\n</div>\n");
    if !inspection.rejects.is_empty() {
        page.push_str(
            "<h2>Bad rows and values</h2>\n<div class=\"scroll\">\n<table>\n\
             <tr><th>file</th><th>line</th><th>reason</th><th>message</th><th>text</th></tr>\n",
        );
        for bad in &inspection.rejects {
            push(
                &mut page,
                format_args!(
                    "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
                    escape(&bad.file),
                    bad.line,
                    escape(&bad.reason),
                    escape(&bad.message),
                    escape(&bad.raw)
                ),
            );
        }
        page.push_str("</table>\n</div>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn list<'a>(page: &mut String, title: &str, class: &str, items: impl Iterator<Item = &'a str>) {
    push(
        page,
        format_args!("<h2>{title}</h2>\n<ul class=\"{class}\">\n"),
    );
    for item in items {
        push(page, format_args!("<li>{}</li>\n", escape(item)));
    }
    page.push_str("</ul>\n");
}

fn row(page: &mut String, column: &InspectedColumn) {
    let profile = &column.profile;
    let range = match (&profile.min, &profile.max) {
        (Some(min), Some(max)) if min == max => escape(min),
        (Some(min), Some(max)) => format!("{} … {}", escape(min), escape(max)),
        _ => String::new(),
    };
    let mean = profile.mean.map_or(String::new(), |mean| {
        format!("<br><span class=\"dim small\">mean {mean:.4}</span>")
    });
    let values: Vec<String> = match profile.frequent.is_empty() {
        true => profile
            .examples
            .iter()
            .map(|example| escape(example))
            .collect(),
        false => profile
            .frequent
            .iter()
            .map(|frequent| {
                let count = grouped(frequent.count);
                format!(
                    "{} <span class=\"dim\">×{count}</span>",
                    escape(&frequent.value)
                )
            })
            .collect(),
    };
    push(
        page,
        format_args!(
            "<tr><td class=\"name\">{}</td><td>{}<br><span class=\"dim small\">{}</span></td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td>{range}{mean}</td><td>{}</td>\
             <td class=\"small\">{}</td></tr>\n",
            escape(&column.name),
            escape(&column.data_type),
            escape(&column.evidence),
            escape(&percent(profile.null_share)),
            grouped(profile.distinct),
            histogram(&profile.histogram, &column.data_type),
            values.join("<br>"),
        ),
    );
}

/// A histogram as an image in the page.
fn histogram(bins: &[Bin], data_type: &str) -> String {
    const WIDTH: f64 = 160.0;
    const HEIGHT: f64 = 40.0;
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let width = WIDTH / bins.len() as f64;
    let of = if data_type == "text" {
        "characters "
    } else {
        ""
    };
    let mut out = format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">"
    );
    for (i, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        // What is there is seen, however little it is.
        let height = (bin.count as f64 / most as f64 * HEIGHT).max(1.0);
        push(
            &mut out,
            format_args!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
                 <title>{of}{} to {}: {}</title></rect>",
                i as f64 * width,
                HEIGHT - height,
                (width - 1.0).max(0.5),
                bin.from,
                bin.to,
                grouped(bin.count)
            ),
        );
    }
    out.push_str("</svg>");
    if data_type == "text" {
        out.push_str("<span class=\"dim small\">length in characters</span>");
    }
    out
}

/// Text that stays text in a page.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Writing to a text cannot fail.
fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escape("<b a=\"1\">&\u{1b}"),
            "&lt;b a=&quot;1&quot;&gt;&amp;\u{fffd}"
        );
    }

    #[test]
    fn a_histogram_shows_every_bin_that_holds_something() {
        let bin = |i: u64| Bin {
            from: i as f64,
            to: i as f64 + 1.0,
            count: [1, 0, 1_000_000][i as usize],
        };
        let svg = histogram(&[bin(0), bin(1), bin(2)], "int64");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(
            svg.contains("0 to 1: 1<") && svg.contains("2 to 3: 1,000,000<"),
            "{svg}"
        );
    }
}
