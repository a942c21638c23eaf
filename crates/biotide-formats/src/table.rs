//! From a path, URL or glob to a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Compression, Infer};
use biotide_text::sample::Sample;
use datafusion_catalog::{TableProvider, TableProviderFactory};
use datafusion_catalog_listing::{ListingOptions, ListingTable, ListingTableConfig};
use datafusion_common::{Result, Statistics};
use datafusion_datasource::ListingTableUrl;
use datafusion_expr::{CreateExternalTable, Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_session::Session;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore};

use crate::compress::{Codec, Gunzip};
use crate::formats;
use crate::spec::{Evidence, FormatSpec, SampledFile, TextLayout};
use crate::text::{ChunkSource, TextFormat};

/// A table over text files. A thin wrapper, so that it can be told from others and be encoded.
#[derive(Debug)]
pub struct BiotideTable {
    inner: ListingTable,
    layout: Arc<dyn TextLayout>,
}

impl BiotideTable {
    /// What the records of its files are like.
    pub fn layout(&self) -> &Arc<dyn TextLayout> {
        &self.layout
    }
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
        let urls = self
            .locations
            .iter()
            .map(|l| location_url(l))
            .collect::<Result<Vec<_>>>()?;
        if let Some(other) = urls
            .iter()
            .find(|url| url.object_store() != urls[0].object_store())
        {
            let problem = format!("it is in another store than {first}: read them one by one");
            return Err(BiotideError::file(other.as_str(), problem).into());
        }
        let Ok(store) = session.runtime_env().object_store(&urls[0]) else {
            let problem = format!(
                "no store is known for {}: local files can be read, and what the program registers \
                 with the session's register_object_store",
                urls[0].object_store().as_str()
            );
            return Err(BiotideError::file(first, problem).into());
        };
        let files = list(session, &store, &urls, &self.locations).await?;
        let spec = self.spec(&files)?;
        let prefix = match urls[0].object_store().as_str() {
            local if local.starts_with("file:") => "/".to_owned(),
            other => other.to_owned(),
        };
        let mut sampled = Vec::with_capacity(files.len());
        for (i, meta) in files.iter().enumerate() {
            let name = format!("{prefix}{}", meta.location);
            sampled.push(sample(&store, meta, name, &options, i == 0).await?);
        }
        let mut layout = spec.layout(&sampled, &options)?;
        if options.infer == Some(Infer::Full) {
            layout = infer_full(&store, &files, &sampled, layout).await?;
        }
        let options = Arc::new(options);
        let format = TextFormat::new(spec.name(), Arc::clone(&layout), options, urls.clone());
        let listing = ListingOptions::new(Arc::new(format)).with_file_extension("");
        let partitions = match &self.partition_columns {
            Some(columns) => columns.clone(),
            None => hive_columns(&urls, &files),
        };
        let text = || DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
        let partitions = partitions.into_iter().map(|name| (name, text())).collect();
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(listing.with_table_partition_cols(partitions))
            .with_schema(layout.schema());
        Ok(Arc::new(BiotideTable {
            inner: ListingTable::try_new(config)?,
            layout,
        }))
    }

    fn spec(&self, files: &[ObjectMeta]) -> Result<Arc<dyn FormatSpec>> {
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
        let path = files
            .first()
            .map(|meta| meta.location.as_ref())
            .unwrap_or_default();
        Ok(formats::by_path(path).unwrap_or_else(|| Arc::new(formats::delimited::Delimited::TSV)))
    }
}

/// The URL of a location. A file that is really there is no glob, whatever its name.
fn location_url(location: &str) -> Result<ListingTableUrl> {
    let path = std::path::Path::new(location);
    if path.is_file()
        && let Ok(path) = std::path::absolute(path)
        && let Ok(url) = url::Url::from_file_path(path)
    {
        return ListingTableUrl::try_new(url, None);
    }
    if path.is_dir() && !location.ends_with('/') {
        return ListingTableUrl::parse(format!("{location}/"));
    }
    ListingTableUrl::parse(location)
}

/// The files, in the order of the locations and by name within a glob.
async fn list(
    session: &dyn Session,
    store: &Arc<dyn ObjectStore>,
    urls: &[ListingTableUrl],
    locations: &[String],
) -> Result<Vec<ObjectMeta>> {
    let mut files = Vec::new();
    for (url, location) in urls.iter().zip(locations) {
        let listed = url.list_all_files(session, store.as_ref(), "").await;
        let listed: Result<Vec<ObjectMeta>> = match listed {
            Ok(listed) => listed.try_collect().await,
            Err(error) => Err(error),
        };
        let mut listed = listed.map_err(|error| error.context(format!("listing {location}")))?;
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        if listed.is_empty() {
            let problem = match (url.is_collection(), url.is_folder()) {
                (true, true) if url.get_glob().is_none() => "the folder holds no file",
                (true, _) => "no file matches",
                (false, _) => "there is no such file",
            };
            return Err(BiotideError::file(location, problem).into());
        }
        let readable = |meta: &ObjectMeta| formats::by_path(meta.location.as_ref()).is_some();
        if url.is_collection() && url.get_glob().is_none() {
            if let Some(other) = listed.iter().find(|meta| !readable(meta)) {
                let problem = format!(
                    "it is a folder, and not all in it is text that can be read (/{}); name the files \
                     by a glob such as '{}/*.tsv'",
                    other.location,
                    location.trim_end_matches('/')
                );
                return Err(BiotideError::file(location, problem).into());
            }
        }
        files.append(&mut listed);
    }
    // Empty files among others hold no rows; a single one is looked at for its own sake.
    if files.iter().any(|meta| meta.size > 0) {
        files.retain(|meta| meta.size > 0);
    } else {
        files.truncate(1);
    }
    Ok(files)
}

/// Partition columns in the paths of all files: `…/panel=Oncology/part.tsv`.
fn hive_columns(urls: &[ListingTableUrl], files: &[ObjectMeta]) -> Vec<String> {
    let of = |meta: &ObjectMeta| -> Vec<String> {
        let prefix = urls.iter().find(|url| url.contains(&meta.location, false));
        let Some(parts) = prefix.and_then(|url| url.strip_prefix(&meta.location)) else {
            return Vec::new();
        };
        let parts: Vec<&str> = parts.collect();
        let folders = parts.iter().take(parts.len().saturating_sub(1));
        folders
            .filter_map(|part| part.split_once('='))
            .map(|(key, _)| key.to_owned())
            .collect()
    };
    let first = files.first().map(of).unwrap_or_default();
    if files.iter().all(|meta| of(meta) == first) {
        first
    } else {
        Vec::new()
    }
}

/// Looks at the start of a file (`whole`: and at places further on).
async fn sample(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    name: String,
    options: &BiotideOptions,
    whole: bool,
) -> Result<SampledFile> {
    let source = ChunkSource::open(Arc::clone(store), meta, name.clone()).await?;
    let head_bytes = if whole {
        Sample::HEAD_BYTES
    } else {
        Sample::PIECE_BYTES
    };
    let mut head = Vec::new();
    source.read(0, head_bytes as u64, &mut head).await?;
    let codec = Codec::of(options.compression.unwrap_or(Compression::Auto), &head);
    let size = source.size();
    let mut sample = Sample::default();
    match codec {
        Codec::None => {
            sample.complete = head.len() as u64 == size;
            sample.head = head;
            if whole && !sample.complete {
                for at in Sample::piece_offsets(size) {
                    let mut piece = Vec::new();
                    source
                        .read(at, at + Sample::PIECE_BYTES as u64, &mut piece)
                        .await?;
                    sample.pieces.push(piece);
                }
            }
        }
        Codec::Gzip => {
            let mut gunzip = Gunzip::default();
            let mut read = 0;
            for step in head.chunks(Gunzip::STEP) {
                gunzip.push(&name, step)?;
                read += step.len() as u64;
                if gunzip.output().len() >= head_bytes {
                    break;
                }
            }
            sample.complete = read == size;
            if sample.complete {
                gunzip.finish(&name)?;
            }
            sample.head = std::mem::take(gunzip.output());
        }
    }
    // A header may be longer than the sample: with thousands of columns it is.
    Ok(SampledFile {
        name,
        size,
        codec,
        sample,
    })
}

/// Reads every file whole to find types that hold all values.
async fn infer_full(
    store: &Arc<dyn ObjectStore>,
    files: &[ObjectMeta],
    sampled: &[SampledFile],
    layout: Arc<dyn TextLayout>,
) -> Result<Arc<dyn TextLayout>> {
    const BLOCK: u64 = 4 << 20;
    let mut evidence = Evidence::default();
    for (meta, sampled) in files.iter().zip(sampled) {
        let source = ChunkSource::open(Arc::clone(store), meta, sampled.name.clone()).await?;
        let mut gunzip = Gunzip::default();
        let (mut at, mut rest, mut begun) = (0, Vec::new(), false);
        let mut block = Vec::new();
        while at < source.size() {
            block.clear();
            source.read(at, at + BLOCK, &mut block).await?;
            at += block.len() as u64;
            let eof = at == source.size();
            match sampled.codec {
                Codec::None => rest.extend_from_slice(&block),
                Codec::Gzip => {
                    for step in block.chunks(Gunzip::STEP) {
                        gunzip.push(&sampled.name, step)?;
                        rest.append(gunzip.output());
                    }
                    if eof {
                        gunzip.finish(&sampled.name)?;
                        rest.append(gunzip.output());
                    }
                }
            }
            if !begun {
                let Some(start) = layout.start(&sampled.name, &rest, eof)? else {
                    continue;
                };
                rest.drain(
                    ..usize::try_from(start.offset)
                        .unwrap_or(usize::MAX)
                        .min(rest.len()),
                );
                begun = true;
            }
            // Whole lines. One that a quote carries over a line end is looked at in halves, which have
            // other field counts and are left out: what is seen is never wrong, only less.
            let whole = match rest.iter().rposition(|&byte| byte == layout.newline()) {
                _ if eof => rest.len(),
                Some(i) => i + 1,
                None => 0,
            };
            layout.widen(&mut evidence, &rest[..whole]);
            rest.drain(..whole);
        }
    }
    Ok(layout.with_evidence(evidence))
}

#[async_trait]
impl TableProvider for BiotideTable {
    fn schema(&self) -> SchemaRef {
        TableProvider::schema(&self.inner)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.inner.scan(state, projection, filters, limit).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.statistics()
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
            options.set_text(key, value)?;
        }
        let declared = command.schema.as_arrow();
        if !declared.fields().is_empty() && options.schema.is_none() {
            options.schema = Some(declared_schema(declared, &command.table_partition_cols)?);
        }
        let partitions = &command.table_partition_cols;
        let open = OpenTable {
            locations: command.locations.clone(),
            format: Some(command.file_type.clone()),
            options,
            partition_columns: (!partitions.is_empty()).then(|| partitions.clone()),
        };
        Ok(open.open(state).await?)
    }
}

/// The columns that a statement declares, as the option writes them.
fn declared_schema(
    schema: &arrow::datatypes::Schema,
    partitions: &[String],
) -> Result<String, BiotideError> {
    use biotide_text::delimited::ColumnType;
    let own = schema
        .fields()
        .iter()
        .filter(|field| !partitions.contains(field.name()));
    let column = |field: &Arc<arrow::datatypes::Field>| {
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
