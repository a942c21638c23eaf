//! Files become datasets of identifiers.

use biotide_common::options::BiotideOptions;

use super::super::actions::Params;
use super::super::sift::{EMPTY, Flawed, INVALID};
use super::flaw::{Flaw, sifted};
use super::identifier_column::{Identifier, wanted};
use super::namespace::check_namespace;
use super::over::over;
use super::read::{Loaded, Reading, read, set, shown};
use super::scope::{column_of, refused};
use super::words::{added, fresh, names, numbered, quoted, text};
use super::{Made, Scope};
use crate::error::Result;

/// What is said of text files only.
const OF_TEXT: &[&str] = &["encoding", "delimiter", "skip_header_rows"];

/// Of these, what is said of delimited text only.
const OF_DELIMITED: &[&str] = &["delimiter", "skip_header_rows"];

/// The columns of the reader, which are not the file's: it may have a `_line` of its own.
const FILE: &str = "biotide_file_of_row";
const LINE: &str = "biotide_line_of_row";
const OFFSET: &str = "biotide_offset_of_row";

/// The columns that are added.
const ROW_NUMBER: &str = "_row_number";
const SOURCE_FILE: &str = "_source_file";

/// `load_dataset_identifiers`.
pub(super) async fn identifiers(scope: &Scope, params: &Params) -> Result<Made> {
    let mut options = BiotideOptions::default();
    options.set_table_text("skip_empty", "true")?;
    for (name, option) in [
        ("encoding", "encoding"),
        ("delimiter", "delimiter"),
        ("skip_header_rows", "skip_rows"),
        ("strip_whitespace", "strip_whitespace"),
    ] {
        set(&mut options, params, name, option)?;
    }
    let reading = Reading {
        format: "file_type",
        options,
        of_text: OF_TEXT,
        of_delimited: OF_DELIMITED,
        places: Some([FILE, LINE, OFFSET]),
    };
    let Loaded { rows, is_text } = read(scope, params, reading).await?;
    let rows = rows.build()?;
    let of_reader = |name: &str| is_text && [FILE, LINE, OFFSET].contains(&name);
    let fields = rows.schema().fields().iter();
    let own: Vec<String> = fields
        .map(|field| field.name().clone())
        .filter(|name| !of_reader(name))
        .collect();
    let ids = wanted(params, &own)?;
    let key: Vec<&Identifier<'_>> = ids.iter().filter(|id| id.is_primary).collect();
    let asks = |name: &&str| params.is_given(name) && params.boolean(name) == Some(true);
    let of_key = ["unique_only", "drop_empty_ids"];
    if let Some(name) = of_key.into_iter().find(asks).filter(|_| key.is_empty()) {
        let problem = "it needs a column of column_mappings with is_primary: true";
        return Err(refused(params, name, problem));
    }
    if params.boolean("validate_format") == Some(true)
        && ids.iter().all(|id| id.namespace.is_none())
    {
        let problem = "it needs a column of column_mappings with identifier_type: of what the values are to be identifiers";
        return Err(refused(params, "validate_format", problem));
    }
    for item in params.items("column_mappings") {
        check_namespace(scope, item, "identifier_type")?;
    }
    // (No dataset of the run is to be hidden by it, no column of the file.)
    let keys: Vec<String> = scope.keys().map(str::to_owned).collect();
    let table = quoted(&fresh("biotide_loaded_rows", &keys));
    let rank = fresh("rank", &own);
    let place = match is_text {
        true => [
            format!("arrow_cast({FILE}, 'Utf8')"),
            LINE.to_owned(),
            OFFSET.to_owned(),
        ],
        // (It has no lines.)
        false => [
            text(&shown(&params.texts("file_path"))),
            quoted(&rank),
            quoted(&rank),
        ],
    };
    let from = match is_text {
        true => table.clone(),
        false => numbered(&table, &rank),
    };
    let kept = kept(params, &own, &ids)?;
    let mut chosen = Chosen::of(params, &kept, &ids, &place)?;
    let cases = chosen.flaws(params, &ids, &place[2]);
    let (columns, condition) = (chosen.columns.join(", "), filter(params, &own)?);
    let sql = format!("SELECT {columns} FROM {from}{condition}");
    let rows = match cases.is_empty() {
        true => over(scope, rows, &table, &sql).await?,
        false => {
            let flaw = fresh("flaw", &chosen.shown);
            let judged = quoted(&flaw);
            let sql = format!("SELECT *, CASE {cases} END AS {judged} FROM ({sql})");
            sifted(over(scope, rows, &table, &sql).await?, &flaw, Flawed::Aside)?
        }
    };
    let sql = match params.boolean("unique_only") == Some(true) {
        false => format!("SELECT {} FROM {table}", names(&chosen.shown)),
        true => unique(&table, &key, &chosen.shown),
    };
    Ok(Made::Plan(Box::new(over(scope, rows, &table, &sql).await?)))
}

/// What is chosen of the file's rows.
struct Chosen {
    /// As SQL.
    columns: Vec<String>,
    /// The names of those that the step has in the end.
    shown: Vec<String>,
}

impl Chosen {
    /// What the step shows. `place`: file, line and offset of a row.
    fn of(
        params: &Params,
        kept: &[String],
        ids: &[Identifier<'_>],
        place: &[String; 3],
    ) -> Result<Self> {
        let mut chosen = Self {
            columns: Vec::new(),
            shown: Vec::new(),
        };
        let mut taken = kept.to_vec();
        for column in kept {
            let name = quoted(column);
            let Some(id) = ids.iter().find(|id| id.column == *column) else {
                chosen.push(name, column);
                continue;
            };
            if params.text("strip_prefix").is_some() {
                let original = own_name(params, &mut taken, &format!("{column}_original"))?;
                chosen.push(name, &original);
            }
            chosen.push(id.value(params, true), column);
        }
        for (sql, name) in [(&place[1], ROW_NUMBER), (&place[0], SOURCE_FILE)] {
            let name = own_name(params, &mut taken, name)?;
            chosen.push(sql.clone(), &name);
        }
        Ok(chosen)
    }

    fn push(&mut self, sql: String, name: &str) {
        self.columns.push(format!("{sql} AS {}", quoted(name)));
        self.shown.push(name.to_owned());
    }

    /// What may be wrong with a row, as cases of SQL; with the columns that they need. It is said of the values as they
    /// are in the file, in their own case.
    fn flaws(&mut self, params: &Params, ids: &[Identifier<'_>], offset: &str) -> String {
        let validates = params.boolean("validate_format") == Some(true);
        let drops = params.boolean("drop_empty_ids") != Some(false);
        let internal = |name: &str| quoted(&fresh(name, &self.shown));
        let at = internal("offset");
        let [line, file] = [ROW_NUMBER, SOURCE_FILE].map(quoted);
        let mut needed = vec![format!("{offset} AS {at}")];
        let mut cases = Vec::new();
        for (n, id) in ids.iter().enumerate() {
            let [raw, value] = ["raw", "value"].map(|name| internal(&format!("{name}{n}")));
            let flaw = |reason, message: &str| {
                let flaw = Flaw {
                    reason,
                    column: &id.column,
                    message,
                    raw: &raw,
                    place: Some([&file, &line, &at]),
                };
                flaw.sql()
            };
            if drops && id.is_primary {
                let flaw = flaw(EMPTY, "there is no identifier");
                cases.push(format!("WHEN {value} IS NULL THEN {flaw}"));
            }
            if let Some(namespace) = id.namespace.filter(|_| validates) {
                let flaw = flaw(INVALID, &format!("not an identifier of {namespace}"));
                let fails = id.fails(&value, &text(namespace));
                cases.push(format!("WHEN {fails} THEN {flaw}"));
            }
            needed.push(format!("{} AS {raw}", id.raw()));
            needed.push(format!("{} AS {value}", id.value(params, false)));
        }
        self.columns.extend(needed);
        cases.join(" ")
    }
}

/// A name that no column of the file has that is kept.
fn own_name(params: &Params, taken: &mut Vec<String>, name: &str) -> Result<String> {
    added(taken, &[name.to_owned()]).map_err(|_| {
        let problem =
            format!("'{name}' is what this step adds: keep other columns, by metadata_columns");
        refused(params, "metadata_columns", problem)
    })
}

/// The columns of the file that are kept: each once.
fn kept(params: &Params, own: &[String], wanted: &[Identifier<'_>]) -> Result<Vec<String>> {
    let some = params.texts("metadata_columns");
    if some.is_empty() {
        return Ok(own.to_vec());
    }
    let mut kept: Vec<String> = wanted.iter().map(|id| id.column.clone()).collect();
    for name in some {
        let column = column_of(own, "the file", params, "metadata_columns", name)?;
        if !kept.contains(&column) {
            kept.push(column);
        }
    }
    Ok(kept)
}

/// Which rows are looked at.
fn filter(params: &Params, own: &[String]) -> Result<String> {
    let Some(column) = params.text("filter_column") else {
        let mut of_filter = ["filter_values", "filter_mode"].into_iter();
        return match of_filter.find(|name| params.is_given(name)) {
            Some(name) => Err(refused(params, name, "it needs filter_column")),
            None => Ok(String::new()),
        };
    };
    let column = column_of(own, "the file", params, "filter_column", column)?;
    let patterns = params.texts("filter_values");
    if patterns.is_empty() {
        return Err(refused(params, "filter_values", "filter_column needs some"));
    }
    let mut any = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        if let Err(error) = regex::Regex::new(pattern) {
            return Err(refused(params, "filter_values", error));
        }
        let cell = format!("arrow_cast({}, 'Utf8')", quoted(&column));
        any.push(format!("regexp_like({cell}, {})", text(pattern)));
    }
    let any = format!("coalesce({}, false)", any.join(" OR "));
    Ok(match params.text("filter_mode") {
        Some("exclude") => format!(" WHERE NOT {any}"),
        _ => format!(" WHERE {any}"),
    })
}

/// The first row of each identifier, as it was made; rows without one are all different.
fn unique(table: &str, key: &[&Identifier<'_>], shown: &[String]) -> String {
    let row = fresh("row", shown);
    let rows = numbered(table, &row);
    let (row, place) = (quoted(&row), quoted(&fresh("place", shown)));
    let by: Vec<String> = key.iter().map(|id| id.key()).collect();
    let empty = key
        .iter()
        .map(|id| format!("{} IS NULL", quoted(&id.column)));
    let empty: Vec<String> = empty.collect();
    format!(
        "SELECT {} FROM (SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {row}) AS {place} FROM {rows}) \
         WHERE {place} = 1 OR ({}) ORDER BY {row}",
        names(shown),
        by.join(", "),
        empty.join(" AND ")
    )
}
