//! What cross-references have found, as statements of a set: what each is said of, and how it was made.
//!
//! ```text
//! target     │ resolved   │ path                             │ hops ─► subject_id │ mapping_justification
//! hgnc:56245 │ hgnc:56245 │ [hgnc:8, hgnc:56245]             │ 1       hgnc:8     │ semapv:UnspecifiedMatching
//! ncbigene:1 │ hgnc:56245 │ [hgnc:8, hgnc:56245, ncbigene:1] │ 2       hgnc:56245 │ semapv:UnspecifiedMatching
//! ```

use datafusion::common::Result;
use datafusion::functions_nested::expr_fn::array_element;
use datafusion::logical_expr::{Expr, col, lit, when};
use datafusion::sql::unparser::expr_to_sql;

/// How statements were made that follow from others.
pub(crate) const CHAINED: &str = "semapv:MappingChaining";

/// What is said of others, of which that is not known.
pub(crate) const UNSPECIFIED: &str = "semapv:UnspecifiedMatching";

/// What a result is said of: the identifier that is current. That one was replaced by it is said of the one that was, at
/// the beginning of its path.
pub(crate) fn subject(target: Expr, resolved: Expr, path: Expr) -> Result<Expr> {
    when(target.eq(resolved.clone()), array_element(path, lit(1_i64))).otherwise(resolved)
}

/// How a statement was made: it follows from others if there is more than one edge between its subject and its object.
/// Where the subject has taken the place of another identifier it comes second on its path, and `hops` counts one edge
/// before it.
pub(crate) fn justification(subject: Expr, hops: Expr, path: Option<Expr>) -> Result<Expr> {
    let one = lit(1_i64);
    let most = match path {
        Some(path) => {
            let is_second = array_element(path, lit(2_i64)).eq(subject);
            when(is_second, lit(2_i64)).otherwise(one)?
        }
        None => one,
    };
    when(hops.gt(most), lit(CHAINED)).otherwise(lit(UNSPECIFIED))
}

/// The columns of a statement from those of a result, in SQL. `table`: what the results are called.
pub(super) fn statement(table: &str) -> Result<String> {
    let of = |name: &str| col(format!("{table}.{name}"));
    let subject = subject(of("target"), of("resolved"), of("path"))?;
    // (That an identifier was replaced is one edge, whichever of the two is its subject.)
    let made = justification(of("resolved"), of("hops"), Some(of("path")))?;
    Ok(format!(
        "{} AS subject_id, {table}.predicate AS predicate_id, {table}.target AS object_id, {table}.confidence, \
         {} AS mapping_justification",
        expr_to_sql(&subject)?,
        expr_to_sql(&made)?
    ))
}
