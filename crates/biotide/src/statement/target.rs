//! `COPY … TO 'x.tsv.gz'`: DataFusion looks at the last ending only and its formats never see the path,
//! so format and compression are written into the statement.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Value;

use crate::convert::split_ending;
use crate::error::Result;

/// Completes the target of a `COPY`.
pub(super) fn resolve(statement: &mut Statement) -> Result<()> {
    match statement {
        Statement::Explain(explain) => resolve(&mut explain.statement),
        Statement::CopyTo(copy) => {
            if copy.stored_as.is_some() {
                return Ok(());
            }
            let (format, gzip) = split_ending(&copy.target);
            copy.stored_as = format;
            let given = copy
                .options
                .iter()
                .any(|(key, _)| key.to_lowercase().ends_with("compression"));
            if gzip && !given {
                let value = Value::SingleQuotedString("gzip".to_owned());
                copy.options.push(("compression".to_owned(), value));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
