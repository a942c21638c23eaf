"""The works of cross-referencing by other engines, each try in a process of its own.

    python peers.py --engine duckdb --work twohop --edges data/edges.tsv --inputs data/inputs.tsv

What is asked of `onehop` and `twohop`: for each identifier of the inputs, all identifiers of the target namespaces
that a path of at most so many edges leads to, in any direction, with no namespace twice on it. `cliques`: the connected
component of each identifier. `sssom`: subject, predicate and object of a file of SSSOM. Every engine reads text and
writes a Parquet file. Confidences, which Biotide works out too, are not asked of them.

This process stays small on purpose: a child's peak RSS starts from its parent's.
"""

import argparse
import csv
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREADS = 2
HOPS = {"onehop": 1, "twohop": 2}
WORKS = ["onehop", "twohop", "cliques", "sssom"]
# The ways an engine has; the fastest one is what it is measured by. `directed` is for who knows that all edges lead
# away from one namespace, and that inputs and targets are at their other end: it does not look at other paths. `coded`
# joins numbers (Polars' categories) instead of texts, which takes less memory.
WAYS = {
    ("duckdb", "onehop"): ["joins", "directed"],
    ("duckdb", "twohop"): ["joins", "recursive", "directed"],
    ("duckdb", "cliques"): ["using-key", "recursive"],
    ("polars", "onehop"): ["scan", "loaded", "directed", "coded", "coded-directed"],
    ("polars", "twohop"): ["scan", "loaded", "directed", "coded", "coded-directed"],
    ("polars", "sssom"): ["text"],
    ("scipy", "cliques"): ["coded", "categorical", "unique"],
    ("sssom-py", "sssom"): ["parse"],
    ("python", "onehop"): ["walk"],
    ("python", "twohop"): ["walk"],
    ("python", "cliques"): ["union"],
    ("python", "sssom"): ["csv"],
}
ENGINES = list(dict.fromkeys(engine for engine, _ in WAYS))
ZSTD = 3


def log(*words):
    print(*words, file=sys.stderr, flush=True)


# What the engines do. Each function returns when the edges were loaded, and writes the file `out`.


def duckdb_connection(args):
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}; SET preserve_insertion_order = false; SET enable_progress_bar = false")
    con.execute(f"SET memory_limit = '{args.duckdb_memory}'; SET temp_directory = '{args.out}.tmp'")
    con.execute("CREATE MACRO ns(x) AS split_part(x, ':', 1)")
    return con


def duckdb_text(file, columns):
    types = ", ".join(f"'{c}': 'VARCHAR'" for c in columns)
    return f"read_csv('{file}', delim = '\t', header = true, quote = '', escape = '', columns = {{{types}}})"


def duckdb_edges(con, args):
    edges = duckdb_text(args.edges, ["subject_id", "object_id"])
    con.execute(f"CREATE TABLE edges AS SELECT subject_id AS a, object_id AS b FROM {edges}")


def duckdb_hops(args):
    con = duckdb_connection(args)
    duckdb_edges(con, args)
    loaded = time.perf_counter()
    targets = "(" + ", ".join(f"'{t}'" for t in args.targets) + ")"
    starts = f"SELECT DISTINCT id, ns(id) AS p FROM {duckdb_text(args.inputs, ['id'])}"
    both = "SELECT a AS x, b AS y FROM edges UNION ALL SELECT b, a FROM edges"
    if args.way == "directed":
        near = "SELECT id, p, e.a AS y, ns(e.a) AS q FROM i JOIN edges e ON e.b = id WHERE ns(e.a) <> p"
        far = "SELECT id, e.b FROM near JOIN edges e ON e.a = near.y"
        far += f" WHERE ns(e.b) IN {targets} AND ns(e.b) NOT IN (p, q)"
    else:
        near = "SELECT id, p, y, ns(y) AS q FROM i JOIN e ON x = id WHERE ns(y) <> p"
        far = "SELECT id, e.y FROM near JOIN e ON e.x = near.y"
        far += f" WHERE ns(e.y) IN {targets} AND ns(e.y) NOT IN (p, q)"
    if HOPS[args.work] == 1:
        query = f"WITH i AS ({starts}), e AS ({both}), near AS ({near}) "
        query += f"SELECT DISTINCT id, y AS target FROM near WHERE q IN {targets}"
    elif args.way == "recursive":
        query = f"""WITH RECURSIVE i AS ({starts}), e AS ({both}), walk(id, node, seen, hops) AS (
            SELECT id, id, [p], 0 FROM i
            UNION ALL
            SELECT id, y, list_append(seen, ns(y)), hops + 1 FROM walk JOIN e ON x = node
            WHERE hops < {HOPS[args.work]} AND NOT list_contains(seen, ns(y)))
        SELECT DISTINCT id, node AS target FROM walk WHERE hops > 0 AND ns(node) IN {targets}"""
    else:
        query = f"WITH i AS ({starts}), e AS ({both}), near AS MATERIALIZED ({near}) "
        query += f"SELECT id, y AS target FROM near WHERE q IN {targets} UNION {far}"
    con.execute(f"COPY ({query}) TO '{args.out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD})")
    return loaded


def duckdb_cliques(args):
    """Numbers instead of texts, then the least number that reaches each, or (`recursive`) all that do."""
    con = duckdb_connection(args)
    duckdb_edges(con, args)
    loaded = time.perf_counter()
    con.execute("""
        CREATE TABLE nodes AS
            SELECT id, row_number() OVER () AS n FROM (SELECT a AS id FROM edges UNION SELECT b FROM edges);
        CREATE TABLE halves AS
            WITH e AS (SELECT s.n AS x, o.n AS y FROM edges JOIN nodes s ON s.id = a JOIN nodes o ON o.id = b)
            SELECT x, y FROM e UNION ALL SELECT y, x FROM e;
        DROP TABLE edges""")
    if args.way == "recursive":
        found = """WITH RECURSIVE reached(n, c) AS (
            SELECT n, n FROM nodes UNION SELECT y, c FROM reached JOIN halves ON x = n WHERE c < y)
        SELECT n, min(c) AS c FROM reached GROUP BY n"""
    else:
        found = """WITH RECURSIVE reached(n, c) USING KEY (n) AS (
            SELECT n, n FROM nodes
            UNION (
            SELECT old.n, min(new.c) FROM reached new JOIN halves ON x = new.n JOIN recurring.reached old ON old.n = y
            WHERE new.c < old.c GROUP BY old.n))
        SELECT n, c FROM reached"""
    query = f"SELECT id, c AS clique FROM ({found}) JOIN nodes USING (n)"
    con.execute(f"COPY ({query}) TO '{args.out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD})")
    return loaded


def polars_hops(args):
    import polars as pl

    texts = {"separator": "\t", "quote_char": None, "infer_schema": False}
    coded = args.way.startswith("coded")
    code, name = (pl.Categorical(pl.Categories.random()) if coded else pl.String for _ in range(2))

    def namespace(column):
        return pl.col(column).str.splitn(":", 2).struct.field("field_0").cast(name)

    wanted = pl.col("q").is_in(pl.Series(args.targets).cast(name).implode())
    a, b = pl.col("subject_id").cast(code), pl.col("object_id").cast(code)
    if coded:  # numbers instead of texts, with the namespaces beside them
        edges = pl.scan_csv(args.edges, **texts)
        edges = edges.select(a.alias("a"), b.alias("b"), p=namespace("subject_id"), q=namespace("object_id"))
        edges = edges.collect(engine="streaming").lazy()
        forth, back = edges.select(x="a", y="b", q="q"), edges.select(x="b", y="a", q="p")
    else:
        edges = pl.scan_csv(args.edges, **texts)
        if args.way != "scan":
            edges = pl.read_csv(args.edges, **texts, columns=["subject_id", "object_id"]).lazy()
        forth = edges.select(x=a, y=b, q=namespace("object_id"))
        back = edges.select(x=b, y=a, q=namespace("subject_id"))
    loaded = time.perf_counter()
    directed = args.way.endswith("directed")
    first = back if directed else pl.concat([forth, back])
    second = forth if directed else first
    starts = pl.scan_csv(args.inputs, **texts).unique()
    starts = starts.select(pl.col("id").cast(code), p=namespace("id"))
    near = starts.join(first, left_on="id", right_on="x").filter(pl.col("p") != pl.col("q"))
    if HOPS[args.work] == 1:
        found = near.filter(wanted).select("id", target="y").unique()
    else:
        near = near.collect(engine="streaming").lazy()
        far = second.filter(wanted).select("x", target="y", r="q")
        far = near.join(far, left_on="y", right_on="x").filter(pl.col("r") != pl.col("p"), pl.col("r") != pl.col("q"))
        found = pl.concat([near.filter(wanted).select("id", target="y"), far.select("id", "target")]).unique()
    found = found.cast(pl.String) if coded else found
    found.sink_parquet(args.out, compression="zstd", compression_level=ZSTD)
    return loaded


def polars_sssom(args):
    import polars as pl

    columns = ["subject_id", "predicate_id", "object_id"]
    table = pl.read_csv(args.sssom, separator="\t", quote_char=None, infer_schema=False, comment_prefix="#")
    loaded = time.perf_counter()
    table.select(columns).write_parquet(args.out)
    return loaded


def scipy_cliques(args):
    import numpy as np
    import polars as pl
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    code = pl.Categorical(pl.Categories.random())
    scan = pl.scan_csv(args.edges, separator="\t", quote_char=None, infer_schema=False)
    scan = scan.select(pl.col("subject_id", "object_id").cast(code if args.way == "coded" else pl.String))
    edges = scan.collect(engine="streaming" if args.way == "coded" else "in-memory")
    loaded = time.perf_counter()
    count = len(edges)
    if args.way == "unique":
        nodes = pl.concat([edges["subject_id"], edges["object_id"]]).unique().to_frame("id").with_row_index("n")
        ends = [edges.select(id=c).join(nodes, on="id", how="left", maintain_order="left")["n"] for c in edges.columns]
        a, b = (end.to_numpy() for end in ends)
        nodes = nodes["id"]
        del edges, ends
    else:
        both = pl.concat([edges["subject_id"], edges["object_id"]]).cast(code)
        del edges
        codes = both.to_physical().to_numpy()
        first = np.zeros(codes.max() + 1, np.uint32)
        first[codes] = np.arange(len(codes), dtype=np.uint32)
        nodes = both[first]
        a, b = codes[:count], codes[count:]
        del both, first
    matrix = coo_array((np.ones(count, np.bool_), (a, b)), shape=(len(nodes), len(nodes)))
    _, labels = connected_components(matrix, directed=False)
    found = pl.LazyFrame({"id": nodes, "clique": labels}).with_columns(pl.col("id").cast(pl.String))
    found.sink_parquet(args.out, compression="zstd", compression_level=ZSTD)
    return loaded


def sssom_py(args):
    import logging

    from sssom.parsers import parse_sssom_table

    logging.disable(logging.WARNING)
    table = parse_sssom_table(str(args.sssom)).df
    loaded = time.perf_counter()
    table[["subject_id", "predicate_id", "object_id"]].astype(str).to_parquet(args.out)
    return loaded


# What is asked, in plain Python, for tables that are small.


def python_rows(file, columns):
    with (gzip.open if str(file).endswith(".gz") else open)(file, "rt", newline="") as source:
        lines = (line for line in source if not line.startswith("#"))
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [tuple(row[c] for c in columns) for row in rows]


def python_write(out, names, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*rows)) or [()] * len(names)
    pq.write_table(pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns)}), out)


def python_hops(args):
    beside = {}
    for a, b in python_rows(args.edges, ["subject_id", "object_id"]):
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    loaded = time.perf_counter()
    namespace = lambda curie: curie.partition(":")[0]  # noqa: E731

    def walk(path, found):
        if len(path) > 1 and namespace(path[-1]) in args.targets:
            found.add(path[-1])
        if len(path) <= HOPS[args.work]:
            for node in beside.get(path[-1], ()):
                if namespace(node) not in map(namespace, path):
                    walk([*path, node], found)
        return found

    starts = {id for (id,) in python_rows(args.inputs, ["id"])}
    rows = [(start, target) for start in starts for target in walk([start], set())]
    python_write(args.out, ["id", "target"], rows)
    return loaded


def python_cliques(args):
    edges = python_rows(args.edges, ["subject_id", "object_id"])
    loaded = time.perf_counter()
    above = {}

    def top(node):
        while above.setdefault(node, node) != node:
            above[node] = node = above[above[node]]
        return node

    for a, b in edges:
        above[top(a)] = top(b)
    python_write(args.out, ["id", "clique"], [(node, top(node)) for node in list(above)])
    return loaded


def python_sssom(args):
    columns = ["subject_id", "predicate_id", "object_id"]
    rows = python_rows(args.sssom, columns)
    loaded = time.perf_counter()
    python_write(args.out, columns, rows)
    return loaded


RUN = {
    "duckdb": {"onehop": duckdb_hops, "twohop": duckdb_hops, "cliques": duckdb_cliques},
    "polars": {"onehop": polars_hops, "twohop": polars_hops, "sssom": polars_sssom},
    "scipy": {"cliques": scipy_cliques},
    "sssom-py": {"sssom": sssom_py},
    "python": {"onehop": python_hops, "twohop": python_hops, "cliques": python_cliques, "sssom": python_sssom},
}
IMPORTS = {
    "duckdb": ["duckdb"],
    "polars": ["polars"],
    "scipy": ["numpy", "polars", "scipy.sparse.csgraph"],
    "sssom-py": ["sssom.parsers"],
    "python": ["pyarrow.parquet"],
}


def child(args):
    """In the process that is measured: the work, and when what was done on standard output."""
    for module in IMPORTS[args.engine]:
        __import__(module)
    begin = time.perf_counter()
    loaded = RUN[args.engine][args.work](args)
    print(json.dumps({"load": loaded - begin, "query": time.perf_counter() - loaded}))


def check(args):
    """In a process of its own: how many answers a file holds, and a sum of their hashes that knows no order."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}; SET memory_limit = '{args.duckdb_memory}'")
    con.execute(f"SET temp_directory = '{args.check}.tmp'; SET enable_progress_bar = false")
    file = f"read_parquet('{args.check}')"
    rows = con.execute(f"SELECT count(*) FROM {file}").fetchone()[0]
    if args.work == "cliques":  # whatever a clique is called: by the least identifier of it
        cliques = f"SELECT clique, min(id) AS least, count(*) AS n FROM {file} GROUP BY clique"
        count, most = con.execute(f"SELECT count(*), max(n) FROM ({cliques})").fetchone()
        pairs = f"SELECT id, least FROM {file} JOIN ({cliques}) USING (clique)"
        found = {"cliques": count, "most": most}
    elif args.work == "sssom":
        pairs = f"SELECT subject_id || chr(9) || predicate_id, object_id FROM {file}"
        found = {}
    else:
        pairs = f"SELECT DISTINCT id, target FROM {file} WHERE target IS NOT NULL"
        most = con.execute(f"SELECT max(n) FROM (SELECT count(*) AS n FROM ({pairs}) GROUP BY id)").fetchone()[0]
        found = {"most": most or 0}
    query = f"SELECT count(*), coalesce(sum(hash(a || chr(9) || b)::HUGEINT), 0)::VARCHAR FROM ({pairs}) t(a, b)"
    answers, checksum = con.execute(query).fetchone()
    if args.against:
        other = pairs.replace(str(args.check), str(args.against))
        for sign, one, two in (("only here", pairs, other), ("only there", other, pairs)):
            for pair in con.execute(f"FROM ({one}) EXCEPT FROM ({two}) ORDER BY ALL LIMIT 5").fetchall():
                log(f"{sign}: {' '.join(pair)}")
    print(json.dumps({"answers": answers, "checksum": checksum, "rows": rows, **found}))


# Measuring.


def warm(*files):
    for file in files:
        if file and Path(file).is_file():
            with open(file, "rb", buffering=0) as f:
                buffer = bytearray(1 << 20)
                while f.readinto(buffer):
                    pass


def resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError, ValueError):
        return 0


def gist(errors):
    """The line that names the error, of all that was said."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(error|exception)\b", line, re.IGNORECASE)]
    return " ".join((named or lines)[-1:])[:400]


def measure(argv, timeout, most_rss):
    """Runs one process: seconds, peak RSS in MiB, and what it printed. It is ended for its time or its memory."""
    env = os.environ | {"POLARS_MAX_THREADS": str(THREADS), "TOKIO_WORKER_THREADS": str(THREADS)}
    os.sync()  # so that nobody pays for what the one before has left to write
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(argv, stdout=stdout, stderr=stderr, cwd=HERE, env=env)
        over, why = threading.Event(), []

        def guard():
            while not over.wait(0.2):
                if time.perf_counter() - begin > timeout:
                    why.append(f"did not finish in {timeout:g} s")
                elif resident(process.pid) > most_rss:
                    why.append(f"took more than {most_rss / 1024:.1f} GiB")
                if why:
                    process.kill()
                    return

        watch = threading.Thread(target=guard)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watch.join()
        stdout.seek(0)
        stderr.seek(0)
        rss = usage.ru_maxrss / 1024
        if process.returncode != 0:
            said = why[0] if why else f"exit {process.returncode}: {gist(stderr.read())}"
            return {"wall": wall, "rss": rss, "failed": said}
        return {"wall": wall, "rss": rss, "printed": stdout.read()}


def checked(out, work, duckdb_memory):
    command = [sys.executable, str(HERE / "peers.py"), "--check", str(out), "--work", work]
    done = subprocess.run([*command, "--duckdb-memory", duckdb_memory], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no answer could be read: {gist(done.stderr)}")
    return json.loads(done.stdout)


def attempt(engine, work, way, args, out, timeout=None, keep=False):
    """One try of a peer: what was measured, and the answer."""
    command = [sys.executable, str(HERE / "peers.py"), "--child", "--engine", engine, "--work", work, "--way", way]
    command += ["--edges", str(args.edges), "--inputs", str(args.inputs), "--sssom", str(args.sssom)]
    command += ["--targets", ",".join(args.targets), "--out", str(out)]
    command += ["--duckdb-memory", args.duckdb_memory]
    warm(*((args.sssom,) if work == "sssom" else (args.edges, args.inputs)))
    seen = measure(command, timeout or args.timeout, args.most_rss)
    try:
        if "failed" not in seen:
            seen |= json.loads(seen.pop("printed"))
            seen["answer"] = checked(out, work, args.duckdb_memory)
    except (RuntimeError, ValueError) as error:
        seen["failed"] = str(error)
    finally:
        tidy(out, keep)
    return seen


def tidy(out, keep=False):
    """Takes away what was written, and what a process that was ended has left."""
    if not keep:
        Path(out).unlink(missing_ok=True)
    folder = Path(f"{out}.tmp")
    if folder.is_dir():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def told(engine, work, way, seen):
    name = f"{work} {engine} ({way})"
    if "failed" in seen:
        return f"{name}: {seen['failed']} ({seen['wall']:.1f} s, {seen['rss']:.0f} MiB)"
    parts = f"load {seen['load']:.2f} s, query {seen['query']:.2f} s, " if "load" in seen else ""
    answer = ", ".join(f"{k} {v}" for k, v in seen["answer"].items())
    return f"{name}: {seen['wall']:.2f} s ({parts}{seen['rss']:.0f} MiB): {answer}"


def options(parser):
    """What run.py takes, too."""
    parser.add_argument("--timeout", type=float, default=1800, help="seconds that a try may take")
    parser.add_argument("--most-rss", type=float, default=20 * 1024, help="MiB that a process may take")
    parser.add_argument("--duckdb-memory", default="16GB", help="DuckDB's own limit, beyond which it spills")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--work", choices=WORKS, required=True)
    parser.add_argument("--way", help="one of the engine's ways; all of them without")
    parser.add_argument("--edges", type=Path, default=HERE / "data" / "edges.tsv")
    parser.add_argument("--inputs", type=Path, default=HERE / "data" / "inputs.tsv")
    parser.add_argument("--sssom", type=Path, help="a file of SSSOM")
    parser.add_argument("--targets", help="namespaces [default: uniprot for onehop, refseq,ncbigene for twohop]")
    parser.add_argument("--out", type=Path, default=HERE / "data" / "answer.parquet", help="is written and read")
    parser.add_argument("--keep", action="store_true", help="do not remove it then")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--check", type=Path, help="only tell what a file of answers holds")
    parser.add_argument("--against", type=Path, help="with --check: show some answers that another file has not")
    options(parser)
    args = parser.parse_args()
    args.targets = (args.targets or {"onehop": "uniprot"}.get(args.work, "refseq,ncbigene")).split(",")
    if not args.check and (args.engine, args.work) not in WAYS:
        parser.error(f"--engine: {', '.join(e for e, w in WAYS if w == args.work)} can do {args.work}")
    return args


def main():
    args = arguments()
    if args.check:
        return check(args)
    if args.child:
        return child(args)
    for way in [args.way] if args.way else WAYS[args.engine, args.work]:
        seen = attempt(args.engine, args.work, way, args, args.out, keep=args.keep)
        print(told(args.engine, args.work, way, seen), flush=True)


if __name__ == "__main__":
    main()
