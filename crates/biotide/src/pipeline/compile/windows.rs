//! Window functions in the SQL of a step.
//!
//! The engine sorts rows for them, or shares them out among threads, and gives them as they are then. So the rows are
//! numbered before, and sorted by that; and the number is the last key of the order of a window, so that those of its rows
//! that nothing else tells apart are in the order of the input.
//!
//! Some windows take rows with the same keys together, which another key would take apart: ranks, and frames that go by
//! values (RANGE, GROUPS, what an ORDER BY without a frame means). They are left as they are.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, OrderByExpr, OrderByOptions, Query, Visit, VisitMut,
    Visitor, VisitorMut, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowType,
};

use super::Scope;
use super::subqueries::parsed;
use crate::error::Result;

/// Functions that go by the places of rows, whatever the frame is.
const OF_PLACES: [&str; 4] = ["row_number", "lag", "lead", "ntile"];

/// Functions that go by the keys of rows alone.
const OF_KEYS: [&str; 4] = ["rank", "dense_rank", "percent_rank", "cume_dist"];

/// The window functions of an expression, as they are written. (Those of its subqueries are of other rows.)
pub(super) fn calls(scope: &Scope, sql: &str) -> Result<Vec<String>> {
    let mut found = Calls::default();
    // (It is broken off by nothing.)
    let _ = Visit::visit(&parsed(scope, sql)?, &mut found);
    Ok(found.calls)
}

/// Whether rows may come in another order for an expression. (To number them as they come moves none.)
pub(super) fn may_mix(scope: &Scope, sql: &str) -> Result<bool> {
    let moves = |call: &String| !call.eq_ignore_ascii_case("row_number() OVER ()");
    Ok(calls(scope, sql)?.iter().any(moves))
}

/// Gives the windows of expressions a last key by which no two rows are the same: SQL that numbers the rows.
pub(super) fn in_order(scope: &Scope, made: &mut [(&str, String)], key: &str) -> Result<()> {
    let mut orderer = Orderer {
        key: OrderByExpr {
            expr: parsed(scope, key)?,
            options: OrderByOptions::default(),
            with_fill: None,
        },
        depth: 0,
        has_changed: false,
    };
    for (_, sql) in made {
        let mut tree = parsed(scope, sql)?;
        orderer.has_changed = false;
        // (It is broken off by nothing.)
        let _ = VisitMut::visit(&mut tree, &mut orderer);
        if orderer.has_changed {
            *sql = tree.to_string();
        }
    }
    Ok(())
}

#[derive(Default)]
struct Calls {
    calls: Vec<String>,
    /// How many queries deep this looks.
    depth: usize,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) if self.depth == 0 && call.over.is_some() => {
                self.calls.push(call.to_string());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

struct Orderer {
    /// What all windows have for a last key.
    key: OrderByExpr,
    /// How many queries deep this looks.
    depth: usize,
    has_changed: bool,
}

impl VisitorMut for Orderer {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) if self.depth == 0 => self.order(call),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Orderer {
    /// Gives the window of a call its last key, if it can have one.
    fn order(&mut self, call: &mut Function) {
        let name = call.name.to_string().to_lowercase();
        let name = name.as_str();
        // (The first of a frame is that of the partition, unless it must have a value.)
        let goes_by_places =
            OF_PLACES.contains(&name) || name == "first_value" && !minds_nulls(call);
        let Some(WindowType::WindowSpec(window)) = &mut call.over else {
            return;
        };
        let goes_by_rows = match &window.window_frame {
            Some(frame) => frame.units == WindowFrameUnits::Rows,
            None => goes_by_places || window.order_by.is_empty(),
        };
        if !goes_by_rows || OF_KEYS.contains(&name) {
            return;
        }
        // (With a key, no frame would be that up to the row.)
        if window.window_frame.is_none() && !goes_by_places {
            window.window_frame = Some(whole());
        }
        window.order_by.push(self.key.clone());
        self.has_changed = true;
    }
}

/// Whether a call says what becomes of rows without a value.
fn minds_nulls(call: &Function) -> bool {
    let is_among_arguments = match &call.args {
        FunctionArguments::List(list) => !list.clauses.is_empty(),
        _ => false,
    };
    is_among_arguments || call.null_treatment.is_some()
}

/// All rows of a partition.
fn whole() -> WindowFrame {
    WindowFrame {
        units: WindowFrameUnits::Rows,
        start_bound: WindowFrameBound::Preceding(None),
        end_bound: Some(WindowFrameBound::Following(None)),
    }
}
