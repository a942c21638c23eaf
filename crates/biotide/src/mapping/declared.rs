//! What the prefixes of a mapping's sources stand for, as these say themselves, and whether they agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::identifiers::{Identifiers, Meaning};
use biotide_common::sssom;
use biotide_common::yaml::Node;
use biotide_exec::mapping::declared::Declared;
use datafusion::logical_expr::LogicalPlan;

use super::loader::EdgePlan;

/// The entries of a map that the schema of a plan holds.
pub(super) fn entries(plan: &LogicalPlan, key: &str) -> Vec<(String, Node)> {
    let text = plan.schema().metadata().get(key);
    match text.and_then(|text| Node::from_json(text)) {
        Some(Node::Map(entries)) => entries,
        _ => Vec::new(),
    }
}

/// What a plan's source says of its prefixes. An error is that its files do not agree.
pub(super) fn of_plan(
    plan: &LogicalPlan,
    identifiers: &dyn Identifiers,
) -> Result<Option<Arc<Declared>>, BiotideError> {
    for (prefix, node) in entries(plan, sssom::DISPUTED) {
        let Node::List(said) = node else { continue };
        let said: Vec<&str> = said.iter().filter_map(Node::text).collect();
        if let [one, iri, other, another] = said.as_slice()
            && !is_same(identifiers, &prefix, iri, another)
        {
            return Err(disagree(&prefix, (*one, *iri), (*other, *another)));
        }
    }
    let prefixes = entries(plan, sssom::CURIE_MAP).into_iter();
    let prefixes = prefixes.filter_map(|(prefix, node)| Some((prefix, node.text()?.to_owned())));
    let prefixes: Vec<(String, String)> = prefixes.collect();
    Ok((!prefixes.is_empty()).then(|| Arc::new(Declared::new(prefixes, identifiers))))
}

/// Fails where two sources mean different things by a prefix that only they tell the meaning of.
pub(super) fn agree(plans: &[EdgePlan], identifiers: &dyn Identifiers) -> Result<(), BiotideError> {
    let mut known: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for plan in plans {
        for (prefix, iri) in plan.declared.iter().flat_map(|declared| declared.unknown()) {
            let (first, before) = *known.entry(prefix).or_insert((&plan.origin, iri));
            if !is_same(identifiers, prefix, before, iri) {
                return Err(disagree(prefix, (first, before), (&plan.origin, iri)));
            }
        }
    }
    Ok(())
}

/// How identifiers of prefixes are to be written that no registry has.
pub(super) fn iris(plans: &[EdgePlan], identifiers: &dyn Identifiers) -> BTreeMap<String, String> {
    let mut iris = BTreeMap::new();
    for declared in plans.iter().filter_map(|plan| plan.declared.as_ref()) {
        for (prefix, iri) in declared.written(identifiers) {
            iris.entry(prefix).or_insert(iri);
        }
    }
    iris
}

/// Whether a prefix means the same with either IRI.
fn is_same(identifiers: &dyn Identifiers, prefix: &str, one: &str, other: &str) -> bool {
    let bare = |iri: &str| {
        let rest = iri.split_once("://").map_or(iri, |(_, rest)| rest);
        rest.strip_prefix("www.").unwrap_or(rest).to_owned()
    };
    if bare(one) == bare(other) {
        return true;
    }
    let means = |iri| match identifiers.declared(prefix, iri) {
        Meaning::Namespace(namespace) => Some(namespace.prefix().to_owned()),
        Meaning::Unknown | Meaning::Another => None,
    };
    means(one).is_some_and(|prefix| means(other) == Some(prefix))
}

fn disagree(prefix: &str, one: (&str, &str), other: (&str, &str)) -> BiotideError {
    let problem = format!(
        "its curie_map says that {prefix} stands for {}, and that of {} says {}: their identifiers would be taken for the \
         same. Give the prefix another name in one of them (in its curie_map and its rows), or make a mapping of each",
        other.1, one.0, one.1
    );
    BiotideError::file(other.0, problem)
}
