//! The schema `system`: `rejects`, `mappings`, `options`, `functions`, `prefixes`, `parsers`.

use std::sync::{Arc, Weak};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use biotide_common::options::BiotideOptions;
use biotide_common::reject::{reject_batch, reject_schema};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionContext;
use futures::stream;
use parking_lot::RwLock;

use biotide_exec::catalog::Mappings;
use biotide_formats::formats;
use biotide_functions::References;
use biotide_functions::identifier::registry::Prefix;

use super::mappings::MappingsTable;
use crate::mapping;
use crate::rejects::FinishedLogs;
use crate::statement::{coverage, normalize};

const BATCH: usize = 8192;

/// Adds the schema to the session.
pub(crate) fn register_system(
    session: &SessionContext,
    finished: &Arc<FinishedLogs>,
) -> Result<()> {
    let catalogs = session.state().catalog_list().catalog("datafusion");
    let Some(catalog) = catalogs else {
        return internal_err!("the session has no catalog");
    };
    let schema = Arc::new(MemorySchemaProvider::new());
    let add = |name: &str, source: Arc<dyn PartitionStream>| -> Result<()> {
        let table = StreamingTable::try_new(Arc::clone(source.schema()), vec![source])?;
        schema.register_table(name.to_owned(), Arc::new(table))?;
        Ok(())
    };
    add(
        "rejects",
        Arc::new(Rejects {
            schema: reject_schema(),
            finished: Arc::clone(finished),
        }),
    )?;
    let mappings = session.state().config().get_extension::<Mappings>();
    add(
        "mappings",
        Arc::new(MappingsTable::new(mappings.unwrap_or_default())),
    )?;
    add("options", Arc::new(Words::options(session)))?;
    add("functions", Arc::new(Words::functions(session)))?;
    add("prefixes", Arc::new(Words::prefixes(session)))?;
    add("parsers", Arc::new(Words::parsers(session)))?;
    catalog.register_schema("system", schema)?;
    Ok(())
}

/// The reject logs of finished statements.
#[derive(Debug)]
struct Rejects {
    schema: SchemaRef,
    finished: Arc<FinishedLogs>,
}

impl PartitionStream for Rejects {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let logs = self.finished.all().into_iter();
        let batches = stream::try_unfold((logs, None), async |(mut logs, mut current)| {
            loop {
                if current.is_none() {
                    let Some(log) = logs.next() else {
                        return Ok(None);
                    };
                    current = Some((log.id, log.rejects.read()?));
                }
                if let Some((id, reader)) = &mut current {
                    let records = reader.take_batch(BATCH)?;
                    if !records.is_empty() {
                        let batch = reject_batch(*id, &records)?;
                        return Ok(Some((batch, (logs, current))));
                    }
                }
                current = None;
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}

type Rows = Vec<Vec<Option<String>>>;

/// A small table of text, made anew at every scan from the session as it then is.
struct Words {
    schema: SchemaRef,
    session: Weak<RwLock<SessionState>>,
    rows: fn(&SessionState) -> Result<Rows>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Words {
    fn new(
        session: &SessionContext,
        names: &[&str],
        rows: fn(&SessionState) -> Result<Rows>,
    ) -> Self {
        let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
        let schema = Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()));
        Self {
            schema,
            session: session.state_weak_ref(),
            rows,
        }
    }

    fn options(session: &SessionContext) -> Self {
        Self::new(
            session,
            &["name", "value", "default", "kind", "description"],
            |state| {
                let set = state.config_options().extensions.get::<BiotideOptions>();
                let row = |info: &biotide_common::options::OptionInfo| {
                    vec![
                        Some(info.name.to_owned()),
                        set.and_then(|options| options.get_text(info.name)),
                        Some(info.default.to_owned()),
                        Some(info.kind.to_owned()),
                        Some(info.doc.to_owned()),
                    ]
                };
                Ok(BiotideOptions::INFO.iter().map(row).collect())
            },
        )
    }

    fn functions(session: &SessionContext) -> Self {
        Self::new(
            session,
            &["name", "kind", "syntax", "description"],
            |state| {
                let mut rows = Rows::new();
                let mut add =
                    |name: &String,
                     kind: &str,
                     doc: Option<&datafusion::logical_expr::Documentation>| {
                        rows.push(vec![
                            Some(name.clone()),
                            Some(kind.to_owned()),
                            doc.map(|doc| doc.syntax_example.clone()),
                            doc.map(|doc| doc.description.clone()),
                        ]);
                    };
                for (name, function) in state.scalar_functions() {
                    add(name, "scalar", function.documentation());
                }
                for (name, function) in state.aggregate_functions() {
                    add(name, "aggregate", function.documentation());
                }
                for (name, function) in state.window_functions() {
                    add(name, "window", function.documentation());
                }
                for format in formats::all() {
                    let name = format!("read_{}", format.name());
                    rows.push(vec![
                        Some(name.clone()),
                        Some("table".to_owned()),
                        Some(format!("{name}('path-or-glob', option => value, …)")),
                        Some(
                            "The table of files of this format, read with these options."
                                .to_owned(),
                        ),
                    ]);
                }
                rows.push(vec![
                    Some("id_coverage".to_owned()),
                    Some("table".to_owned()),
                    Some(coverage::SYNTAX.to_owned()),
                    Some(
                        "What of a column are identifiers of a namespace: their number by verdict and note, and the \
                         commonest values of each. A file by its path, or a table by its name."
                            .to_owned(),
                    ),
                ]);
                rows.push(vec![
                    Some("normalize".to_owned()),
                    Some("table".to_owned()),
                    Some(normalize::SYNTAX.to_owned()),
                    Some(
                        "A file or table with its columns made uniform by [rules](../rules/README.md): a YAML file, or \
                         the name of built-in ones."
                            .to_owned(),
                    ),
                ]);
                let own = |(name, syntax, doc): (&str, &str, &str)| {
                    let texts = [name, "table", syntax, doc];
                    texts.map(|text| Some(text.to_owned())).to_vec()
                };
                rows.extend(mapping::relation::SYNTAX.map(own));
                rows.push(own((
                    "xref_coverage",
                    mapping::coverage::SYNTAX,
                    "What of a column a mapping knows: its identifiers by namespace, verdict, hops and source, and the \
                     commonest of each. A file by its path, or a table by its name.",
                )));
                rows.sort();
                Ok(rows)
            },
        )
    }

    fn prefixes(session: &SessionContext) -> Self {
        Self::new(
            session,
            &[
                "prefix",
                "preferred",
                "name",
                "synonyms",
                "pattern",
                "iri_prefix",
                "release",
            ],
            |state| {
                let registry = references(state).registry(state.config_options())?;
                let prefixes = registry.prefixes().iter();
                let row = |prefix: &Prefix| {
                    vec![
                        Some(prefix.prefix.clone()),
                        prefix.preferred.clone(),
                        prefix.name.clone(),
                        (!prefix.synonyms.is_empty()).then(|| prefix.synonyms.join("|")),
                        prefix.pattern.clone(),
                        prefix.uri_prefix.clone(),
                        Some(registry.version().to_owned()),
                    ]
                };
                Ok(prefixes.map(row).collect())
            },
        )
    }

    fn parsers(session: &SessionContext) -> Self {
        Self::new(session, &["name", "priority", "types"], |state| {
            let parsers = references(state).parsers(state.config_options())?;
            let row = |(name, priority, types): (&str, i32, Vec<&str>)| {
                let priority = priority.to_string();
                vec![Some(name.to_owned()), Some(priority), Some(types.join("|"))]
            };
            Ok(parsers.list().map(row).collect())
        })
    }
}

/// What the session's functions look things up in.
fn references(state: &SessionState) -> Arc<References> {
    state
        .config()
        .get_extension::<References>()
        .unwrap_or_default()
}

impl PartitionStream for Words {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self
            .session
            .upgrade()
            .map_or_else(|| Ok(Rows::new()), |state| (self.rows)(&state.read()));
        let batch = rows.and_then(|rows| {
            let column = |i: usize| -> ArrayRef {
                let texts = rows.iter().map(|row| row[i].as_deref());
                Arc::new(texts.collect::<StringArray>())
            };
            let columns = (0..self.schema.fields().len()).map(column).collect();
            RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(DataFusionError::from)
        });
        let batches = stream::iter([batch]);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}
