//! The context: a DataFusion session with Biotide's formats, tables and options.

use std::path::PathBuf;
use std::sync::Arc;

use biotide_common::options::BiotideOptions;
use biotide_common::session::QueryLog;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::DFParser;

use crate::builder::BiotideContextBuilder;
use crate::catalog;
use crate::error::Result;
use crate::rejects::FinishedLogs;

/// A session. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct BiotideContext {
    session: SessionContext,
    pub(crate) temp_dir: Arc<PathBuf>,
    pub(crate) finished: Arc<FinishedLogs>,
}

impl std::fmt::Debug for BiotideContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BiotideContext")
            .field("session", &self.session.session_id())
            .finish()
    }
}

impl BiotideContext {
    /// A builder with the defaults.
    pub fn builder() -> BiotideContextBuilder {
        BiotideContextBuilder::default()
    }

    pub(crate) fn new(session: SessionContext, temp_dir: PathBuf) -> Result<Self> {
        let finished = Arc::new(FinishedLogs::default());
        catalog::register_system(&session, &finished)?;
        Ok(Self {
            session,
            temp_dir: Arc::new(temp_dir),
            finished,
        })
    }

    /// DataFusion's session, for what is not wrapped here: registering functions, catalogs, stores.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// The options as they are set now.
    pub fn options(&self) -> BiotideOptions {
        let state = self.session.state();
        state
            .config_options()
            .extensions
            .get::<BiotideOptions>()
            .cloned()
            .unwrap_or_default()
    }

    /// The statements of a script.
    pub fn split_statements(sql: &str) -> Result<Vec<String>> {
        let statements = DFParser::parse_sql(sql)?;
        if statements.len() <= 1 {
            return Ok(statements.iter().map(|_| sql.to_owned()).collect());
        }
        Ok(statements.iter().map(ToString::to_string).collect())
    }

    /// A log for a new statement.
    pub(crate) fn new_log(&self, ordered: bool) -> Arc<QueryLog> {
        Arc::new(QueryLog::new((*self.temp_dir).clone(), ordered))
    }
}
