"""chDB (ClickHouse in the process), with its own type detection."""

import json

import chdb

from engines.common import QUERIES, THREADS, ZSTD_LEVEL, main


def run(work, file, out):
    query = QUERIES[work].format(f=f"file('{file}', 'TSVWithNames')")
    settings = f"SETTINGS max_threads = {THREADS}, format_tsv_null_representation = 'NA'"
    if work == "filter":
        chdb.query(f"{query} INTO OUTFILE '{out}' TRUNCATE FORMAT CSVWithNames {settings}")
    elif work == "convert":
        settings += f", output_format_parquet_compression_method = 'zstd', output_format_compression_level = {ZSTD_LEVEL}"
        chdb.query(f"{query} INTO OUTFILE '{out}' TRUNCATE FORMAT Parquet {settings}")
    else:
        settings += ", output_format_json_quote_64bit_integers = 0"
        return json.loads(str(chdb.query(f"{query} {settings}", "JSONCompact")))["data"]


if __name__ == "__main__":
    main(run)
