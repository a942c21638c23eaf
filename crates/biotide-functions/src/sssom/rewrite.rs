//! Tells `sssom_hash` while it is planned which columns it is of, and what their set says: a function sees neither
//! the names of its arguments nor the metadata of the schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use biotide_common::disputes::Dispute;
use biotide_common::sssom::{self, CURIE_MAP, SET};
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::Transformed;
use datafusion_common::{Column, DFSchema, Result, plan_err};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::expr_rewriter::FunctionRewrite;
use datafusion_expr::{Expr, ExprSchemable, ScalarUDF};

use super::hash::{NAME, SssomHash};
use super::record::{Definition, Set};

/// The rule.
#[derive(Debug)]
pub struct BySet;

impl FunctionRewrite for BySet {
    fn name(&self) -> &'static str {
        "sssom_hash_of_set"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        _config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(call) = &expr else {
            return Ok(Transformed::no(expr));
        };
        let Some(function) = call.func.inner().downcast_ref::<SssomHash>() else {
            return Ok(Transformed::no(expr));
        };
        if function.is_bound() {
            return Ok(Transformed::no(expr));
        }
        let set = set_of(schema.metadata());
        let first = call.args.first().map(|arg| arg.get_type(schema));
        let (names, args) = match first.transpose()? {
            None => slots(&set, schema)?,
            Some(DataType::Struct(_)) => match call.args.len() {
                1 => (None, call.args.clone()),
                // The set is given.
                2 => return Ok(Transformed::no(expr)),
                n => {
                    return plan_err!(
                        "{NAME}: there are {n} arguments; write {NAME}(mapping, set)"
                    );
                }
            },
            Some(_) => named(&call.args)?,
        };
        let func = Arc::new(ScalarUDF::new_from_impl(function.bound(names, set)));
        let bound = ScalarFunction { func, args };
        Ok(Transformed::yes(Expr::ScalarFunction(bound)))
    }
}

type Arguments = (Option<Vec<String>>, Vec<Expr>);

/// The columns of the input that are slots, or that its set defines.
fn slots(set: &Set, schema: &DFSchema) -> Result<Arguments> {
    let is_slot = |name: &str| sssom::by_name(name).is_some() || set.defines(name).is_some();
    let columns = schema.iter().filter(|(_, field)| is_slot(field.name()));
    let columns: Vec<_> = columns.collect();
    let names: Vec<String> = columns
        .iter()
        .map(|(_, field)| field.name().clone())
        .collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return plan_err!(
                "{NAME}: there are two columns {name}: hand over those of one mapping, by name"
            );
        }
    }
    if names.is_empty() {
        return plan_err!("{NAME}: no column of the input is a slot of SSSOM, such as subject_id");
    }
    let args = columns
        .into_iter()
        .map(|column| Expr::Column(Column::from(column)));
    Ok((Some(names), args.collect()))
}

/// Columns by their own names.
fn named(args: &[Expr]) -> Result<Arguments> {
    let mut names = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            Expr::Column(column) => names.push(column.name.clone()),
            Expr::Alias(alias) => names.push(alias.name.clone()),
            other => {
                return plan_err!(
                    "{NAME}: which slot is {other}? Write {NAME}(named_struct('subject_id', …, …))"
                );
            }
        }
    }
    Ok((Some(names), args.to_vec()))
}

/// What the metadata of a schema says of its set.
fn set_of(metadata: &HashMap<String, String>) -> Set {
    #[derive(Default, serde::Deserialize)]
    struct Slots {
        #[serde(default)]
        extension_definitions: Vec<Definition>,
    }
    let map = metadata.get(CURIE_MAP);
    let slots = metadata.get(SET);
    let slots: Option<Slots> = slots.and_then(|text| serde_json::from_str(text).ok());
    let disputes = Dispute::all(metadata).into_iter();
    let disputed = disputes.map(|dispute| {
        let words = format!(
            "{}: the hash of a mapping is of its IRIs. Take the hashes of each file, or give the prefix another name in \
             one of them",
            dispute.words()
        );
        (dispute.prefix, words)
    });
    Set {
        disputed: disputed.collect(),
        curie_map: map.and_then(|text| serde_json::from_str(text).ok()),
        extension_definitions: slots.unwrap_or_default().extension_definitions,
    }
}
