//! The crates' ranks: arrows point down only, see ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Every crate of the workspace that is a library or a program, and those of ours that it may use.
const RANKS: [(&str, &[&str]); 10] = [
    ("biotide-text", &[]),
    ("biotide-common", &[]),
    ("biotide-formats", &["biotide-common", "biotide-text"]),
    ("biotide-functions", &["biotide-common", "biotide-text"]),
    ("biotide-exec", &["biotide-common", "biotide-text"]),
    ("biotide-stream", &["biotide-common"]),
    ("biotide-database", &["biotide-common"]),
    (
        "biotide",
        &[
            "biotide-common",
            "biotide-text",
            "biotide-formats",
            "biotide-functions",
            "biotide-exec",
            "biotide-stream",
            "biotide-database",
        ],
    ),
    ("biotide-cli", &["biotide", "biotide-common"]),
    ("biotide-ballista", &["biotide", "biotide-common"]),
];
/// Packages that nothing is built on.
const EDGES: [&str; 4] = [
    "biotide-cli",
    "biotide-tests",
    "biotide-benches",
    "biotide-examples",
];
/// Who may depend on the whole of DataFusion.
const WHOLE_DATAFUSION: [&str; 5] = [
    "biotide",
    "biotide-cli",
    "biotide-tests",
    "biotide-benches",
    "biotide-examples",
];

/// What each package of the workspace depends on, as `normal` and build dependencies, and for tests.
struct Graph {
    normal: BTreeMap<String, BTreeSet<String>>,
    all: BTreeMap<String, BTreeSet<String>>,
}

fn graph() -> Graph {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let (mut normal, mut all) = (BTreeMap::new(), BTreeMap::new());
    for package in &metadata.packages {
        let names = |development: bool| -> BTreeSet<String> {
            let wanted = package
                .dependencies
                .iter()
                .filter(|d| development || d.kind != DependencyKind::Development);
            wanted.map(|d| d.name.clone()).collect()
        };
        normal.insert(package.name.to_string(), names(false));
        all.insert(package.name.to_string(), names(true));
    }
    Graph { normal, all }
}

#[test]
fn crates_use_those_below_them_only() {
    let graph = graph();
    for (name, uses) in &graph.all {
        if EDGES.contains(&name.as_str()) && name != "biotide-cli" {
            continue;
        }
        let Some((_, allowed)) = RANKS.iter().find(|(rank, _)| rank == name) else {
            panic!("{name} has no rank: give it one");
        };
        let ours = uses.iter().filter(|used| graph.all.contains_key(*used));
        for used in ours {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} uses {used}, which is not below it"
            );
        }
    }
}

#[test]
fn nothing_is_built_on_the_edges() {
    let graph = graph();
    for (name, uses) in &graph.all {
        for edge in EDGES {
            assert!(!uses.contains(edge), "{name} depends on {edge}");
        }
    }
}

#[test]
fn only_the_facade_and_above_take_the_whole_of_datafusion() {
    let graph = graph();
    // (Unit tests may: those of databases run queries.)
    for (name, uses) in &graph.normal {
        let whole = uses.contains("datafusion");
        assert!(
            !whole || WHOLE_DATAFUSION.contains(&name.as_str()),
            "{name} depends on datafusion: take datafusion-common and its like"
        );
    }
}

/// The text reader is a library of its own: no engine, no runtime.
#[test]
fn the_text_reader_knows_no_engine() {
    let graph = graph();
    for used in &graph.normal["biotide-text"] {
        let engine = [
            "datafusion",
            "tokio",
            "futures",
            "object_store",
            "async-trait",
        ];
        assert!(
            !engine.iter().any(|e| used.starts_with(e)),
            "biotide-text depends on {used}"
        );
    }
}

/// Tests, benchmarks and examples bring heavy dependencies: no library has them.
#[test]
fn heavy_test_dependencies_stay_with_the_tests() {
    let graph = graph();
    for (name, uses) in &graph.normal {
        for heavy in ["sqllogictest", "criterion", "cargo_metadata"] {
            assert!(
                EDGES.contains(&name.as_str()) || !uses.contains(heavy),
                "{name} depends on {heavy}"
            );
        }
    }
}
