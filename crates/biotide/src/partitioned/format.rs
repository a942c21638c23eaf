//! A format whose partitioned writers are ours, and all else its own.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::file_options::file_type::{FileType, GetExt};
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::{
    FileFormat, FileFormatFactory, file_type_to_format, format_as_file_type,
};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSinkConfig, FileSource};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::SessionState;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::ExecutionPlan;

use super::sink::PartitionedSink;

/// How many folders are written at a time, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folders {
    /// Files that are open at a time.
    pub(crate) open: usize,
    /// Bytes that wait to be written to each.
    pub(crate) buffer: usize,
}

/// The same file type, with files open as `folders` says.
pub(crate) fn few_at_a_time(
    file_type: &Arc<dyn FileType>,
    folders: Folders,
) -> Result<Arc<dyn FileType>> {
    let inner = file_type_to_format(file_type)?;
    Ok(format_as_file_type(Arc::new(PartitionedFactory {
        inner,
        folders,
    })))
}

#[derive(Debug)]
struct PartitionedFactory {
    inner: Arc<dyn FileFormatFactory>,
    folders: Folders,
}

impl PartitionedFactory {
    fn wrap(&self, inner: Arc<dyn FileFormat>) -> Arc<dyn FileFormat> {
        let folders = self.folders;
        Arc::new(PartitionedFormat { inner, folders })
    }
}

impl GetExt for PartitionedFactory {
    fn get_ext(&self) -> String {
        self.inner.get_ext()
    }
}

impl FileFormatFactory for PartitionedFactory {
    fn create(
        &self,
        state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        Ok(self.wrap(self.inner.create(state, options)?))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        self.wrap(self.inner.default())
    }
}

#[derive(Debug)]
struct PartitionedFormat {
    inner: Arc<dyn FileFormat>,
    folders: Folders,
}

#[async_trait]
impl FileFormat for PartitionedFormat {
    fn get_ext(&self) -> String {
        self.inner.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.inner.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.inner.compression_type()
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        self.inner.infer_schema(state, store, objects).await
    }

    async fn infer_stats(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        self.inner.infer_stats(state, store, schema, object).await
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.inner.create_physical_plan(state, config).await
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let state = state.as_any().downcast_ref::<SessionState>();
        let state =
            state.ok_or_else(|| internal_datafusion_err!("a session without a session state"))?;
        let inner = Arc::clone(&self.inner);
        let sink = PartitionedSink::new(inner, state.clone(), config, self.folders)?;
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        self.inner.file_source(schema)
    }
}
