//! Plans `xref(…)`, `clique_assign(…)`, `chain_infer(…)` and `mapping_edges(…)` in FROM.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::identifiers::Identifiers;
use biotide_common::options::BiotideOptions;
use biotide_exec::catalog::Mapping;
use biotide_exec::chain::{ChainNode, ChainSpec, Which};
use biotide_exec::clique::{CliqueNode, CliqueSpec};
use biotide_exec::mapping::predicate_name::canonical;
use biotide_exec::xref::XrefNode;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, col};
use datafusion::sql::sqlparser::ast::{
    Expr as Sql, FunctionArg, FunctionArgExpr, TableAlias, TableFactor,
};

use super::cells::{is_list, text_of};
use super::named::{FileMappings, mapping_of, missing, relation};
use super::spec::{Asked, OF_CLIQUES, of_chains, of_xref};
use crate::context::BiotideContext;

/// How they are called.
pub(crate) const SYNTAX: [(&str, &str, &str); 4] = [
    (
        "xref",
        "LATERAL xref(id, 'mapping', targets => ['prefix', …], max_hops => 2, …)",
        "What an identifier of each row maps to; its options are those whose names begin with xref_.",
    ),
    (
        "clique_assign",
        "clique_assign('mapping', predicates => ['predicate', …], priority => ['prefix', …], min_confidence => 0)",
        "Identifiers of the same thing, and the one that stands for them: id, clique, size, conflicts. Where no predicates are named they are skos:exactMatch, owl:sameAs, owl:equivalentClass, owl:equivalentProperty and owl:equivalentTo.",
    ),
    (
        "chain_infer",
        "chain_infer('mapping', max_hops => 2, targets => […], subjects => […], asserted => false, …)",
        "The statements that follow from those of a mapping: subject_id, predicate_id, object_id, confidence, hops, path, sources.",
    ),
    (
        "mapping_edges",
        "mapping_edges('mapping')",
        "The statements of a mapping: subject_id, predicate_id, object_id, confidence, source, release, negated.",
    ),
];

/// The predicates that make cliques where none are named.
const SAME: [&str; 5] = [
    "skos:exactMatch",
    "owl:sameAs",
    "owl:equivalentClass",
    "owl:equivalentProperty",
    "owl:equivalentTo",
];

/// Plans our relations, for one statement.
#[derive(Debug)]
pub(crate) struct MappingRelations {
    pub(crate) context: BiotideContext,
    pub(crate) identifiers: Arc<dyn Identifiers>,
    pub(crate) files: FileMappings,
}

impl RelationPlanner for MappingRelations {
    fn plan_relation(
        &self,
        factor: TableFactor,
        planner: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let Some((name, args)) = relation(&factor) else {
            return Ok(RelationPlanning::Original(Box::new(factor)));
        };
        let plan = match name.as_str() {
            "xref" => self.xref(args, planner)?,
            "clique_assign" => self.cliques(args, planner)?,
            "chain_infer" => self.chains(args, planner)?,
            _ => self.edges(args)?,
        };
        let alias = match &factor {
            TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } => alias.clone(),
            _ => None,
        };
        let alias = alias.unwrap_or_else(|| TableAlias {
            explicit: true,
            name: name.as_str().into(),
            columns: Vec::new(),
            at: None,
        });
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan,
            Some(alias),
        ))))
    }
}

fn refused(name: &str, args: &[FunctionArg]) -> BiotideError {
    let syntax = SYNTAX
        .iter()
        .find(|(own, ..)| *own == name)
        .map_or("", |(_, syntax, _)| syntax);
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    BiotideError::Option {
        key: format!("{name}(…)"),
        value: args.join(", "),
        problem: format!("is not what it takes: {syntax}"),
    }
}

/// The arguments that have no name, and those that have one.
type Args<'a> = (Vec<&'a Sql>, Vec<(&'a str, &'a Sql)>);

fn split<'a>(name: &str, args: &'a [FunctionArg]) -> Result<Args<'a>, BiotideError> {
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    for arg in args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => positional.push(expr),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => named.push((name.value.as_str(), expr)),
            _ => return Err(refused(name, args)),
        }
    }
    Ok((positional, named))
}

impl MappingRelations {
    fn mapping(&self, name: &str, args: &[FunctionArg]) -> Result<Arc<Mapping>> {
        let wanted = mapping_of(name, args).ok_or_else(|| refused(name, args))?;
        let session = || match wanted.as_slice() {
            [name] => self.context.mappings().get(name),
            _ => None,
        };
        let found = self.files.mappings.get(&wanted).cloned().or_else(session);
        Ok(found.ok_or_else(|| missing(&self.context, &wanted.join(", ")))?)
    }

    fn xref(
        &self,
        args: &[FunctionArg],
        planner: &mut dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let (positional, named) = split("xref", args)?;
        let [id, _] = positional.as_slice() else {
            return Err(refused("xref", args).into());
        };
        let mut asked = Asked::new("xref", of_xref(), options(planner));
        for (name, value) in named {
            asked.set(name, value)?;
        }
        let column = match id {
            Sql::Identifier(name) => Some(name.value.as_str()),
            Sql::CompoundIdentifier(names) => names.last().map(|name| name.value.as_str()),
            _ => None,
        };
        let mapping = self.mapping("xref", args)?;
        let spec = asked.spec(mapping, Arc::clone(&self.identifiers), column)?;
        let written = *id;
        let id = planner.sql_to_expr(written.clone(), &DFSchema::empty())?;
        // (What is not known yet is cast to text.)
        let kind = id.get_type(&DFSchema::empty()).unwrap_or(DataType::Null);
        let id = match kind {
            DataType::Utf8 | DataType::Utf8View => id,
            kind if kind.is_nested() => return Err(nested(written, &kind).into()),
            kind => text_of(id, &kind)?,
        };
        let row = LogicalPlanBuilder::empty(true).build()?;
        let node = XrefNode::try_new(row, id, Arc::new(spec), None)?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    fn cliques(
        &self,
        args: &[FunctionArg],
        planner: &dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let (positional, named) = split("clique_assign", args)?;
        let wanted = mapping_of("clique_assign", args);
        let (Some(wanted), [_]) = (wanted, positional.as_slice()) else {
            return Err(refused("clique_assign", args).into());
        };
        let mut asked = Asked::new("clique_assign", OF_CLIQUES, options(planner));
        let mut predicates: Vec<String> = SAME.map(str::to_owned).to_vec();
        for (name, value) in named {
            match name.to_ascii_lowercase().as_str() {
                "predicates" => (_, predicates) = asked.take(name, value)?,
                _ => asked.set(name, value)?,
            }
        }
        for predicate in &mut predicates {
            *predicate = canonical(predicate, None, &*self.identifiers).into_owned();
        }
        let (input, origin, declared) = match self.files.edges.get(&wanted) {
            Some(edges) => (
                edges.plan.clone(),
                edges.origin.clone(),
                edges.declared.clone(),
            ),
            None => {
                let mapping = self.mapping("clique_assign", args)?;
                let name = mapping.name().to_owned();
                let edges = asserted(mapping, true)?;
                let renamed = [
                    ("subject_id", "subject"),
                    ("predicate_id", "predicate"),
                    ("object_id", "object"),
                ];
                let renamed = renamed.map(|(from, to)| col(from).alias(to));
                let same = ["confidence", "source", "release", "negated"].map(col);
                let columns = renamed.into_iter().chain(same);
                (
                    LogicalPlanBuilder::from(edges).project(columns)?.build()?,
                    name,
                    None,
                )
            }
        };
        let spec = CliqueSpec {
            predicates,
            priority: asked.priority(&*self.identifiers),
            min_confidence: asked.min_confidence(),
            origin,
            identifiers: Arc::clone(&self.identifiers),
            declared,
        };
        let node = CliqueNode::try_new(input, Arc::new(spec))?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    fn chains(
        &self,
        args: &[FunctionArg],
        planner: &dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let (positional, named) = split("chain_infer", args)?;
        if positional.len() != 1 {
            return Err(refused("chain_infer", args).into());
        }
        let mut asked = Asked::new("chain_infer", of_chains(), options(planner));
        let (mut subjects, mut with_asserted) = (Vec::new(), false);
        for (name, value) in named {
            match name.to_ascii_lowercase().as_str() {
                "subjects" => {
                    (_, subjects) = asked.take(name, value)?;
                    for subject in &mut subjects {
                        *subject = match self.identifiers.namespace(subject) {
                            Some(namespace) => namespace.prefix().to_owned(),
                            None => subject.trim().to_owned(),
                        };
                    }
                }
                "asserted" => {
                    let (name, values) = asked.take(name, value)?;
                    with_asserted = asked.boolean(&name, &values)?;
                }
                _ => asked.set(name, value)?,
            }
        }
        let mut walk = asked.walk(&*self.identifiers)?;
        if !asked.has_limit() {
            walk.limit = usize::MAX;
        }
        let spec = ChainSpec {
            mapping: self.mapping("chain_infer", args)?,
            which: Which::Inferred {
                walk: Box::new(walk),
                subjects,
                asserted: with_asserted,
            },
        };
        let node = ChainNode::try_new(Arc::new(spec))?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    fn edges(&self, args: &[FunctionArg]) -> Result<LogicalPlan> {
        let (positional, named) = split("mapping_edges", args)?;
        match (positional.len(), named.is_empty()) {
            (1, true) => asserted(self.mapping("mapping_edges", args)?, false),
            _ => Err(refused("mapping_edges", args).into()),
        }
    }
}

/// The statements of a mapping. `alone`: those too that an identifier in none could make about itself.
fn asserted(mapping: Arc<Mapping>, alone: bool) -> Result<LogicalPlan> {
    let spec = ChainSpec {
        mapping,
        which: Which::Asserted { alone },
    };
    let node = ChainNode::try_new(Arc::new(spec))?;
    Ok(LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    }))
}

fn options(planner: &dyn RelationPlannerContext) -> Option<&BiotideOptions> {
    planner.context_provider().options().extensions.get()
}

/// The identifier is a list, or something else that has parts.
fn nested(id: &Sql, kind: &DataType) -> BiotideError {
    let problem = match is_list(kind) {
        true => {
            "is a list: FROM (SELECT *, unnest(ids) AS id FROM t) AS t, LATERAL xref(t.id, …) has a row for each of its identifiers"
                .to_owned()
        }
        false => format!("is {kind}, no identifier"),
    };
    BiotideError::Option {
        key: "LATERAL xref(…)".to_owned(),
        value: id.to_string(),
        problem,
    }
}
