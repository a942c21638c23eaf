//! A part of the session's memory, for a run that shall hold no more than that.

use std::num::NonZeroUsize;
use std::sync::Arc;

use biotide_common::MemoryGauge;
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionContext;

use super::budget::Budget;
use super::policy;
use super::pool::ProcessPool;
use crate::context::BiotideContext;
use crate::error::Result as OwnResult;

/// A pool within another one: what is reserved from it is reserved from both.
#[derive(Debug)]
struct SharePool {
    own: ProcessPool,
    whole: Arc<dyn MemoryPool>,
}

impl std::fmt::Display for SharePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.own, self.whole)
    }
}

impl MemoryPool for SharePool {
    fn name(&self) -> &str {
        "share"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
        self.whole.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
        self.whole.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.whole.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.whole.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        let grown = self.whole.try_grow(reservation, additional);
        if grown.is_err() {
            self.own.shrink(reservation, additional);
        }
        grown
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

impl BiotideContext {
    /// The same session under a limit of so many bytes, which is kept as that of a session is. Its tables, functions
    /// and mappings are the session's, and what is reserved counts there too. `None`: the session has no more than
    /// that anyway.
    pub(crate) fn within(&self, limit: usize) -> OwnResult<Option<Self>> {
        let whole = self.meter.budget();
        if limit >= whole.limit {
            return Ok(None);
        }
        let state = self.session().state();
        let budget = Budget::of_share(limit, state.config().target_partitions());
        let own = ProcessPool::new(budget);
        let meter = own.meter();
        let asked = (Arc::clone(&meter), Arc::clone(&self.meter));
        let gauge = MemoryGauge::new(move || asked.0.is_short() || asked.1.is_short());
        let runtime = state.runtime_env();
        let pool = SharePool {
            own,
            whole: Arc::clone(&runtime.memory_pool),
        };
        let pool = TrackConsumersPool::new(pool, NonZeroUsize::new(5).unwrap_or(NonZeroUsize::MIN));
        let runtime = RuntimeEnvBuilder::from_runtime_env(runtime)
            .with_memory_pool(Arc::new(pool))
            .build_arc()?;
        let batch_size = state.config().batch_size().min(policy::batch_size(budget));
        let mut config = state
            .config()
            .clone()
            .with_extension(Arc::new(gauge))
            // (It is there, with all its tables.)
            .with_create_default_catalog_and_schema(false)
            .with_batch_size(batch_size)
            .with_target_partitions(budget.partitions);
        policy::apply(budget, config.options_mut());
        let logical = policy::logical_rules_for(budget, state.optimizers());
        let physical = policy::physical_rules_for(budget, state.physical_optimizers());
        let state = SessionStateBuilder::new_from_existing(state)
            .with_config(config)
            .with_runtime_env(runtime)
            .with_optimizer_rules(logical)
            .with_physical_optimizer_rules(physical)
            .build();
        let session = SessionContext::new_with_state(state);
        Ok(Some(self.with_session(session, meter)))
    }
}
