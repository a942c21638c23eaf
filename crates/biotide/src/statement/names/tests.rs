use std::collections::HashMap;

use datafusion::common::TableReference;
use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::dialect::{Dialect, DuckDbDialect, GenericDialect};

use super::{Known, complete, partition};

/// The statement with its names completed. `olink` has names in mixed case, `tissue` and `low` lower-case
/// ones, `twins` two that differ by case.
fn completed_in(dialect: &dyn Dialect, sql: &str) -> String {
    let table = |name: &str, columns: &[&str]| {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        (TableReference::bare(name), columns)
    };
    let known = Known {
        tables: HashMap::from([
            table("olink", &["Gene", "UniProt", "Panel", "NPX"]),
            table("o.tsv", &["Gene", "UniProt"]),
            table("tissue", &["uniprot", "Organ"]),
            table("panels", &["Panel", "Vendor"]),
            table("twins", &["Id", "ID", "X"]),
            table("low", &["gene", "npx"]),
        ]),
        aggregates: ["max", "count"].map(str::to_owned).into(),
        normalize: true,
    };
    let mut statements = DFParser::parse_sql_with_dialect(sql, dialect).unwrap();
    let mut statement = statements.pop_front().unwrap();
    complete(&mut statement, &known);
    statement.to_string()
}

fn completed(sql: &str) -> String {
    completed_in(&GenericDialect {}, sql)
}

#[track_caller]
fn becomes(sql: &str, expected: &str) {
    assert_eq!(completed(sql), expected, "{sql}");
}

#[track_caller]
fn stays(sql: &str) {
    becomes(sql, sql);
}

#[test]
fn names_of_one_table() {
    becomes(
        "SELECT uniprot, UNIPROT, UniProt FROM olink WHERE npx > 1",
        r#"SELECT "UniProt", "UniProt", "UniProt" FROM olink WHERE "NPX" > 1"#,
    );
    stays(r#"SELECT "uniprot", Gene FROM low"#);
    stays("SELECT id FROM twins");
    stays("SELECT gene FROM nowhere");
    stays("SELECT GENE FROM low");
    becomes("SELECT x FROM twins", r#"SELECT "X" FROM twins"#);
}

#[test]
fn qualified_names_go_to_their_own_table() {
    becomes(
        "SELECT o.uniprot FROM 'o.tsv' o JOIN tissue t ON o.uniprot = t.uniprot AND t.organ = 'x'",
        r#"SELECT o."UniProt" FROM 'o.tsv' o JOIN tissue t ON o."UniProt" = t.uniprot AND t."Organ" = 'x'"#,
    );
    becomes(
        "SELECT olink.gene FROM olink",
        r#"SELECT olink."Gene" FROM olink"#,
    );
    stays("SELECT x.gene FROM olink AS o");
    stays("SELECT gene.panel FROM low, panels");
    becomes(
        "SELECT o.npx[1], npx[1] FROM olink AS o",
        r#"SELECT "o"."NPX"[1], "NPX"[1] FROM olink AS o"#,
    );
}

#[test]
fn queries_within_queries() {
    becomes(
        "SELECT gene FROM olink WHERE uniprot IN (SELECT uniprot FROM tissue WHERE organ = panel)",
        r#"SELECT "Gene" FROM olink WHERE "UniProt" IN (SELECT uniprot FROM tissue WHERE "Organ" = "Panel")"#,
    );
    // The inner query's own column goes before the outer one, however it is written.
    becomes(
        "SELECT uniprot FROM tissue WHERE uniprot IN (SELECT uniprot FROM olink)",
        r#"SELECT uniprot FROM tissue WHERE uniprot IN (SELECT "UniProt" FROM olink)"#,
    );
    becomes(
        "SELECT NPX FROM olink WHERE NPX <= (SELECT max(NPX) AS npx FROM olink) ORDER BY NPX",
        r#"SELECT "NPX" FROM olink WHERE "NPX" <= (SELECT max("NPX") AS npx FROM olink) ORDER BY "NPX""#,
    );
    becomes(
        "SELECT * FROM tissue t, LATERAL (SELECT gene FROM olink WHERE uniprot = t.ORGAN) l WHERE l.gene = 'x'",
        r#"SELECT * FROM tissue t, LATERAL (SELECT "Gene" FROM olink WHERE "UniProt" = t."Organ") l WHERE l."Gene" = 'x'"#,
    );
}

#[test]
fn aliases_are_the_columns_of_a_query() {
    becomes(
        "WITH c AS (SELECT Gene AS gene FROM olink) SELECT gene, c.GENE FROM c",
        r#"WITH c AS (SELECT "Gene" AS gene FROM olink) SELECT gene, c.GENE FROM c"#,
    );
    becomes(
        "SELECT gene FROM (SELECT upper(Gene) AS gene FROM olink) s",
        r#"SELECT gene FROM (SELECT upper("Gene") AS gene FROM olink) s"#,
    );
    becomes(
        r#"SELECT x, s.y FROM (SELECT gene AS "X", npx AS Y FROM olink) s"#,
        r#"SELECT "X", s.y FROM (SELECT "Gene" AS "X", "NPX" AS Y FROM olink) s"#,
    );
    becomes(
        "WITH c(a, B) AS (SELECT gene, npx FROM olink) SELECT a, b, gene FROM c",
        r#"WITH c (a, B) AS (SELECT "Gene", "NPX" FROM olink) SELECT a, b, gene FROM c"#,
    );
    becomes(
        "WITH c AS (SELECT * FROM olink) SELECT gene FROM c ORDER BY npx",
        r#"WITH c AS (SELECT * FROM olink) SELECT "Gene" FROM c ORDER BY "NPX""#,
    );
    stays("WITH c AS (SELECT * FROM nowhere) SELECT gene FROM c, olink");
    becomes(
        "WITH RECURSIVE c AS (SELECT gene FROM olink UNION ALL SELECT gene FROM c) SELECT gene FROM c",
        r#"WITH RECURSIVE c AS (SELECT "Gene" FROM olink UNION ALL SELECT "Gene" FROM c) SELECT "Gene" FROM c"#,
    );
}

#[test]
fn aliases_in_order_group_and_having() {
    becomes(
        r#"SELECT Gene AS "Gene" FROM low ORDER BY GENE"#,
        r#"SELECT Gene AS "Gene" FROM low ORDER BY GENE"#,
    );
    becomes(
        r#"SELECT upper(gene) AS "Gene2" FROM olink ORDER BY gene2"#,
        r#"SELECT upper("Gene") AS "Gene2" FROM olink ORDER BY "Gene2""#,
    );
    becomes(
        "SELECT upper(Panel) AS panel FROM olink ORDER BY panel",
        r#"SELECT upper("Panel") AS panel FROM olink ORDER BY panel"#,
    );
    becomes(
        "SELECT gene, max(npx) AS npx FROM olink GROUP BY gene HAVING max(npx) > 1 AND npx < 9 ORDER BY max(npx), npx",
        r#"SELECT "Gene", max("NPX") AS npx FROM olink GROUP BY "Gene" HAVING max("NPX") > 1 AND npx < 9 ORDER BY max("NPX"), npx"#,
    );
    becomes(
        "SELECT max(gene) AS gene FROM olink GROUP BY gene",
        r#"SELECT max("Gene") AS gene FROM olink GROUP BY "Gene""#,
    );
    becomes(
        "SELECT gene FROM low UNION SELECT gene FROM olink ORDER BY Gene",
        r#"SELECT gene FROM low UNION SELECT "Gene" FROM olink ORDER BY Gene"#,
    );
}

#[test]
fn wildcards_and_using() {
    becomes(
        "SELECT * EXCLUDE (gene, NPX) FROM olink",
        r#"SELECT * EXCLUDE ("Gene", NPX) FROM olink"#,
    );
    becomes(
        "SELECT * EXCEPT (gene) FROM olink",
        r#"SELECT * EXCEPT ("Gene") FROM olink"#,
    );
    becomes(
        "SELECT * REPLACE (upper(gene) AS gene) FROM olink",
        r#"SELECT * REPLACE (upper("Gene") AS "Gene") FROM olink"#,
    );
    becomes(
        "SELECT panel FROM olink JOIN panels USING (panel)",
        r#"SELECT "Panel" FROM olink JOIN panels USING("Panel")"#,
    );
    becomes(
        "SELECT gene FROM olink o JOIN tissue USING (uniprot)",
        r#"SELECT "Gene" FROM olink o JOIN tissue ON "o"."UniProt" = "tissue"."uniprot""#,
    );
    stays("SELECT organ2 FROM olink LEFT JOIN tissue USING(uniprot)");
}

#[test]
fn every_statement_that_holds_names() {
    becomes(
        "INSERT INTO olink (gene, npx) SELECT gene, npx FROM low",
        r#"INSERT INTO olink ("Gene", "NPX") SELECT gene, npx FROM low"#,
    );
    becomes(
        "UPDATE olink SET npx = npx + 1 WHERE gene = 'x'",
        r#"UPDATE olink SET "NPX" = "NPX" + 1 WHERE "Gene" = 'x'"#,
    );
    becomes(
        "DELETE FROM olink WHERE gene = 'x'",
        r#"DELETE FROM olink WHERE "Gene" = 'x'"#,
    );
    becomes(
        "CREATE VIEW v AS SELECT gene FROM olink",
        r#"CREATE VIEW v AS SELECT "Gene" FROM olink"#,
    );
    becomes(
        "CREATE TABLE v AS SELECT gene FROM olink",
        r#"CREATE TABLE v AS SELECT "Gene" FROM olink"#,
    );
    becomes(
        "SELECT gene, max(npx) OVER (PARTITION BY panel) FROM olink QUALIFY max(npx) OVER () > 1",
        r#"SELECT "Gene", max("NPX") OVER (PARTITION BY "Panel") FROM olink QUALIFY max("NPX") OVER () > 1"#,
    );
    // Parameters of lambdas, which DataFusion knows in some dialects only.
    assert_eq!(
        completed_in(
            &DuckDbDialect {},
            "SELECT f(x -> x + npx), X FROM olink, twins"
        ),
        r#"SELECT f(x -> x + "NPX"), "X" FROM olink, twins"#
    );
    assert!(completed("EXPLAIN SELECT gene FROM olink").contains(r#""Gene""#));
}

#[test]
fn partitions_in_any_case() {
    let columns = Some(vec!["ok".to_owned(), "Panel".to_owned()]);
    for (written, expected) in [
        ("OK", "ok"),
        ("panel", "Panel"),
        ("\"ok\"", "ok"),
        ("\"OK\"", "OK"),
        ("Panel", "Panel"),
        ("other", "other"),
    ] {
        let mut name = written.to_owned();
        partition(&mut name, &columns);
        assert_eq!(name, expected);
    }
}
