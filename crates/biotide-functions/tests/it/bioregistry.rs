//! The mode `bioregistry` answers as that package does: `tests/data/bioregistry`.

use std::io::Read;

use arrow::array::AsArray;
use flate2::read::GzDecoder;

use crate::harness::{call_with, options, text_answers, texts};

/// The columns of a file, without their header. The empty text is NULL where `nulls` says so.
pub(crate) fn columns(name: &str, count: usize) -> Vec<Vec<String>> {
    let path = [env!("CARGO_MANIFEST_DIR"), "tests/data/bioregistry", name];
    let file = std::fs::File::open(path.iter().collect::<std::path::PathBuf>()).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut columns = vec![Vec::new(); count];
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), count, "{line}");
        for (column, field) in columns.iter_mut().zip(fields) {
            column.push(field.to_owned());
        }
    }
    columns
}

pub(crate) fn all(column: &[String]) -> Vec<Option<&str>> {
    column.iter().map(|text| Some(text.as_str())).collect()
}

/// Empty is NULL.
fn or_null(column: &[String]) -> Vec<Option<String>> {
    column
        .iter()
        .map(|text| Some(text.clone()).filter(|text| !text.is_empty()))
        .collect()
}

/// All rows whose answer is another one.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    asked: &[String],
    ours: &[T],
    theirs: &[T],
) {
    let different: Vec<_> = asked
        .iter()
        .zip(ours.iter().zip(theirs))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .collect();
    assert_eq!(ours.len(), theirs.len());
    assert!(
        different.is_empty(),
        "{what}: {} differ: {:?}",
        different.len(),
        &different[..different.len().min(8)]
    );
}

#[test]
fn curies_are_as_bioregistry_has_them() {
    let options = options(&[("identifiers_mode", "bioregistry")]);
    let columns = columns("cases.tsv.gz", 5);
    let [curies, normal, valid, standardizable, id_valid] = columns.as_slice() else {
        unreachable!()
    };
    let rows = curies.len();
    assert!(rows > 70_000);
    let args = [texts(&all(curies))];
    let ours = text_answers("curie_normalize", &args, rows, &options);
    same("curie_normalize", curies, &ours, &or_null(normal));
    for (name, theirs) in [
        ("curie_is_valid", valid),
        ("curie_is_standardizable", standardizable),
    ] {
        let ours = call_with(name, &args, rows, &options);
        let ours: Vec<bool> = ours
            .as_boolean()
            .iter()
            .map(|flag| flag == Some(true))
            .collect();
        let theirs: Vec<bool> = theirs.iter().map(|flag| flag == "true").collect();
        same(name, curies, &ours, &theirs);
    }
    let parts: Vec<(&str, &str)> = curies
        .iter()
        .map(|curie| curie.split_once(':').unwrap_or((curie, "")))
        .collect();
    let prefixes = texts(&parts.iter().map(|part| Some(part.0)).collect::<Vec<_>>());
    let ids = texts(&parts.iter().map(|part| Some(part.1)).collect::<Vec<_>>());
    let ours = call_with("id_is_valid", &[prefixes, ids], rows, &options);
    let ours: Vec<Option<bool>> = ours.as_boolean().iter().collect();
    let theirs: Vec<Option<bool>> = id_valid
        .iter()
        .map(|flag| Some(flag == "true").filter(|_| !flag.is_empty()))
        .collect();
    same("id_is_valid", curies, &ours, &theirs);
}

#[test]
fn iris_are_as_curies_has_them() {
    let options = options(&[("identifiers_mode", "bioregistry")]);
    let columns = columns("iris.tsv.gz", 3);
    let [iris, curies, standard] = columns.as_slice() else {
        unreachable!()
    };
    let args = [texts(&all(iris))];
    for (name, theirs) in [("iri_to_curie", curies), ("iri_standardize", standard)] {
        let ours = text_answers(name, &args, iris.len(), &options);
        same(name, iris, &ours, &or_null(theirs));
    }
}

#[test]
fn ids_are_standardized_as_bioregistry_does() {
    let options = options(&[("identifiers_mode", "bioregistry")]);
    let columns = columns("ids.tsv.gz", 5);
    let [prefixes, _, ids, standard, valid] = columns.as_slice() else {
        unreachable!()
    };
    let args = [texts(&all(prefixes)), texts(&all(ids))];
    let ours = text_answers("id_standardize", &args, ids.len(), &options);
    let theirs: Vec<_> = standard.iter().map(|id| Some(id.clone())).collect();
    same("id_standardize", ids, &ours, &theirs);
    let args = [texts(&all(prefixes)), texts(&all(standard))];
    let ours = call_with("id_is_valid", &args, ids.len(), &options);
    let ours: Vec<bool> = ours
        .as_boolean()
        .iter()
        .map(|flag| flag == Some(true))
        .collect();
    let theirs: Vec<bool> = valid.iter().map(|flag| flag == "true").collect();
    same("id_is_valid", ids, &ours, &theirs);
}
