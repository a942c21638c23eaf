//! Reads a registry: ours, the Bioregistry's own, or an extended prefix map.

use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use super::Registry;
use super::prefix::Prefix;

/// As `data/make_prefixes.py` writes it.
#[derive(Deserialize)]
struct Reduced {
    version: String,
    prefixes: Vec<Prefix>,
}

/// Reads JSON, gzipped or not. An error says what is wrong, and where.
pub(super) fn read(bytes: &[u8]) -> Result<Registry, String> {
    let mut unpacked = Vec::new();
    let json = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(bytes);
        decoder
            .read_to_end(&mut unpacked)
            .map_err(|error| error.to_string())?;
        &unpacked
    } else {
        bytes
    };
    let value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let from = |error: serde_json::Error| error.to_string();
    match value {
        Value::Object(mut object) if object.get("prefixes").is_some_and(Value::is_array) => {
            let reduced: Reduced =
                serde_json::from_value(Value::Object(std::mem::take(&mut object))).map_err(from)?;
            Registry::new(reduced.version, reduced.prefixes)
        }
        Value::Object(records) => {
            let prefixes = records
                .iter()
                .map(|(prefix, record)| bioregistry(prefix, record))
                .collect::<Result<Vec<_>, _>>()?;
            Registry::new("of a file".to_owned(), prefixes)
        }
        array @ Value::Array(_) => {
            let prefixes = serde_json::from_value(array).map_err(from)?;
            Registry::new("of a file".to_owned(), prefixes)
        }
        _ => Err("it is neither an object nor a list".to_owned()),
    }
}

/// A record of `bioregistry.json`, by the rules of `bioregistry.schema.Resource`.
fn bioregistry(prefix: &str, record: &Value) -> Result<Prefix, String> {
    if !record.is_object() {
        return Err(format!("the record of {prefix} is no object"));
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let own = |key: &str| text(&record[key]);
    let patterns = ["miriam", "wikidata.property", "bartoc"].iter();
    let pattern = own("pattern").or_else(|| {
        let found = patterns.filter_map(|&registry| record[registry]["pattern"].as_str());
        found.map(clean).next()
    });
    let foundry = &record["obofoundry"];
    let obo_preferred = text(&foundry["preferred_prefix"])
        .or_else(|| foundry["prefix"].as_str().map(str::to_uppercase));
    let miriam = &record["miriam"];
    let embedded = record["namespace_in_lui"].as_bool();
    let embedded = embedded.or_else(|| miriam["extras"]["namespaceEmbeddedInLui"].as_bool());
    let banana = own("banana").or_else(|| {
        let inferred = miriam.is_object() && embedded == Some(true);
        inferred.then(|| obo_preferred.clone()).flatten()
    });
    let format = own("uri_format");
    let providers = record["providers"].as_array().into_iter().flatten();
    let formats = providers.filter_map(|provider| text(&provider["uri_format"]));
    let synonyms = record["synonyms"].as_array().into_iter().flatten();
    let reduced = serde_json::json!({
        "prefix": prefix,
        "preferred": own("preferred_prefix").or(obo_preferred),
        "name": own("name"),
        "synonyms": synonyms.filter_map(text).collect::<Vec<_>>(),
        "pattern": pattern,
        "banana": banana,
        "peel": own("banana_peel"),
        "uri_prefix": format.and_then(|format| before_id(&format)),
        "uri_prefix_synonyms": formats.filter_map(|format| before_id(&format)).collect::<Vec<_>>(),
    });
    serde_json::from_value(reduced).map_err(|error| format!("the record of {prefix}: {error}"))
}

/// `http://example.org/$1` without its end.
fn before_id(format: &str) -> Option<String> {
    format.strip_suffix("$1").map(str::to_owned)
}

/// Patterns of other registries, with anchors.
fn clean(pattern: &str) -> String {
    let pattern = pattern.trim_end_matches('?');
    let start = if pattern.starts_with('^') { "" } else { "^" };
    let end = if pattern.ends_with('$') { "" } else { "$" };
    format!("{start}{pattern}{end}")
}
