//! The columns of statements, from those that a plan has.

use biotide_common::BiotideError;
use biotide_exec::mapping::edge_schema;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::string::expr_fn::{btrim, lower};
use datafusion::functions_nested::expr_fn::array_to_string;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, try_cast, when};

use super::source::{Columns, Part};

/// Names that columns of statements usually have; the first that there is counts. Where statements are from the first
/// that says something does.
const USUAL: [(&str, &[&str]); 10] = [
    ("subject", &["subject", "subject_id"]),
    ("predicate", &["predicate", "predicate_id"]),
    ("object", &["object", "object_id"]),
    ("confidence", &["confidence"]),
    ("_confidence", &["confidence"]),
    (
        "source",
        &[
            "source",
            "mapping_source",
            "mapping_provider",
            "primary_knowledge_source",
            "mapping_set_id",
        ],
    ),
    ("release", &["release", "mapping_set_version", "version"]),
    ("negated", &["negated", "predicate_modifier"]),
    ("_line", &["_line"]),
    ("_offset", &["_offset"]),
];

/// What a column of texts says where a statement is denied.
const DENIED: [&str; 5] = ["not", "true", "t", "yes", "1"];

/// What stands in a column of numbers where there is none.
const NO_NUMBER: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "-", "."];

/// The columns of statements of a plan.
pub(super) fn statements(plan: LogicalPlan, part: &Part) -> Result<LogicalPlan> {
    let fields: Vec<(Column, DataType)> = plan
        .schema()
        .iter()
        .map(|(q, field)| (Column::from((q, field)), field.data_type().clone()))
        .collect();
    let find = |names: &[&str]| -> Vec<&(Column, DataType)> {
        let names = match part.columns {
            Columns::Named => &names[..1],
            Columns::Usual => names,
        };
        let named = |name: &&str| {
            fields
                .iter()
                .find(|(column, _)| column.name().eq_ignore_ascii_case(name))
        };
        names.iter().filter_map(named).collect()
    };
    let mut columns: Vec<Expr> = Vec::new();
    for ((name, names), field) in USUAL.iter().zip(edge_schema().fields()) {
        let wanted = field.data_type();
        let found = find(names);
        let value = match (*name, found.as_slice()) {
            ("negated", _) if part.negated => lit(true),
            ("negated", [(column, kind), ..]) if *kind != DataType::Boolean => {
                let said = lower(btrim(vec![as_text(column)]));
                said.in_list(DENIED.map(lit).to_vec(), false)
            }
            ("confidence", [(column, kind), ..]) if is_text(kind) => confidence(column)?,
            ("_confidence", [(column, kind), ..]) if is_text(kind) => {
                cast(Expr::Column(column.clone()), wanted.clone())
            }
            ("_confidence", _) => lit(ScalarValue::try_from(wanted)?),
            ("source" | "release", found @ [_, ..]) => {
                let texts = found.iter().map(|(column, kind)| match kind {
                    // (A list of texts is one text.)
                    DataType::List(_) => array_to_string(Expr::Column(column.clone()), lit("|")),
                    _ => Expr::Column(column.clone()),
                });
                let texts: Vec<Expr> = texts.map(|text| cast(text, wanted.clone())).collect();
                coalesce(texts)
            }
            (_, [(column, _), ..]) => cast(Expr::Column(column.clone()), wanted.clone()),
            ("subject" | "object", []) => {
                let known = fields.iter().map(|(column, _)| column.name());
                let known: Vec<&str> = known.filter(|name| !name.starts_with('_')).collect();
                let problem = format!(
                    "it has no column {}; there are {}. pairs('…', subject => 'column', object => 'column') says which they are",
                    names[names.len() - 1],
                    known.join(", ")
                );
                return Err(BiotideError::file(&part.origin, problem).into());
            }
            (_, []) => lit(ScalarValue::try_from(wanted)?),
        };
        columns.push(value.alias(*name));
    }
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// A number from a text. What is none becomes one that no confidence is.
fn confidence(column: &Column) -> Result<Expr> {
    let text = btrim(vec![as_text(column)]);
    let is_none = lower(text.clone()).in_list(NO_NUMBER.map(lit).to_vec(), false);
    let number = coalesce(vec![try_cast(text, DataType::Float64), lit(f64::NAN)]);
    when(
        Expr::Column(column.clone()).is_not_null().and(!is_none),
        number,
    )
    .end()
}

fn as_text(column: &Column) -> Expr {
    cast(Expr::Column(column.clone()), DataType::Utf8)
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}
