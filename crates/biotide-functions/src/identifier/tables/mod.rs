//! Reference tables: built in, or of newer files. Read when they are first needed.

mod code;
mod file;
mod genes;
mod secondary;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::nearest::nearest;
use datafusion_common::Result;
use flate2::read::GzDecoder;

pub(super) use code::Form;
pub(crate) use genes::Genes;
pub(super) use genes::{Context, Level, ensembl_code};
pub(super) use secondary::Secondary;
pub(crate) use secondary::Tables;

use super::registry::Registry;

/// The namespaces whose retired identifiers are built in.
pub(super) const BUILT_IN: [&str; 3] = ["chebi", "hgnc", "ncbigene"];

/// The text of a gzipped table; an error is what is wrong with it.
fn unpack(gzipped: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(gzipped);
    decoder
        .read_to_string(&mut text)
        .map_err(|error| format!("the gzipped data are cut off or damaged: {error}"))?;
    Ok(text)
}

/// The genes that are built in, or those of a file.
pub(crate) fn genes(file: Option<&str>) -> Result<(Arc<Genes>, usize)> {
    let genes = match file {
        None => genes::embedded()?,
        Some(path) => {
            let text = file::read(path)?;
            let genes = file::Table::new(&text).and_then(|table| Genes::read(&table, name(path)));
            Arc::new(genes.map_err(|problem| BiotideError::file(path, problem))?)
        }
    };
    let size = genes.size();
    Ok((genes, size))
}

/// The retired identifiers that are built in, with those of files (`path` or `namespace=path`) in their place.
pub(crate) fn secondary(files: &[String], registry: &Registry) -> Result<(Arc<Tables>, usize)> {
    let mut tables = secondary::embedded()?;
    let mut seen: Vec<String> = Vec::new();
    for item in files {
        let named = item.split_once('=').and_then(|(name, path)| {
            let prefix = registry.find(name.trim())?;
            Some((prefix.prefix.clone(), path.trim()))
        });
        let path = named.as_ref().map_or(item.as_str(), |(_, path)| path);
        if let (None, Some((name, rest))) = (&named, item.split_once('='))
            && !Path::new(path).exists()
            && Path::new(rest.trim()).exists()
        {
            return Err(unregistered(item, name.trim(), registry).into());
        }
        let text = file::read(path)?;
        let found = || {
            let prefix = secondary::prefix_of(&text)?;
            Some(registry.find(&prefix)?.prefix.clone())
        };
        let namespace = named.as_ref().map(|(name, _)| name.clone()).or_else(found);
        let read = match &namespace {
            Some(namespace) => Secondary::read(namespace, &text, name(path)),
            // (What is no table at all is told first.)
            None => Secondary::read("", &text, name(path)).and_then(|_| {
                Err(format!(
                    "its identifiers do not tell of which namespace they are: write namespace={path}, as in ncbigene={path}"
                ))
            }),
        };
        let table = read.map_err(|problem| BiotideError::file(path, problem))?;
        let name = namespace.unwrap_or_default();
        if seen.contains(&name) {
            let problem =
                format!("there is another table of {name}: put them together, or name one");
            return Err(BiotideError::file(path, problem).into());
        }
        seen.push(name.clone());
        Arc::make_mut(&mut tables).insert(name, Arc::new(table));
    }
    let size = tables.values().map(|table| table.size()).sum();
    Ok((tables, size))
}

/// What is wrong with `namespace=path` of a namespace that the registry does not know.
fn unregistered(item: &str, name: &str, registry: &Registry) -> BiotideError {
    let known = registry.prefixes().iter();
    let near = nearest(name, known.map(|prefix| prefix.prefix.as_str()));
    let hint = near.map_or_else(String::new, |near| format!(": did you mean '{near}'?"));
    BiotideError::Option {
        key: "identifiers.secondary".to_owned(),
        value: item.to_owned(),
        problem: format!("is of '{name}', which is no registered prefix{hint}"),
    }
}

/// The release of a file: its name.
fn name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
