//! The columns of statements, from those that a plan has.

use biotide_common::options::{BiotideOptions, OneByte};
use biotide_common::{BiotideError, sssom};
use biotide_exec::mapping::edge_schema;
use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::string::expr_fn::{btrim, lower, replace};
use datafusion::functions_nested::expr_fn::array_to_string;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, try_cast, when};

use super::cells::{Cells, unnested};
use super::declared::entries;
use super::denials;
use super::source::{Columns, Part};

/// Names that columns of statements usually have; the first that there is counts. Where statements are from the first
/// that says something does, and any that denies a statement denies it.
const USUAL: [(&str, &[&str]); 12] = [
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
            // (What `chain_infer` and `xref` call them.)
            "sources",
        ],
    ),
    ("release", &["release", "mapping_set_version", "version"]),
    ("negated", &denials::COLUMNS),
    ("_modifier", &["predicate_modifier"]),
    ("_negated", &["negated"]),
    ("_line", &["_line"]),
    ("_offset", &["_offset"]),
];

/// What stands where there is no value.
pub(super) const NOTHING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "-", "."];

/// The columns of a plan, and their types.
fn fields(plan: &LogicalPlan) -> Vec<(Column, DataType)> {
    let columns = plan.schema().iter();
    columns
        .map(|(q, field)| (Column::from((q, field)), field.data_type().clone()))
        .collect()
}

/// The columns that have these names, in any case.
fn find<'a>(
    fields: &'a [(Column, DataType)],
    names: &[&str],
    part: &Part,
) -> Vec<&'a (Column, DataType)> {
    let names = match part.columns {
        Columns::Named { .. } => &names[..1],
        Columns::Usual => names,
    };
    let named = |name: &&str| {
        fields
            .iter()
            .find(|(column, _)| column.name().eq_ignore_ascii_case(name))
    };
    names.iter().filter_map(named).collect()
}

/// The columns of statements of a plan. `reading`: options by which confidences that are text were written.
pub(super) fn statements(
    mut plan: LogicalPlan,
    part: &Part,
    reading: Option<&BiotideOptions>,
) -> Result<LogicalPlan> {
    let set = Set::of(&plan);
    if let Some(several) = &part.several {
        plan = several.taken_apart(plan, &part.origin)?;
    }
    let usual = Cells::default();
    let cells = |name: &str| match (&part.columns, name) {
        (Columns::Named { subject, .. }, "subject") => subject,
        (Columns::Named { object, .. }, "object") => object,
        _ => &usual,
    };
    for (name, names) in &USUAL {
        let fields = fields(&plan);
        if let ("subject" | "object", [(column, kind), ..]) = (*name, &*find(&fields, names, part))
        {
            plan = unnested(plan, column, kind)?;
        }
    }
    let fields = fields(&plan);
    let find = |names: &[&str]| find(&fields, names, part);
    let mut columns: Vec<Expr> = Vec::new();
    for ((name, names), field) in USUAL.iter().zip(edge_schema().fields()) {
        let wanted = field.data_type();
        let found = find(names);
        let value = match (*name, found.as_slice()) {
            ("negated", _) if part.negated => lit(true),
            ("negated", denying) if !denying.is_empty() => denials::negated(denying),
            ("_modifier" | "_negated", [(column, kind), ..])
                if *kind != DataType::Boolean && !part.negated =>
            {
                cast(denials::unknown(column)?, wanted.clone())
            }
            ("_modifier" | "_negated", _) => lit(ScalarValue::try_from(wanted)?),
            ("confidence", [(column, kind), ..]) if is_text(kind) => confidence(column, reading)?,
            ("_confidence", [(column, kind), ..]) if is_text(kind) => {
                cast(Expr::Column(column.clone()), wanted.clone())
            }
            ("_confidence", _) => lit(ScalarValue::try_from(wanted)?),
            ("source" | "release", _) if part.stated(name).is_some() => {
                let stated = part.stated(name).unwrap_or_default();
                let stated = said(stated, &fields, part)?;
                let all = std::iter::once(stated).chain(set.value(name, &fields)?);
                coalesce(all.map(|text| cast(text, wanted.clone())).collect())
            }
            ("source" | "release", found) if !found.is_empty() || set.has(name) => {
                let texts = found.iter().map(|(column, kind)| match kind {
                    // (A list of texts is one text.)
                    DataType::List(_) => array_to_string(Expr::Column(column.clone()), lit("|")),
                    _ => Expr::Column(column.clone()),
                });
                let of_set = set.value(name, &fields)?;
                let texts = texts.chain(of_set);
                let texts: Vec<Expr> = texts.map(|text| cast(text, wanted.clone())).collect();
                coalesce(texts)
            }
            ("subject" | "object", [(column, kind), ..]) if kind.is_nested() => {
                let problem = format!(
                    "its column {} holds {kind}: neither identifiers nor lists of them",
                    column.name()
                );
                return Err(BiotideError::file(&part.origin, problem).into());
            }
            ("subject" | "object", [(column, kind), ..]) => {
                cast(cells(name).identifier(column, kind)?, wanted.clone())
            }
            (_, [(column, kind), ..]) if !can_cast_types(kind, wanted) => {
                let problem = format!(
                    "its column {0} holds {kind}, no {1}: (SELECT …, … AS {name} FROM …) makes such of it",
                    column.name(),
                    what(wanted)
                );
                return Err(BiotideError::file(&part.origin, problem).into());
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

/// What a set says of itself: its name, and its version.
struct Set {
    id: Option<String>,
    version: Option<String>,
}

impl Set {
    fn of(plan: &LogicalPlan) -> Self {
        let slots = entries(plan.schema().metadata(), sssom::SET);
        let slot = |name: &str| {
            let (_, node) = slots.iter().find(|(slot, _)| slot == name)?;
            node.text().map(str::to_owned)
        };
        Self {
            id: slot("mapping_set_id"),
            version: slot("mapping_set_version"),
        }
    }

    fn get(&self, name: &str) -> Option<&String> {
        match name {
            "source" => self.id.as_ref(),
            _ => self.version.as_ref(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value for a column of statements. The version is of the set, not of those that its rows are taken from.
    fn value(&self, name: &str, fields: &[(Column, DataType)]) -> Result<Option<Expr>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let taken = fields
            .iter()
            .find(|(column, _)| column.name() == "mapping_source");
        match taken.filter(|_| name == "release") {
            None => Ok(Some(lit(text.clone()))),
            Some((column, _)) => {
                let is_own = Expr::Column(column.clone()).is_null();
                Ok(Some(when(is_own, lit(text.clone())).end()?))
            }
        }
    }
}

impl Part {
    fn stated(&self, name: &str) -> Option<&str> {
        let [source, release] = &self.stated;
        match name {
            "source" => source.as_deref(),
            _ => release.as_deref(),
        }
    }
}

/// A text, or the column that `column:name` names.
fn said(stated: &str, fields: &[(Column, DataType)], part: &Part) -> Result<Expr> {
    let Some(name) = stated.strip_prefix("column:") else {
        return Ok(lit(stated));
    };
    let found = fields
        .iter()
        .find(|(column, _)| column.name().eq_ignore_ascii_case(name));
    let Some((column, _)) = found else {
        let known = fields.iter().map(|(column, _)| column.name());
        let known: Vec<&str> = known.filter(|name| !name.starts_with('_')).collect();
        let problem = format!("it has no column {name}; there are {}", known.join(", "));
        return Err(BiotideError::file(&part.origin, problem).into());
    };
    Ok(Expr::Column(column.clone()))
}

/// A number from a text. What is none becomes one that no confidence is.
fn confidence(column: &Column, reading: Option<&BiotideOptions>) -> Result<Expr> {
    let text = btrim(vec![as_text(column)]);
    let is_none = lower(text.clone()).in_list(NOTHING.map(lit).to_vec(), false);
    let mark = |mark: Option<OneByte>| Some(char::from(mark?.0?).to_string());
    let (decimal, thousands) = match reading {
        Some(reading) => (mark(reading.decimal), mark(reading.thousands)),
        None => (None, None),
    };
    let text = match thousands {
        Some(mark) => replace(text, lit(mark), lit("")),
        None => text,
    };
    let text = match decimal {
        Some(mark) => replace(text, lit(mark), lit(".")),
        None => text,
    };
    let number = coalesce(vec![try_cast(text, DataType::Float64), lit(f64::NAN)]);
    when(
        Expr::Column(column.clone()).is_not_null().and(!is_none),
        number,
    )
    .end()
}

/// The values of a column, for a person.
fn what(kind: &DataType) -> &'static str {
    match kind {
        DataType::Utf8View => "texts",
        DataType::Boolean => "booleans",
        _ => "numbers",
    }
}

/// A column as text.
pub(super) fn as_text(column: &Column) -> Expr {
    cast(Expr::Column(column.clone()), DataType::Utf8)
}

/// Whether values of this type are texts.
pub(super) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
