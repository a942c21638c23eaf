//! Expressions that may fail of some row.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};

/// Functions that have a result for whatever they are given. (Of others nobody knows: those of programs, those that
/// read texts as something else.)
const SURE: &[&str] = &[
    "abs",
    "ascii",
    "bit_length",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "floor",
    "initcap",
    "isnan",
    "iszero",
    "lower",
    "ltrim",
    "nullif",
    "nvl",
    "octet_length",
    "reverse",
    "rtrim",
    "starts_with",
    "strpos",
    "upper",
];

/// Whether an expression over columns of this schema may fail.
pub(super) fn may_fail(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let mut found = false;
    expr.apply(|expr| {
        found = fails_itself(expr, schema);
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

fn fails_itself(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Cast(cast) => match cast.expr.get_type(schema) {
            Ok(from) => !is_lossless(&from, cast.field.data_type()),
            Err(_) => true,
        },
        Expr::BinaryExpr(binary) => operator_fails(binary, schema),
        Expr::ScalarFunction(call) => !SURE.contains(&call.name()),
        Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Alias(_)
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::InList(_)
        | Expr::TryCast(_) => false,
        _ => true,
    }
}

fn operator_fails(binary: &BinaryExpr, schema: &DFSchema) -> bool {
    use Operator::{
        And, BitwiseAnd, BitwiseOr, BitwiseXor, Divide, Eq, Gt, GtEq, ILikeMatch, IsDistinctFrom,
        IsNotDistinctFrom, LikeMatch, Lt, LtEq, Minus, Modulo, Multiply, NotEq, NotILikeMatch,
        NotLikeMatch, Or, Plus, RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch,
        StringConcat,
    };
    match binary.op {
        And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
        | LikeMatch | ILikeMatch | NotLikeMatch | NotILikeMatch | BitwiseAnd | BitwiseOr
        | BitwiseXor | StringConcat => false,
        // (A pattern is read when the first rows come.)
        RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch => match text(&binary.right) {
            Some(pattern) => regex::Regex::new(pattern).is_err(),
            None => true,
        },
        // (Integers wrap.)
        Plus | Minus | Multiply => !is_number(&binary.left, schema),
        Divide | Modulo => !is_number(&binary.left, schema) || !is_no_zero(&binary.right),
        _ => true,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    let kind = expr.get_type(schema);
    kind.is_ok_and(|kind| kind.is_integer() || kind.is_floating())
}

/// Whether it is a number by which integers can be divided.
fn is_no_zero(expr: &Expr) -> bool {
    let Expr::Literal(value, _) = expr else {
        return false;
    };
    match value {
        ScalarValue::Float32(Some(_)) | ScalarValue::Float64(Some(_)) => true,
        // (The least integer by -1 is none.)
        value => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(n))) => n != 0 && n != -1,
            _ => false,
        },
    }
}

/// Whether every value of the one type is a value of the other.
fn is_lossless(from: &DataType, to: &DataType) -> bool {
    if from == to || from.is_null() {
        return true;
    }
    let is_text = |kind: &DataType| {
        matches!(
            kind,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
    };
    if is_text(to) {
        return is_text(from) || from.is_numeric() || *from == DataType::Boolean;
    }
    if to.is_floating() {
        return from.is_integer() || from.is_floating();
    }
    match (from.is_integer(), to.is_integer()) {
        (true, true) => {
            let (own, other) = (from.primitive_width(), to.primitive_width());
            match (from.is_signed_integer(), to.is_signed_integer()) {
                (true, false) => false,
                (false, true) => own < other,
                _ => own <= other,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};

    use super::*;
    use crate::context::BiotideContext;

    #[test]
    fn what_may_fail_is_told_from_what_cannot() {
        let schema = Schema::new(vec![
            Field::new("t", DataType::Utf8, true),
            Field::new("i", DataType::Int64, true),
            Field::new("n", DataType::Int32, true),
            Field::new("f", DataType::Float64, true),
        ]);
        let schema = DFSchema::try_from(schema).unwrap();
        let context = BiotideContext::builder().build().unwrap();
        let context = context.session();
        let fails = |sql: &str| {
            let expr = context.parse_sql_expr(sql, &schema).unwrap();
            may_fail(&expr, &schema).unwrap()
        };
        for sql in [
            "cast(t as bigint) > 3",
            "i / n > 2",
            "i / 0 > 2",
            "i % -1 = 0",
            "cast(i as int) = 4",
            "cast(f as bigint) = 4",
            "to_timestamp(t) is null",
            "t ~ '['",
            "t ~ t",
            "lower(cast(t as date)) = 'x'",
            "case when t = '' then cast(t as double) else 0 end > 3",
        ] {
            assert!(fails(sql), "{sql}");
        }
        for sql in [
            "t = 'x' and i > 3 or f < 2.5",
            "try_cast(t as bigint) > 3",
            "cast(n as bigint) + i > 4",
            "cast(i as double) > f",
            "cast(i as text) like '1%'",
            "i / 2 > 3 and f / 0.0 > 1",
            "lower(t) in ('a', 'b') and starts_with(t, 'P')",
            "t ~ '^[A-Z]+$'",
            "t is not null and not (i between 3 and 4)",
        ] {
            assert!(!fails(sql), "{sql}");
        }
    }
}
