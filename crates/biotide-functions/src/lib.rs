//! SQL functions of Biotide: one file each.
//!
//! A function is a [`Spec`](function::Spec): name, arguments, result, documentation, and what it computes over
//! whole columns. [`function`] makes it DataFusion's; nothing else knows that engine's traits. The functions
//! themselves are pure and work on texts.

pub mod function;
pub mod identifier;
mod record;
mod references;
pub mod sssom;
mod text_column;
mod texts;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

pub use references::References;

/// All functions, with what they look things up in.
pub fn all(references: &Arc<References>) -> Vec<Arc<ScalarUDF>> {
    identifier::specs()
        .into_iter()
        .map(|spec| function::udf(spec, Arc::clone(references)))
        .chain([sssom::udf(Arc::clone(references))])
        .map(Arc::new)
        .collect()
}
