//! `RESET biotide.on_error`: DataFusion resets only what its own options have a default for, so it is
//! said in the way that options are unset: `SET biotide.on_error = 'reset'`.

use biotide_common::options::BiotideOptions;
use datafusion::execution::SessionState;
use datafusion::sql::parser::{ResetStatement, Statement};

use crate::error::Result;

/// Turns the RESET of an option of ours into a SET.
pub(super) fn resolve(statement: &mut Statement, state: &SessionState) -> Result<()> {
    let Statement::Reset(ResetStatement::Variable(name)) = statement else {
        return Ok(());
    };
    let is_ours = name
        .0
        .first()
        .and_then(|part| part.as_ident())
        .is_some_and(|part| part.value.eq_ignore_ascii_case(BiotideOptions::PREFIX));
    if is_ours {
        let dialect = state.config_options().sql_parser.dialect;
        *statement = state.sql_to_statement(&format!("SET {name} = 'reset'"), &dialect)?;
    }
    Ok(())
}
