//! What the prefixes of a mapping's sources stand for, as these say themselves, and whether they agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::identifiers::{Identifiers, Meaning, bare_iri};
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

/// Whether a prefix means the same with either IRI.
fn is_same(identifiers: &dyn Identifiers, prefix: &str, one: &str, other: &str) -> bool {
    if bare_iri(one) == bare_iri(other) {
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
