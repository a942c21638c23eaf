//! What the prefixes of a mapping's sources stand for, as these say themselves, and whether they agree.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::disputes::{Dispute, is_same};
use biotide_common::identifiers::{Identifiers, bare_iri};
use biotide_common::sssom;
use biotide_common::yaml::Node;
use biotide_exec::mapping::declared::Declared;
use datafusion::logical_expr::LogicalPlan;

use super::loader::EdgePlan;

/// The entries of a map that the metadata of a schema holds.
pub(super) fn entries(metadata: &HashMap<String, String>, key: &str) -> Vec<(String, Node)> {
    let text = metadata.get(key);
    match text.and_then(|text| Node::from_json(text)) {
        Some(Node::Map(entries)) => entries,
        _ => Vec::new(),
    }
}

/// The prefixes that the metadata of a schema declares, with their IRIs.
pub(super) fn prefixes(
    metadata: &HashMap<String, String>,
) -> impl Iterator<Item = (String, String)> {
    let declared = entries(metadata, sssom::CURIE_MAP).into_iter();
    declared.filter_map(|(prefix, node)| Some((prefix, node.text()?.to_owned())))
}

/// What to do where sources do not agree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advice {
    /// Where both say what a prefix stands for, instead of giving it another name.
    declared: &'static str,
    /// Where only one does.
    undeclared: &'static str,
}

/// Of sources of a mapping.
const SOURCES: Advice = Advice {
    declared: "make a mapping of each",
    undeclared: "Name them as sources of their own: CREATE MAPPING … FROM a, b",
};

/// Of identifiers that are looked up.
pub(super) const LOOKED_UP: Advice = Advice {
    declared: "look up those of each by themselves",
    undeclared: "Look up those of each by themselves",
};

/// What a plan's source says of its prefixes. An error is that its files do not agree.
pub(super) fn of_plan(
    plan: &LogicalPlan,
    identifiers: &dyn Identifiers,
) -> Result<Option<Arc<Declared>>, BiotideError> {
    of_metadata(plan.schema().metadata(), identifiers, SOURCES)
}

/// What the metadata of a schema says of prefixes. An error is that those who say it do not agree.
pub(super) fn of_metadata(
    metadata: &HashMap<String, String>,
    identifiers: &dyn Identifiers,
    advice: Advice,
) -> Result<Option<Arc<Declared>>, BiotideError> {
    for dispute in Dispute::all(metadata) {
        let Dispute { prefix, one, other } = &dispute;
        if !dispute.is_declared() {
            return Err(undeclared(&dispute, advice));
        }
        if !dispute.is_spelling(identifiers) {
            let (one, other) = ((&*one.0, &*one.1), (&*other.0, &*other.1));
            return Err(disagree(prefix, one, other, advice));
        }
    }
    let prefixes: Vec<(String, String)> = prefixes(metadata).collect();
    Ok((!prefixes.is_empty()).then(|| Arc::new(Declared::new(prefixes, identifiers))))
}

/// Gives one name to what sources declare by one IRI, and answers what all prefixes stand for. Fails where two of them
/// mean different things by a prefix that only they tell the meaning of.
pub(super) fn unite(
    plans: &mut [EdgePlan],
    identifiers: &dyn Identifiers,
) -> Result<BTreeMap<String, String>, BiotideError> {
    let mut said: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut iris = BTreeMap::new();
    for EdgePlan {
        declared, origin, ..
    } in &mut *plans
    {
        let Some(declared) = declared.as_mut().map(Arc::make_mut) else {
            continue;
        };
        for (prefix, iri) in declared.namespaces() {
            iris.entry(prefix.to_owned())
                .or_insert_with(|| iri.to_owned());
        }
        for (prefix, own) in declared.own() {
            if own.name == prefix {
                let here = || (origin.clone(), own.iri.clone());
                let (first, before) = said.entry(prefix.to_owned()).or_insert_with(here);
                if !is_same(identifiers, prefix, before, &own.iri) {
                    return Err(disagree(
                        prefix,
                        (first.as_str(), before.as_str()),
                        (origin.as_str(), own.iri.as_str()),
                        SOURCES,
                    ));
                }
            }
            if own.iri.is_empty() {
                continue;
            }
            let name = names.entry(bare_iri(&own.iri).to_owned());
            own.name = name.or_insert_with(|| own.name.clone()).clone();
            iris.entry(own.name.clone())
                .or_insert_with(|| own.iri.clone());
        }
    }
    if !iris.is_empty() {
        for plan in plans {
            let declared = plan.declared.as_deref().cloned().unwrap_or_default();
            plan.declared = Some(Arc::new(declared.with_iris(&iris, identifiers)));
        }
    }
    Ok(iris)
}

fn disagree(prefix: &str, one: (&str, &str), other: (&str, &str), advice: Advice) -> BiotideError {
    let problem = format!(
        "its curie_map says that {prefix} stands for {}, and that of {} says {}: their identifiers would be taken for the \
         same. Give the prefix another name in one of them (in its curie_map and its rows), or {}",
        other.1, one.0, one.1, advice.declared
    );
    BiotideError::file(other.0, problem)
}

/// Rows of a table that declares nothing are among those of a set, whose prefixes would be taken for theirs.
fn undeclared(dispute: &Dispute, advice: Advice) -> BiotideError {
    let Dispute { prefix, one, other } = dispute;
    let problem = format!(
        "its rows are among those of {}, whose curie_map says that {prefix} stands for {}, which it does not here: their \
         identifiers would be taken for the same. {}",
        one.0, one.1, advice.undeclared
    );
    BiotideError::file(&other.0, problem)
}
