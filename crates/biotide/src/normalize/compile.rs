//! Rules on a plan: a projection a step.
//!
//! Each field has a column of its own that holds what the steps so far have made of it, beside the columns of the
//! table, which conditions see as they were. So no expression holds another one twice, however many steps there
//! are; the optimizer puts together what it can and leaves out what nobody asks for.

use std::collections::HashSet;

use biotide_common::BiotideError;
use biotide_common::nearest::suggested;
use biotide_common::yaml::{Location, at};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn as f;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, try_cast, when,
};

use super::condition::{self, Row, column};
use super::origin::Origin;
use super::raise::Failure;
use super::rules::{Field, OnError, Rules};
use super::step::{Step, literal};
use crate::context::BiotideContext;
use crate::error::Result;

/// What is made of a column in a layer.
struct Change {
    value: Expr,
    /// What it says where it failed.
    problem: Option<Expr>,
    /// What all rows must pass before.
    check: Option<Expr>,
}

/// A column that is worked on.
struct Work<'a> {
    /// What it is called in the result.
    target: String,
    /// The place of its column in the table, if there is one.
    source: Option<usize>,
    /// The rule, if it has one of its own.
    rule: Option<&'a Field>,
    steps: Vec<&'a Step>,
    /// Its name while it is worked on.
    name: String,
    /// That of the column that tells what failed.
    problem: String,
}

/// The columns of a table.
struct Columns {
    names: Vec<String>,
    /// What they are called while the rules are at work.
    inner: Vec<String>,
}

impl Work<'_> {
    /// The column that holds the value after so many steps.
    fn current<'a>(&'a self, steps: usize, columns: &'a Columns) -> &'a str {
        match self.source {
            Some(at) if steps == 0 || self.steps.is_empty() => &columns.inner[at],
            _ => &self.name,
        }
    }
}

impl Columns {
    /// The file and the line of a row, as far as columns tell them; NULL is not known.
    fn origin(&self) -> [Expr; 2] {
        let origin = Origin::among(&self.names);
        let inner = |name: Option<&str>| {
            let at = self.names.iter().position(|own| Some(own.as_str()) == name);
            at.map_or_else(
                || lit(ScalarValue::Utf8(None)),
                |at| column(&self.inner[at]),
            )
        };
        let file = origin.and_then(|origin| origin.file);
        [inner(file), inner(origin.map(|origin| origin.line))]
    }
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
        let names: Vec<String> = plan
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        // (Names that no column has.)
        let mut free = "__".to_owned();
        while names.iter().any(|name| name.starts_with(&free)) {
            free.push('_');
        }
        let inner = (0..names.len())
            .map(|n| format!("{free}column_{n}"))
            .collect();
        let columns = Columns { names, inner };
        let works = self.works(&plan, &columns.names, &free)?;
        let mut builder = self.start(plan, &columns, &works)?;
        let most = works.iter().map(|work| work.steps.len()).max().unwrap_or(0);
        for at in 0..most {
            let change = |work: &Work<'_>, builder: &LogicalPlanBuilder| {
                let step = work.steps.get(at);
                step.map(|step| self.step(work, at, step, builder, &columns, state))
                    .transpose()
            };
            builder = self.layer(builder, at, &columns, &works, change)?;
        }
        let change = |work: &Work<'_>, builder: &LogicalPlanBuilder| {
            self.end_of(work, most, builder, &columns)
        };
        let builder = self.layer(builder, most, &columns, &works, change)?;
        self.end(builder, most + 1, &columns, &works)
    }

    fn error(&self, place: Location, problem: impl std::fmt::Display) -> BiotideError {
        BiotideError::file(&self.file, at(&place, problem))
    }

    fn wrap(&self, place: Location, error: DataFusionError) -> BiotideError {
        let (line, column) = (place.line(), place.column());
        BiotideError::at(
            format!("{}: line {line}, column {column}", self.file),
            error,
        )
    }

    /// What is asked of a value, with its place in the rules.
    fn asked(&self, what: &str, place: Location) -> String {
        format!("{what} (rule at {}, line {})", self.file, place.line())
    }

    /// The columns to work on: those with a rule, and those that the steps for all are for.
    fn works<'r>(
        &'r self,
        plan: &LogicalPlan,
        columns: &[String],
        free: &str,
    ) -> Result<Vec<Work<'r>>> {
        let is_text = |name: &str| {
            let field = plan.schema().field_with_unqualified_name(name);
            field.is_ok_and(|field| match field.data_type() {
                DataType::Dictionary(_, values) => values.is_string(),
                of => of.is_string(),
            })
        };
        let mut works: Vec<Work<'r>> = Vec::new();
        let mut add = |target: &str, source: Option<usize>, rule: Option<&'r Field>| {
            let n = works.len();
            let global = source.is_some_and(|at| is_text(&columns[at]));
            let global = self.global.iter().filter(|_| global);
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
        let mut ruled = HashSet::new();
        for field in &self.fields {
            let source = match &field.source {
                None => None,
                Some(source) => match condition::find(columns, &source.value) {
                    Some(found) => Some(found),
                    None if field.required == Some(false) && !is_known(columns, &source.value) => {
                        None
                    }
                    None => {
                        let name = &source.value;
                        let known = suggested(name, columns.iter().map(String::as_str));
                        let problem = format!(
                            "source_field: there is no column \"{name}\": {known} (required: false lets it be missing)"
                        );
                        return Err(self.error(source.referenced, problem).into());
                    }
                },
            };
            // (Without a target of its own it keeps the name that the table has.)
            let same = field
                .source
                .as_ref()
                .is_some_and(|source| source.value == field.target);
            let target = source
                .filter(|_| same)
                .map_or(&field.target, |at| &columns[at])
                .clone();
            ruled.extend(source);
            add(&target, source, Some(field));
        }
        if self.keeps_unmapped {
            for (at, name) in columns.iter().enumerate() {
                if !ruled.contains(&at) {
                    add(name, Some(at), None);
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
                return Err(self.error(rule.place, problem).into());
            }
        }
        Ok(works)
    }

    /// The columns of the table, and those that are made of nothing.
    fn start(
        &self,
        plan: LogicalPlan,
        columns: &Columns,
        works: &[Work<'_>],
    ) -> Result<LogicalPlanBuilder> {
        let mut exprs: Vec<Expr> = plan
            .schema()
            .iter()
            .zip(&columns.inner)
            .map(|((qualifier, field), inner)| {
                Expr::Column(Column::from((qualifier, field))).alias(inner)
            })
            .collect();
        for work in works {
            if work.source.is_none() {
                exprs.push(lit(ScalarValue::Utf8(None)).alias(&work.name));
            }
            if self.problems.is_some() {
                exprs.push(lit("").alias(&work.problem));
            }
        }
        Ok(LogicalPlanBuilder::from(plan).project(exprs)?)
    }

    /// One projection: what `change` makes of each column after so many steps, with what it says has failed.
    fn layer(
        &self,
        builder: LogicalPlanBuilder,
        steps: usize,
        columns: &Columns,
        works: &[Work<'_>],
        change: impl Fn(&Work<'_>, &LogicalPlanBuilder) -> Result<Option<Change>>,
    ) -> Result<LogicalPlanBuilder> {
        let mut exprs: Vec<Expr> = columns.inner.iter().map(|name| column(name)).collect();
        let mut checks = Vec::new();
        for work in works {
            let is_own = work.current(steps, columns) == work.name;
            let problem = match change(work, &builder)? {
                Some(change) => {
                    exprs.push(change.value.alias(&work.name));
                    checks.extend(change.check);
                    change.problem
                }
                None if is_own => {
                    exprs.push(column(&work.name));
                    None
                }
                None => None,
            };
            if self.problems.is_some() {
                let before = column(&work.problem);
                exprs.push(match problem {
                    Some(problem) => f::concat(vec![before, problem]).alias(&work.problem),
                    None => before,
                });
            }
        }
        let builder = match checks.into_iter().reduce(Expr::and) {
            Some(checks) => builder.filter(checks)?,
            None => builder,
        };
        Ok(builder.project(exprs)?)
    }

    /// What a step makes of a column, and what it says where it failed.
    fn step(
        &self,
        work: &Work<'_>,
        at: usize,
        step: &Step,
        builder: &LogicalPlanBuilder,
        columns: &Columns,
        state: &SessionState,
    ) -> Result<Change> {
        let current = work.current(at, columns);
        let schema = builder.schema();
        let of = schema
            .field_with_unqualified_name(current)?
            .data_type()
            .clone();
        let row = Row {
            columns: &columns.names,
            inner: &columns.inner,
            value: current,
        };
        let wrap = |error: crate::Error| self.wrap(step.place, error.into_datafusion());
        let value = column(current);
        let applied = step
            .apply(value.clone(), &of, row, schema, state)
            .map_err(wrap)?;
        let applied = applied.map_err(|problem| self.error(step.place, problem))?;
        let new_type = applied
            .value
            .get_type(schema)
            .map_err(|error| self.wrap(step.place, error))?;
        let condition = match &step.condition {
            Some(sql) => {
                let condition = condition::parse(sql, row, schema, state).map_err(wrap)?;
                let condition = condition::checked(sql, condition)
                    .map_err(|problem| self.error(step.place, problem))?;
                let kind = condition
                    .get_type(schema)
                    .map_err(|error| self.wrap(step.place, error))?;
                if kind != DataType::Boolean {
                    let problem = format!("the condition \"{sql}\" is {kind}, not true or false");
                    return Err(self.error(step.place, problem).into());
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
                return Err(self.error(step.place, problem).into());
            };
            let own =
                literal(default, &new_type).map_err(|problem| self.error(step.place, problem))?;
            new = when(failed.clone(), own).otherwise(new)?;
        }
        if let Some(condition) = condition {
            let same = new_type == of || (new_type.is_string() && of.is_string());
            if !same && !step.is_cast() {
                let problem = format!(
                    "{}: with a condition some rows would be {new_type} and some {of}: leave out the condition, or \
                     cast first",
                    step.name
                );
                return Err(self.error(step.place, problem).into());
            }
            // (Of a cast, what is not asked for is done where it can be: a column has one type.)
            let kept = match same {
                true => value.clone(),
                false => try_cast(value.clone(), new_type.clone()),
            };
            let to = if same { &of } else { &new_type };
            new = when(condition, cast(new, to.clone())).otherwise(kept)?;
        }
        let check = match (&failed, step.on_error) {
            (Some(failed), OnError::Raise) => {
                let failure = Failure {
                    failed: failed.clone(),
                    written: value.clone(),
                    column: &work.target,
                    asked: self.asked(&step.name, step.place),
                    origin: columns.origin(),
                };
                Some(failure.raised())
            }
            _ => None,
        };
        let problem = failed.map(|failed| said(failed, &work.target, &step.name, Some(value)));
        let problem = problem.transpose()?;
        Ok(Change {
            value: new,
            problem,
            check,
        })
    }

    /// The default of a field, and what of one that must not be NULL.
    fn end_of(
        &self,
        work: &Work<'_>,
        steps: usize,
        builder: &LogicalPlanBuilder,
        columns: &Columns,
    ) -> Result<Option<Change>> {
        let Some(rule) = work.rule else {
            return Ok(None);
        };
        let must = rule.required == Some(true);
        if rule.on_error == OnError::Default && rule.default.is_none() {
            return Err(self
                .error(rule.place, "on_error: default needs a default")
                .into());
        }
        if !must && rule.default.is_none() {
            return Ok(None);
        }
        let value = column(work.current(steps, columns));
        let of = value.get_type(builder.schema())?;
        let failed = value.clone().is_null();
        let problem = must.then(|| said(failed.clone(), &work.target, "required", None));
        let (value, check) = match &rule.default {
            Some(default) => {
                let default =
                    literal(default, &of).map_err(|problem| self.error(rule.place, problem))?;
                (f::coalesce(vec![value, default]), None)
            }
            None if rule.on_error == OnError::Raise => {
                let failure = Failure {
                    failed,
                    written: value.clone(),
                    column: &work.target,
                    asked: self.asked("it is required", rule.place),
                    origin: columns.origin(),
                };
                (value, Some(failure.raised()))
            }
            None => (value, None),
        };
        let problem = problem.transpose()?;
        Ok(Some(Change {
            value,
            problem,
            check,
        }))
    }

    /// The columns of the result: each where its source was, new ones behind.
    fn end(
        &self,
        builder: LogicalPlanBuilder,
        steps: usize,
        columns: &Columns,
        works: &[Work<'_>],
    ) -> Result<LogicalPlan> {
        let own = |work: &Work<'_>| {
            let rule = work.rule;
            rule.is_some_and(|rule| rule.required == Some(true) || rule.default.is_some())
        };
        let shown = |work: &Work<'_>| {
            let name = if own(work) {
                &work.name
            } else {
                work.current(steps, columns)
            };
            column(name).alias(&work.target)
        };
        let of_table = (0..columns.names.len())
            .flat_map(|at| works.iter().filter(move |work| work.source == Some(at)));
        let made = works.iter().filter(|work| work.source.is_none());
        let mut exprs: Vec<Expr> = of_table.chain(made).map(shown).collect();
        if let Some(name) = &self.problems {
            if works.iter().any(|work| work.target == name.value) {
                let problem = format!("there is a column \"{}\" already", name.value);
                return Err(self.error(name.referenced, problem).into());
            }
            let all = works.iter().map(|work| column(&work.problem)).collect();
            let all = f::rtrim(vec![f::concat(all), lit("; ")]);
            exprs.push(f::nullif(all, lit("")).alias(&name.value));
        }
        Ok(builder.project(exprs)?.build()?)
    }
}

/// Whether there are columns of a name but for its case.
fn is_known(columns: &[String], name: &str) -> bool {
    let lower = name.to_lowercase();
    columns.iter().any(|column| column.to_lowercase() == lower)
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
