//! Several columns of objects: the rows are read once, and taken apart for each of them.

use biotide_common::BiotideError;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, ExprSchema, Result, UnnestOptions};
use datafusion::functions::string::expr_fn::btrim;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::functions_nested::string::string_to_array_udf;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, cast, lit,
};

use super::cells::text_of;

const OBJECT: &str = "object";
const PREFIX: &str = "_prefix";
const PREDICATE: &str = "predicate";

/// A column of objects: of identifiers, or of lists of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Objects {
    /// What its cells are, in SQL.
    pub(super) cells: String,
    /// That of identifiers, which have none then.
    pub(super) prefix: Option<String>,
    /// That of their statements. If one has it, all have.
    pub(super) predicate: Option<&'static str>,
}

/// The columns of objects of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Several {
    pub(super) columns: Vec<Objects>,
    /// What is between identifiers of a text.
    pub(super) separator: String,
}

impl Several {
    /// A query that has them all in each row.
    pub(super) fn query(
        &self,
        from: &str,
        places: &str,
        subject: &str,
        others: &[(&str, String)],
    ) -> String {
        let objects = self.columns.iter().enumerate();
        let objects = objects.map(|(n, objects)| format!(", {} AS {}", objects.cells, named(n)));
        let others = others
            .iter()
            .map(|(name, value)| format!(", {value} AS {name}"));
        let columns: String = objects.chain(others).collect();
        format!("SELECT {subject} AS subject{columns}{places} FROM {from}")
    }

    /// A row for each identifier of each of the columns of that query: with its prefix, in `object`.
    pub(super) fn taken_apart(&self, plan: LogicalPlan, origin: &str) -> Result<LogicalPlan> {
        let own: Vec<Column> = (0..self.columns.len())
            .map(|n| Column::new_unqualified(named(n)))
            .collect();
        let mut lists = Vec::with_capacity(own.len());
        for (objects, column) in self.columns.iter().zip(&own) {
            let kind = plan.schema().field_from_column(column)?.data_type().clone();
            lists.push(self.list(objects, column, &kind, origin)?);
        }
        let prefixes = self.columns.iter().map(|objects| match &objects.prefix {
            Some(prefix) => lit(format!("{prefix}:")),
            None => lit(""),
        });
        let predicates = self.columns.iter().map(|objects| objects.predicate);
        let predicates: Option<Vec<Expr>> = predicates.map(|own| own.map(lit)).collect();
        let mut columns = others(&plan, &own);
        columns.push(make_array(lists).alias(OBJECT));
        columns.push(make_array(prefixes.collect()).alias(PREFIX));
        let mut unnested = vec![OBJECT, PREFIX];
        if let Some(predicates) = predicates {
            columns.push(make_array(predicates).alias(PREDICATE));
            unnested.push(PREDICATE);
        }
        let unnested = unnested.into_iter().map(Column::new_unqualified);
        let object = Column::new_unqualified(OBJECT);
        let text = btrim(vec![Expr::Column(object.clone())]);
        let rows = LogicalPlanBuilder::from(plan)
            .project(columns)?
            .unnest_columns_with_options(unnested.collect(), UnnestOptions::default())?
            // (Most cells are empty.)
            .filter(Expr::Column(object.clone()).is_not_null())?
            .unnest_column(object.clone())?
            .filter(text.clone().not_eq(lit("")))?
            .build()?;
        let prefix = Column::new_unqualified(PREFIX);
        let whole = binary_expr(Expr::Column(prefix.clone()), Operator::StringConcat, text);
        let mut columns = others(&rows, &[object, prefix]);
        columns.push(whole.alias(OBJECT));
        LogicalPlanBuilder::from(rows).project(columns)?.build()
    }

    /// The identifiers of a cell.
    fn list(
        &self,
        objects: &Objects,
        column: &Column,
        kind: &DataType,
        origin: &str,
    ) -> Result<Expr> {
        let own = Expr::Column(column.clone());
        match element(kind) {
            Some(element) if !element.is_nested() => {
                let whole = match element.is_floating() {
                    // (`7529`, not `7529.0`.)
                    true => cast(own, list_of(DataType::Int64)),
                    false => own,
                };
                Ok(cast(whole, list_of(DataType::Utf8)))
            }
            None if !kind.is_nested() => {
                let text = cast(text_of(own, kind)?, DataType::Utf8);
                let separator = lit(self.separator.as_str());
                Ok(string_to_array_udf().call(vec![text, separator]))
            }
            _ => {
                let problem = format!(
                    "its column {} holds {kind}: neither identifiers nor lists of them",
                    objects.cells
                );
                Err(BiotideError::file(origin, problem).into())
            }
        }
    }
}

/// What the query calls one of the columns.
fn named(number: usize) -> String {
    format!("_object{number}")
}

/// The columns of a plan but for these.
fn others(plan: &LogicalPlan, own: &[Column]) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    let others = columns.filter(|column| !own.iter().any(|own| own.name == column.name));
    others.map(Expr::Column).collect()
}

/// What a list is of.
fn element(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Some(field.data_type()),
        _ => None,
    }
}

fn list_of(kind: DataType) -> DataType {
    DataType::List(Field::new_list_field(kind, true).into())
}
