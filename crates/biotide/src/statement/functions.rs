//! `read_tsv('path', delimiter => ';')`: DataFusion's table functions are synchronous and positional, so
//! the calls are found before planning, opened, and replaced by a name of the statement's own.

use std::ops::ControlFlow;

use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Names, OptionValue};
use biotide_formats::formats;
use biotide_formats::table::OpenTable;
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, TableFactor, TableFunctionArgs,
    UnaryOperator, Value, VisitorMut,
};

use super::names::visit;
use crate::catalog::{FileReaders, StatementFiles};
use crate::error::Result;

/// A call that was found.
struct Call {
    /// The name that stands for it from now on.
    name: String,
    open: OpenTable,
}

/// Opens the table function calls of a statement.
pub(super) async fn resolve(
    statement: &mut Statement,
    files: &StatementFiles,
    state: &SessionState,
) -> Result<()> {
    let mut finder = Finder { calls: Vec::new() };
    visit(statement, &mut finder)?;
    for call in finder.calls {
        let mut open = call.open;
        let format = open.format.as_deref().unwrap_or_default();
        open.options = open.options.over(&FileReaders::of(state, format));
        let table = open.open(state).await?;
        files.insert(call.name, table);
    }
    Ok(())
}

struct Finder {
    calls: Vec<Call>,
}

impl VisitorMut for Finder {
    type Break = BiotideError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<BiotideError> {
        let TableFactor::Table { name, args, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let function = called(name);
        let format = function.strip_prefix("read_").and_then(formats::by_name);
        let (Some(format), Some(given)) = (format, args.as_ref()) else {
            return ControlFlow::Continue(());
        };
        let call = match parse(&function, given) {
            Ok(mut open) => {
                open.format = Some(format.name().to_owned());
                Call {
                    name: format!("{function}({})", shown(given)),
                    open,
                }
            }
            Err(error) => return ControlFlow::Break(error),
        };
        stand_in(name, args, &call.name);
        self.calls.push(call);
        ControlFlow::Continue(())
    }
}

fn parse(function: &str, given: &TableFunctionArgs) -> Result<OpenTable, BiotideError> {
    let refuse = |value: String, problem: &str| BiotideError::Option {
        key: format!("{function}(…)"),
        value,
        problem: problem.to_owned(),
    };
    let mut open = OpenTable::default();
    let mut options = BiotideOptions::default();
    for arg in &given.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => match literals(expr) {
                Some(paths) => open.locations.extend(paths),
                None => return Err(refuse(expr.to_string(), "is not a path in quotes")),
            },
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => {
                let refused = || refuse(arg.to_string(), "is not a literal value");
                set_option(&mut options, &name.value, expr).ok_or_else(refused)??;
            }
            other => {
                let problem = "is not a path in quotes, nor option => value";
                return Err(refuse(other.to_string(), problem));
            }
        }
    }
    if open.locations.is_empty() {
        return Err(refuse(
            String::new(),
            "names no path: it is the first argument",
        ));
    }
    open.options = options;
    Ok(open)
}

/// The function that a name calls, in lower case.
pub(crate) fn called(name: &ObjectName) -> String {
    let function = name.0.last().and_then(|part| part.as_ident());
    function.map_or_else(String::new, |name| name.value.to_ascii_lowercase())
}

/// Arguments as they are written.
pub(crate) fn shown(given: &TableFunctionArgs) -> String {
    let args: Vec<String> = given.args.iter().map(ToString::to_string).collect();
    args.join(", ")
}

/// Puts a name of the statement's own in the place of a call.
pub(crate) fn stand_in(name: &mut ObjectName, args: &mut Option<TableFunctionArgs>, own: &str) {
    *name = ObjectName::from(vec![Ident::with_quote('"', own)]);
    *args = None;
}

/// Sets an option of a table to a literal; `None` if it is none.
pub(crate) fn set_option(
    options: &mut BiotideOptions,
    name: &str,
    expr: &Expr,
) -> Option<Result<(), BiotideError>> {
    let value = literals(expr).and_then(|mut values| match (&*values, expr) {
        ([_], expr) if !matches!(expr, Expr::Array(_)) => values.pop(),
        _ => Some(Names(values).show()),
    })?;
    Some(options.set_table_text(name, &value))
}

/// A literal, or an array of them, as text.
pub(crate) fn literals(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Array(array) => array
            .elem
            .iter()
            .map(|item| literals(item)?.pop())
            .collect::<Option<Vec<_>>>(),
        Expr::Value(value) => Some(vec![match &value.value {
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::EscapedStringLiteral(text) => text.clone(),
            Value::Number(number, _) => number.clone(),
            Value::Boolean(value) => value.to_string(),
            _ => return None,
        }]),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } if matches!(&**expr, Expr::Value(value) if matches!(value.value, Value::Number(..))) => {
            Some(vec![format!("-{}", literals(expr)?.pop()?)])
        }
        // A bare word, as in `on_error => lenient`.
        Expr::Identifier(word) => Some(vec![word.value.clone()]),
        _ => None,
    }
}
