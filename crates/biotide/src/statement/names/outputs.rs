//! The names that a SELECT gives to its rows.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, ObjectNamePart, Query, RenameSelectItem,
    SelectItem, SelectItemQualifiedWildcardKind, Visit, Visitor, WildcardAdditionalOptions,
};

use super::expr::quoted;
use super::query::Names;
use super::scope::{Match, Output, Relation, Scope, columns};

impl Names<'_> {
    /// What (completed) projected items give; `None` where that is not known.
    pub(super) fn items(&self, items: &[SelectItem], scope: &Scope) -> Option<Vec<Output>> {
        let mut outputs = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    // `unnest` of a struct gives a column for each field.
                    if self.calls(expr, |name| name.to_string().eq_ignore_ascii_case("unnest")) {
                        return None;
                    }
                    outputs.extend(self.column_name(expr, scope).map(plain));
                }
                SelectItem::ExprWithAlias { expr, alias } => outputs.push(Output {
                    name: self.exact(alias),
                    aggregate: self.calls_aggregate(expr),
                }),
                SelectItem::ExprWithAliases { aliases, .. } => {
                    outputs.extend(aliases.iter().map(|alias| plain(self.exact(alias))));
                }
                SelectItem::Wildcard(options) => {
                    let all = scope.columns()?;
                    outputs.extend(self.listing(&all, options).map(plain));
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let relations = self.named(kind, scope)?;
                    outputs.extend(self.listing(&columns(&relations)?, options).map(plain));
                }
            }
        }
        Some(outputs)
    }

    /// The name that DataFusion gives to an expression, where that is one that can be written.
    fn column_name(&self, expr: &Expr, scope: &Scope) -> Option<String> {
        match expr {
            Expr::Identifier(name) => Some(self.exact(name)),
            Expr::CompoundIdentifier(parts) => {
                let (last, qualifier) = parts.split_last()?;
                let qualifier = ObjectName::from(qualifier.to_vec());
                let qualifier = self.reference(&qualifier)?;
                let is_column = !scope.qualified(&qualifier).is_empty()
                    || self
                        .scopes
                        .iter()
                        .any(|s| !s.qualified(&qualifier).is_empty());
                is_column.then(|| self.exact(last))
            }
            Expr::Nested(inner) => self.column_name(inner, scope),
            _ => None,
        }
    }

    /// The relations of `t.*`.
    fn named(
        &self,
        kind: &SelectItemQualifiedWildcardKind,
        scope: &Scope,
    ) -> Option<Vec<Relation>> {
        let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
            return None;
        };
        let relations = scope.qualified(&self.reference(name)?);
        (!relations.is_empty()).then(|| relations.into_iter().cloned().collect())
    }

    /// The columns of a wildcard.
    fn listing(
        &self,
        all: &[&str],
        options: &WildcardAdditionalOptions,
    ) -> impl Iterator<Item = String> {
        let mut without: Vec<&str> = Vec::new();
        if let Some(except) = &options.opt_except {
            without.push(&except.first_element.value);
            without.extend(except.additional_elements.iter().map(|name| &*name.value));
        }
        let excluded = match &options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => std::slice::from_ref(name),
            Some(ExcludeSelectItem::Multiple(names)) => names,
            None => &[],
        };
        without.extend(excluded.iter().filter_map(|name| {
            let name = name.0.last()?.as_ident()?;
            Some(&*name.value)
        }));
        let mut kept: Vec<String> = all
            .iter()
            .filter(|name| !without.contains(name))
            .map(|name| (*name).to_owned())
            .collect();
        let renamed = match &options.opt_rename {
            Some(RenameSelectItem::Single(one)) => std::slice::from_ref(one),
            Some(RenameSelectItem::Multiple(many)) => many,
            None => &[],
        };
        kept.extend(renamed.iter().map(|one| self.exact(&one.alias)));
        kept.into_iter()
    }

    /// Completes the names in EXCLUDE, EXCEPT, REPLACE and RENAME.
    pub(super) fn wildcard(&mut self, item: &mut SelectItem, scope: &Scope) {
        let (relations, options) = match item {
            SelectItem::Wildcard(options) => (Some(scope.relations.clone()), options),
            SelectItem::QualifiedWildcard(kind, options) => (self.named(kind, scope), options),
            _ => return,
        };
        if let Some(replace) = &mut options.opt_replace {
            for item in &mut replace.items {
                self.expr(&mut item.expr);
            }
        }
        let Some(relations) = relations else { return };
        let Some(all) = columns(&relations) else {
            return;
        };
        if let Some(except) = &mut options.opt_except {
            as_written(&mut except.first_element, &all);
            for name in &mut except.additional_elements {
                as_written(name, &all);
            }
        }
        let excluded = match &mut options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => std::slice::from_mut(name),
            Some(ExcludeSelectItem::Multiple(names)) => names,
            None => &mut [],
        };
        for name in excluded {
            if let Some(ObjectNamePart::Identifier(name)) = name.0.last_mut() {
                as_written(name, &all);
            }
        }
        for item in options.opt_replace.iter_mut().flat_map(|r| &mut r.items) {
            as_written(&mut item.column_name, &all);
        }
        let renamed = match &mut options.opt_rename {
            Some(RenameSelectItem::Single(one)) => std::slice::from_mut(one),
            Some(RenameSelectItem::Multiple(many)) => many,
            None => &mut [],
        };
        for one in renamed {
            as_written(&mut one.ident, &all);
        }
    }

    fn calls_aggregate(&self, expr: &Expr) -> bool {
        self.calls(expr, |name| {
            let name = name.to_string().to_lowercase();
            self.known.aggregates.contains(&name)
        })
    }

    fn calls(&self, expr: &Expr, wanted: impl Fn(&ObjectName) -> bool) -> bool {
        let mut calls = Calls { wanted, depth: 0 };
        expr.visit(&mut calls).is_break()
    }
}

fn plain(name: String) -> Output {
    Output {
        name,
        aggregate: false,
    }
}

/// Completes a name that DataFusion does not lower-case.
fn as_written(name: &mut Ident, columns: &[&str]) {
    if name.quote_style.is_none()
        && !columns.contains(&&*name.value)
        && let Match::One(full) = Match::of(columns.iter().copied(), &name.value)
    {
        *name = quoted(&full);
    }
}

/// Breaks at a wanted function, subqueries aside.
struct Calls<F> {
    wanted: F,
    depth: usize,
}

impl<F: Fn(&ObjectName) -> bool> Visitor for Calls<F> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) if self.depth == 0 && (self.wanted)(&function.name) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
