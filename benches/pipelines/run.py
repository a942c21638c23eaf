"""Pipelines by Biotide and by its peers, side by side: markdown tables, and whether the answers are the same.

    python run.py --rows 10000000 --rounds 3

makes the table if it is missing (see make_data.py), runs every way in a new process with two threads, round by round in
turn, and compares what they wrote. Seconds and peak RSS are the process's, as the kernel counts them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "xref"))

from peers import THREADS, gist, log, measure, warm  # noqa: E402

DATA = HERE / "data"
RUNS = DATA / "runs"
POSTGRES = HERE / "../../scripts/postgres"
# What the design that the first work is of says that it takes: rows, seconds, MB.
CLAIMS = [(1_000_000, 10, 50), (10_000_000, 100, 100), (100_000_000, 1000, 200)]
NARROW = "id text, name text, value double precision"
WIDE = (
    "eid bigint, visit bigint, assay text, uniprot text, panel text, olink_id text, plate_id text, well text, "
    "npx double precision, lod double precision, qc_warning text, sample_date date"
)


@dataclass
class Way:
    """One of the ways to do a work."""

    name: str
    command: list
    reads: Path
    rows: int
    answer: Callable  # a dict: `rows`, `checksum`, and `ordered` where there is an order
    before: Callable = lambda: None
    once: bool = False
    seen: list = field(default_factory=list)

    @property
    def ours(self):
        return self.name.startswith("biotide")

    def failed(self):
        return next((seen["failed"] for seen in self.seen if "failed" in seen), None)

    def seconds(self):
        return median(seen["wall"] for seen in self.seen)

    def rate(self):
        return self.rows / self.seconds()

    def rss(self):
        return max(seen["rss"] for seen in self.seen)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--python-rows", type=int, default=1_000_000, help="of the seed's way in Python, at most")
    parser.add_argument("--only", default=",".join(WORKS), help="works, with commas between them")
    parser.add_argument("--without", default="", help="ways to leave out, such as python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-limit", default="200MB", help="Biotide's")
    parser.add_argument("--postgres", help="URL of a database [default: a server of its own, see scripts/postgres]")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds that a try may take")
    parser.add_argument("--most-rss", type=float, default=20 * 1024, help="MiB that a process may take")
    parser.add_argument("--out", type=Path, help="write the tables to this file too")
    args = parser.parse_args()
    chosen = args.only.split(",")
    if unknown := set(chosen) - set(WORKS):
        parser.error(f"--only: {', '.join(sorted(unknown))} not among {','.join(WORKS)}")
    args.only = [work for work in WORKS if work in chosen]
    args.without = args.without.split(",")
    args.biotide = args.biotide.resolve()
    if not args.biotide.exists():
        parser.error(f"no biotide at {args.biotide}: build it, or name it with --biotide")
    return args


def call(*command, **more):
    """What a command says that is not measured."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(gist(done.stderr) or f"{command[0]} fails")
    return done.stdout


def biotide(args, *command):
    common = ["--memory-limit", args.memory_limit, "--threads", THREADS, "--temp-dir", DATA, "--quiet"]
    return [args.biotide, *command, *common]


def pipeline(args, name, **parameters):
    """`biotide run` of a copy, as what it notes of a run lies beside the pipeline."""
    RUNS.mkdir(exist_ok=True)
    copy = shutil.copy(HERE / name, RUNS)
    said = [part for key, value in parameters.items() for part in ("--set", f"parameters.{key}={value}")]
    return biotide(args, "run", copy, *said)


def made(args, rows):
    file = DATA / f"rows-{rows}.csv"
    if not file.exists():
        call(sys.executable, HERE / "make_data.py", "--rows", rows, "--out", file)
    return file


def script(name, *more):
    return [sys.executable, HERE / name, *more]


def answer_in(out, *engine):
    """The answer in a file of JSON Lines, which is removed."""
    try:
        return json.loads(call(*script("engines.py", "check", out, *engine)))
    finally:
        out.unlink(missing_ok=True)


def run_all(ways, args):
    """Every way, round by round; every other round backwards."""
    ways[:] = [way for way in ways if way.name not in args.without]
    for n in range(args.rounds):
        for way in ways[:: -1 if n % 2 else 1]:
            if way.failed() or (n and way.once):
                continue
            try:
                way.before()
                warm(way.reads)
                seen = measure(list(map(str, way.command)), args.timeout, args.most_rss)
                if "failed" not in seen:
                    seen["answer"] = way.answer()
            except (RuntimeError, ValueError) as error:
                seen = {"wall": 0, "rss": 0, "failed": str(error)}
            way.seen.append(seen)
            log(f"{way.name}: {seen.get('failed', seen.get('answer'))} ({seen['wall']:.2f} s, {seen['rss']:.0f} MiB)")


def right(way, ways):
    """The answer of the last way that reads as many rows: a peer's, where there is one that keeps their order."""
    others = (w for w in ways[::-1] if w.rows == way.rows and not w.once and not w.failed())
    return next(others, way).seen[0]["answer"]


def troubles(work, ways):
    """What failed, and whose rows are other ones."""
    for way in ways:
        if way.failed():
            yield way, f"{work}: {way.name}: {way.failed()}"
            continue
        wanted = right(way, ways)
        for seen in way.seen:
            if seen["answer"]["rows"] != way.rows:
                yield way, f"{work}: {way.name}: {seen['answer']['rows']} rows of {way.rows}"
            elif seen["answer"]["checksum"] != wanted["checksum"]:
                yield way, f"{work}: {way.name}: other rows"
            elif way.ours and seen["answer"].get("ordered") != wanted.get("ordered"):
                yield way, f"{work}: {way.name}: rows in another order"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def measured(way):
    """What all tables tell of a way."""
    if way.failed():
        return [way.name, f"{way.rows:,}", "fails", "", ""]
    walls = sorted(seen["wall"] for seen in way.seen)
    spread = f" ({walls[0]:.2f} to {walls[-1]:.2f})" if len(walls) > 1 else ""
    return [way.name, f"{way.rows:,}", f"{way.seconds():.2f}{spread}", f"{way.rate():,.0f}", f"{way.rss():.0f}"]


MEASURED = ["", "rows", "s", "rows/s", "peak RSS, MiB"]


def compared(ways, head, than, number):
    """A table with a column for each other way that all are compared with."""
    others = [way for way in ways if way.name in than and not way.failed()]
    rows = []
    for way in ways:
        told = [number(way, other) if not way.failed() and way is not other else "" for other in others]
        rows.append(measured(way) + told)
    return table(MEASURED + [head.format(other.name) for other in others], rows)


# The works.


def seed(args):
    """CSV through parse and normalise to JSON Lines."""
    few = min(args.rows, args.python_rows)
    out = DATA / "rows.jsonl"

    def chunk_size(rows):
        return 1000 if rows <= 1_000_000 else 5000 if rows <= 10_000_000 else 10_000

    def of(name, rows, command, once=False):
        answer = lambda: answer_in(out, *(["seed"] if name == "python" else []))  # noqa: E731
        return Way(name, command, made(args, rows), rows, answer, once=once)

    def ours(rows):
        names = {"rows": made(args, rows), "out": out, "rules": HERE / "rules.yaml", "chunk_size": chunk_size(rows)}
        return pipeline(args, "seed.yaml", **names)

    ways = [of("biotide", args.rows, ours(args.rows))]
    if few != args.rows and "python" not in args.without:
        ways.append(of("biotide, fewer rows", few, ours(few)))
    ways.append(of("python", few, script("peer_seed.py", made(args, few), out, chunk_size(few)), once=True))
    for engine in ("polars", "duckdb"):
        ways.append(of(engine, args.rows, script("engines.py", engine, made(args, args.rows), out)))
    run_all(ways, args)
    rows = []
    for way in ways:
        more = ["", ""]
        if not way.failed():
            kept = all(seen["answer"]["ordered"] == right(way, ways)["ordered"] for seen in way.seen)
            more = ["kept" if kept else "changed", f"{way.rate() / 100_000:.2f} ×"]
        rows.append([*measured(way), *more])
    for claimed, seconds, size in CLAIMS:
        if claimed == args.rows:
            row = ["the seed's claim", f"{claimed:,}", f"{seconds}", f"{claimed / seconds:,.0f}"]
            rows.append([*row, f"{size * 1e6 / 2**20:.0f}", "", "1.00 ×"])
    yield "CSV, parse, normalise, JSON Lines", ways, table([*MEASURED, "order", "of the claim's 100,000 rows/s"], rows)


def sql(args):
    """The same work as a pipeline and as one statement."""
    for name, format in (("JSON Lines", "jsonl"), ("Parquet", "parquet")):
        yield sql_to(args, name, DATA / f"rows.{format}")


def sql_to(args, format, out):
    rows, rules = made(args, args.rows), HERE / "rules.yaml"
    trimmed = "strip_whitespace => true, skip_empty => true"

    def copy(name, value, source):
        columns = f"id, {name} AS name, {value} AS value"
        columns += ", part['id'] AS id_id, 'uniprot' AS id_namespace, part['verdict'] AS id_verdict"
        parsed = f"SELECT *, id_split(id, 'uniprot')[1] AS part FROM {source}"
        return biotide(args, "sql", f"COPY (SELECT {columns} FROM ({parsed})) TO '{out}'")

    of_rules = copy("name", "value", f"normalize('{rows}', '{rules}', {trimmed})")
    number = "coalesce(try_cast(btrim(value) AS DOUBLE), 0)"
    by_hand = copy("upper(btrim(name))", number, f"read_csv('{rows}', {trimmed})")
    run = pipeline(args, "seed.yaml", rows=rows, out=out, rules=rules)
    commands = {"biotide run": run, "biotide sql, the same rules": of_rules, "biotide sql by hand": by_hand}
    ways = [Way(name, command, rows, args.rows, lambda: answer_in(out)) for name, command in commands.items()]
    run_all(ways, args)
    ratio = lambda a, b: f"{a.seconds() / b.seconds():.3f}"  # noqa: E731
    than = [way.name for way in ways[1:]]
    return f"Pipeline and SQL, to {format}", ways, compared(ways, "time ÷ {}", than, ratio)


def file_for_tables(args, wide):
    """CSV of typed columns without what is no value, that any database reads."""
    file = DATA / f"{'wide' if wide else 'narrow'}-{args.rows}.csv"
    if file.exists():
        return file
    part = DATA / f"part-{file.name}"
    if wide:
        proteins = DATA / f"proteins-{args.rows}.tsv"
        call(*script("../peers/make_data.py", "--rows", args.rows, "--out", proteins))
        call(*biotide(args, "convert", proteins, part))
        proteins.unlink()
    else:
        select = f"SELECT id, name, coalesce(try_cast(value AS DOUBLE), 0) AS value FROM '{made(args, args.rows)}'"
        call(*biotide(args, "sql", select, "-o", part))
    part.rename(file)
    return file


@contextmanager
def server(args):
    """The URL of a database of PostgreSQL."""
    if args.postgres:
        yield args.postgres
        return
    env = os.environ | {"BIOTIDE_PG_DIR": str(DATA / "postgres")}
    try:
        yield call(POSTGRES, "start", env=env).strip()
    finally:
        call(POSTGRES, "stop", env=env)


def postgres(args):
    """A file into a table of PostgreSQL."""
    with server(args) as url:
        for wide in (False, True):
            yield postgres_table(args, url, wide)


def postgres_table(args, url, wide):
    file, definition = file_for_tables(args, wide), WIDE if wide else NARROW
    binary = file.with_suffix(".pgcopy")
    psql = ["psql", url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", "-c"]
    from_csv = rf"\copy rows FROM '{file}' (FORMAT csv, HEADER)"
    from_binary = rf"\copy rows FROM '{binary}' (FORMAT binary)"

    def before():
        for sql in ("DROP TABLE IF EXISTS rows, biotide_positions", f"CREATE TABLE rows ({definition})", "CHECKPOINT"):
            call(*psql, sql)

    def answer():
        query = "SELECT count(*), sum(hashtextextended(rows::text, 0)::numeric) FROM rows"
        rows, checksum = call(*psql, query).strip().split("|")
        return {"rows": int(rows), "checksum": checksum}

    if not binary.exists():
        before()
        call(*psql, from_csv)
        part = DATA / f"part-{binary.name}"
        call(*psql, rf"\copy rows TO '{part}' (FORMAT binary)")
        part.rename(binary)

    def ours(**parameters):
        return pipeline(args, "table.yaml", rows=file, to=f"{url}/rows", **parameters)

    commands = {
        "biotide, append": ours(),
        "biotide, append once": ours(transaction="once"),
        "biotide, replace": ours(mode="replace"),
        "psql, binary": [*psql, from_binary],
        "psql, csv": [*psql, from_csv],
    }
    ways = [
        Way(name, command, binary if "binary" in name else file, args.rows, answer, before)
        for name, command in commands.items()
    ]
    run_all(ways, args)
    percent = lambda a, b: f"{100 * a.rate() / b.rate():.0f} %"  # noqa: E731
    name = "12 columns" if wide else "3 columns"
    return f"Table of PostgreSQL, {name}", ways, compared(ways, "rate of {}", ["psql, csv", "psql, binary"], percent)


def sqlite(args):
    """A file into a table of SQLite."""
    file, database = file_for_tables(args, False), DATA / "rows.db"
    sqlite3 = shutil.which("sqlite3")

    def clear():
        for beside in DATA.glob(f"{database.name}*"):
            beside.unlink()

    def before():
        clear()
        python = f"import sqlite3; sqlite3.connect('{database}').execute('CREATE TABLE rows ({NARROW})')"
        call(sys.executable, "-c", python)

    def answer():
        query = "SELECT count(*), total(value), sum(length(id) * 31 + length(name)) FROM rows"
        python = f"import sqlite3; print(*sqlite3.connect('{database}').execute('{query}').fetchone())"
        rows, *sums = call(sys.executable, "-c", python).split()
        clear()
        return {"rows": int(rows), "checksum": " ".join(sums)}

    many = (
        "import csv, sqlite3\n"
        f"rows = csv.reader(open('{file}', newline=''))\n"
        "next(rows)\n"
        f"with sqlite3.connect('{database}') as db: db.executemany('INSERT INTO rows VALUES (?, ?, ?)', rows)"
    )
    commands = {
        "biotide, append": pipeline(args, "table.yaml", rows=file, to=f"sqlite:{database}/rows"),
        "python, executemany": [sys.executable, "-c", many],
    }
    if sqlite3:
        commands["sqlite3, .import"] = [sqlite3, database, f".import --csv --skip 1 {file} rows"]
    ways = [Way(name, command, file, args.rows, answer, before) for name, command in commands.items()]
    run_all(ways, args)
    percent = lambda a, b: f"{100 * a.rate() / b.rate():.0f} %"  # noqa: E731
    yield "Table of SQLite, 3 columns", ways, compared(ways, "rate of {}", [way.name for way in ways[1:]], percent)


WORKS = {"seed": seed, "sql": sql, "postgres": postgres, "sqlite": sqlite}


def main():
    args = arguments()
    DATA.mkdir(exist_ok=True)
    packages = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars"))
    said = [f"{args.rows:,} rows, {args.rounds} rounds, biotide's memory limit {args.memory_limit}; {packages}"]
    trouble, bad = [], False
    for work in args.only:
        log(f"{work}: {WORKS[work].__doc__}")
        try:
            for title, ways, text in WORKS[work](args):
                said += [f"### {title}", text]
                for way, line in troubles(work, ways):
                    trouble.append(f"* {line}")
                    bad |= way.ours or not way.failed()
        except RuntimeError as error:
            trouble.append(f"* {work}: {error}")
            bad = True
    shutil.rmtree(RUNS, ignore_errors=True)
    if trouble:
        said += ["Trouble:", "\n".join(dict.fromkeys(trouble))]
    text = "\n\n".join(said)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    sys.exit(bad)


if __name__ == "__main__":
    main()
