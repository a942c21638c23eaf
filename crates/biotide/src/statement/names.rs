//! Column names match in any case where that is unique: `SELECT uniprot` finds `UniProt`.
//!
//! DataFusion lower-cases names without quotes and matches them exactly. So names are completed before
//! planning: one that is, but for its case, the name of exactly one column of the statement's tables is
//! put in quotes as the column has it. An alias of the statement's own goes first in ORDER BY.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectNamePart, OrderByKind, Query, SelectItem,
    SetExpr, Statement as SqlStatement, VisitMut, VisitorMut,
};

use crate::error::Result;

/// A part of a statement that can be visited.
pub(super) enum TreeMut<'a> {
    Sql(&'a mut SqlStatement),
    Query(&'a mut Query),
}

impl TreeMut<'_> {
    pub(super) fn visit_with<V: VisitorMut>(&mut self, visitor: &mut V) -> ControlFlow<V::Break> {
        match self {
            Self::Sql(statement) => statement.visit(visitor),
            Self::Query(query) => query.visit(visitor),
        }
    }
}

/// Calls `f` with the SQL parts of a statement.
pub(super) fn for_each_tree(statement: &mut Statement, mut f: impl FnMut(&mut TreeMut<'_>)) {
    match statement {
        Statement::Statement(sql) => f(&mut TreeMut::Sql(sql)),
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                f(&mut TreeMut::Query(query));
            }
        }
        Statement::Explain(explain) => for_each_tree(&mut explain.statement, f),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
    }
}

/// Completes the names of a statement.
pub(super) async fn resolve(statement: &mut Statement, state: &SessionState) -> Result<()> {
    let mut spellings: HashMap<String, HashSet<String>> = HashMap::new();
    for reference in state.resolve_table_references(statement)? {
        let table = reference.table().to_owned();
        // What is not there is planning's to say.
        let Ok(schema) = state.schema_for_ref(reference) else {
            continue;
        };
        let Some(provider) = schema.table(&table).await? else {
            continue;
        };
        for field in provider.schema().fields() {
            spellings
                .entry(field.name().to_lowercase())
                .or_default()
                .insert(field.name().clone());
        }
    }
    let mut unique: HashMap<String, String> = HashMap::new();
    for (lower, names) in spellings {
        let mut names = names.into_iter();
        if let (Some(name), None) = (names.next(), names.next())
            && name != lower
        {
            unique.insert(lower, name);
        }
    }
    if unique.is_empty() {
        return Ok(());
    }
    if let Statement::CopyTo(copy) = statement {
        for name in &mut copy.partitioned_by {
            if let Some(full) = unique.get(&name.to_lowercase()) {
                name.clone_from(full);
            }
        }
    }
    for_each_tree(statement, |tree| {
        let mut aliases = Aliases::default();
        let _: ControlFlow<()> = tree.visit_with(&mut aliases);
        let mut order = OrderBy {
            aliases: &aliases.0,
        };
        let _: ControlFlow<()> = tree.visit_with(&mut order);
        let mut names = Names { unique: &unique };
        let _: ControlFlow<()> = tree.visit_with(&mut names);
    });
    Ok(())
}

/// The aliases that the statement gives to expressions.
#[derive(Default)]
struct Aliases(HashSet<String>);

impl VisitorMut for Aliases {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for_each_select(&mut query.body, &mut |select| {
            for item in &select.projection {
                if let SelectItem::ExprWithAlias { alias, .. } = item {
                    self.0.insert(alias.value.to_lowercase());
                }
            }
        });
        ControlFlow::Continue(())
    }
}

fn for_each_select(
    body: &mut SetExpr,
    f: &mut impl FnMut(&mut datafusion::sql::sqlparser::ast::Select),
) {
    match body {
        SetExpr::Select(select) => f(select),
        SetExpr::SetOperation { left, right, .. } => {
            for_each_select(left, f);
            for_each_select(right, f);
        }
        _ => {}
    }
}

/// Keeps aliases in ORDER BY what they are: in quotes, as DataFusion has them.
struct OrderBy<'a> {
    aliases: &'a HashSet<String>,
}

impl VisitorMut for OrderBy<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(expressions) = &mut order_by.kind
        {
            for expression in expressions {
                if let Expr::Identifier(name) = &mut expression.expr
                    && name.quote_style.is_none()
                    && self.aliases.contains(&name.value.to_lowercase())
                {
                    *name = Ident::with_quote('"', name.value.to_lowercase());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Completes names.
struct Names<'a> {
    unique: &'a HashMap<String, String>,
}

impl Names<'_> {
    fn complete(&self, name: &mut Ident) {
        if name.quote_style.is_none()
            && let Some(full) = self.unique.get(&name.value.to_lowercase())
        {
            *name = Ident::with_quote('"', full);
        }
    }
}

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => self.complete(name),
            Expr::CompoundIdentifier(parts) => {
                if let Some(last) = parts.last_mut() {
                    self.complete(last);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// `JOIN … USING (name)`: names that are no expressions.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for_each_select(&mut query.body, &mut |select| {
            let joins = select.from.iter_mut().flat_map(|table| &mut table.joins);
            for join in joins {
                let (JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::LeftSemi(constraint)
                | JoinOperator::LeftAnti(constraint)) = &mut join.join_operator
                else {
                    continue;
                };
                let JoinConstraint::Using(names) = constraint else {
                    continue;
                };
                for part in names.iter_mut().flat_map(|name| &mut name.0) {
                    if let ObjectNamePart::Identifier(name) = part {
                        self.complete(name);
                    }
                }
            }
        });
        ControlFlow::Continue(())
    }
}
