//! What the tables of a plan say of their prefixes, where rows of several of them meet: in a UNION, in a JOIN, in the
//! results of a cross-reference. DataFusion's own metadata would be that of one of them, or of none.

use std::collections::{BTreeMap, HashMap};

use biotide_common::disputes::{Dispute, Side};
use biotide_common::identifiers::{Identifiers, Meaning};
use biotide_common::sssom::{CURIE_MAP, DISPUTED, SET};
use biotide_common::yaml::Node;
use biotide_exec::catalog::Mapping;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Extension, LogicalPlan};

use super::declared::{entries, prefixes};
use super::lateral::node as xref;
use super::told::{ToldNode, own};

/// The slot of a set that says what its own slots are.
const DEFINITIONS: &str = "extension_definitions";

/// Whether rows meet in a plan, of which some are of a table that says something of its prefixes.
pub(crate) fn is_in(plan: &LogicalPlan) -> Result<bool> {
    let (mut is_told, mut is_met) = (false, false);
    plan.apply_with_subqueries(|plan| {
        is_told |= plan.schema().metadata().contains_key(CURIE_MAP);
        is_met |= meets(plan);
        Ok(match is_told && is_met {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(is_told && is_met)
}

fn meets(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Union(_) | LogicalPlan::Join(_) => true,
        LogicalPlan::Extension(extension) => xref(extension).is_some(),
        _ => false,
    }
}

/// Tells what is above a meeting what all those say whose rows meet.
pub(crate) fn rewrite(plan: LogicalPlan, identifiers: &dyn Identifiers) -> Result<LogicalPlan> {
    let mut is_told = false;
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        // (What is above has its schema from below.)
        let plan = match is_told {
            true => plan.recompute_schema()?,
            false => plan,
        };
        let is_above = is_told;
        let same = |plan: LogicalPlan| match is_above {
            true => Transformed::yes(plan),
            false => Transformed::no(plan),
        };
        // (A view has its own.)
        if let LogicalPlan::Extension(extension) = &plan
            && let Some(twice) = ToldNode::of(extension)
            && let LogicalPlan::Extension(below) = &twice.input
            && ToldNode::of(below).is_some()
        {
            return Ok(Transformed::yes(twice.input.clone()));
        }
        if !meets(&plan) {
            return Ok(same(plan));
        }
        let told = Says::of(&plan, identifiers).told();
        // (What a cross-reference adds without a dispute its schema has.)
        let is_node = matches!(plan, LogicalPlan::Extension(_));
        if is_node && !told.contains_key(DISPUTED) || told == own(plan.schema().metadata()) {
            return Ok(same(plan));
        }
        is_told = true;
        Ok(Transformed::yes(ToldNode::plan(plan, told)?))
    })?;
    Ok(rewritten.data)
}

/// A table that says nothing of its prefixes: they mean what the registry says.
#[derive(Debug, Clone)]
struct Silent {
    name: String,
    /// Its prefixes are those of the registry, as this writes them.
    is_canonical: bool,
}

/// What tables say.
#[derive(Debug, Clone, Default)]
pub(super) struct Says {
    /// Whether there is a table. (Rows that are written in the query mean what the others mean.)
    any: bool,
    declares: bool,
    prefixes: BTreeMap<String, Side>,
    disputes: Vec<Dispute>,
    silent: Option<Silent>,
    /// What is said of a set, besides its prefixes.
    slots: Vec<(String, Node)>,
}

/// How rows of two tables meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    /// Those of one behind those of the other.
    Behind,
    /// In one row.
    Beside,
}

impl Says {
    /// What the tables of a plan say.
    pub(super) fn of(plan: &LogicalPlan, identifiers: &dyn Identifiers) -> Self {
        let of = |plan: &LogicalPlan| Self::of(plan, identifiers);
        match plan {
            LogicalPlan::TableScan(scan) => {
                let metadata = scan.projected_schema.metadata();
                Self::of_table(scan.table_name.table(), metadata, false)
            }
            LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Self::default(),
            LogicalPlan::Join(join) => match join.join_type {
                JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => of(&join.left),
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => of(&join.right),
                JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                    Self::of_all(&[&join.left, &join.right], Meeting::Beside, identifiers)
                }
            },
            LogicalPlan::Extension(extension) => Self::of_node(extension, identifiers),
            plan => Self::of_all(&plan.inputs(), Meeting::Behind, identifiers),
        }
    }

    fn of_all(inputs: &[&LogicalPlan], meeting: Meeting, identifiers: &dyn Identifiers) -> Self {
        let all = inputs.iter().map(|plan| Self::of(plan, identifiers));
        let all = all.reduce(|one, other| one.with(other, meeting, identifiers));
        all.unwrap_or_default()
    }

    fn of_node(extension: &Extension, identifiers: &dyn Identifiers) -> Self {
        if let Some(node) = xref(extension) {
            let found = Self::of_mapping(&node.spec.mapping);
            let input = Self::of(&node.input, identifiers);
            return input.with(found, Meeting::Beside, identifiers);
        }
        match extension.node.inputs().as_slice() {
            // (Of the statements of a mapping, or what follows from them.)
            [] => {
                let metadata = extension.node.schema().metadata();
                Self::of_table(extension.node.name(), metadata, true)
            }
            inputs => Self::of_all(inputs, Meeting::Behind, identifiers),
        }
    }

    /// What a mapping says of what is found in it.
    pub(super) fn of_mapping(mapping: &Mapping) -> Self {
        Self::of_table(mapping.name(), &mapping.metadata(HashMap::new()), true)
    }

    fn of_table(name: &str, metadata: &HashMap<String, String>, is_canonical: bool) -> Self {
        let declares = metadata.contains_key(CURIE_MAP);
        let prefixes = prefixes(metadata).map(|(prefix, iri)| (prefix, (name.to_owned(), iri)));
        Self {
            any: true,
            declares,
            prefixes: prefixes.collect(),
            disputes: Dispute::all(metadata),
            silent: (is_canonical || !declares).then(|| Silent {
                name: name.to_owned(),
                is_canonical,
            }),
            slots: entries(metadata, SET),
        }
    }

    /// What both say.
    pub(super) fn with(
        mut self,
        other: Self,
        meeting: Meeting,
        identifiers: &dyn Identifiers,
    ) -> Self {
        let counts = |silent: &&Silent| meeting == Meeting::Behind || silent.is_canonical;
        let mut torn = Vec::new();
        for (says, silent) in [(&self, &other.silent), (&other, &self.silent)] {
            if let Some(silent) = silent.as_ref().filter(counts) {
                torn.extend(silent.disputes(&says.prefixes, identifiers));
            }
        }
        self.disputes.extend(torn);
        self.slots = match (self.any, other.any, meeting) {
            (false, _, _) => other.slots,
            (_, false, _) => self.slots,
            (_, _, Meeting::Beside) if !other.declares => self.slots,
            (_, _, Meeting::Beside) if !self.declares => other.slots,
            _ => common(self.slots, other.slots),
        };
        for (prefix, side) in other.prefixes {
            match self.prefixes.get(&prefix) {
                Some(one) if one.1 != side.1 => self.disputes.push(Dispute {
                    prefix,
                    one: one.clone(),
                    other: side,
                }),
                Some(_) => {}
                None => {
                    self.prefixes.insert(prefix, side);
                }
            }
        }
        self.disputes.extend(other.disputes);
        self.declares |= other.declares;
        self.any |= other.any;
        self.silent = self.silent.or(other.silent);
        if meeting == Meeting::Beside && self.declares {
            // (What is beside a set may be anything.)
            self.silent = self.silent.filter(|silent| silent.is_canonical);
        }
        self
    }

    /// As the metadata of a schema.
    pub(super) fn told(self) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        if self.declares {
            let iris = self.prefixes.into_iter();
            let iris = iris.map(|(prefix, (_, iri))| (prefix, Node::Scalar(iri)));
            told.insert(CURIE_MAP.to_owned(), Node::Map(iris.collect()).to_json());
            told.insert(SET.to_owned(), Node::Map(self.slots).to_json());
        }
        if !self.disputes.is_empty() {
            told.insert(DISPUTED.to_owned(), Dispute::to_json(&self.disputes));
        }
        told
    }
}

impl Silent {
    /// The prefixes that mean another thing here.
    fn disputes(
        &self,
        prefixes: &BTreeMap<String, Side>,
        identifiers: &dyn Identifiers,
    ) -> Vec<Dispute> {
        let others = prefixes
            .iter()
            .filter(|(prefix, (_, iri))| self.means_another(prefix, iri, identifiers));
        let dispute = |(prefix, one): (&String, &Side)| Dispute {
            prefix: prefix.clone(),
            one: one.clone(),
            other: (self.name.clone(), String::new()),
        };
        others.map(dispute).collect()
    }

    /// Whether a prefix means another thing here than with this IRI.
    fn means_another(&self, prefix: &str, iri: &str, identifiers: &dyn Identifiers) -> bool {
        let known = identifiers.namespace(prefix);
        let known = known.as_ref().map(|namespace| namespace.prefix());
        if self.is_canonical && known != Some(prefix) {
            return false;
        }
        match identifiers.declared(prefix, iri) {
            Meaning::Namespace(namespace) => known != Some(namespace.prefix()),
            Meaning::Another => true,
            Meaning::Unknown => identifiers.is_stem(iri),
        }
    }
}

/// What both say of their set, and what the slots of either are.
fn common(one: Vec<(String, Node)>, other: Vec<(String, Node)>) -> Vec<(String, Node)> {
    let mut definitions: Vec<Node> = Vec::new();
    for (name, node) in one.iter().chain(&other) {
        if let (DEFINITIONS, Node::List(own)) = (name.as_str(), node) {
            for definition in own {
                if !definitions.contains(definition) {
                    definitions.push(definition.clone());
                }
            }
        }
    }
    let mut slots = one;
    slots.retain(|slot| slot.0 != DEFINITIONS && other.contains(slot));
    if !definitions.is_empty() {
        slots.push((DEFINITIONS.to_owned(), Node::List(definitions)));
    }
    slots
}
