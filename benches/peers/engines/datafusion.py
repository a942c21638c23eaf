"""DataFusion with its stock CSV reader, which does not keep the row order.

That reader knows no null marker on reading, so npx is inferred as text and made a
number in a view: NULLIF and CAST, which is the faster of that and TRY_CAST.
The runner sets TOKIO_WORKER_THREADS.
"""

from datafusion import SessionConfig, SessionContext

from engines.common import QUERIES, THREADS, ZSTD_LEVEL, main


def run(work, file, out):
    context = SessionContext(SessionConfig().with_target_partitions(THREADS))
    context.register_csv("raw", file, delimiter="\t", file_extension=".tsv")
    context.sql("CREATE VIEW f AS SELECT * REPLACE (CAST(NULLIF(npx, 'NA') AS DOUBLE) AS npx) FROM raw")
    query = QUERIES[work].format(f="f")
    if work == "filter":
        options = "'format.has_header' true"
        context.sql(f"COPY ({query}) TO '{out}' STORED AS CSV OPTIONS ({options})").collect()
    elif work == "convert":
        options = f"'format.compression' 'zstd({ZSTD_LEVEL})'"
        context.sql(f"COPY ({query}) TO '{out}' STORED AS PARQUET OPTIONS ({options})").collect()
    else:
        return [list(row.values()) for batch in context.sql(query).collect() for row in batch.to_pylist()]


if __name__ == "__main__":
    main(run)
