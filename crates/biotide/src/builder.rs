//! Builds a context: memory, threads, spill, options, formats. The command line, pipelines and programs
//! all come through here.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use biotide_common::nearest::nearest;
use biotide_common::options::BiotideOptions;
use biotide_common::{BiotideError, MemoryGauge, Scratch};
use biotide_exec::catalog::Mappings;
use biotide_formats::formats;
use biotide_formats::sink::TextSinkFormat;
use biotide_formats::spool::Spool;
use biotide_formats::table::BiotideTableFactory;
use biotide_functions::References;
use biotide_functions::identifier::parser::IdentifierParser;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::catalog::register_endings;
use crate::context::BiotideContext;
use crate::error::Result;
use crate::mapping::filters::FiltersOfResults;
use crate::memory::budget::Budget;
use crate::memory::pool::ProcessPool;
use crate::memory::{default_limit, policy};
use crate::pipeline::PipelineAction;
use crate::pipeline::actions::Actions;
use crate::pipeline::measure::KeptConditions;
use crate::planner::BiotidePlanner;

/// Sets up a [`BiotideContext`]. What is not set has a default that suits the machine.
#[derive(Debug, Clone, Default)]
pub struct BiotideContextBuilder {
    memory_limit: Option<usize>,
    threads: Option<usize>,
    batch_size: Option<usize>,
    temp_dir: Option<PathBuf>,
    temp_limit: Option<u64>,
    options: Vec<(String, String)>,
    parsers: Vec<Arc<dyn IdentifierParser>>,
    actions: Vec<Arc<dyn PipelineAction>>,
}

impl BiotideContextBuilder {
    /// Bytes of memory (default: half of the machine's, or of the cgroup's): the process holds at most 80 MiB
    /// more than that, as far as Biotide can see to it. [`build`](Self::build) fails where it is too little.
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Threads (default: one a core). So many partitions work at a time, fewer under a small memory limit.
    #[must_use]
    pub fn threads(mut self, n: usize) -> Self {
        self.threads = Some(n);
        self
    }

    /// Rows of a batch (default: 8192, fewer under a small memory limit).
    #[must_use]
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = Some(rows);
        self
    }

    /// Where to spill (default: the system's folder for temporary files).
    #[must_use]
    pub fn temp_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.temp_dir = Some(dir.into());
        self
    }

    /// The most bytes to spill (default: 100 GB).
    #[must_use]
    pub fn temp_limit(mut self, bytes: u64) -> Self {
        self.temp_limit = Some(bytes);
        self
    }

    /// Any session option: `on_error`, `biotide.on_error`, `datafusion.execution.…`.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((key.into(), value.into()));
        self
    }

    /// A parser of identifiers besides the built-in ones, for `parse_identifier` and `id_kind`; it takes the place
    /// of one with the same name.
    #[must_use]
    pub fn identifier_parser(mut self, parser: Arc<dyn IdentifierParser>) -> Self {
        self.parsers.push(parser);
        self
    }

    /// An action of pipelines besides the built-in ones. [`build`](Self::build) fails where one has its name.
    #[must_use]
    pub fn pipeline_action(mut self, action: Arc<dyn PipelineAction>) -> Self {
        self.actions.push(action);
        self
    }

    /// Builds the context.
    pub fn build(self) -> Result<BiotideContext> {
        let positive = |key: &str, n: usize| match n {
            0 => Err(BiotideError::Option {
                key: key.to_owned(),
                value: "0".to_owned(),
                problem: "is not at least 1".to_owned(),
            }),
            n => Ok(n),
        };
        let mut actions = Actions::default();
        for action in self.actions {
            actions.add(action)?;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = positive("threads", self.threads.unwrap_or(cores))?;
        // (What nobody asked for is never refused.)
        let limit = || default_limit().max(Budget::LEAST_DEFAULT);
        let budget = Budget::new(self.memory_limit.unwrap_or_else(limit), threads)?;
        let batch_size = self.batch_size.unwrap_or(policy::batch_size(budget));
        let batch_size = positive("batch_size", batch_size)?;
        let temp_dir = self.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        std::fs::create_dir_all(&temp_dir).map_err(|e| {
            BiotideError::io(format!("making the folder {}", temp_dir.display()), e)
        })?;

        let scratch = Scratch::new(&temp_dir, "biotide-spill-").map_err(|e| {
            BiotideError::io(format!("making a folder in {}", temp_dir.display()), e)
        })?;
        let pool = ProcessPool::new(budget);
        let meter = pool.meter();
        let asked = Arc::clone(&meter);
        let gauge = MemoryGauge::new(move || asked.is_short());
        let pool = TrackConsumersPool::new(pool, NonZeroUsize::new(5).unwrap_or(NonZeroUsize::MIN));
        // Listings and statistics are never cached: a file that changed must be seen.
        let caches = CacheManagerConfig::default()
            .with_list_files_cache_limit(0)
            .with_file_statistics_cache_limit(0);
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![
                scratch.path().to_owned(),
            ]))
            .with_max_spill_merge_fan_in(policy::merged_runs(budget));
        let pool: Arc<dyn MemoryPool> = Arc::new(pool);
        let references = Arc::new(References::new(Arc::clone(&pool), self.parsers));
        let mut runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .with_memory_pool(pool)
            .with_cache_manager(caches);
        if let Some(limit) = self.temp_limit {
            runtime = runtime.with_max_temp_directory_size(limit);
        }

        let mut config = SessionConfig::new()
            .with_target_partitions(budget.partitions)
            .with_batch_size(batch_size)
            .with_information_schema(true)
            .with_option_extension(BiotideOptions::default())
            .with_extension(Arc::new(gauge))
            .with_extension(Arc::clone(&references))
            .with_extension(Arc::new(Mappings::default()))
            .with_extension(Arc::new(Spool::new(temp_dir.clone())));
        {
            let options = config.options_mut();
            options.execution.parquet.compression = Some("zstd(3)".to_owned());
            policy::apply(budget, options);
            options.execution.parquet.created_by =
                concat!("biotide ", env!("CARGO_PKG_VERSION")).into();
            // Parts of what a function makes would be taken where the function is called: once for each part.
            options.optimizer.enable_leaf_expression_pushdown = false;
            // A folder of `key=value` folders is one table.
            options.execution.listing_table_ignore_subdirectory = false;
        }
        for (key, value) in &self.options {
            set(&mut config, key, value)?;
        }
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime.build_arc()?)
            .with_default_features()
            .with_query_planner(Arc::new(BiotidePlanner))
            .with_physical_optimizer_rules(policy::physical_rules(budget));
        state = state.with_analyzer_rule(Arc::new(KeptConditions));
        state = state.with_optimizer_rule(Arc::new(FiltersOfResults));
        for rule in policy::logical_rules(budget) {
            state = state.with_optimizer_rule(rule);
        }
        for format in formats::all() {
            for name in std::iter::once(format.name()).chain(format.aliases().iter().copied()) {
                let name = name.to_ascii_uppercase();
                state = state.with_table_factory(name, Arc::new(BiotideTableFactory));
            }
        }
        let mut state = state.build();
        for format in TextSinkFormat::all() {
            state.register_file_format(Arc::new(format), true)?;
        }
        register_endings(&mut state)?;
        for function in biotide_functions::all(&references) {
            state.register_udf(function)?;
        }
        state.register_function_rewrite(Arc::new(biotide_functions::sssom::BySet))?;
        let session = SessionContext::new_with_state(state);
        BiotideContext::new(session, temp_dir, scratch, meter, actions)
    }
}

/// Sets a session option; a bare name is one of Biotide's own.
fn set(config: &mut SessionConfig, key: &str, value: &str) -> Result<()> {
    let own = key
        .strip_prefix("biotide.")
        .or_else(|| (!key.contains('.') || BiotideOptions::is_known(key)).then_some(key));
    match own {
        Some(own) => {
            if let Some(options) = config.options_mut().extensions.get_mut::<BiotideOptions>() {
                options.set_text(own, value)?;
            }
        }
        None if key.starts_with("datafusion.") => config.options_mut().set(key, value)?,
        None => {
            let known: Vec<String> = config
                .options()
                .entries()
                .into_iter()
                .map(|e| e.key)
                .collect();
            let hint = match nearest(key, known.iter().map(String::as_str)) {
                Some(near) => format!("; did you mean '{near}'?"),
                None => "; SELECT * FROM system.options lists them".to_owned(),
            };
            let key = key.to_owned();
            return Err(BiotideError::UnknownOption { key, hint }.into());
        }
    }
    Ok(())
}
