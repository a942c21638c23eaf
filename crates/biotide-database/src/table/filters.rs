//! Filters as SQL.
//!
//! Only what means the same in the database is left to it. Where it may let through rows that the engine
//! would not (floats), the engine filters again.

use arrow::datatypes::{DataType, Decimal128Type, DecimalType, TimeUnit};
use chrono::{DateTime, Datelike, Days, NaiveDate};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::InList;
use datafusion_expr::{Between, BinaryExpr, Expr, Operator};

use super::source::{Column, Compare, Source};
use crate::sql;
use crate::target::DatabaseTarget;

/// A filter that the database does.
pub(super) struct Filter {
    pub(super) sql: String,
    /// Whether it lets through exactly the rows.
    pub(super) exact: bool,
}

/// The filter as SQL, if the database can do it.
pub(super) fn sql(filter: &Expr, source: &Source) -> Option<Filter> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And | Operator::Or => {
                let (left, right) = (sql(left, source)?, sql(right, source)?);
                Some(Filter {
                    sql: format!("({} {op} {})", left.sql, right.sql),
                    exact: left.exact && right.exact,
                })
            }
            _ => match (&**left, &**right) {
                (left, Expr::Literal(value, _)) => {
                    compare(column(left, source)?, *op, value, source)
                }
                (Expr::Literal(value, _), right) => {
                    compare(column(right, source)?, op.swap()?, value, source)
                }
                _ => None,
            },
        },
        Expr::IsNull(of) => exact(format!("({} IS NULL)", column(of, source)?.0.select)),
        Expr::IsNotNull(of) => exact(format!("({} IS NOT NULL)", column(of, source)?.0.select)),
        Expr::Not(of) => {
            let of = sql(of, source)?;
            of.exact.then(|| Filter {
                sql: format!("(NOT {})", of.sql),
                exact: true,
            })
        }
        Expr::Column(_) => match column(filter, source)? {
            (column, DataType::Boolean) => exact(format!("({})", column.compared)),
            _ => None,
        },
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => in_list(column(expr, source)?, list, *negated, source),
        Expr::Between(Between {
            expr,
            negated: false,
            low,
            high,
        }) => {
            let (Expr::Literal(low, _), Expr::Literal(high, _)) = (&**low, &**high) else {
                return None;
            };
            let of = column(expr, source)?;
            let low = compare(of, Operator::GtEq, low, source)?;
            let high = compare(of, Operator::LtEq, high, source)?;
            Some(Filter {
                sql: format!("({} AND {})", low.sql, high.sql),
                exact: low.exact && high.exact,
            })
        }
        _ => None,
    }
}

fn exact(sql: String) -> Option<Filter> {
    Some(Filter { sql, exact: true })
}

type Of<'a> = (&'a Column, &'a DataType);

fn column<'a>(expr: &Expr, source: &'a Source) -> Option<Of<'a>> {
    let Expr::Column(column) = expr else {
        return None;
    };
    let index = source.schema.index_of(&column.name).ok()?;
    Some((
        source.columns.get(index)?,
        source.schema.field(index).data_type(),
    ))
}

fn compare(of: Of<'_>, op: Operator, value: &ScalarValue, source: &Source) -> Option<Filter> {
    let (column, data_type) = of;
    let is_equality = matches!(op, Operator::Eq | Operator::NotEq);
    let is_order = matches!(
        op,
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    );
    let allowed = match column.compare {
        Compare::Ordered | Compare::Float => is_equality || is_order,
        Compare::Equal => is_equality,
        Compare::Null => false,
    };
    if !allowed {
        return None;
    }
    let value = literal(value, data_type, &source.target)?;
    Some(Filter {
        sql: format!("({} {op} {value})", column.compared),
        exact: column.compare != Compare::Float,
    })
}

fn in_list(of: Of<'_>, list: &[Expr], negated: bool, source: &Source) -> Option<Filter> {
    let (column, data_type) = of;
    if !matches!(column.compare, Compare::Ordered | Compare::Equal) || list.is_empty() {
        return None;
    }
    let values = list.iter().map(|value| match value {
        Expr::Literal(value, _) => literal(value, data_type, &source.target),
        _ => None,
    });
    let values: Vec<_> = values.collect::<Option<_>>()?;
    let not = if negated { "NOT " } else { "" };
    exact(format!(
        "({} {not}IN ({}))",
        column.compared,
        values.join(", ")
    ))
}

/// A value of the column's type in SQL. NULL, and what cannot be written for sure, is none.
fn literal(value: &ScalarValue, of: &DataType, target: &DatabaseTarget) -> Option<String> {
    let is_postgres = matches!(target, DatabaseTarget::Postgres(_));
    let typed = |text: String, of: &str| match is_postgres {
        true => format!("'{text}'::{of}"),
        false => text,
    };
    let text = value.try_as_str().flatten();
    if let (Some(text), DataType::Utf8View) = (text, of) {
        // (PostgreSQL has no NUL, and SQLite ends the statement there.)
        let literal = (!text.contains('\0')).then(|| sql::literal(text))?;
        return Some(if is_postgres {
            format!("{literal}::text")
        } else {
            literal
        });
    }
    if value.data_type() != *of {
        return None;
    }
    Some(match value {
        ScalarValue::Boolean(Some(value)) if is_postgres => value.to_string(),
        ScalarValue::Boolean(Some(value)) => u8::from(*value).to_string(),
        ScalarValue::Int16(Some(value)) => typed(value.to_string(), "int2"),
        ScalarValue::Int32(Some(value)) => typed(value.to_string(), "int4"),
        // (The least has no literal of SQLite.)
        ScalarValue::Int64(Some(value)) if *value > i64::MIN => typed(value.to_string(), "int8"),
        ScalarValue::Float32(Some(value)) if value.is_normal() => {
            typed(value.to_string(), "float4")
        }
        ScalarValue::Float64(Some(value)) if value.is_normal() => {
            typed(format!("{value:e}"), "float8")
        }
        ScalarValue::Decimal128(Some(value), digits, scale) if is_postgres => typed(
            Decimal128Type::format_decimal(*value, *digits, *scale),
            "numeric",
        ),
        ScalarValue::Date32(Some(days)) if is_postgres => {
            let days = u64::try_from(*days).ok()?;
            let date = NaiveDate::default().checked_add_days(Days::new(days))?;
            (date.year() < 10_000).then(|| typed(date.to_string(), "date"))?
        }
        ScalarValue::TimestampMicrosecond(Some(micros), zone)
            if is_postgres && *of == DataType::Timestamp(TimeUnit::Microsecond, zone.clone()) =>
        {
            let time = DateTime::from_timestamp_micros(*micros)?;
            let time = (1..10_000)
                .contains(&time.year())
                .then_some(time)?
                .naive_utc();
            match zone {
                Some(_) => typed(format!("{time}+00"), "timestamptz"),
                None => typed(time.to_string(), "timestamp"),
            }
        }
        _ => return None,
    })
}
