//! What is in files, before anybody queries them: dialect, types and why, the look of every column, and
//! what is odd.

mod profile;
mod warnings;

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use biotide_common::options::{BiotideOptions, Share};
use biotide_common::reject::RejectRecord;
use biotide_common::scan::ScanReport;
use biotide_formats::table::{BiotideTable, FileSummary, OpenTable};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ident};
use futures::TryStreamExt;
use serde::Serialize;

use crate::catalog::is_binary;
use crate::context::BiotideContext;
use crate::error::Result;
use crate::statement::Statement;
use profile::Profile;
pub use profile::{Bin, ColumnProfile, Frequent};

/// Rows that are looked at, unless all are asked for.
const ROWS: usize = 100_000;

/// Bad rows that are shown.
const SHOWN: usize = 20;

/// What to look at. Read options are the session's.
#[derive(Debug, Clone, Default)]
pub struct InspectRequest {
    /// Paths, URLs or globs.
    pub inputs: Vec<String>,
    /// The format, if the names do not tell it.
    pub format: Option<String>,
    /// Read everything.
    pub full: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The format's name.
    pub format: String,
    /// The files, in order.
    pub files: Vec<InspectedFile>,
    /// Bytes of all files, as they lie in their store.
    pub bytes: u64,
    /// The number of rows: counted, or guessed by the length of those in the sample; unknown where the
    /// files are compressed.
    pub rows: Option<u64>,
    /// Whether the rows were counted.
    pub rows_exact: bool,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// How the files are written, in words.
    pub dialect: Vec<String>,
    /// The options that read them the same way.
    pub options: Vec<ReadOption>,
    /// The columns.
    pub columns: Vec<InspectedColumn>,
    /// Files whose columns are not those of the first.
    pub different: Vec<Difference>,
    /// What a person should look at.
    pub warnings: Vec<String>,
    /// The first bad rows.
    pub rejects: Vec<BadRow>,
    /// The counts of the readers, as far as they have read.
    pub scan: ScanReport,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedFile {
    /// Its path or URL.
    pub name: String,
    /// Its size as it lies in its store.
    pub bytes: u64,
    /// How it is compressed.
    pub compression: String,
    /// The encoding of its text.
    pub encoding: String,
}

/// An option and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadOption {
    /// The option's name.
    pub name: String,
    /// Its value as text.
    pub value: String,
}

/// A file, and how its columns differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// In words.
    pub difference: String,
}

/// A bad row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file.
    pub file: String,
    /// The physical line, from 1.
    pub line: u64,
    /// The code of what is wrong.
    pub reason: String,
    /// In words.
    pub message: String,
    /// The start of its text.
    pub raw: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedColumn {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// What its type was found by.
    pub evidence: String,
    /// How its values look.
    #[serde(flatten)]
    pub profile: ColumnProfile,
}

impl BiotideContext {
    /// Looks at files: at a bounded part of them, unless all is asked for.
    pub async fn inspect(&self, request: InspectRequest) -> Result<Inspection> {
        let mut inspection = match &request.inputs[..] {
            [only] if is_binary(only) && request.format.is_none() => {
                self.inspect_binary(only, request.full).await?
            }
            _ => self.inspect_text(&request).await?,
        };
        let name = match &inspection.files[..] {
            [only] => only.name.clone(),
            _ => request.inputs.join(", "),
        };
        let more = warnings::of(&inspection, &name);
        inspection.warnings.extend(more);
        Ok(inspection)
    }

    async fn inspect_text(&self, request: &InspectRequest) -> Result<Inspection> {
        let table = OpenTable {
            locations: request.inputs.clone(),
            format: request.format.clone(),
            // However bad the rows are: they are what is asked for.
            options: BiotideOptions {
                error_threshold: Some(Share(1.0)),
                ..BiotideOptions::default()
            },
            ..OpenTable::default()
        };
        let table = table.open(&self.session().state()).await?;
        let mut plan = LogicalPlanBuilder::scan(
            datafusion::common::TableReference::bare("inspected"),
            provider_as_source(Arc::clone(&table) as _),
            None,
        )?;
        let own = table.layout().schema();
        let names = own.fields().iter().map(|field| field.name().clone());
        let columns: Vec<Expr> = names.map(ident).collect();
        plan = plan.project(columns)?;
        if !request.full {
            plan = plan.limit(0, Some(ROWS))?;
        }
        let mut state = self.session().state();
        let statement = Statement::new(self.clone(), &mut state, plan.build()?);
        let seen = look(statement).await?;
        let description = table.layout().describe();
        let option = |(name, value): (&str, String)| ReadOption {
            name: name.to_owned(),
            value,
        };
        let difference = |(file, difference)| Difference { file, difference };
        Ok(Inspection {
            format: table.format().to_owned(),
            bytes: table.files().iter().map(|file| file.size).sum(),
            files: table.files().iter().map(file).collect(),
            rows: rows(&table, &seen.scan, seen.rows),
            rows_exact: seen.scan.complete,
            rows_read: seen.rows,
            dialect: description.dialect,
            options: description.options.into_iter().map(option).collect(),
            columns: columns_of(seen.columns, &description.evidence),
            different: description.different.into_iter().map(difference).collect(),
            warnings: description.warnings,
            rejects: seen.rejects,
            scan: seen.scan,
        })
    }

    /// What the engine reads by itself: its types are declared.
    async fn inspect_binary(&self, input: &str, full: bool) -> Result<Inspection> {
        let path = input.replace('\'', "''");
        let all = format!("SELECT * FROM '{path}'");
        let sql = match full {
            true => all,
            false => format!("{all} LIMIT {}", ROWS + 1),
        };
        let mut seen = look(self.sql(&sql).await?).await?;
        let exact = full || seen.rows <= ROWS as u64;
        seen.scan.complete = exact;
        let size = std::fs::metadata(input).map_or(0, |meta| meta.len());
        let (_, ending) = input.rsplit_once('.').unwrap_or_default();
        let file = InspectedFile {
            name: input.to_owned(),
            bytes: size,
            compression: "inside".to_owned(),
            encoding: "UTF-8".to_owned(),
        };
        Ok(Inspection {
            format: ending.to_ascii_lowercase(),
            bytes: size,
            files: vec![file],
            rows: exact.then_some(seen.rows),
            rows_exact: exact,
            rows_read: seen.rows,
            dialect: Vec::new(),
            options: Vec::new(),
            columns: columns_of(seen.columns, &[]),
            different: Vec::new(),
            warnings: Vec::new(),
            rejects: Vec::new(),
            scan: seen.scan,
        })
    }
}

/// What one pass over the rows shows.
struct Looked {
    columns: Vec<(FieldRef, ColumnProfile)>,
    rows: u64,
    rejects: Vec<BadRow>,
    scan: ScanReport,
}

async fn look(mut statement: Statement) -> Result<Looked> {
    let schema = statement.schema();
    let profile = |field: &FieldRef| Profile::new(field.data_type());
    let mut profiles: Vec<Profile> = schema.fields().iter().map(profile).collect();
    let mut rows = 0;
    let mut stream = statement.stream().await?;
    while let Some(batch) = stream.try_next().await? {
        rows += batch.num_rows() as u64;
        for (profile, column) in profiles.iter_mut().zip(batch.columns()) {
            profile.see(column)?;
        }
    }
    drop(stream);
    let rejects = statement.first_rejects(SHOWN)?;
    let finished = profiles.into_iter().map(Profile::finish);
    Ok(Looked {
        columns: schema.fields().iter().cloned().zip(finished).collect(),
        rows,
        rejects: rejects.into_iter().map(bad_row).collect(),
        scan: statement.finish()?,
    })
}

fn columns_of(
    columns: Vec<(FieldRef, ColumnProfile)>,
    evidence: &[String],
) -> Vec<InspectedColumn> {
    let column = |(i, (field, profile)): (usize, (FieldRef, ColumnProfile))| InspectedColumn {
        name: field.name().clone(),
        data_type: type_name(field.data_type()),
        evidence: match evidence {
            [] => "declared".to_owned(),
            evidence => evidence.get(i).cloned().unwrap_or_default(),
        },
        profile,
    };
    columns.into_iter().enumerate().map(column).collect()
}

fn file(file: &FileSummary) -> InspectedFile {
    InspectedFile {
        name: file.name.clone(),
        bytes: file.size,
        compression: file.compression.to_owned(),
        encoding: file.encoding.to_owned(),
    }
}

fn bad_row(record: RejectRecord) -> BadRow {
    BadRow {
        file: record.source,
        line: record.line,
        reason: record.reason,
        message: record.message,
        raw: record.raw.chars().take(200).collect(),
    }
}

/// Rows of the table, as far as that is known.
fn rows(table: &BiotideTable, scan: &ScanReport, read: u64) -> Option<u64> {
    if scan.complete {
        return Some(read);
    }
    let plain = table.files().iter().all(|file| file.compression == "none");
    let bytes: u64 = table.files().iter().map(|file| file.size).sum();
    plain.then(|| (bytes as f64 / table.layout().mean_record_bytes()) as u64)
}

/// A type as users write it.
fn type_name(data_type: &DataType) -> String {
    use biotide_text::delimited::ColumnType;
    ColumnType::from_data_type(data_type).map_or_else(|| data_type.to_string(), ColumnType::name)
}

impl Inspection {
    /// The call that reads the files the same way, whatever is found in them later.
    pub fn read_as(&self, inputs: &[String]) -> String {
        if self.options.is_empty() {
            return inputs
                .iter()
                .map(|input| format!("'{input}'"))
                .collect::<Vec<_>>()
                .join(", ");
        }
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut arguments: Vec<String> = inputs.iter().map(|input| quoted(input)).collect();
        for option in &self.options {
            let bare = matches!(option.value.as_str(), "true" | "false")
                || option.value.bytes().all(|byte| byte.is_ascii_digit());
            let value = match bare && !option.value.is_empty() {
                true => option.value.clone(),
                false => quoted(&option.value),
            };
            arguments.push(format!("{} => {value}", option.name));
        }
        format!("read_{}({})", self.format, arguments.join(", "))
    }
}
