//! SQL that stands in a pipeline: read as what it must be, before it becomes a part of other SQL.

use datafusion::sql::sqlparser::ast::OrderByExpr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, dialect_from_str};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::super::actions::Params;
use super::super::spec::Place;
use super::Scope;
use crate::error::Result;

/// A condition, what a column is: one expression, and nothing behind it. In parentheses, so that it stays one.
pub(super) fn expression(scope: &Scope, place: &Place, key: &str, text: &str) -> Result<String> {
    let parsed = whole(scope, text, |parser| parser.parse_expr().map(|_| ()));
    match parsed {
        // (The line ends, as a comment may be the end of the text.)
        Ok(()) => Ok(format!("({text}\n)")),
        Err(error) => Err(place
            .error(format!(
                "{key}: '{text}' is not one expression of SQL: {error}"
            ))
            .into()),
    }
}

/// What rows are ordered by, as after ORDER BY. The other way round, if that is asked for.
pub(super) fn order(
    scope: &Scope,
    params: &Params,
    name: &str,
    reversed: bool,
) -> Result<Vec<String>> {
    let Some(text) = params.text(name) else {
        return Ok(Vec::new());
    };
    let parsed = whole(scope, text, |parser| {
        parser.parse_comma_separated(Parser::parse_order_by_expr)
    });
    let keys = parsed.map_err(|error| {
        let problem = format!("'{text}' is not what can stand after ORDER BY: {error}");
        params.error(name, problem)
    })?;
    Ok(keys.iter().map(|key| sorted(key, reversed)).collect())
}

/// A key of an order. A NULL is greater than all values, where it is not said.
fn sorted(key: &OrderByExpr, reversed: bool) -> String {
    let descends = key.options.asc == Some(false);
    let nulls_first = key.options.nulls_first.unwrap_or(descends);
    let way = if descends != reversed { "DESC" } else { "ASC" };
    let nulls = if nulls_first != reversed {
        "FIRST"
    } else {
        "LAST"
    };
    format!("{} {way} NULLS {nulls}", key.expr)
}

/// What a parser makes of a whole text.
fn whole<T>(
    scope: &Scope,
    text: &str,
    parse: impl FnOnce(&mut Parser<'_>) -> std::result::Result<T, ParserError>,
) -> std::result::Result<T, ParserError> {
    let named = scope.state.config_options().sql_parser.dialect;
    let dialect = dialect_from_str(named).unwrap_or_else(|| Box::new(GenericDialect {}));
    let dialect: &dyn Dialect = &*dialect;
    let mut parser = Parser::new(dialect).try_with_sql(text)?;
    let parsed = parse(&mut parser)?;
    match parser.peek_token().token {
        Token::EOF => Ok(parsed),
        other => Err(ParserError::ParserError(format!(
            "'{other}' stands behind it"
        ))),
    }
}
