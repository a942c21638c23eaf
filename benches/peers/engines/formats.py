"""The group-by of every peer over a file in another coat: compressed, JSON Lines, Latin-1.

    python -m engines.formats ENGINE FILE
"""

import sys
import time
import json

QUERY = "SELECT panel, count(*), avg(npx) FROM {f} GROUP BY panel"
THREADS = 2


def duckdb(file):
    import duckdb as peer

    db = peer.connect()
    db.execute(f"SET threads = {THREADS}")
    if file.endswith(".jsonl"):
        source = f"read_json('{file}', format = 'newline_delimited')"
    else:
        latin = ", encoding = 'latin-1'" if "latin1" in file else ""
        source = f"read_csv('{file}', delim='\t', header=true, nullstr='NA'{latin})"
    return db.execute(QUERY.format(f=source)).fetchall()


def polars(file):
    import polars as pl

    if "latin1" in file:
        raise SystemExit("its lazy reader knows UTF-8 only")
    if file.endswith(".jsonl"):
        f = pl.scan_ndjson(file)
    else:
        f = pl.scan_csv(file, separator="\t", null_values={"npx": "NA"}, try_parse_dates=True)
    return f.group_by("panel").agg(pl.len(), pl.col("npx").mean()).collect().rows()


def datafusion(file):
    from datafusion import SessionConfig, SessionContext

    if "latin1" in file:
        raise SystemExit("its reader knows UTF-8 only")
    context = SessionContext(SessionConfig().with_target_partitions(THREADS))
    if file.endswith(".jsonl"):
        context.register_json("f", file, file_extension=".jsonl")
        rows = context.sql(QUERY.format(f="f"))
    else:
        kinds = {".gz": "gzip", ".bgz": "gzip", ".zst": "zstd"}
        ending = file[file.rindex("."):]
        context.register_csv(
            "raw", file, delimiter="\t", file_extension=ending, file_compression_type=kinds[ending]
        )
        cast = "CREATE VIEW f AS SELECT * REPLACE (CAST(NULLIF(npx, 'NA') AS DOUBLE) AS npx) FROM raw"
        context.sql(cast)
        rows = context.sql(QUERY.format(f="f"))
    return [list(row.values()) for batch in rows.collect() for row in batch.to_pylist()]


def chdb(file):
    import chdb as peer

    if "latin1" in file:
        raise SystemExit("its reader does not decode")
    kind = "JSONEachRow" if file.endswith(".jsonl") else "TSVWithNames"
    method = ", 'auto', 'gzip'" if file.endswith(".bgz") else ""
    settings = f"SETTINGS max_threads = {THREADS}, format_tsv_null_representation = 'NA'"
    settings += ", output_format_json_quote_64bit_integers = 0"
    query = QUERY.format(f=f"file('{file}', '{kind}'{method})")
    return json.loads(str(peer.query(f"{query} {settings}", "JSONCompact")))["data"]


if __name__ == "__main__":
    engine, file = sys.argv[1:]
    start = time.perf_counter()
    rows = {"duckdb": duckdb, "polars": polars, "datafusion": datafusion, "chdb": chdb}[engine](file)
    seconds = time.perf_counter() - start
    print(json.dumps(sorted(rows)))
    print(f"query_seconds {seconds:.6f}", file=sys.stderr)
