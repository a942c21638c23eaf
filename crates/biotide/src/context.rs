//! The context: a DataFusion session with Biotide's formats, tables and options.

use std::path::PathBuf;
use std::sync::Arc;

use biotide_common::Scratch;
use biotide_common::identifiers::Identifiers;
use biotide_common::options::BiotideOptions;
use biotide_common::session::QueryLog;
use biotide_exec::catalog::Mappings;
use biotide_functions::References;
use biotide_functions::identifier::KnownIdentifiers;
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::builder::BiotideContextBuilder;
use crate::catalog;
use crate::error::Result;
use crate::memory::pool::Meter;
use crate::pipeline::actions::Actions;
use crate::rejects::FinishedLogs;

/// A session. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct BiotideContext {
    session: SessionContext,
    pub(crate) temp_dir: Arc<PathBuf>,
    /// Where operators spill.
    _scratch: Arc<Scratch>,
    pub(crate) finished: Arc<FinishedLogs>,
    pub(crate) meter: Arc<Meter>,
    actions: Arc<Actions>,
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

    pub(crate) fn new(
        session: SessionContext,
        temp_dir: PathBuf,
        scratch: Scratch,
        meter: Arc<Meter>,
        actions: Actions,
    ) -> Result<Self> {
        let finished = Arc::new(FinishedLogs::default());
        catalog::register_system(&session, &finished)?;
        Ok(Self {
            session,
            temp_dir: Arc::new(temp_dir),
            _scratch: Arc::new(scratch),
            finished,
            meter,
            actions: Arc::new(actions),
        })
    }

    /// The same with another session and its meter.
    pub(crate) fn with_session(&self, session: SessionContext, meter: Arc<Meter>) -> Self {
        Self {
            session,
            meter,
            ..self.clone()
        }
    }

    /// The same with other options.
    pub(crate) fn with_options(&self, set: impl FnOnce(&mut BiotideOptions)) -> Self {
        let mut state = self.session.state();
        let options = &mut state.config_mut().options_mut().extensions;
        if let Some(options) = options.get_mut::<BiotideOptions>() {
            set(options);
        }
        self.with_session(
            SessionContext::new_with_state(state),
            Arc::clone(&self.meter),
        )
    }

    /// DataFusion's session, for what is not wrapped here: registering functions, catalogs, stores.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// The actions that its pipelines can name: built in, and of the program.
    pub fn actions(&self) -> &Actions {
        &self.actions
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

    /// The statements of a script, as they are written.
    pub fn split_statements(sql: &str) -> Result<Vec<String>> {
        let tokens = Tokenizer::new(&GenericDialect {}, sql)
            .tokenize_with_location()
            .map_err(|error| DataFusionError::SQL(Box::new(error.into()), None))?;
        // Tokens know lines and columns (in characters); the text is cut at bytes.
        let line_starts: Vec<usize> = std::iter::once(0)
            .chain(sql.match_indices('\n').map(|(i, _)| i + 1))
            .collect();
        let byte = |line: u64, column: u64| {
            let index = |n: u64| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
            let start = line_starts.get(index(line)).copied().unwrap_or(sql.len());
            let chars = sql[start..].char_indices().nth(index(column));
            chars.map_or(sql.len(), |(i, _)| start + i)
        };
        let mut statements = Vec::new();
        let (mut start, mut empty) = (0, true);
        for token in tokens {
            match token.token {
                Token::SemiColon => {
                    let end = byte(token.span.start.line, token.span.start.column);
                    if !empty {
                        statements.push(sql[start..end].trim().to_owned());
                    }
                    (start, empty) = (end + 1, true);
                }
                Token::Whitespace(_) | Token::EOF => {}
                _ => empty = false,
            }
        }
        if !empty {
            statements.push(sql[start..].trim().to_owned());
        }
        Ok(statements)
    }

    /// Whether a text ends with a statement's semicolon: not inside a text, a quoted name or a comment.
    pub fn is_ended(sql: &str) -> bool {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize();
        // What cannot be cut into words is not over yet: a quote is open.
        tokens.is_ok_and(|tokens| {
            let mut words = tokens.iter().rev();
            let last = words.find(|token| !matches!(token, Token::Whitespace(_) | Token::EOF));
            last == Some(&Token::SemiColon)
        })
    }

    /// The tables and views that a statement can name, those of other schemas with their schema.
    pub fn table_names(&self) -> Vec<String> {
        let state = self.session.state();
        let catalog = &state.config_options().catalog;
        let mut names = Vec::new();
        let Some(known) = self.session.catalog(&catalog.default_catalog) else {
            return names;
        };
        for schema in known.schema_names() {
            let tables = known.schema(&schema).map(|schema| schema.table_names());
            for table in tables.into_iter().flatten() {
                names.push(match schema == catalog.default_schema {
                    true => table,
                    false => format!("{schema}.{table}"),
                });
            }
        }
        names.sort();
        names
    }

    /// The named mappings.
    pub(crate) fn mappings(&self) -> Arc<Mappings> {
        let state = self.session.state();
        state
            .config()
            .get_extension::<Mappings>()
            .unwrap_or_default()
    }

    /// What is known of identifiers.
    pub(crate) fn identifiers(&self) -> Result<Arc<dyn Identifiers>> {
        let state = self.session.state();
        let references = state
            .config()
            .get_extension::<References>()
            .unwrap_or_default();
        Ok(Arc::new(KnownIdentifiers::new(
            &references,
            state.config_options(),
        )?))
    }

    /// A log for a new statement.
    pub(crate) fn new_log(&self, ordered: bool) -> Arc<QueryLog> {
        let threads = self.session.state().config().target_partitions();
        Arc::new(QueryLog::new((*self.temp_dir).clone(), ordered, threads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_its_semicolon() {
        for ended in ["SELECT 1;", "SELECT ';';\n-- done", "SELECT 1; "] {
            assert!(BiotideContext::is_ended(ended), "{ended}");
        }
        for open in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1 /* ;",
            "SELECT 1 -- ;",
            "",
            "SELECT \";",
        ] {
            assert!(!BiotideContext::is_ended(open), "{open}");
        }
    }

    #[test]
    fn scripts_are_cut_where_statements_end() {
        let script =
            "-- é;\nSELECT ';' AS \"a;b\"; ;\n/* x; */ COPY (SELECT 1) TO 'a.tsv';\nSELECT 2";
        let statements = BiotideContext::split_statements(script).unwrap();
        assert_eq!(statements.len(), 3);
        assert_eq!(statements[0], "-- é;\nSELECT ';' AS \"a;b\"");
        assert_eq!(statements[1], "/* x; */ COPY (SELECT 1) TO 'a.tsv'");
        assert_eq!(statements[2], "SELECT 2");
    }
}
