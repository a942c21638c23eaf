"""Prints what must agree between a table and its converted copies, as JSON.

Takes a .tsv or .parquet file. Numbers: non-null count and sum. Text and dates:
non-null count, distinct count and an order-independent hash of their text.
`order` is a checksum of eid and lod in file order.
"""

import json
import sys
import zlib

import duckdb

NUMBERS = ["eid", "visit", "npx", "lod"]
TEXTS = ["assay", "uniprot", "panel", "olink_id", "plate_id", "well", "qc_warning", "sample_date"]

path = sys.argv[1]
db = duckdb.connect()
db.execute("SET threads = 2")
source = f"read_parquet('{path}')"
if path.endswith(".tsv"):
    source = f"read_csv('{path}', delim='\t', header=true, nullstr='NA')"

found = {}
for column in NUMBERS:
    found[column] = db.execute(f"SELECT count({column}), sum({column})::DOUBLE FROM {source}").fetchone()
for column in TEXTS:
    text = f"{column}::VARCHAR"
    found[column] = db.execute(
        f"SELECT count({text}), count(DISTINCT {text}), sum(hash({text}))::VARCHAR FROM {source}"
    ).fetchone()
rows = db.execute(f"SELECT count(*) FROM {source}").fetchone()[0]
key = db.execute(f"SELECT eid * 1000000 + round(lod * 10000)::BIGINT AS key FROM {source}").fetchnumpy()["key"]
print(json.dumps({"rows": rows, "columns": found, "order": zlib.crc32(key.tobytes())}))
