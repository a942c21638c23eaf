//! From a path, URL or glob to a table.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Infer, Names};
use biotide_text::sample::Sample;
use datafusion_catalog::{TableProvider, TableProviderFactory};
use datafusion_common::cast::as_boolean_array;
use datafusion_common::{DFSchema, Result, ScalarValue, Statistics, project_schema};
use datafusion_datasource::file_format::FileFormat;
use datafusion_datasource::file_groups::FileGroup;
use datafusion_datasource::file_scan_config::FileScanConfigBuilder;
use datafusion_datasource::{PartitionedFile, TableSchema};
use datafusion_execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::utils::conjunction;
use datafusion_expr::{CreateExternalTable, Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_expr::create_physical_expr;
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::empty::EmptyExec;
use datafusion_session::Session;

use crate::compress::Codec;
use crate::files::{self, File, Location};
use crate::formats;
use crate::sampling::{infer_full, sample};
use crate::spec::{FormatSpec, SampledFile, TextLayout};
use crate::spool::Spool;
use crate::text::TextFormat;

/// Bytes sampled of all files but the first, as far as that leaves a few of each.
const SAMPLED_BYTES: usize = 64 << 20;

/// What compressed text is taken to hold for each of its bytes.
const EXPANSION: u64 = 5;

/// A table over text files.
#[derive(Debug)]
pub struct BiotideTable {
    locations: Vec<Location>,
    format: TextFormat,
    layout: Arc<dyn TextLayout>,
    /// The columns of the files, and the partition columns behind them.
    columns: TableSchema,
    files: Vec<FileSummary>,
    /// The partition column that names the file of a row.
    file_column: Option<String>,
    /// What plans hold for its columns.
    _memory: Option<MemoryReservation>,
}

/// What was found of a file, without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// Its path or URL.
    pub name: String,
    /// Its size as it lies in its store.
    pub size: u64,
    /// What its store calls the state that it is in.
    pub e_tag: Option<String>,
    /// How it is compressed.
    pub compression: &'static str,
    /// The encoding of its text.
    pub encoding: &'static str,
}

impl BiotideTable {
    /// What the records of its files are like.
    pub fn layout(&self) -> &Arc<dyn TextLayout> {
        &self.layout
    }

    /// The name of its format.
    pub fn format(&self) -> &'static str {
        self.format.name
    }

    /// What so many stored bytes hold.
    fn estimate(&self, stored: u64) -> Statistics {
        let is_packed = |file: &FileSummary| file.compression != Codec::None.name();
        let bytes = match self.files.iter().any(is_packed) {
            true => stored.saturating_mul(EXPANSION),
            false => stored,
        };
        self.format.estimate(bytes, &self.schema())
    }

    /// Its files, as they were when it was opened.
    pub fn files(&self) -> &[FileSummary] {
        &self.files
    }
}

/// A plan holds so many bytes for a column, in its schemas and expressions (measured).
const COLUMN_BYTES: usize = 2 << 10;

/// Columns that are not worth counting.
const FEW_COLUMNS: usize = 1000;

/// Reserves what plans will hold for the columns of a wide table.
fn reserve_columns(
    pool: &Arc<dyn MemoryPool>,
    file: &str,
    columns: usize,
) -> Result<Option<MemoryReservation>> {
    if columns <= FEW_COLUMNS {
        return Ok(None);
    }
    let name =
        format!("the {columns} columns of {file} (to read some of them, name those: columns)");
    let reservation = MemoryConsumer::new(name).register(pool);
    reservation.try_grow(columns.saturating_mul(COLUMN_BYTES))?;
    Ok(Some(reservation))
}

/// How to open a table.
#[derive(Debug, Clone, Default)]
pub struct OpenTable {
    /// Paths, URLs or globs, in order.
    pub locations: Vec<String>,
    /// The format's name; by the first path's ending if not given.
    pub format: Option<String>,
    /// What the caller set, over the session's options.
    pub options: BiotideOptions,
    /// Partition columns (`key=value` folders); found by themselves if not given.
    pub partition_columns: Option<Vec<String>>,
    /// Adds a column of this name: the file of each row, as messages call it.
    pub file_column: Option<String>,
    /// What the columns of `metadata_columns` are called, if not `_line` and `_offset`.
    pub place_columns: Option<[String; 2]>,
    /// Takes `max_rows` of all files together, instead of each.
    pub rows_of_all: bool,
}

impl OpenTable {
    /// A table of one path, URL or glob.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            locations: vec![location.into()],
            ..Self::default()
        }
    }

    /// Looks at the files and makes the table.
    pub async fn open(self, session: &dyn Session) -> Result<Arc<BiotideTable>> {
        let Some(first) = self.locations.first().cloned() else {
            return Err(BiotideError::file("", "no file was named").into());
        };
        let options = match session.config_options().extensions.get::<BiotideOptions>() {
            Some(base) => self.options.clone().over(base),
            None => self.options.clone(),
        };
        let mut locations = Vec::with_capacity(self.locations.len());
        for location in &self.locations {
            locations.push(match Spool::takes(location) {
                true => spooled(location, session).await?,
                false => match crate::zip::with_member(location)? {
                    Some(member) => Location::parse(&member)?,
                    None => Location::parse(location)?,
                },
            });
        }
        let url = &locations[0].url;
        if let Some(other) = locations
            .iter()
            .find(|location| location.url.object_store() != url.object_store())
        {
            let problem = format!("it is in another store than {first}: read them one by one");
            return Err(BiotideError::file(other.url.as_str(), problem).into());
        }
        let Ok(store) = session.runtime_env().object_store(url) else {
            let problem = format!(
                "no store is known for {}: local files can be read, and what the program registers \
                 with the session's register_object_store",
                url.object_store().as_str()
            );
            return Err(BiotideError::file(first, problem).into());
        };
        let mut files = files::list(&store, &locations).await?;
        // Empty files among others hold no rows; a single one is looked at for its own sake.
        if files.iter().any(|file| file.meta.size > 0) {
            files.retain(|file| file.meta.size > 0);
        } else {
            files.truncate(1);
        }
        let spec = self.spec(&files)?;
        let others = SAMPLED_BYTES / files.len().max(1);
        let others = others.clamp(8 << 10, Sample::PIECE_BYTES);
        let mut sampled = Vec::with_capacity(files.len());
        for (i, file) in files.iter().enumerate() {
            let name = file.name.clone();
            let others = (i > 0).then_some(others);
            sampled.push(sample(&store, &file.meta, name, &*spec, &options, others).await?);
        }
        let mut layout = spec.layout(&sampled, &options)?;
        let said = self.format.is_some() || options.delimiter.is_some();
        if !said
            && formats::by_path(&sampled[0].name).is_none()
            && let Some(doubt) = layout.doubt()
        {
            let problem = format!(
                "it is not a table, because {doubt}; if every line is a value, say so: \
                 read_tsv('…'), or name the delimiter"
            );
            return Err(BiotideError::file(&sampled[0].name, problem).into());
        }
        let mut partitions = match self.partition_columns {
            Some(columns) => columns,
            None => hive_columns(&files),
        };
        partitions.extend(self.file_column.clone());
        let places = self.place_columns;
        let places = places.filter(|_| options.metadata_columns == Some(true));
        let schema = schema_of(&*layout, places.as_ref());
        check_names(&schema, &partitions, &sampled[0].name)?;
        let pool = &session.runtime_env().memory_pool;
        let memory = reserve_columns(pool, &sampled[0].name, layout.schema().fields().len())?;
        if options.infer == Some(Infer::Full) {
            layout = infer_full(&store, &files, &sampled, layout, options.skip_footer).await?;
        }
        if options.explain_dialect == Some(true) {
            let found = layout.describe();
            let words = found
                .options
                .iter()
                .map(|(name, value)| format!("{name} => '{value}'"));
            log::info!(
                "{}: {}, {}; {} ({})",
                sampled[0].name,
                spec.name(),
                compression(&sampled[0]),
                found.dialect.join(", "),
                words.collect::<Vec<_>>().join(", ")
            );
        }
        let splits = |file: &SampledFile| file.blocks || file.codec == Codec::None;
        let format = TextFormat::new(spec.name(), Arc::clone(&layout), Arc::new(options))
            .splitting(sampled.iter().all(splits))
            .rows_of_all(self.rows_of_all);
        let text = || DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
        let partitions = partitions
            .into_iter()
            .map(|name| Arc::new(Field::new(name, text(), true)));
        let columns = TableSchema::builder(schema_of(&*layout, places.as_ref()))
            .with_table_partition_cols(partitions.collect::<Vec<_>>())
            .build();
        Ok(Arc::new(BiotideTable {
            locations,
            format,
            layout,
            columns,
            file_column: self.file_column,
            _memory: memory,
            files: files.iter().zip(&sampled).map(summary).collect(),
        }))
    }

    /// The paths of the files in their store.
    pub async fn paths(&self, session: &dyn Session) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        for location in &self.locations {
            let location = Location::parse(location)?;
            let store = session.runtime_env().object_store(&location.url)?;
            let files = files::list(&store, &[location]).await?;
            paths.extend(files.into_iter().map(|file| file.meta.location.to_string()));
        }
        Ok(paths)
    }

    fn spec(&self, files: &[File]) -> Result<Arc<dyn FormatSpec>> {
        if let Some(name) = &self.format {
            let known = || {
                formats::all()
                    .iter()
                    .map(|f| f.name())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            return Ok(formats::by_name(name).ok_or_else(|| BiotideError::Option {
                key: "format".to_owned(),
                value: name.clone(),
                problem: format!("is not a format that can be read; use {}", known()),
            })?);
        }
        // What was read once only is kept under a name that tells.
        let names = files
            .first()
            .map(|file| [file.name.as_str(), file.meta.location.as_ref()]);
        let known = names.into_iter().flatten().find_map(formats::by_path);
        Ok(known.unwrap_or_else(|| Arc::new(formats::delimited::Delimited::TSV)))
    }
}

fn summary((stored, file): (&File, &SampledFile)) -> FileSummary {
    FileSummary {
        name: file.name.clone(),
        size: file.size,
        e_tag: stored.meta.e_tag.clone(),
        compression: compression(file),
        encoding: file.encoding.name(),
    }
}

fn compression(file: &SampledFile) -> &'static str {
    match file.codec {
        Codec::Gzip if file.blocks => "bgzf",
        codec => codec.name(),
    }
}

/// A location that can be read once only, as the file that keeps it.
async fn spooled(location: &str, session: &dyn Session) -> Result<Location> {
    let Some(spool) = session.config().get_extension::<Spool>() else {
        let problem = "it can be read once only, and this session keeps no such input";
        return Err(BiotideError::file(location, problem).into());
    };
    let path = spool.keep(location).await?;
    Ok(Location::parse(&path)?.shown_as(location))
}

/// Partition columns in the paths of all files: `…/panel=Oncology/part.tsv`.
fn hive_columns(files: &[File]) -> Vec<String> {
    let of =
        |file: &File| -> Vec<String> { file.keys.iter().map(|(key, _)| key.clone()).collect() };
    let first = files.first().map(of).unwrap_or_default();
    if files.iter().all(|file| of(file) == first) {
        first
    } else {
        Vec::new()
    }
}

/// The columns of the files, with those that tell where a record stands under these names: they are the last.
fn schema_of(layout: &dyn TextLayout, places: Option<&[String; 2]>) -> SchemaRef {
    let schema = layout.schema();
    let Some(names) = places else {
        return schema;
    };
    let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    for (field, name) in fields.iter_mut().rev().zip(names.iter().rev()) {
        let own = Field::clone(field);
        *field = Arc::new(own.with_name(name));
    }
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Refuses a table with two columns of a name.
fn check_names(schema: &Schema, partitions: &[String], file: &str) -> Result<(), BiotideError> {
    let mut seen = HashSet::new();
    if let Some(twice) = schema.fields().iter().find(|f| !seen.insert(f.name())) {
        let problem = format!(
            "it has a column \"{}\" of its own: read it without metadata_columns, or name the columns \
             to read without that one",
            twice.name()
        );
        return Err(BiotideError::file(file, problem));
    }
    if let Some(twice) = partitions.iter().find(|key| !seen.insert(key)) {
        let problem = format!(
            "its column \"{twice}\" is a partition column too, by its folder {twice}=…: name the columns \
             to read (columns) without it, or rename the folders"
        );
        return Err(BiotideError::file(file, problem));
    }
    Ok(())
}

#[async_trait]
impl TableProvider for BiotideTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.columns.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Of the files as they were when the table was opened.
    fn statistics(&self) -> Option<Statistics> {
        let bytes = self.files.iter().map(|file| file.size).sum();
        Some(self.estimate(bytes))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = &self.locations[0].url;
        let store = state.runtime_env().object_store(url)?;
        // Listed anew: a table that was made earlier sees the files as they are now.
        let mut files = files::list(&store, &self.locations).await?;
        files.retain(|file| file.meta.size > 0);
        let files = self.partitioned(files)?;
        let filters = filters
            .iter()
            .filter(|filter| self.is_of_partitions(filter));
        let files = self.prune(files, filters.cloned().collect())?;
        if files.is_empty() {
            let schema = project_schema(&self.schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let bytes = files.iter().map(|file| file.object_meta.size).sum();
        let statistics = self.estimate(bytes);
        let a_group = files
            .len()
            .div_ceil(state.config().target_partitions().max(1));
        let groups = files
            .chunks(a_group)
            .map(|files| FileGroup::new(files.to_vec()));
        let source = self.format.file_source(self.columns.clone());
        let config = FileScanConfigBuilder::new(url.object_store(), source)
            .with_file_groups(groups.collect())
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        self.format.create_physical_plan(state, config).await
    }

    /// Filters on partition columns alone choose among the files.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match self.is_of_partitions(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(answer).collect())
    }
}

impl BiotideTable {
    /// Whether a filter needs partition columns only.
    fn is_of_partitions(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        let is_partition = |name: &str| {
            let partitions = self.columns.table_partition_cols();
            partitions.iter().any(|field| field.name() == name)
        };
        !columns.is_empty()
            && !filter.is_volatile()
            && columns.iter().all(|column| is_partition(&column.name))
    }

    /// The files with the values of their partition columns.
    fn partitioned(&self, files: Vec<File>) -> Result<Vec<PartitionedFile>> {
        let with_values = |file: File| {
            let mut values = Vec::new();
            for column in self.columns.table_partition_cols() {
                if self.file_column.as_ref() == Some(column.name()) {
                    let name = file.name.clone();
                    values.push(ScalarValue::try_from_string(name, column.data_type())?);
                    continue;
                }
                let Some((_, value)) = file.keys.iter().find(|(key, _)| key == column.name())
                else {
                    let name = column.name();
                    let problem = format!(
                        "it lies in no folder {name}=…, and \"{name}\" is a partition column: move it \
                         to one, or leave it out by a glob"
                    );
                    return Err(BiotideError::file(file.name, problem).into());
                };
                values.push(match value {
                    Some(value) => ScalarValue::try_from_string(value.clone(), column.data_type())?,
                    None => ScalarValue::try_from(column.data_type())?,
                });
            }
            let shown = file.shown;
            let mut file = PartitionedFile::from(file.meta);
            file.partition_values = values;
            if let Some(shown) = shown {
                file.extensions.insert(shown);
            }
            Ok(file)
        };
        files.into_iter().map(with_values).collect()
    }

    /// The files whose partition columns pass.
    fn prune(
        &self,
        files: Vec<PartitionedFile>,
        filters: Vec<Expr>,
    ) -> Result<Vec<PartitionedFile>> {
        let Some(filter) = conjunction(filters) else {
            return Ok(files);
        };
        let schema = Arc::new(Schema::new(self.columns.table_partition_cols().clone()));
        let filter = create_physical_expr(
            &filter,
            &DFSchema::try_from(Arc::clone(&schema))?,
            &ExecutionProps::new(),
            &PhysicalPlanningContext::default(),
        )?;
        let passes = |file: &PartitionedFile| -> Result<bool> {
            let values = file.partition_values.iter().map(ScalarValue::to_array);
            let row = RecordBatch::try_new(Arc::clone(&schema), values.collect::<Result<_>>()?)?;
            let passes = filter.evaluate(&row)?.into_array(1)?;
            Ok(as_boolean_array(&passes)?.iter().next() == Some(Some(true)))
        };
        let mut kept = Vec::new();
        for file in files {
            if passes(&file)? {
                kept.push(file);
            }
        }
        Ok(kept)
    }
}

/// `CREATE EXTERNAL TABLE … STORED AS TSV`.
#[derive(Debug)]
pub struct BiotideTableFactory;

#[async_trait]
impl TableProviderFactory for BiotideTableFactory {
    async fn create(
        &self,
        state: &dyn Session,
        command: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let mut options = BiotideOptions::default();
        for (key, value) in &command.options {
            options.set_table_text(key, value)?;
        }
        let declared = command.schema.as_arrow();
        if !declared.fields().is_empty() && options.schema.is_none() {
            options.schema = Some(declared_schema(declared, &command.table_partition_cols)?);
        }
        let names = declared
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .filter(|name| !command.table_partition_cols.contains(name));
        let names = Names(names.collect());
        if !names.0.is_empty() {
            let base = state.config_options().extensions.get::<BiotideOptions>();
            let header = options.header.or(base.and_then(|base| base.header));
            if header == Some(false) && options.column_names.is_none() {
                options.column_names = Some(names.clone());
            }
            // The table has what is declared, in that order.
            options.columns = options.columns.or(Some(names));
        }
        let partitions = &command.table_partition_cols;
        let open = OpenTable {
            locations: command.locations.clone(),
            format: Some(command.file_type.clone()),
            options,
            partition_columns: (!partitions.is_empty()).then(|| partitions.clone()),
            ..OpenTable::default()
        };
        Ok(open.open(state).await?)
    }
}

/// The columns that a statement declares, as the option writes them.
fn declared_schema(schema: &Schema, partitions: &[String]) -> Result<String, BiotideError> {
    use biotide_text::delimited::ColumnType;
    let own = schema
        .fields()
        .iter()
        .filter(|field| !partitions.contains(field.name()));
    let column = |field: &Arc<Field>| {
        let ty = match field.data_type() {
            // Declared types that differ only in width are read in the reader's own.
            DataType::Int8 | DataType::Int16 | DataType::Int32 => Some(ColumnType::Int64),
            DataType::Float32 => Some(ColumnType::Float64),
            DataType::Timestamp(_, None) => Some(ColumnType::Timestamp),
            DataType::Timestamp(_, Some(_)) => Some(ColumnType::TimestampTz),
            other => ColumnType::from_data_type(other),
        };
        let ty = ty.ok_or_else(|| BiotideError::Option {
            key: format!("column {}", field.name()),
            value: field.data_type().to_string(),
            problem: "is not a type that text can be read as".to_owned(),
        })?;
        Ok(format!("\"{}\":{}", field.name(), ty.name()))
    };
    Ok(own
        .map(column)
        .collect::<Result<Vec<_>, BiotideError>>()?
        .join(","))
}
