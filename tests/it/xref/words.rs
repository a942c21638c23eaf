//! What the program says of columns and prefixes that are not there.

use crate::support::{self, bin};

/// A folder with a mapping and a file of identifiers.
fn files() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let rows = "subject_id\tobject_id\nhgnc:5\tncbigene:1\n";
    let mapping = support::write(&folder.path().join("m.tsv"), rows);
    let ids = support::write(&folder.path().join("ids.tsv"), "hgnc_id\tn\nHGNC:5\t1\n");
    (folder, mapping, ids)
}

#[test]
fn a_column_that_is_not_there_has_the_nearest_name() {
    let (_folder, mapping, ids) = files();
    let run = bin::run(["xref", &ids, "--column", "hgncid", "--mapping", &mapping]).exits(1);
    run.says("there is no column \"hgncid\": did you mean 'hgnc_id'? There are hgnc_id, n");
}

#[test]
fn prefixes_that_a_mapping_has_nothing_of_are_told() {
    let (_folder, mapping, ids) = files();
    let xref = ["xref", &ids, "--column", "hgnc_id", "--mapping", &mapping];
    let run = bin::run([&xref[..], &["--to", "ncbigen"]].concat()).exits(0);
    let run = run.says("targets: nothing of ncbigen is in the mapping: did you mean 'ncbigene'?");
    // (Once, whatever the number of threads.)
    assert_eq!(run.stderr.matches("nothing of").count(), 1, "{run:#?}");
    let run = bin::run([&xref[..], &["--to", "chebi", "--namespace", "uniprot"]].concat()).exits(0);
    run.says("targets: nothing of chebi is in the mapping: there are hgnc, ncbigene")
        .says("namespace: nothing of uniprot is in the mapping");
    let run = bin::run([&xref[..], &["--to", "ncbigene"]].concat()).exits(0);
    assert!(!run.stderr.contains("nothing of"), "{run:#?}");
}

#[test]
fn lists_have_no_columns() {
    let (_folder, mapping, ids) = files();
    let xref = ["xref", &ids, "--column", "hgnc_id", "--mapping", &mapping];
    let run = bin::run([&xref[..], &["--policy", "list"]].concat()).exits(1);
    run.says("use explode, first, error or drop");
}

/// A command has no SQL to make a mapping with.
#[test]
fn a_mapping_that_is_not_there_is_no_file() {
    let (_folder, _, ids) = files();
    let run = bin::run(["xref", &ids, "--column", "hgnc_id", "--mapping", "nofile"]).exits(1);
    let run =
        run.says("'nofile' is neither the name of a mapping nor a file: there is no such file");
    assert!(!run.stderr.contains("CREATE MAPPING"), "{run:#?}");
}
