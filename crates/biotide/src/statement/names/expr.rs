//! Names in expressions.

use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, Ident, OneOrManyWithParens, Query, VisitMut, VisitorMut,
};

use super::query::Names;
use super::scope::Match;

/// A name as it is in the data, which no case folding changes.
pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

impl Names<'_> {
    /// Completes the names of an expression, or of some, where they stand in the innermost scope.
    pub(super) fn expr<T: VisitMut>(&mut self, node: &mut T) {
        let mut visitor = Exprs {
            names: self,
            depth: 0,
        };
        let _: ControlFlow<()> = node.visit(&mut visitor);
    }

    /// A name as DataFusion reads it.
    pub(super) fn exact(&self, name: &Ident) -> String {
        match name.quote_style {
            None if self.known.normalize => name.value.to_ascii_lowercase(),
            _ => name.value.clone(),
        }
    }

    /// Completes a name without a qualifier: by its own query, else by the queries around it.
    fn bare(&self, name: &mut Ident) {
        let exact = self.exact(name);
        if is_fixed(name) || self.lambdas.contains(&exact) {
            return;
        }
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            let in_aggregate = self.aggregates > 0 && depth == 0;
            if scope.has(&exact, in_aggregate) {
                return;
            }
            match scope.spelling(&name.value, in_aggregate) {
                Some(Match::None) => {}
                Some(Match::One(full)) => {
                    *name = quoted(&full);
                    return;
                }
                Some(Match::Many) | None => return,
            }
        }
    }

    /// Completes a name with a qualifier, by the tables of that name. Fields of structs are left alone.
    fn compound(&self, parts: &mut [&mut Ident]) {
        let exact: Vec<String> = parts.iter().map(|part| self.exact(part)).collect();
        let qualifiers: Vec<TableReference> = match &*exact {
            [] | [_] => return,
            [a, _] => vec![TableReference::bare(&**a)],
            [a, b, _] => vec![
                TableReference::partial(&**a, &**b),
                TableReference::bare(&**a),
            ],
            [a, b, c, ..] => vec![
                TableReference::full(&**a, &**b, &**c),
                TableReference::partial(&**a, &**b),
                TableReference::bare(&**a),
            ],
        };
        for scope in self.scopes.iter().rev() {
            for qualifier in &qualifiers {
                let relations = scope.qualified(qualifier);
                if relations.is_empty() {
                    continue;
                }
                let at = match qualifier {
                    TableReference::Bare { .. } => 1,
                    TableReference::Partial { .. } => 2,
                    TableReference::Full { .. } => 3,
                };
                let mut columns = Vec::new();
                for relation in relations {
                    let Some(own) = &relation.columns else { return };
                    columns.extend(own.iter().map(String::as_str));
                }
                let (Some(name), Some(exact)) = (parts.get_mut(at), exact.get(at)) else {
                    continue;
                };
                if is_fixed(name) || columns.contains(&exact.as_str()) {
                    return;
                }
                match Match::of(columns.into_iter(), &name.value) {
                    Match::None => {}
                    Match::One(full) => {
                        **name = quoted(&full);
                        return;
                    }
                    Match::Many => return,
                }
            }
            // A struct's field.
            if exact.first().is_some_and(|first| scope.has(first, false)) {
                return;
            }
        }
    }

    /// `a.b[1].c`: the words up to the first bracket are one name to DataFusion.
    fn access(&self, root: &mut Expr, chain: &mut [AccessExpr]) {
        let Expr::Identifier(first) = root else {
            return;
        };
        let mut parts = vec![first];
        for access in chain {
            let AccessExpr::Dot(Expr::Identifier(name)) = access else {
                break;
            };
            parts.push(name);
        }
        if parts.len() == 1 {
            return;
        }
        self.compound(&mut parts);
        for part in parts {
            // In quotes: they are no columns by themselves, which is how they are visited next.
            *part = quoted(&self.exact(part));
        }
    }

    /// Completes a name that stands for a column of some table, outside of expressions.
    pub(super) fn listed(&self, name: &mut Ident, columns: &[&str]) {
        if is_fixed(name) || columns.contains(&&*self.exact(name)) {
            return;
        }
        if let Match::One(full) = Match::of(columns.iter().copied(), &name.value) {
            *name = quoted(&full);
        }
    }

    /// Whether a call is of an aggregate function, and not over a window.
    pub(super) fn is_aggregate(&self, function: &Function) -> bool {
        let name = function.name.to_string().to_lowercase();
        function.over.is_none() && self.known.aggregates.contains(&name)
    }
}

/// In quotes, or `@variable`.
fn is_fixed(name: &Ident) -> bool {
    name.quote_style.is_some() || name.value.starts_with('@')
}

fn parameters(expr: &Expr) -> Vec<&Ident> {
    match expr {
        Expr::Lambda(lambda) => match &lambda.params {
            OneOrManyWithParens::One(one) => vec![&one.name],
            OneOrManyWithParens::Many(many) => many.iter().map(|one| &one.name).collect(),
        },
        _ => Vec::new(),
    }
}

struct Exprs<'a, 'k> {
    names: &'a mut Names<'k>,
    /// How many queries deep the visitor is: those complete their own names.
    depth: usize,
}

impl VisitorMut for Exprs<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.names.query(query);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        for name in parameters(expr) {
            let name = self.names.exact(name);
            self.names.lambdas.push(name);
        }
        match expr {
            Expr::Identifier(name) => self.names.bare(name),
            Expr::CompoundIdentifier(parts) => {
                let mut parts: Vec<&mut Ident> = parts.iter_mut().collect();
                self.names.compound(&mut parts);
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.names.access(root, access_chain);
            }
            Expr::Function(function) if self.names.is_aggregate(function) => {
                self.names.aggregates += 1;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let kept = self.names.lambdas.len() - parameters(expr).len();
        self.names.lambdas.truncate(kept);
        if let Expr::Function(function) = expr
            && self.names.is_aggregate(function)
        {
            self.names.aggregates -= 1;
        }
        ControlFlow::Continue(())
    }
}
