//! `COPY … TO 'x.tsv.gz'`: DataFusion looks at the last ending only and its formats never see the path,
//! so format and compression are written into the statement.

use biotide_common::BiotideError;
use biotide_formats::sink::TextSinkFormat;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Value;

use crate::convert::split_ending;
use crate::error::Result;

/// Completes the target of a `COPY`.
pub(super) fn resolve(statement: &mut Statement) -> Result<()> {
    match statement {
        Statement::Explain(explain) => resolve(&mut explain.statement),
        Statement::CopyTo(copy) => {
            let (format, gzip) = split_ending(&copy.target);
            let stored_as = copy.stored_as.take().or(format);
            copy.stored_as = stored_as.map(|name| match name.to_lowercase().as_str() {
                "json" | "ndjson" => "jsonl".to_owned(),
                _ => name,
            });
            let text = copy
                .stored_as
                .as_deref()
                .is_some_and(|f| TextSinkFormat::by_name(f).is_some());
            let given = copy
                .options
                .iter()
                .any(|(key, _)| key.to_lowercase().ends_with("compression"));
            if gzip
                && !text
                && let Some(format) = &copy.stored_as
            {
                let problem = format!("{format} is compressed inside: leave .gz out of the name");
                return Err(BiotideError::file(&copy.target, problem).into());
            }
            if gzip && text && !given {
                let value = Value::SingleQuotedString("gzip".to_owned());
                copy.options.push(("compression".to_owned(), value));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
