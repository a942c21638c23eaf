"""The pipeline by other engines, and what a file of rows holds.

    python engines.py polars data/rows-1000000.csv data/rows.jsonl
    python engines.py check data/rows.jsonl

Accessions are in canonical form where they are some, with a verdict; names without blanks around them in upper case;
values are numbers, 0 where they are none. The order of rows is kept.
"""

import json
import sys

THREADS = 2
ACCESSION = "([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})(-[0-9]+)?"


def polars(rows, out):
    import polars as pl

    id = pl.col("id").str.strip_chars()
    upper = id.str.to_uppercase()
    valid = upper.str.contains(f"^{ACCESSION}$")
    verdict = pl.when(~valid).then(pl.lit("invalid")).when(upper == id).then(pl.lit("ok")).otherwise(pl.lit("repaired"))
    made = pl.scan_csv(rows, infer_schema=False).select(
        id=id,
        name=pl.col("name").str.strip_chars().str.to_uppercase(),
        value=pl.col("value").str.strip_chars().cast(pl.Float64, strict=False).fill_null(0),
        id_id=pl.when(valid).then(upper),
        id_namespace=pl.lit("uniprot"),
        id_verdict=verdict,
    )
    made.sink_ndjson(out, engine="streaming", maintain_order=True)


def duckdb(rows, out):
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}; SET preserve_insertion_order = true; SET enable_progress_bar = false")
    con.execute(f"""COPY (
        SELECT id, upper(trim(name)) AS name, coalesce(try_cast(trim(value) AS DOUBLE), 0) AS value,
            CASE WHEN valid THEN canonical END AS id_id, 'uniprot' AS id_namespace,
            CASE WHEN NOT valid THEN 'invalid' WHEN canonical = id THEN 'ok' ELSE 'repaired' END AS id_verdict
        FROM (
            SELECT *, upper(id) AS canonical, regexp_full_match(upper(id), '{ACCESSION}') AS valid
            FROM (SELECT trim(id) AS id, name, value FROM read_csv('{rows}', header = true, all_varchar = true))))
        TO '{out}' (FORMAT json)""")


# The identifier and the verdict of a row, by what the files of some call them.
ANSWERS = {
    "biotide": ("id_id: 'VARCHAR', id_verdict: 'VARCHAR'", "id_id", "id_verdict"),
    "seed": (
        "uniprot_parsed: 'STRUCT(parsed VARCHAR, confidence DOUBLE)'",
        "uniprot_parsed.parsed",
        "CASE uniprot_parsed.confidence WHEN 1 THEN 'ok' WHEN 0.9 THEN 'repaired' ELSE 'invalid' END",
    ),
}


def check(out, engine="biotide"):
    """Prints how many rows a file holds, a sum of their hashes, and one that knows their order."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}; SET memory_limit = '2GB'; SET enable_progress_bar = false")
    columns, id, verdict = ANSWERS.get(engine, ANSWERS["biotide"])
    columns = f"id: 'VARCHAR', name: 'VARCHAR', value: 'DOUBLE', {columns}"
    file = f"read_json('{out}', format = 'newline_delimited', columns = {{{columns}}})"
    if out.endswith(".parquet"):
        file = f"read_parquet('{out}')"
    row = f"hash(id, name, value, coalesce({id}, ''), {verdict})"
    numbered = f"SELECT {row} AS row, row_number() OVER () AS n FROM {file}"
    query = f"SELECT count(*), sum(row::HUGEINT), sum(hash(row, n)::HUGEINT) FROM ({numbered})"
    rows, checksum, ordered = con.execute(query).fetchone()
    print(json.dumps({"rows": rows, "checksum": str(checksum), "ordered": str(ordered)}))


if __name__ == "__main__":
    {"polars": polars, "duckdb": duckdb, "check": check}[sys.argv[1]](*sys.argv[2:])
