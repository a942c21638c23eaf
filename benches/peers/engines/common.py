"""What every engine is asked, and the frame each peer runs in."""

import json
import sys
import time

THREADS = 2
ZSTD_LEVEL = 3
NPX_ABOVE = 2.5  # with the panel, about 0.1 % of the rows

WORKS = ["groupby", "count", "distinct", "filter", "convert"]

# {f} is the table, as the engine names it. `convert` is the whole file to Parquet.
QUERIES = {
    "groupby": "SELECT panel, count(*), avg(npx) FROM {f} GROUP BY panel",
    "count": "SELECT count(*) FROM {f}",
    "distinct": "SELECT count(DISTINCT assay) FROM {f}",
    "filter": f"SELECT * FROM {{f}} WHERE npx > {NPX_ABOVE} AND panel = 'Oncology'",
    "convert": "SELECT * FROM {f}",
}


def main(run):
    """Runs `run(work, file, out)` from the command line; the imports are done by now.

    The rows it returns (none where the answer is the file `out`) go to standard
    output as JSON, the seconds it took to standard error.
    """
    work, file, out = sys.argv[1:]
    start = time.perf_counter()
    rows = run(work, file, out)
    seconds = time.perf_counter() - start
    print(json.dumps(sorted(rows or [])))
    print(f"query_seconds {seconds:.6f}", file=sys.stderr)
