//! What a person should look at.

use super::Inspection;

/// Values of a text column that look as if something had happened to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Oddities {
    /// `2-Sep`, `1-Mar`: gene symbols that a spreadsheet has taken for dates. Ziemann et al., *Gene name
    /// errors are widespread in the scientific literature*, Genome Biology 2016.
    eaten: Found,
    /// `2.31E+13`: identifiers of digits and an E (RIKEN clones) that a spreadsheet has taken for numbers.
    scientific: Found,
    /// Blanks before or behind a value.
    blanks: Found,
    /// Characters that stand for bytes of another encoding: `Ã©`, or the replacement character.
    garbled: Found,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Found {
    count: u64,
    first: String,
}

impl Found {
    fn see(&mut self, value: &str) {
        if self.count == 0 {
            self.first = value.chars().take(40).collect();
        }
        self.count += 1;
    }
}

impl Oddities {
    pub(super) fn see(&mut self, value: &str) {
        if is_eaten(value) {
            self.eaten.see(value);
        }
        if is_scientific(value) {
            self.scientific.see(value);
        }
        if value.starts_with([' ', '\t', '\u{a0}']) || value.ends_with([' ', '\t', '\u{a0}']) {
            self.blanks.see(value);
        }
        if !value.is_ascii() && is_garbled(value) {
            self.garbled.see(value);
        }
    }
}

/// `2-Sep`, `Mar-01`, `1-Dec`, `2021-09-02` is none: those are dates.
fn is_eaten(value: &str) -> bool {
    let Some((a, b)) = value.split_once('-') else {
        return false;
    };
    // Months that are the beginning of gene symbols: MARCH1, SEPT2, DEC1, OCT4, FEB, APR, NOV.
    const MONTHS: [&str; 7] = ["mar", "sep", "dec", "oct", "feb", "apr", "nov"];
    let is_month = |text: &str| MONTHS.iter().any(|month| text.eq_ignore_ascii_case(month));
    let is_day = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    is_day(a) && is_month(b) || is_month(a) && is_day(b)
}

/// `2.31E+13`: a whole number of many digits as spreadsheets show it.
fn is_scientific(value: &str) -> bool {
    let Some((mantissa, exponent)) = value.split_once("E+") else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(fraction) && exponent.len() == 2 && digits(exponent)
}

/// UTF-8 that was read as Windows-1252 and written as UTF-8 again has `Ã` or `Â` before a sign.
fn is_garbled(value: &str) -> bool {
    let chars: Vec<char> = value.chars().collect();
    let pair = |pair: &[char]| {
        matches!(pair[0], 'Ã' | 'Â' | 'Î')
            && matches!(pair[1], '\u{80}'..='\u{bf}' | '€' | '™' | '‚'..='‰' | '˜')
    };
    value.contains('\u{fffd}') || chars.windows(2).any(pair)
}

/// The warnings of an inspection, besides those of its header.
pub(super) fn of(inspection: &Inspection, name: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let scan = &inspection.scan;
    let reasons = &scan.reasons;
    let count = |reason: &str| reasons.get(reason).copied().unwrap_or(0);
    let ragged = count("too_few_fields") + count("too_many_fields");
    if ragged > 0 {
        let rows = if ragged == 1 { "row has" } else { "rows have" };
        warnings.push(format!(
            "{ragged} {rows} more or fewer fields than there are columns"
        ));
    }
    match count("footnote") {
        0 => {}
        1 => warnings.push("1 line below the table is taken for a note".to_owned()),
        n => warnings.push(format!("{n} lines below the table are taken for notes")),
    }
    if count("invalid_utf8") > 0 {
        warnings.push(format!(
            "{} rows hold bytes of another encoding than the rest",
            count("invalid_utf8")
        ));
    }
    let rest = scan.reasons.iter().filter(|(reason, _)| {
        !matches!(
            reason.as_str(),
            "too_few_fields" | "too_many_fields" | "invalid_utf8" | "footnote"
        )
    });
    for (reason, n) in rest {
        warnings.push(format!("{n} rows or values: {reason}"));
    }
    if scan.unknown > 0 {
        warnings.push(format!(
            "{} values stand under keys that the sample did not show",
            scan.unknown
        ));
    }
    let text = inspection.format != "jsonl";
    if text && inspection.columns.len() == 1 {
        warnings.push(format!(
            "{name} has a single column: if it should have more, name the delimiter"
        ));
    }
    for column in &inspection.columns {
        let column_name = &column.name;
        let mut say = |found: &Found, one: &str, many: &str| {
            let (count, first) = (found.count, &found.first);
            match count {
                0 => {}
                1 => warnings.push(format!("column \"{column_name}\": '{first}' {one}")),
                _ => warnings.push(format!(
                    "column \"{column_name}\": {count} values {many}, such as '{first}'"
                )),
            }
        };
        let odd = &column.profile.oddities;
        say(
            &odd.eaten,
            "looks like a gene symbol that a spreadsheet has made a date",
            "look like gene symbols that a spreadsheet has made dates",
        );
        say(
            &odd.scientific,
            "looks like an identifier that a spreadsheet has made a number",
            "look like identifiers that a spreadsheet has made numbers",
        );
        say(
            &odd.blanks,
            "has blanks around it",
            "have blanks around them",
        );
        say(
            &odd.garbled,
            "looks like text that was decoded in a wrong encoding",
            "look like text that was decoded in a wrong encoding",
        );
        if inspection.rows_read > 0 && column.profile.values == 0 {
            warnings.push(format!("column \"{column_name}\" holds nothing"));
        }
    }
    if scan.files == 0 && inspection.rows_read == 0 {
        warnings.push(format!("{name} holds no rows"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_do_is_known() {
        for eaten in ["2-Sep", "1-Mar", "Mar-01", "sep-2", "10-Dec"] {
            assert!(is_eaten(eaten), "{eaten}");
        }
        for fine in ["SEPT2", "2021-09-02", "IL-2", "HLA-A", "2-May-2020", "mar-"] {
            assert!(!is_eaten(fine), "{fine}");
        }
        assert!(is_scientific("2.31E+13") && is_scientific("2E+13"));
        assert!(!is_scientific("231E+13") && !is_scientific("E+13") && !is_scientific("2.3e+13"));
        assert!(is_garbled("MÃ¼ller") && is_garbled("Î²-catenin") && !is_garbled("Müller Ãb"));
    }
}
