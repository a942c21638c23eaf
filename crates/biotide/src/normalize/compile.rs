//! Rules on a plan: a projection a step.
//!
//! Each field has a column of its own that holds what the steps so far have made of it, beside the columns of the
//! table, which conditions see as they were. So no expression holds another one twice, however many steps there
//! are; the optimizer puts together what it can and leaves out what nobody asks for.

use biotide_common::BiotideError;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn as f;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when,
};

use super::condition::{self, Row, column};
use super::raise::raise_if;
use super::rules::{Field, OnError, Rules};
use super::step::{Step, literal};
use crate::context::BiotideContext;
use crate::error::Result;

/// A column that is worked on.
struct Work<'a> {
    /// What it is called in the result.
    target: String,
    /// The column of the table, if there is one.
    source: Option<String>,
    /// The rule, if it has one of its own.
    rule: Option<&'a Field>,
    steps: Vec<&'a Step>,
    /// Its name while it is worked on.
    name: String,
    /// That of the column that tells what failed.
    problem: String,
}

impl BiotideContext {
    /// The rows of a query, normalised.
    pub fn normalize(&self, rows: DataFrame, rules: &Rules) -> Result<DataFrame> {
        let (state, plan) = rows.into_parts();
        let plan = rules.apply(plan, &state)?;
        Ok(DataFrame::new(state, plan))
    }
}

impl Rules {
    /// The plan with the rules on top of it.
    pub fn apply(&self, plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
        let columns: Vec<String> = plan
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let works = self.works(&plan, &columns)?;
        let mut builder = self.start(plan, &works)?;
        let most = works.iter().map(|work| work.steps.len()).max().unwrap_or(0);
        for at in 0..most {
            builder = self.layer(builder, &columns, &works, |work, builder| {
                match work.steps.get(at) {
                    Some(step) => self.step(work, step, builder, &columns, state).map(Some),
                    None => Ok(None),
                }
            })?;
        }
        let builder = self.layer(builder, &columns, &works, |work, builder| {
            self.required(work, builder)
        })?;
        self.end(builder, &columns, &works)
    }

    fn error(&self, line: u64, problem: impl std::fmt::Display) -> BiotideError {
        BiotideError::file(&self.file, format!("line {line}: {problem}"))
    }

    fn wrap(&self, line: u64, error: DataFusionError) -> BiotideError {
        BiotideError::at(format!("{}: line {line}", self.file), error)
    }

    /// The columns to work on: those with a rule, and those that the steps for all are for.
    fn works(&self, plan: &LogicalPlan, columns: &[String]) -> Result<Vec<Work<'_>>> {
        let is_text = |name: &str| {
            let field = plan.schema().field_with_unqualified_name(name);
            field.is_ok_and(|field| match field.data_type() {
                DataType::Dictionary(_, values) => values.is_string(),
                of => of.is_string(),
            })
        };
        // (Names that no column has.)
        let mut free = "__".to_owned();
        while columns.iter().any(|column| column.starts_with(&free)) {
            free.push('_');
        }
        let mut works: Vec<Work<'_>> = Vec::new();
        let mut add = |target: &str, source: Option<String>, rule: Option<&'_ Field>| {
            let n = works.len();
            let global = source.as_deref().is_some_and(is_text);
            let global = self.global.iter().filter(|_| global);
            let rule =
                rule.and_then(|rule| self.fields.iter().find(|own| std::ptr::eq(*own, rule)));
            works.push(Work {
                target: target.to_owned(),
                rule,
                steps: global
                    .chain(rule.iter().flat_map(|rule| &rule.steps))
                    .collect(),
                source,
                name: format!("{free}value_{n}"),
                problem: format!("{free}problem_{n}"),
            });
        };
        for field in &self.fields {
            let source = match &field.source {
                None => None,
                Some(name) => match condition::find(columns, name) {
                    Some(found) => Some(found.clone()),
                    None if field.required == Some(false) => None,
                    None => {
                        let known = columns.join(", ");
                        let problem = format!(
                            "there is no column \"{name}\": there are {known} (required: false lets it be missing)"
                        );
                        return Err(self.error(field.line, problem).into());
                    }
                },
            };
            // (Without a target of its own it keeps the name that the table has.)
            let same = field.source.as_ref() == Some(&field.target);
            let target = source
                .as_ref()
                .filter(|_| same)
                .unwrap_or(&field.target)
                .clone();
            add(&target, source, Some(field));
        }
        if self.keeps_unmapped {
            for name in columns {
                let has_rule = self.fields.iter().any(|field| {
                    field
                        .source
                        .as_ref()
                        .and_then(|source| condition::find(columns, source))
                        == Some(name)
                });
                if !has_rule {
                    add(name, Some(name.clone()), None);
                }
            }
        }
        for (at, work) in works.iter().enumerate() {
            if let Some(rule) = work.rule
                && works
                    .iter()
                    .enumerate()
                    .any(|(other, known)| other != at && known.target == work.target)
            {
                let problem = format!(
                    "there is a column \"{}\" already: name another target",
                    work.target
                );
                return Err(self.error(rule.line, problem).into());
            }
        }
        Ok(works)
    }

    /// The columns of the table, and those to work on.
    fn start(&self, plan: LogicalPlan, works: &[Work<'_>]) -> Result<LogicalPlanBuilder> {
        let mut exprs: Vec<Expr> = plan
            .schema()
            .iter()
            .map(|(qualifier, field)| {
                Expr::Column(Column::from((qualifier, field))).alias(field.name())
            })
            .collect();
        for work in works {
            let value = match &work.source {
                Some(source) => {
                    let (qualifier, field) = plan
                        .schema()
                        .qualified_field_with_unqualified_name(source)?;
                    Expr::Column(Column::from((qualifier, field)))
                }
                None => cast(lit(datafusion::common::ScalarValue::Null), DataType::Utf8),
            };
            exprs.push(value.alias(&work.name));
            if self.problems.is_some() {
                exprs.push(lit("").alias(&work.problem));
            }
        }
        Ok(LogicalPlanBuilder::from(plan).project(exprs)?)
    }

    /// One projection: what `change` makes of each column, with what it says has failed.
    fn layer(
        &self,
        builder: LogicalPlanBuilder,
        columns: &[String],
        works: &[Work<'_>],
        change: impl Fn(&Work<'_>, &LogicalPlanBuilder) -> Result<Option<(Expr, Option<Expr>)>>,
    ) -> Result<LogicalPlanBuilder> {
        let mut exprs: Vec<Expr> = columns.iter().map(|name| column(name)).collect();
        for work in works {
            let (value, problem) = match change(work, &builder)? {
                Some((value, problem)) => (value.alias(&work.name), problem),
                None => (column(&work.name), None),
            };
            exprs.push(value);
            if self.problems.is_some() {
                let before = column(&work.problem);
                exprs.push(match problem {
                    Some(problem) => f::concat(vec![before, problem]).alias(&work.problem),
                    None => before,
                });
            }
        }
        Ok(builder.project(exprs)?)
    }

    /// What a step makes of a column, and what it says where it failed.
    fn step(
        &self,
        work: &Work<'_>,
        step: &Step,
        builder: &LogicalPlanBuilder,
        columns: &[String],
        state: &SessionState,
    ) -> Result<(Expr, Option<Expr>)> {
        let schema = builder.schema();
        let of = schema
            .field_with_unqualified_name(&work.name)?
            .data_type()
            .clone();
        let row = Row {
            columns,
            value: &work.name,
        };
        let wrap = |error: crate::Error| self.wrap(step.line, error.into_datafusion());
        let value = column(&work.name);
        let applied = step
            .apply(value.clone(), &of, row, schema, state)
            .map_err(wrap)?;
        let applied = applied.map_err(|problem| self.error(step.line, problem))?;
        let new_type = applied
            .value
            .get_type(schema)
            .map_err(|error| self.wrap(step.line, error))?;
        let condition = match &step.condition {
            Some(sql) => {
                let condition = condition::parse(sql, row, schema, state).map_err(wrap)?;
                let kind = condition
                    .get_type(schema)
                    .map_err(|error| self.wrap(step.line, error))?;
                if kind != DataType::Boolean {
                    let problem = format!("the condition \"{sql}\" is {kind}, not true or false");
                    return Err(self.error(step.line, problem).into());
                }
                Some(f::coalesce(vec![condition, lit(false)]))
            }
            None => None,
        };
        let failed = match (applied.failed, &condition) {
            (Some(failed), Some(condition)) => Some(condition.clone().and(failed)),
            (failed, _) => failed,
        };
        let mut new = applied.value;
        if let (Some(failed), OnError::Default) = (&failed, step.on_error) {
            let default = step
                .default
                .as_ref()
                .or_else(|| work.rule?.default.as_ref());
            let Some(default) = default else {
                let problem = format!(
                    "{}: on_error: default needs a default, in params or of the rule",
                    step.name
                );
                return Err(self.error(step.line, problem).into());
            };
            new = when(failed.clone(), cast(literal(default), new_type.clone())).otherwise(new)?;
        }
        if let Some(condition) = condition {
            let same = new_type == of || (new_type.is_string() && of.is_string());
            if !same {
                let problem = format!(
                    "{}: with a condition some rows would be {new_type} and some {of}: leave out the condition",
                    step.name
                );
                return Err(self.error(step.line, problem).into());
            }
            new = when(condition, cast(new, of.clone())).otherwise(value.clone())?;
        }
        if let (Some(failed), OnError::Raise) = (&failed, step.on_error) {
            let place = format!("line {}: {}, {}", step.line, work.target, step.name);
            new = raise_if(new, failed.clone(), value.clone(), &self.file, &place);
        }
        let problem = failed.map(|failed| said(failed, &work.target, &step.name, Some(value)));
        Ok((new, problem.transpose()?))
    }

    /// What of a field that must not be NULL.
    fn required(
        &self,
        work: &Work<'_>,
        builder: &LogicalPlanBuilder,
    ) -> Result<Option<(Expr, Option<Expr>)>> {
        let Some(rule) = work.rule.filter(|rule| rule.required == Some(true)) else {
            return Ok(None);
        };
        let value = column(&work.name);
        let of = value.get_type(builder.schema())?;
        let failed = value.clone().is_null();
        let new = match (rule.on_error, &rule.default) {
            (OnError::Raise, _) => {
                let place = format!("line {}: {} is required", rule.line, work.target);
                raise_if(value.clone(), failed.clone(), value, &self.file, &place)
            }
            (OnError::Skip, _) => value,
            (OnError::Default, Some(default)) => {
                f::coalesce(vec![value, cast(literal(default), of)])
            }
            (OnError::Default, None) => {
                let problem = "on_error: default needs a default";
                return Err(self.error(rule.line, problem).into());
            }
        };
        Ok(Some((
            new,
            Some(said(failed, &work.target, "required", None)?),
        )))
    }

    /// The columns of the result: each where its source was, new ones behind.
    fn end(
        &self,
        builder: LogicalPlanBuilder,
        columns: &[String],
        works: &[Work<'_>],
    ) -> Result<LogicalPlan> {
        let shown = |work: &Work<'_>| column(&work.name).alias(&work.target);
        let of_table = columns.iter().flat_map(|name| {
            works
                .iter()
                .filter(move |work| work.source.as_ref() == Some(name))
        });
        let made = works.iter().filter(|work| work.source.is_none());
        let mut exprs: Vec<Expr> = of_table.chain(made).map(shown).collect();
        if let Some(name) = &self.problems {
            if works.iter().any(|work| work.target == name.value) {
                let problem = format!("there is a column \"{}\" already", name.value);
                return Err(self.error(name.referenced.line(), problem).into());
            }
            let all = works.iter().map(|work| column(&work.problem)).collect();
            let all = f::rtrim(vec![f::concat(all), lit("; ")]);
            exprs.push(f::nullif(all, lit("")).alias(&name.value));
        }
        Ok(builder.project(exprs)?.build()?)
    }
}

/// What is told of a value where it failed: `uniprot, validate: 'x'; `.
fn said(failed: Expr, target: &str, what: &str, value: Option<Expr>) -> Result<Expr> {
    let text = match value {
        Some(value) => {
            let value = cast(value, DataType::Utf8);
            f::concat(vec![lit(format!("{target}, {what}: '")), value, lit("'; ")])
        }
        None => lit(format!("{target}, {what}; ")),
    };
    Ok(when(failed, text).otherwise(lit(""))?)
}
