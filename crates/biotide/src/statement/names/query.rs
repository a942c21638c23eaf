//! Statements and queries, from the inside out: FROM first, then what stands on it.

use datafusion::sql::sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Distinct, FromTable, GroupByExpr, Insert, ObjectName,
    ObjectNamePart, OrderBy, OrderByKind, PipeOperator, Query, Select, SelectItem, SetExpr,
    SetOperator, Statement as SqlStatement, TableObject, Update, UpdateTableFromKind, With,
};

use super::Known;
use super::scope::{Columns, Output, Relation, Scope, Visible};

/// Completes names.
pub(super) struct Names<'k> {
    pub(super) known: &'k Known,
    /// WITH queries in scope, innermost last.
    pub(super) ctes: Vec<(String, Columns)>,
    /// Queries around what is looked at, innermost last.
    pub(super) scopes: Vec<Scope>,
    /// Parameters of the lambdas around it.
    pub(super) lambdas: Vec<String>,
    /// How many calls of aggregate functions are around it, in its own query.
    pub(super) aggregates: usize,
}

impl<'k> Names<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self {
            known,
            ctes: Vec::new(),
            scopes: Vec::new(),
            lambdas: Vec::new(),
            aggregates: 0,
        }
    }

    pub(super) fn statement(&mut self, statement: &mut SqlStatement) {
        match statement {
            SqlStatement::Query(query) => {
                self.query(query);
            }
            SqlStatement::CreateView(view) => {
                self.query(&mut view.query);
            }
            SqlStatement::CreateTable(table) => {
                if let Some(query) = &mut table.query {
                    self.query(query);
                }
            }
            SqlStatement::Insert(insert) => self.insert(insert),
            SqlStatement::Update(update) => self.update(update),
            SqlStatement::Delete(delete) => self.delete(delete),
            SqlStatement::Explain { statement, .. } | SqlStatement::Prepare { statement, .. } => {
                self.statement(statement);
            }
            _ => {}
        }
    }

    fn insert(&mut self, insert: &mut Insert) {
        if let TableObject::TableName(table) = &insert.table
            && let Some(columns) = self.table(table)
        {
            for name in &mut insert.columns {
                self.target(name, &columns);
            }
        }
        if let Some(source) = &mut insert.source {
            self.query(source);
        }
    }

    fn update(&mut self, update: &mut Update) {
        let mut scope = self.from(std::slice::from_mut(&mut update.table));
        let columns = scope
            .relations
            .first()
            .and_then(|table| table.columns.clone());
        if let Some(
            UpdateTableFromKind::BeforeSet(tables) | UpdateTableFromKind::AfterSet(tables),
        ) = &mut update.from
        {
            scope.relations.extend(self.from(tables).relations);
        }
        self.scopes.push(scope);
        for Assignment { target, value } in &mut update.assignments {
            let targets = match target {
                AssignmentTarget::ColumnName(name) => std::slice::from_mut(name),
                AssignmentTarget::Tuple(names) => names,
            };
            for name in targets {
                self.target(name, columns.as_deref().unwrap_or_default());
            }
            self.expr(value);
        }
        self.expr(&mut update.selection);
        self.scopes.pop();
    }

    fn delete(&mut self, delete: &mut Delete) {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) =
            &mut delete.from;
        let scope = self.from(tables);
        self.scopes.push(scope);
        self.expr(&mut delete.selection);
        self.scopes.pop();
    }

    /// A column that is written to.
    fn target(&self, name: &mut ObjectName, columns: &[String]) {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        if let Some(ObjectNamePart::Identifier(name)) = name.0.last_mut() {
            self.listed(name, &columns);
        }
    }

    /// Completes the names of a query, and answers what its columns are called then.
    pub(super) fn query(&mut self, query: &mut Query) -> Columns {
        let known_ctes = self.ctes.len();
        let aggregates = std::mem::take(&mut self.aggregates);
        if let Some(with) = &mut query.with {
            self.with(with);
        }
        let mut columns = match &mut *query.body {
            SetExpr::Select(select) => self.select(select, query.order_by.as_mut()),
            body => {
                let columns = self.body(body);
                if let Some(order_by) = &mut query.order_by {
                    self.scopes.push(Scope {
                        relations: vec![Relation {
                            qualifier: None,
                            columns: columns.clone(),
                        }],
                        ..Scope::default()
                    });
                    self.order_by(order_by);
                    self.scopes.pop();
                }
                columns
            }
        };
        for operator in &mut query.pipe_operators {
            columns = self.pipe(operator, columns);
        }
        self.aggregates = aggregates;
        self.ctes.truncate(known_ctes);
        columns
    }

    fn with(&mut self, with: &mut With) {
        for cte in &mut with.cte_tables {
            let name = self.exact(&cte.alias.name);
            let before = self.ctes.len();
            if with.recursive {
                // The query names itself: its columns are those of its first part, so they are looked up
                // with its own name unknown.
                self.ctes.push((name.clone(), None));
                let columns = self.query(&mut cte.query.clone());
                self.ctes.truncate(before);
                self.ctes
                    .push((name.clone(), self.renamed(columns, &cte.alias)));
            }
            let columns = self.query(&mut cte.query);
            self.ctes.truncate(before);
            self.ctes.push((name, self.renamed(columns, &cte.alias)));
        }
    }

    fn body(&mut self, body: &mut SetExpr) -> Columns {
        match body {
            SetExpr::Select(select) => self.select(select, None),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation {
                left,
                right,
                op,
                set_quantifier,
            } => {
                use datafusion::sql::sqlparser::ast::SetQuantifier::{
                    AllByName, ByName, DistinctByName,
                };
                let left = self.body(left);
                let right = self.body(right);
                let by_name = matches!(set_quantifier, ByName | AllByName | DistinctByName);
                match (op, by_name) {
                    (SetOperator::Union, true) => {
                        let (mut all, right) = (left?, right?);
                        all.extend(right);
                        Some(all)
                    }
                    _ => left,
                }
            }
            SetExpr::Values(values) => {
                self.expr(values);
                let width = values.rows.first().map_or(0, |row| row.len());
                Some((1..=width).map(|n| format!("column{n}")).collect())
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement) => {
                self.statement(statement);
                None
            }
            SetExpr::Merge(_) | SetExpr::Table(_) => None,
        }
    }

    fn select(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>) -> Columns {
        let scope = self.from(&mut select.from);
        self.scopes.push(scope.clone());
        self.projection(&mut select.projection, &scope);
        let outputs = self.items(&select.projection, &scope);
        self.expr(&mut select.prewhere);
        self.expr(&mut select.selection);
        self.expr(&mut select.named_window);
        if let Some(own) = self.scopes.last_mut() {
            own.outputs.clone_from(&outputs);
        }
        self.show(Visible::Groups);
        if let GroupByExpr::Expressions(expressions, _) = &mut select.group_by {
            self.expr(expressions);
        }
        self.show(Visible::Last);
        self.expr(&mut select.having);
        self.expr(&mut select.qualify);
        self.show(Visible::First);
        if let Some(Distinct::On(expressions)) = &mut select.distinct {
            self.expr(expressions);
        }
        if let Some(order_by) = order_by {
            self.order_by(order_by);
        }
        self.scopes.pop();
        names(outputs)
    }

    /// Says where the innermost query's aliases can be used.
    fn show(&mut self, visible: Visible) {
        if let Some(own) = self.scopes.last_mut() {
            own.visible = visible;
        }
    }

    fn projection(&mut self, items: &mut [SelectItem], scope: &Scope) {
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr)
                | SelectItem::ExprWithAlias { expr, .. }
                | SelectItem::ExprWithAliases { expr, .. } => self.expr(expr),
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    self.wildcard(item, scope);
                }
            }
        }
    }

    /// `… |> WHERE … |> SELECT …`: each step stands on the columns of the one before.
    fn pipe(&mut self, operator: &mut PipeOperator, columns: Columns) -> Columns {
        let scope = Scope {
            relations: vec![Relation {
                qualifier: None,
                columns: columns.clone(),
            }],
            ..Scope::default()
        };
        self.scopes.push(scope.clone());
        let columns = match operator {
            PipeOperator::Where { expr } => {
                self.expr(expr);
                columns
            }
            PipeOperator::OrderBy { exprs } => {
                for expression in exprs {
                    self.expr(&mut expression.expr);
                }
                columns
            }
            PipeOperator::Select { exprs } => {
                self.projection(exprs, &scope);
                names(self.items(exprs, &scope))
            }
            PipeOperator::Extend { exprs } => {
                self.projection(exprs, &scope);
                let more = names(self.items(exprs, &scope));
                columns.zip(more).map(|(mut all, more)| {
                    all.extend(more);
                    all
                })
            }
            PipeOperator::Limit { .. } | PipeOperator::As { .. } => columns,
            // What the others give is known in planning only.
            _ => None,
        };
        self.scopes.pop();
        columns
    }

    fn order_by(&mut self, order_by: &mut OrderBy) {
        if let OrderByKind::Expressions(expressions) = &mut order_by.kind {
            for expression in expressions {
                self.expr(&mut expression.expr);
            }
        }
    }
}

fn names(outputs: Option<Vec<Output>>) -> Columns {
    outputs.map(|all| all.into_iter().map(|output| output.name).collect())
}
