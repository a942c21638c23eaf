//! FROM and JOIN.

use biotide_exec::xref::{self, Policy};
use datafusion::common::TableReference;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    TableAlias, TableFactor, TableWithJoins,
};

use super::super::functions::called;
use super::expr::quoted;
use super::query::Names;
use super::scope::{Columns, Match, Relation, Scope, columns};

impl Names<'_> {
    /// Completes the names of a FROM clause, and answers what it brings into scope.
    pub(super) fn from(&mut self, tables: &mut [TableWithJoins]) -> Scope {
        let mut all = Scope::default();
        for table in tables {
            let one = self.joined(table, &all);
            all.relations.extend(one.relations);
            all.merged.extend(one.merged);
        }
        all
    }

    fn joined(&mut self, table: &mut TableWithJoins, earlier: &Scope) -> Scope {
        let mut here = Scope {
            relations: self.factor(&mut table.relation, earlier, &Scope::default()),
            ..Scope::default()
        };
        for join in &mut table.joins {
            let right = self.factor(&mut join.relation, earlier, &here);
            self.join(join, &mut here, right);
        }
        here
    }

    /// The columns of a table or a WITH query.
    pub(super) fn table(&self, name: &ObjectName) -> Columns {
        if let [ObjectNamePart::Identifier(name)] = &*name.0 {
            let exact = self.exact(name);
            if let Some((_, columns)) = self.ctes.iter().rev().find(|(name, _)| *name == exact) {
                return columns.clone();
            }
        }
        self.known.tables.get(&self.reference(name)?).cloned()
    }

    pub(super) fn reference(&self, name: &ObjectName) -> Option<TableReference> {
        object_name_to_table_reference(name.clone(), self.known.normalize).ok()
    }

    fn factor(&mut self, factor: &mut TableFactor, earlier: &Scope, here: &Scope) -> Vec<Relation> {
        let (columns, alias) = match factor {
            TableFactor::Table {
                name, args, alias, ..
            } => {
                // What a table function gives is known in planning only.
                let columns = match args {
                    Some(_) => None,
                    None => self.table(name),
                };
                if alias.is_none() {
                    let qualifier = self.reference(name);
                    return vec![Relation { qualifier, columns }];
                }
                (columns, alias)
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let columns = match lateral {
                    true => self.beside(earlier, here, |names| names.query(subquery)),
                    false => self.query(subquery),
                };
                (columns, alias)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let inner = self.joined(table_with_joins, earlier);
                if alias.is_none() {
                    return inner.relations;
                }
                let columns = inner.columns();
                let columns = columns.map(|all| all.into_iter().map(str::to_owned).collect());
                (columns, alias)
            }
            TableFactor::UNNEST {
                alias, array_exprs, ..
            } => {
                self.beside(earlier, here, |names| names.expr(array_exprs));
                (None, alias)
            }
            TableFactor::Function {
                name, args, alias, ..
            } => {
                self.beside(earlier, here, |names| names.expr(args));
                (relation_columns(&called(name)), alias)
            }
            TableFactor::TableFunction { alias, .. }
            | TableFactor::Pivot { alias, .. }
            | TableFactor::Unpivot { alias, .. } => (None, alias),
            _ => (None, &mut None),
        };
        let qualifier = alias
            .as_ref()
            .map(|alias| TableReference::bare(self.exact(&alias.name)));
        let columns = match alias {
            Some(alias) => self.renamed(columns, alias),
            None => columns,
        };
        vec![Relation { qualifier, columns }]
    }

    /// Runs `f` where the FROM items to the left are in scope: LATERAL.
    fn beside<T>(&mut self, earlier: &Scope, here: &Scope, f: impl FnOnce(&mut Self) -> T) -> T {
        let mut scope = earlier.clone();
        scope.relations.extend(here.relations.iter().cloned());
        self.scopes.push(scope);
        let answer = f(self);
        self.scopes.pop();
        answer
    }

    /// Columns under the names that `AS t(a, b)` gives them.
    pub(super) fn renamed(&self, columns: Columns, alias: &TableAlias) -> Columns {
        let given = alias.columns.iter().map(|column| self.exact(&column.name));
        if alias.columns.is_empty() {
            return columns;
        }
        let rest = columns.into_iter().flatten().skip(alias.columns.len());
        Some(given.chain(rest).collect())
    }

    fn join(&mut self, join: &mut Join, here: &mut Scope, right: Vec<Relation>) {
        let is_inner = matches!(
            join.join_operator,
            JoinOperator::Join(_) | JoinOperator::Inner(_)
        );
        let constraint = constraint(&mut join.join_operator);
        if let Some(JoinConstraint::Using(names)) = constraint {
            let condition = self.using(names, here, &right);
            if let (true, Some(condition)) = (is_inner, condition)
                && let Some(constraint) = self::constraint(&mut join.join_operator)
            {
                *constraint = JoinConstraint::On(condition);
            }
            here.relations.extend(right);
            return;
        }
        here.relations.extend(right);
        if let Some(JoinConstraint::On(condition)) = constraint {
            self.scopes.push(std::mem::take(here));
            self.expr(condition);
            *here = self.scopes.pop().unwrap_or_default();
        }
    }

    /// Completes the names of USING. Where every one is spelled in another way on the two sides, answers
    /// the condition that says the same.
    fn using(
        &self,
        names: &mut [ObjectName],
        left: &mut Scope,
        right: &[Relation],
    ) -> Option<Expr> {
        let mut condition: Option<Expr> = None;
        let mut spellings = Vec::new();
        let mut all = true;
        for name in names {
            let [ObjectNamePart::Identifier(name)] = &mut *name.0 else {
                return None;
            };
            if name.quote_style.is_some() {
                all = false;
                continue;
            }
            let (Some(a), Some(b)) = (self.side(name, &left.relations), self.side(name, right))
            else {
                all = false;
                continue;
            };
            if a == b {
                if a != self.exact(name) {
                    *name = quoted(&a);
                }
                all = false;
                continue;
            }
            let equal = Expr::BinaryOp {
                left: Box::new(qualified(&a, &left.relations)?),
                op: BinaryOperator::Eq,
                right: Box::new(qualified(&b, right)?),
            };
            condition = Some(match condition {
                None => equal,
                Some(before) => Expr::BinaryOp {
                    left: Box::new(before),
                    op: BinaryOperator::And,
                    right: Box::new(equal),
                },
            });
            spellings.push(a);
        }
        if !all {
            return None;
        }
        left.merged.extend(spellings);
        condition
    }

    /// The spelling of a name on one side of a join.
    fn side(&self, name: &Ident, relations: &[Relation]) -> Option<String> {
        let columns = columns(relations)?;
        let exact = self.exact(name);
        if columns.contains(&exact.as_str()) {
            return Some(exact);
        }
        match Match::of(columns.into_iter(), &name.value) {
            Match::One(full) => Some(full),
            _ => None,
        }
    }
}

/// The columns that a relation of ours may have.
fn relation_columns(name: &str) -> Columns {
    let policies = Policy::ALL.iter().filter(|_| name == "xref");
    let mut names: Vec<String> = policies
        .flat_map(|(_, policy)| xref::columns(*policy))
        .map(|(_, name)| name.to_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// `table.column`, where one table only has it.
fn qualified(column: &str, relations: &[Relation]) -> Option<Expr> {
    let mut owners = relations.iter().filter(|relation| {
        let mut columns = relation.columns.iter().flatten();
        columns.any(|name| name == column)
    });
    let (Some(owner), None) = (owners.next(), owners.next()) else {
        return None;
    };
    let qualifier = owner.qualifier.as_ref()?;
    let parts = [
        qualifier.catalog(),
        qualifier.schema(),
        Some(qualifier.table()),
        Some(column),
    ];
    let parts = parts.into_iter().flatten().map(quoted).collect();
    Some(Expr::CompoundIdentifier(parts))
}

fn constraint(join: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match join {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::StraightJoin(constraint)
        | JoinOperator::AsOf { constraint, .. } => Some(constraint),
        _ => None,
    }
}
