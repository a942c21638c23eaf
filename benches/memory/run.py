"""Runs works of every kind under memory limits, and prints what the process held at most, next to DuckDB.

The peak is what the kernel counted for the process (ru_maxrss), whatever the engine says of itself.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / "peers"
THREADS = 2
ALLOWANCE = 64 << 20

# Work -> the query, and where its rows go. "partitions" are windows over whole partitions; "folders" converts to
# a folder for each of 3000 proteins.
WORKS = {
    "scan": ("SELECT count(*), sum(npx), max(assay), min(sample_date) FROM {f}", "csv"),
    "filter": ("SELECT * FROM {f} WHERE npx > 11 AND panel = 'Oncology'", "csv"),
    "few groups": ("SELECT panel, count(*), avg(npx) FROM {f} GROUP BY panel", "csv"),
    "many groups": ("SELECT eid, assay, count(*) AS n, avg(npx) AS m FROM {f} GROUP BY eid, assay", "parquet"),
    "distinct": ("SELECT count(DISTINCT eid) FROM {f}", "csv"),
    "distincts": ("SELECT count(DISTINCT eid), count(DISTINCT well), avg(npx), count(DISTINCT npx) FROM {f}", "csv"),
    "sort": ("SELECT * FROM {f} ORDER BY npx, eid, assay, visit", "parquet"),
    "join": ("SELECT count(*), sum(a.npx) FROM {f} a JOIN {f} b ON a.eid = b.eid AND a.assay = b.assay", "csv"),
    "window": ("SELECT eid, assay, row_number() OVER (PARTITION BY assay ORDER BY npx, eid) AS n FROM {f}", "parquet"),
    "partitions": ("SELECT *, npx - avg(npx) OVER (PARTITION BY assay) AS centred FROM {f}", "parquet"),
    "lists": ("SELECT eid, unnest({split}) AS part FROM {f}", "parquet"),
    "convert": (None, "parquet"),
    "folders": (None, "folders"),
}  # fmt: skip

DUCKDB = """
import sys, duckdb
limit, temp, sql = sys.argv[1:]
duckdb.sql(f"SET memory_limit = '{limit}'; SET threads = %d; SET temp_directory = '{temp}'")
duckdb.sql("SET preserve_insertion_order = true")
duckdb.sql(sql)
""" % THREADS


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--file", type=Path, help="a table made earlier, instead of --rows")
    parser.add_argument("--rows", type=int, default=1_000_000, help="size of the made table")
    parser.add_argument("--limits", default="64MB,200MB,1GB")
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--engines", default="biotide,duckdb")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--out", type=Path, help="write the table to this file too")
    args = parser.parse_args()
    args.works = args.works.split(",")
    if unknown := set(args.works) - set(WORKS):
        parser.error(f"--works: {', '.join(sorted(unknown))} not among {','.join(WORKS)}")
    return args


def size(text):
    number, unit = re.fullmatch(r"(\d+)([MG]B)", text).groups()
    return int(number) * {"MB": 10**6, "GB": 10**9}[unit]


def data_file(args):
    if args.file:
        return args.file.resolve()
    file = PEERS / "data" / f"proteins-{args.rows}.tsv"
    if not file.exists():
        command = [sys.executable, PEERS / "make_data.py", "--rows", str(args.rows), "--out", file]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return file


def commands(args, engine, work, limit, file, folder):
    query, ending = WORKS[work]
    out = folder / f"out.{ending}"
    if engine == "biotide":
        common = ["--memory-limit", limit, "--threads", str(THREADS), "--temp-dir", folder, "--quiet"]
        if query is None:
            by = ["--partition-by", "assay", "--format", "parquet"] if ending == "folders" else []
            return [args.biotide, "convert", file, out, "--force", *by, *common]
        query = query.format(f=f"'{file}'", split="string_to_array(olink_id, '0')")
        return [args.biotide, "sql", query, "-o", out, *common]
    # The types that Biotide finds, so that both do the same work.
    table = f"read_csv('{file}', delim = '\t', header = true, nullstr = 'NA')"
    query = (query or "SELECT * FROM {f}").format(f=table, split="string_split(olink_id, '0')")
    form = "FORMAT csv" if ending == "csv" else "FORMAT parquet, COMPRESSION zstd"
    form += ", PARTITION_BY (assay)" if ending == "folders" else ""
    return [sys.executable, "-c", DUCKDB, limit, folder, f"COPY ({query}) TO '{out}' ({form})"]


def spilled(folder, done):
    """The most bytes that lay in the folder besides the output, looked at now and then."""
    most = 0
    while not done():
        total = 0
        for root, _, files in os.walk(folder):
            for name in files:
                if "out." not in root + name:
                    try:
                        total += os.stat(os.path.join(root, name)).st_blocks * 512
                    except OSError:
                        pass
        most = max(most, total)
        time.sleep(0.05)
    return most


def run(args, engine, work, limit, file):
    folder = Path(tempfile.mkdtemp(prefix="biotide-memory-", dir=args.temp))
    try:
        with open(folder / "out.log", "w+") as log:
            begin = time.monotonic()
            child = subprocess.Popen(
                [str(part) for part in commands(args, engine, work, limit, file, folder)], stdout=log, stderr=log
            )
            end = [None]

            def done():
                if time.monotonic() - begin > args.timeout:
                    child.kill()
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    end[0] = (status, usage)
                return bool(pid)

            most = spilled(folder, done)
            seconds = time.monotonic() - begin
            status, usage = end[0]
            child.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            said = log.read().strip()
        peak = usage.ru_maxrss * 1024
        return child.returncode, peak, seconds, most, said
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    args = arguments()
    file = data_file(args)
    args.temp = os.environ.get("TMPDIR", "/tmp")
    engines = args.engines.split(",")
    # A child's peak starts from its parent's.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    lines = [
        f"{file.name}, {file.stat().st_size / 1e6:,.0f} MB, {THREADS} threads (this script itself: {own} MiB).",
        "",
        "| work | limit | " + " | ".join(f"{e}: peak RSS, MiB | s | spilled, MB" for e in engines) + " |",
        "|---|---|" + "---|---|---|" * len(engines),
    ]
    print("\n".join(lines), flush=True)
    notes, over = [], 0
    for work in args.works:
        for limit in args.limits.split(","):
            cells = [work, limit]
            for engine in engines:
                code, peak, seconds, most, said = run(args, engine, work, limit, file)
                above = peak > size(limit) + ALLOWANCE
                if engine == "biotide":
                    over += above
                mark = " (over)" if above else ""
                if code:
                    notes.append(f"- {work}, {limit}, {engine}: exit {code}: {' '.join(said.split())[-300:]}")
                    cells += [f"{peak >> 20}{mark}", "fails", f"{most / 1e6:.0f}"]
                else:
                    cells += [f"{peak >> 20}{mark}", f"{seconds:.1f}", f"{most / 1e6:.0f}"]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    if notes:
        lines += ["", *notes]
        print("\n" + "\n".join(notes))
    print(f"\n{over} of Biotide's cells are over limit + {ALLOWANCE >> 20} MiB.")
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
