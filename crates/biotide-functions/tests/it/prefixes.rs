//! Every prefix of the registry in the mode that is the default: its spellings, examples and decoys.

use arrow::array::AsArray;

use crate::bioregistry::{all, columns, same};
use crate::harness::{call_with, options, text_answers, texts};

#[test]
fn spellings_of_all_prefixes_are_known() {
    let columns = columns("spellings.tsv.gz", 2);
    let [spellings, prefixes] = columns.as_slice() else {
        unreachable!()
    };
    assert!(spellings.len() > 15_000);
    let theirs: Vec<_> = prefixes
        .iter()
        .map(|prefix| Some(prefix.clone()).filter(|prefix| !prefix.is_empty()))
        .collect();
    for mode in ["strict", "bioregistry"] {
        let options = options(&[("identifiers_mode", mode)]);
        let ours = text_answers(
            "prefix_normalize",
            &[texts(&all(spellings))],
            spellings.len(),
            &options,
        );
        same(mode, spellings, &ours, &theirs);
    }
}

#[test]
fn examples_are_valid_and_decoys_are_not() {
    let options = options(&[]);
    let columns = columns("ids.tsv.gz", 5);
    let [prefixes, kinds, ids, standard, _] = columns.as_slice() else {
        unreachable!()
    };
    let rows = ids.len();
    let args = [texts(&all(prefixes)), texts(&all(ids))];
    let ours = text_answers("id_standardize", &args, rows, &options);
    let theirs: Vec<_> = standard.iter().map(|id| Some(id.clone())).collect();
    same("id_standardize", ids, &ours, &theirs);
    let shown: Vec<_> = ours.iter().map(Option::as_deref).collect();
    let valid = call_with(
        "id_is_valid",
        &[texts(&all(prefixes)), texts(&shown)],
        rows,
        &options,
    );
    let valid: Vec<bool> = valid
        .as_boolean()
        .iter()
        .map(|flag| flag == Some(true))
        .collect();
    let expected: Vec<bool> = kinds.iter().map(|kind| kind != "decoy").collect();
    same("id_is_valid", ids, &valid, &expected);
    // Their CURIEs are canonical with the prefix in small letters or in capitals, with a banana and without.
    let curies: Vec<String> = prefixes
        .iter()
        .zip(ids)
        .enumerate()
        .map(|(row, (prefix, id))| match row % 2 {
            0 => format!("{prefix}:{id}"),
            _ => format!(" {}: {id}", prefix.to_uppercase()),
        })
        .collect();
    let ours = text_answers("curie_normalize", &[texts(&all(&curies))], rows, &options);
    let theirs: Vec<_> = prefixes
        .iter()
        .zip(standard)
        .map(|(prefix, id)| Some(format!("{prefix}:{id}")))
        .collect();
    same("curie_normalize", &curies, &ours, &theirs);
    // Standardising twice changes nothing.
    let again: Vec<_> = ours.iter().map(Option::as_deref).collect();
    let again = text_answers("curie_normalize", &[texts(&again)], rows, &options);
    same("curie_normalize again", &curies, &again, &ours);
}
