"""Runs Biotide and its peers on the same works and prints markdown tables.

This process stays small on purpose: a child's peak RSS starts from its parent's.
"""

import argparse
import csv
import io
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from importlib.metadata import version
from pathlib import Path

from engines.common import QUERIES, THREADS, WORKS, ZSTD_LEVEL

HERE = Path(__file__).resolve().parent
PEERS = ["duckdb", "polars", "datafusion", "chdb"]
ENGINES = ["biotide", *PEERS]
OUT_SUFFIX = {"filter": ".csv", "convert": ".parquet"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000_000, help="size of the made table")
    parser.add_argument("--file", type=Path, help="a table made earlier, instead of --rows")
    parser.add_argument("--out", type=Path, help="write the tables to this file too")
    args = parser.parse_args()
    for name, known in (("engines", ENGINES), ("works", WORKS)):
        chosen = getattr(args, name).split(",")
        if unknown := set(chosen) - set(known):
            parser.error(f"--{name}: {', '.join(sorted(unknown))} not among {','.join(known)}")
        setattr(args, name, [x for x in known if x in chosen])
    return args


def log(*words):
    print(*words, file=sys.stderr, flush=True)


def data_file(args):
    if args.file:
        return args.file.resolve()
    file = HERE / "data" / f"proteins-{args.rows}.tsv"
    if not file.exists():
        command = [sys.executable, HERE / "make_data.py", "--rows", str(args.rows), "--out", file]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return file


def warm(file):
    with open(file, "rb", buffering=0) as f:
        buffer = bytearray(1 << 20)
        while f.readinto(buffer):
            pass


def command(engine, work, args, file, out):
    if engine != "biotide":
        return [sys.executable, "-m", f"engines.{engine}", work, str(file), str(out)]
    biotide = [str(args.biotide.resolve())]
    common = ["--threads", str(THREADS), "--quiet"]
    if work == "convert":
        level = ["--set", f"biotide.parquet_zstd_level={ZSTD_LEVEL}"]
        return biotide + ["convert", str(file), str(out), "--force", *common, *level]
    to = ["-o", str(out)] if work == "filter" else []
    return biotide + ["sql", QUERIES[work].format(f=f"'{file}'"), "--output-format", "csv", *to, *common]


def measure(argv):
    """Runs one process; wall and CPU seconds, peak RSS, and what it printed."""
    env = os.environ | {"POLARS_MAX_THREADS": str(THREADS), "TOKIO_WORKER_THREADS": str(THREADS)}
    os.sync()  # so that nobody pays for what the engine before has left to write
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdout=stdout, stderr=stderr, cwd=HERE, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        errors = stderr.read()
        if process.returncode != 0:
            raise RuntimeError(f"exit {process.returncode}: {errors.strip()[-500:]}")
        seen = {
            "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss": usage.ru_maxrss / 1024,
            "query": None,
        }
        for line in errors.splitlines():
            if line.startswith("query_seconds "):
                seen["query"] = float(line.split()[1])
        return seen, stdout.read()


def answer(engine, work, printed, out):
    """The answer in a form that can be compared."""
    if work == "filter":
        return filtered(out)
    if work == "convert":
        return check_table(out)
    if engine != "biotide":
        return json.loads(printed)
    rows = list(csv.reader(io.StringIO(printed)))[1:]
    if work == "groupby":
        return sorted([panel, int(n), float(mean)] for panel, n, mean in rows)
    return [[int(n)] for (n,) in rows]


def filtered(out):
    """Row count and an order-independent checksum of five columns of a CSV file."""
    rows = checksum = 0
    with open(out, newline="") as file:
        for row in csv.DictReader(file):
            key = f"{row['eid']}|{row['assay']}|{float(row['npx']):.4f}|{float(row['lod']):.4f}|{row['sample_date']}"
            checksum += zlib.crc32(key.encode())
            rows += 1
    return {"rows": rows, "checksum": checksum}


def check_table(file):
    found = subprocess.run([sys.executable, HERE / "check_table.py", file], check=True, capture_output=True)
    return json.loads(found.stdout)


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


def odd_ones_out(answers, reference):
    """The engines whose answer is not the reference, which without one is the commonest answer."""
    peers_first = sorted(answers, key=lambda engine: engine == "biotide")
    if reference is None and answers:
        votes = {engine: sum(same(answers[engine], other) for other in answers.values()) for engine in peers_first}
        reference = answers[max(votes, key=votes.get)]
    return [engine for engine in answers if not same(answers[engine], reference)]


def run_work(work, args, file, results, trouble):
    """All rounds of one work. An engine that fails or answers otherwise than the rest is taken out."""
    source = check_table(file) if work == "convert" else None
    engines = list(args.engines)
    samples = {engine: [] for engine in engines}
    answers, written = {}, {}

    def take_out(engine, why):
        trouble.append(f"{work}: {engine}: {why}")
        log(trouble[-1])
        engines.remove(engine)
        samples[engine] = []

    with tempfile.TemporaryDirectory(dir=HERE / "data") as folder:
        out = Path(folder) / f"out{OUT_SUFFIX.get(work, '')}"
        for turn in range(args.rounds):
            warm(file)
            first = turn % len(args.engines)
            for engine in args.engines[first:] + args.engines[:first]:
                if engine not in engines:
                    continue
                try:
                    seen, printed = measure(command(engine, work, args, file, out))
                    if work != "convert" or engine not in answers:
                        found = answer(engine, work, printed, out)
                        if work == "convert":
                            kept = found.pop("order") == source["order"]
                            written[engine] = (out.stat().st_size / 1e6, kept)
                        if not same(answers.setdefault(engine, found), found):
                            raise ValueError("its answers differ from round to round")
                except (RuntimeError, OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
                    answers.pop(engine, None)
                    take_out(engine, error)
                    continue
                finally:
                    out.unlink(missing_ok=True)
                samples[engine].append(seen)
                query = "" if seen["query"] is None else f", query {seen['query']:.3f} s"
                log(f"{work} {turn + 1}/{args.rounds} {engine}: {seen['wall']:.3f} s, {seen['rss']:.0f} MiB{query}")
    if source:
        source.pop("order")
    for engine in odd_ones_out(answers, source):
        take_out(engine, f"another answer than the rest: {str(answers[engine])[:300]}")
    results[work] = {"samples": samples, "written": {e: written[e] for e in engines if e in written}}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def report(args, file, results, trouble, skipped, load):
    peers = [engine for engine in args.engines if engine != "biotide"]

    def middle(work, engine, what, combine=statistics.median):
        values = [sample[what] for sample in results[work]["samples"].get(engine, [])]
        return combine(values) if values and None not in values else None

    def shown(value, digits=3):
        return "–" if value is None else f"{value:.{digits}f}"

    def compared(peer_time):
        """One row a work: Biotide's whole process, the peers' time, and the ratio."""
        rows = []
        for work in results:
            ours = middle(work, "biotide", "wall")
            theirs = {peer: middle(work, peer, peer_time) for peer in peers}
            known = {peer: seconds for peer, seconds in theirs.items() if seconds is not None}
            ratio = "–"
            if ours and known:
                best = min(known, key=known.get)
                ratio = f"{known[best] / ours:.2f} × ({best})"
            cells = [shown(ours)] if "biotide" in args.engines else []
            rows.append([work, *cells, *map(shown, theirs.values()), ratio])
        return table(["work", *args.engines, "fastest peer ÷ biotide"], rows)

    def plain(what, combine, digits):
        rows = [
            [work, *(shown(middle(work, engine, what, combine), digits) for engine in args.engines)]
            for work in results
        ]
        return table(["work", *args.engines], rows)

    cpu = platform.processor() or platform.machine()
    try:
        names = [line for line in open("/proc/cpuinfo") if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        pass
    versions = [f"{peer} {version(peer)}" for peer in peers]
    if "biotide" in args.engines:
        asked = subprocess.run([args.biotide, "--version"], capture_output=True, text=True)
        versions.insert(0, asked.stdout.strip() or "biotide")

    parts = [
        "# Peer benchmark",
        f"{file.name}, {file.stat().st_size / 1e6:,.0f} MB, in the page cache; {THREADS} threads; "
        f"{args.rounds} rounds, medians; {cpu}; load at start {load:.1f}.  \n" + ", ".join(versions) + ".",
        "## Whole process, seconds",
        compared("wall"),
    ]
    if peers:
        parts += ["## Peers' query time within the process, Biotide's whole process, seconds", compared("query")]
    parts += [
        "## Peak RSS of the process, MiB (largest round)",
        plain("rss", max, 0),
        "## CPU seconds of the process (user and system)",
        plain("cpu", statistics.median, 3),
    ]
    if written := results.get("convert", {}).get("written"):
        rows = [[engine, f"{size:.1f}", "kept" if kept else "changed"] for engine, (size, kept) in written.items()]
        parts += [f"## Parquet written by convert, zstd level {ZSTD_LEVEL}", table(["engine", "MB", "row order"], rows)]
    answers = [f"- {line}" for line in trouble] or ["The answers of all engines agree."]
    if skipped:
        answers.append(f"Skipped: {skipped}.")
    parts += ["## Answers", "\n\n".join(answers)]
    return "\n\n".join(parts) + "\n"


def main():
    args = arguments()
    trouble, results, skipped = [], {}, ""
    load = os.getloadavg()[0]
    if "biotide" in args.engines and not args.biotide.exists():
        args.engines.remove("biotide")
        skipped = "biotide, whose binary is not there (build it, or say --biotide PATH)"
        log(f"skipped: {skipped}")
    if not args.engines:
        sys.exit("no engine to run")
    if hasattr(os, "sched_setaffinity"):  # no engine gets more than its threads' worth
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    (HERE / "data").mkdir(exist_ok=True)
    file = data_file(args)
    for work in args.works:
        run_work(work, args, file, results, trouble)
    text = report(args, file, results, trouble, skipped, load)
    print(text, end="")
    if args.out:
        args.out.write_text(text)
    sys.exit(1 if trouble else 0)


if __name__ == "__main__":
    main()
