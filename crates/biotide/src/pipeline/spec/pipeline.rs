//! A pipeline, read and checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;

use super::digest::of_section;
use super::parameters::{self, Parameter};
use super::place::{Place, Placed};
use super::placeholders::{Environment, Scope};
use super::streaming::{self, Streaming};
use super::tree::{Entry, Node, Tree};
use super::{fields, steps, yaml};
use crate::error::Result;
use crate::pipeline::actions::{Action, Actions, Params};

/// A pipeline, read and checked: its placeholders are filled in, its conditions judged, and the parameters of its steps
/// are what their actions take.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// What errors call its file.
    pub file: String,
    /// Its name, or that of its file.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its parameters, with the values of the command line.
    pub parameters: Vec<Parameter>,
    /// Whatever its author wants to say, null if nothing.
    pub metadata: Tree,
    /// How a run goes about its work.
    pub streaming: Streaming,
    /// Mappings by name: a source of `CREATE MAPPING` such as `sssom('a.sssom.tsv')`, or a path.
    pub mappings: Vec<(String, Placed<String>)>,
    /// Its steps, those that do not run too.
    pub steps: Vec<Step>,
    /// Digests of what its sections besides steps and parameters say, with what placeholders stand for: a run is resumed
    /// only where they are the same.
    pub(crate) sections: Vec<(String, u64)>,
}

/// A step of a pipeline.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name, unlike that of any other step; if the file has none, that of its action.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its condition holds.
    pub runs: bool,
    /// Whether the run fails if it does.
    pub is_required: bool,
    /// What it does.
    pub action: Arc<Action>,
    /// What with.
    pub params: Params,
    /// Where it stands.
    pub place: Place,
}

pub(super) const KEYS: [&str; 8] = [
    "name",
    "description",
    "version",
    "parameters",
    "metadata",
    "streaming",
    "mappings",
    "steps",
];

impl Pipeline {
    /// The pipeline of a file. `overrides` are the parameters that the command line sets.
    pub fn open(
        path: impl AsRef<Path>,
        overrides: &BTreeMap<String, String>,
        actions: &Actions,
    ) -> Result<Self> {
        let path = path.as_ref();
        let file = format!("{}", path.display());
        let text = text_of(path)
            .map_err(|error| BiotideError::io(format!("reading the pipeline {file}"), error))?;
        Self::parse(&file, &text, overrides, actions)
    }

    /// The pipeline of a text; `file` is what errors call it.
    pub fn parse(
        file: &str,
        text: &str,
        overrides: &BTreeMap<String, String>,
        actions: &Actions,
    ) -> Result<Self> {
        let environment = |name: &str| std::env::var(name).ok();
        Ok(read(file, text, overrides, actions, &environment)?)
    }

    /// The steps whose conditions hold.
    pub fn running(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.runs)
    }
}

/// The text of a file, of which no more is read than a pipeline may have.
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(yaml::MOST_BYTES).unwrap_or(u64::MAX);
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_string(&mut text)?;
    Ok(text)
}

pub(super) fn read(
    file: &str,
    text: &str,
    overrides: &BTreeMap<String, String>,
    actions: &Actions,
    environment: Environment<'_>,
) -> Result<Pipeline, BiotideError> {
    let place_file: Arc<str> = Arc::from(file);
    let tree = yaml::read(&place_file, text)?;
    let tree = whole(tree)?;
    fields::entries(&tree, "a pipeline", &KEYS)?;

    let nothing = Tree {
        place: tree.place.clone(),
        node: Node::Null,
    };
    let metadata = tree.get("metadata").unwrap_or(&nothing);
    let declared = parameters::read(&place_file, tree.get("parameters"), overrides)?;
    let parameters = parameters::resolve(declared.clone(), metadata, environment)?;
    // (Those as written: a value that is a placeholder may lead elsewhere from within another.)
    let scope = Scope::new(&declared, metadata, environment);
    let resolved = |key: &str| tree.get(key).map(|part| scope.resolve(part)).transpose();

    let text_of_key = |key: &str| fields::text(resolved(key)?.as_ref(), key);
    let (name, description) = (text_of_key("name")?, text_of_key("description")?);
    let streaming = resolved("streaming")?;
    let mappings = resolved("mappings")?;
    let steps = steps::read(&tree, &scope, actions)?;
    let sections = [("streaming", &streaming), ("mappings", &mappings)].into_iter();
    let sections = sections.filter_map(|(name, section)| Some((name, section.as_ref()?)));
    let sections = sections
        .flat_map(|(name, section)| of_section(name, section))
        .collect();
    Ok(Pipeline {
        name: match name {
            Some(name) => name.value,
            None => name_of(file),
        },
        description: description.map(|text| text.value),
        file: file.to_owned(),
        metadata: scope.resolve(metadata)?,
        streaming: streaming::read(streaming.as_ref())?,
        mappings: named_sources(mappings.as_ref())?,
        steps,
        sections,
        parameters,
    })
}

/// A file that is nothing but a list is one of steps.
fn whole(tree: Tree) -> Result<Tree, BiotideError> {
    match &tree.node {
        Node::Map(_) => Ok(tree),
        Node::List(_) => {
            let place = tree.place.clone();
            let key = Placed {
                value: String::from("steps"),
                place: place.clone(),
            };
            let node = Node::Map(vec![Entry { key, value: tree }]);
            Ok(Tree { place, node })
        }
        Node::Null => Err(tree.place.error("the file is empty: a pipeline has steps")),
        Node::Scalar(_) => {
            let problem = format!("a pipeline is a map with steps, not {}", tree.describe());
            Err(tree.place.error(problem))
        }
    }
}

/// The name of a file without folder and ending.
pub(crate) fn name_of(file: &str) -> String {
    let stem = Path::new(file).file_stem();
    stem.map_or_else(|| file.to_owned(), |stem| format!("{}", stem.display()))
}

fn named_sources(tree: Option<&Tree>) -> Result<Vec<(String, Placed<String>)>, BiotideError> {
    let Some(tree) = tree.filter(|tree| !tree.is_null()) else {
        return Ok(Vec::new());
    };
    let Some(entries) = tree.as_map() else {
        let problem = format!(
            "mappings are a map of names to sources such as sssom('a.sssom.tsv'), not {}",
            tree.describe()
        );
        return Err(tree.place.error(problem));
    };
    let source = |entry: &Entry| match entry.value.as_text() {
        Some(text) if !text.trim().is_empty() => Ok((
            entry.key.value.clone(),
            Placed {
                value: text.trim().to_owned(),
                place: entry.value.place.clone(),
            },
        )),
        _ => {
            let (name, what) = (&entry.key.value, entry.value.describe());
            let problem = format!(
                "the mapping '{name}' is a source such as sssom('a.sssom.tsv'), or a path, not {what}"
            );
            Err(entry.value.place.error(problem))
        }
    };
    entries.iter().map(source).collect()
}
