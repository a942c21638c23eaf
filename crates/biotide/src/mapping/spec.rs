//! What is asked of a cross-reference: arguments over the session's options.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::identifiers::Identifiers;
use biotide_common::options::{
    BiotideOptions, Names, OptionValue, Share, XrefMode, XrefPolicy, XrefUnmapped,
};
use biotide_exec::catalog::Mapping;
use biotide_exec::mapping::predicate::Chains;
use biotide_exec::walk::WalkOptions;
use biotide_exec::xref::{Policy, XrefSpec};
use datafusion::common::Result;
use datafusion::sql::sqlparser::ast::Expr;

use crate::statement::functions::literals;

/// Arguments of a call, and the session's options where they say nothing.
#[derive(Debug)]
pub(super) struct Asked {
    own: BiotideOptions,
    base: BiotideOptions,
}

impl Asked {
    pub(super) fn new(base: Option<&BiotideOptions>) -> Self {
        Self {
            own: BiotideOptions::default(),
            base: base.cloned().unwrap_or_default(),
        }
    }

    /// Sets an argument: an option without its `xref_`.
    pub(super) fn set(
        &mut self,
        function: &str,
        name: &str,
        value: &Expr,
    ) -> Result<(), BiotideError> {
        let key = format!("xref_{}", name.to_ascii_lowercase());
        if !BiotideOptions::is_known(&key) {
            let known = BiotideOptions::INFO
                .iter()
                .filter_map(|info| info.name.strip_prefix("xref_"));
            return Err(BiotideError::Option {
                key: format!("{function}(…)"),
                value: name.to_owned(),
                problem: format!(
                    "is none of its options: {}",
                    known.collect::<Vec<_>>().join(", ")
                ),
            });
        }
        let values = literals(value).ok_or_else(|| BiotideError::Option {
            key: format!("{function}(…)"),
            value: format!("{name} => {value}"),
            problem: "is not a literal value".to_owned(),
        })?;
        let value = match values.as_slice() {
            [one] if !matches!(value, Expr::Array(_)) => one.clone(),
            _ => Names(values).show(),
        };
        self.own.set_text(&key, &value)
    }

    fn options(&self) -> BiotideOptions {
        self.own.clone().over(&self.base)
    }

    /// How far to walk.
    pub(super) fn walk(&self, identifiers: &dyn Identifiers) -> Result<WalkOptions> {
        let options = self.options();
        let defaults = WalkOptions::default();
        let share =
            |share: Option<Share>, default: f64| share.map_or(default, |Share(share)| share);
        let walk = WalkOptions {
            max_hops: options.xref_max_hops.unwrap_or(defaults.max_hops),
            limit: options.xref_limit.unwrap_or(defaults.limit),
            min_confidence: share(options.xref_min_confidence, defaults.min_confidence),
            hop_factor: share(options.xref_hop_factor, defaults.hop_factor),
            targets: prefixes(options.xref_targets, identifiers),
            chains: chains(options.xref_chain)?,
            repeat_prefix: options.xref_repeat_prefix.unwrap_or(defaults.repeat_prefix),
            undirected: options.xref_mode == Some(XrefMode::Undirected),
            max_paths: options.xref_max_paths.unwrap_or(defaults.max_paths),
        };
        walk.check()?;
        Ok(walk)
    }

    /// Prefixes, the best first.
    pub(super) fn priority(&self, identifiers: &dyn Identifiers) -> Vec<String> {
        prefixes(self.options().xref_priority, identifiers)
    }

    pub(super) fn min_confidence(&self) -> f64 {
        self.options()
            .xref_min_confidence
            .map_or(0.0, |Share(share)| share)
    }

    /// Whether a limit was asked for.
    pub(super) fn has_limit(&self) -> bool {
        self.options().xref_limit.is_some()
    }

    /// The whole of it. `column`: the name of the column of identifiers.
    pub(super) fn spec(
        &self,
        mapping: Arc<Mapping>,
        identifiers: Arc<dyn Identifiers>,
        column: Option<&str>,
    ) -> Result<XrefSpec> {
        let options = self.options();
        let namespace = match &options.xref_namespace {
            Some(name) => match identifiers.namespace(name) {
                Some(namespace) => Some(namespace.prefix().to_owned()),
                None => Some(name.clone()),
            },
            None => column.and_then(|column| by_name(column, &*identifiers)),
        };
        Ok(XrefSpec {
            walk: self.walk(&*identifiers)?,
            policy: match options.xref_policy {
                Some(XrefPolicy::List) => Policy::List,
                Some(XrefPolicy::First) => Policy::First,
                Some(XrefPolicy::Error) => Policy::Error,
                Some(XrefPolicy::Drop) => Policy::Drop,
                Some(XrefPolicy::Explode) | None => Policy::Explode,
            },
            priority: self.priority(&*identifiers),
            namespace,
            keep_unmapped: options.xref_unmapped != Some(XrefUnmapped::Drop),
            retired: options.xref_retired.unwrap_or(true),
            wanted: None,
            mapping,
            identifiers,
        })
    }
}

/// The namespace that the name of a column says: `UniProt`, `hgnc_id`.
fn by_name(column: &str, identifiers: &dyn Identifiers) -> Option<String> {
    let lower = column.to_ascii_lowercase();
    let endings = ["", "_id", "_ids", " id", " ids", "_accession", "_acc"];
    let namespace = endings
        .iter()
        .find_map(|end| identifiers.namespace(lower.strip_suffix(end)?));
    namespace.map(|namespace| namespace.prefix().to_owned())
}

/// Prefixes in canonical form, as far as they are known.
fn prefixes(names: Option<Names>, identifiers: &dyn Identifiers) -> Vec<String> {
    let Names(names) = names.unwrap_or(Names(Vec::new()));
    let canonical = |name: String| match identifiers.namespace(&name) {
        Some(namespace) => namespace.prefix().to_owned(),
        None => name,
    };
    names.into_iter().map(canonical).collect()
}

fn chains(names: Option<Names>) -> Result<Chains, BiotideError> {
    let Names(names) = names.unwrap_or(Names(Vec::new()));
    let mut chains = Chains::default();
    for name in names {
        match name.to_ascii_lowercase().as_str() {
            "close" => chains.close = true,
            "related" => chains.related = true,
            "xref" => chains.xref = true,
            _ => {
                return Err(BiotideError::Option {
                    key: "xref_chain".to_owned(),
                    value: name,
                    problem: "is not close, related or xref".to_owned(),
                });
            }
        }
    }
    Ok(chains)
}
