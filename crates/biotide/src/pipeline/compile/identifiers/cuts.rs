//! Where composite identifiers are cut.

use super::super::super::actions::Params;
use super::super::scope::refused;
use super::super::words::{CUT, text, trimmed};
use crate::error::Result;

/// What identifiers are joined by where nothing is said.
const USUAL: [&str; 4] = [",", ";", "|", "_"];

/// What is between parts, each of which is cut further by the next.
struct Cut {
    /// As it was written; nothing is what is between the elements of a list.
    shown: String,
    /// A regular expression.
    pattern: String,
    /// Whether blanks around parts go.
    trims: bool,
    /// Whether empty parts go.
    removes: bool,
}

impl Cut {
    fn at(separator: &str) -> Self {
        Self {
            shown: separator.to_owned(),
            pattern: regex::escape(separator),
            trims: true,
            removes: true,
        }
    }
}

/// The cuts of a step, one after the other.
pub(super) struct Cuts(Vec<Cut>);

impl Cuts {
    /// Those that a step asks for. A list is cut already, and further only where that is asked for.
    pub(super) fn of(params: &Params, is_list: bool) -> Result<Self> {
        if params.texts("separators").contains(&"") {
            return Err(refused(params, "separators", "one is empty"));
        }
        let mut cuts: Vec<Cut> = params
            .texts("separators")
            .into_iter()
            .map(Cut::at)
            .collect();
        for item in params.items("patterns") {
            let separator = item.needed("separator")?;
            let pattern = match item.boolean("is_regex") {
                Some(true) => separator.to_owned(),
                _ => regex::escape(separator),
            };
            if let Err(error) = regex::Regex::new(&pattern) {
                return Err(refused(item, "separator", error));
            }
            cuts.push(Cut {
                shown: separator.to_owned(),
                pattern,
                trims: item.boolean("trim_whitespace") != Some(false),
                removes: item.boolean("remove_empty") != Some(false),
            });
        }
        if cuts.is_empty() && !is_list {
            cuts.extend(USUAL.into_iter().map(Cut::at));
        }
        if is_list {
            // (What its elements are joined by here.)
            let trims = cuts.iter().all(|cut| cut.trims);
            let removes = cuts.iter().all(|cut| cut.removes);
            let own = Cut {
                shown: String::new(),
                pattern: CUT.to_string(),
                trims,
                removes,
            };
            cuts.insert(0, own);
        }
        Ok(Self(cuts))
    }

    /// A text of SQL with [`CUT`] at each cut, and a list of the cuts that it has.
    pub(super) fn joined(&self, cell: &str) -> (String, String) {
        let mut joined = cell.to_owned();
        if self.0.iter().any(|cut| cut.trims) {
            joined = trimmed(&joined);
        }
        let removes_all = self.removes_all();
        let mut found = Vec::new();
        for cut in &self.0 {
            let pattern = &cut.pattern;
            if !cut.shown.is_empty() {
                found.push(format!(
                    "CASE WHEN regexp_like({joined}, {}) THEN {} ELSE '' END",
                    text(pattern),
                    text(&cut.shown)
                ));
            }
            let pattern = match cut.trims {
                true => format!("\\s*(?:{pattern})\\s*"),
                false => pattern.clone(),
            };
            joined = format!("regexp_replace({joined}, {}, '{CUT}', 'g')", text(&pattern));
            if cut.removes && !removes_all {
                joined = format!("regexp_replace({joined}, '{CUT}{{2,}}', '{CUT}', 'g')");
                joined = format!("regexp_replace({joined}, '^{CUT}|{CUT}$', '', 'g')");
            }
        }
        let found = match found.is_empty() {
            true => "arrow_cast(make_array(), 'List(Utf8)')".to_owned(),
            false => format!("array_remove_all(make_array({}), '')", found.join(", ")),
        };
        (joined, found)
    }

    /// Whether no empty part is left.
    pub(super) fn removes_all(&self) -> bool {
        self.0.iter().all(|cut| cut.removes)
    }
}
