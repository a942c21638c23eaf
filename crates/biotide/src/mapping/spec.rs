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

use super::arguments::{Arguments, values};

/// Options of `xref(…)`.
pub(super) fn of_xref() -> impl Iterator<Item = &'static str> {
    let names = BiotideOptions::INFO.iter().map(|info| info.name);
    names.filter_map(|name| name.strip_prefix("xref_"))
}

/// Of those, the options that do not say how to walk.
const OF_ROWS: [&str; 5] = ["policy", "priority", "unmapped", "namespace", "retired"];

/// Options of `chain_infer(…)`.
pub(super) fn of_chains() -> impl Iterator<Item = &'static str> {
    let walking = of_xref().filter(|name| !OF_ROWS.contains(name));
    ["subjects", "asserted"].into_iter().chain(walking)
}

/// Options of `clique_assign(…)`.
pub(super) const OF_CLIQUES: [&str; 3] = ["predicates", "priority", "min_confidence"];

/// How far numbers go.
const RANGES: [(&str, &str); 3] = [
    ("max_hops", "from 1 to 8"),
    ("limit", "from 1 on"),
    ("max_paths", "from 1 on"),
];

/// Arguments of a call, and the session's options where they say nothing.
#[derive(Debug)]
pub(super) struct Asked {
    function: &'static str,
    arguments: Arguments,
    own: BiotideOptions,
    base: BiotideOptions,
}

impl Asked {
    /// Of a function that takes these options.
    pub(super) fn new(
        function: &'static str,
        known: impl IntoIterator<Item = &'static str>,
        base: Option<&BiotideOptions>,
    ) -> Self {
        Self {
            function,
            arguments: Arguments::of(known),
            own: BiotideOptions::default(),
            base: base.cloned().unwrap_or_default(),
        }
    }

    fn refused(&self, value: impl Into<String>, problem: impl Into<String>) -> BiotideError {
        BiotideError::Option {
            key: format!("{}(…)", self.function),
            value: value.into(),
            problem: problem.into(),
        }
    }

    /// The name of an argument in lower case, and its literals.
    pub(super) fn take(
        &mut self,
        name: &str,
        value: &Expr,
    ) -> Result<(String, Vec<String>), BiotideError> {
        let taken = self.arguments.take(name);
        let taken = taken.map_err(|problem| self.refused(name, problem))?;
        let values =
            values(value).map_err(|problem| self.refused(format!("{name} => {value}"), problem))?;
        Ok((taken, values))
    }

    /// A boolean.
    pub(super) fn boolean(&self, name: &str, values: &[String]) -> Result<bool, BiotideError> {
        let shown = values.join(", ");
        bool::parse(&shown).map_err(|problem| self.refused(format!("{name} => {shown}"), problem))
    }

    /// Sets an argument: an option without its `xref_`.
    pub(super) fn set(&mut self, name: &str, value: &Expr) -> Result<(), BiotideError> {
        let (name, values) = self.take(name, value)?;
        let text = match values.as_slice() {
            [one] if !matches!(value, Expr::Array(_)) => one.clone(),
            _ => Names(values).show(),
        };
        let set = self.own.set_text(&format!("xref_{name}"), &text);
        let range = RANGES.iter().find(|(own, _)| *own == name);
        match (set, range) {
            (Err(BiotideError::Option { problem, .. }), Some((_, range))) => {
                let problem = format!("{problem}: it is a number {range}");
                Err(self.refused(format!("{name} => {text}"), problem))
            }
            (set, _) => set,
        }
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
            declared: None,
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

/// Prefixes in canonical form, as far as they are known. A list of nothing has none.
fn prefixes(names: Option<Names>, identifiers: &dyn Identifiers) -> Vec<String> {
    let Names(names) = names.unwrap_or(Names(Vec::new()));
    let canonical = |name: &str| match identifiers.namespace(name) {
        Some(namespace) => namespace.prefix().to_owned(),
        None => name.to_owned(),
    };
    // (As they are written in a list: `hgnc, uniprot`.)
    let names = names.iter().map(|name| name.trim());
    let names = names.filter(|name| !name.is_empty());
    names.map(canonical).collect()
}

fn chains(names: Option<Names>) -> Result<Chains, BiotideError> {
    let Names(names) = names.unwrap_or(Names(Vec::new()));
    let mut chains = Chains::default();
    for name in names {
        match name.trim().to_ascii_lowercase().as_str() {
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
