"""DuckDB, with its own type detection. It keeps the row order by default."""

import duckdb

from engines.common import QUERIES, THREADS, ZSTD_LEVEL, main


def run(work, file, out):
    db = duckdb.connect()
    db.execute(f"SET threads = {THREADS}")
    query = QUERIES[work].format(f=f"read_csv('{file}', delim='\t', header=true, nullstr='NA')")
    if work == "filter":
        db.execute(f"COPY ({query}) TO '{out}' (FORMAT csv, HEADER)")
    elif work == "convert":
        options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL}"
        db.execute(f"COPY ({query}) TO '{out}' ({options})")
    else:
        return db.execute(query).fetchall()


if __name__ == "__main__":
    main(run)
