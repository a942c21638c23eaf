"""Cross-referencing by Biotide and by its peers, side by side: a markdown table, and whether the answers are the same.

    python run.py --edges 100000000 --inputs 10000000 --memory-limit 1GB

makes the graph if it is missing (see make_graph.py), runs every work by every engine, each in a new process with two
threads, compares the answers, and prints what it took. Biotide's own time to build its index is that of a process that
does nothing else; what its query takes alone is what the process that does both takes longer.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import peers
from peers import HERE, THREADS, WAYS, log

WORKS = ["load", *peers.WORKS]
PEERS = ["duckdb", "polars", "scipy", "sssom-py"]
# Namespaces that the inputs, which are of Ensembl, are mapped to.
TARGETS = {
    "made": {"onehop": ["uniprot"], "twohop": ["refseq", "ncbigene"]},
    "orghs": {"onehop": ["ncbigene"], "twohop": ["uniprot", "omim"]},
}
NAMES = {"onehop": "one hop", "twohop": "two hops", "cliques": "cliques", "sssom": "read SSSOM"}
MOST = 100  # results that xref gives of an input


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--data", choices=list(TARGETS), default="made", help="a made graph, or Debian's human genes")
    parser.add_argument("--edges", type=int, default=100_000_000, help="of the made graph")
    parser.add_argument("--inputs", type=int, default=10_000_000, help="identifiers to map")
    parser.add_argument("--only", default=",".join(WORKS), help="works, with commas between them")
    parser.add_argument("--engines", default=",".join(["biotide", *PEERS]))
    parser.add_argument("--without", default="", help="ways of peers not to try, such as recursive")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory-limit", help="Biotide's, such as 1GB [default: its own]")
    parser.add_argument("--sssom", type=Path, help="a file of SSSOM [default: biomappings' of the tests]")
    parser.add_argument("--sssom-rows", type=int, help="a made file of SSSOM of so many rows instead")
    parser.add_argument("--keep", action="store_true", help="keep data/answer-WORK-ENGINE-WAY.parquet")
    parser.add_argument("--out", type=Path, help="write the tables to this file too")
    peers.options(parser)
    args = parser.parse_args()
    for name, known in (("only", WORKS), ("engines", ["biotide", *PEERS])):
        chosen = getattr(args, name).split(",")
        if unknown := set(chosen) - set(known):
            parser.error(f"--{name}: {', '.join(sorted(unknown))} not among {','.join(known)}")
        setattr(args, name, [x for x in known if x in chosen])
    args.biotide = args.biotide.resolve()
    return args


def make(script, *more):
    command = [sys.executable, HERE / script, *map(str, more)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def data(args):
    """The files of each work, made if they are missing."""
    folder = HERE / "data"
    folder.mkdir(exist_ok=True)
    if args.data == "orghs":
        edges, inputs = folder / "orghs.tsv", folder / "orghs-inputs.tsv"
        if not (edges.exists() and inputs.exists()):
            make("orghs.py", "--out", edges, "--inputs-out", inputs)
        cliques = edges
    else:
        edges, inputs = folder / f"edges-{args.edges}.tsv", folder / f"inputs-{args.edges}-{args.inputs}.tsv"
        cliques = folder / f"cliques-{args.edges}.tsv"
        if {"load", "onehop", "twohop"} & set(args.only) and not (edges.exists() and inputs.exists()):
            size = ["--edges", args.edges, "--inputs", args.inputs]
            make("make_graph.py", *size, "--out", edges, "--inputs-out", inputs)
        if "cliques" in args.only and not cliques.exists():
            make("make_graph.py", "--edges", args.edges, "--out", cliques, "--no-hubs")
    sssom = args.sssom or HERE / "../../tests/data/biomappings/positive.sssom.tsv.gz"
    if args.sssom_rows:
        sssom = folder / f"made-{args.sssom_rows}.sssom.tsv.gz"
        if "sssom" in args.only and not sssom.exists():
            make("make_graph.py", "--edges", args.sssom_rows, "--out", sssom, "--sssom")
    files = {work: (edges, inputs) for work in ("load", "onehop", "twohop")}
    return files | {"cliques": (cliques, inputs), "sssom": (edges, inputs)}, sssom.resolve()


def statements(work, args):
    mapping = f"CREATE MAPPING kb FROM pairs('{args.edges}', subject => 'subject_id', object => 'object_id')"
    if work == "load":
        return mapping
    if work == "cliques":
        return f"SELECT * FROM clique_assign('{args.edges}')"
    if work == "sssom":
        return f"SELECT * FROM read_sssom('{args.sssom}')"
    targets = ", ".join(f"'{t}'" for t in args.targets)
    return (
        f"{mapping}; SELECT i.id, x.target, x.confidence, x.hops FROM '{args.inputs}' i, "
        f"LATERAL xref(i.id, 'kb', targets => [{targets}], max_hops => {peers.HOPS[work]}) x"
    )


def biotide_command(binary, work, args, out, limit):
    command = [str(binary), "sql", statements(work, args), "--threads", str(THREADS), "--quiet"]
    command += ["--temp-dir", str(HERE / "data")] + (["--memory-limit", limit] if limit else [])
    return command if work == "load" else [*command, "-o", str(out)]


def run_biotide(work, args, out):
    """One try of Biotide, as `peers.attempt` for the others."""
    peers.warm(*((args.sssom,) if work == "sssom" else (args.edges, args.inputs)))
    seen = peers.measure(biotide_command(args.biotide, work, args, out, args.memory_limit), args.timeout, args.most_rss)
    try:
        if "failed" not in seen:
            seen.pop("printed")
            seen["answer"] = peers.checked(out, work, args.duckdb_memory) if work != "load" else {}
    except (RuntimeError, ValueError) as error:
        seen["failed"] = str(error)
    finally:
        peers.tidy(out, args.keep)
    return seen


def unable(work, args):
    """What Biotide says to the work over three edges, if it cannot do it."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        edges = "subject_id\tobject_id\nuniprot:P04637\tensembl:ENSG00000141510\nuniprot:P04637\tncbigene:7157\n"
        (folder / "edges.tsv").write_text(edges + "uniprot:P04637\trefseq:NP_000537\n")
        (folder / "inputs.tsv").write_text("id\nensembl:ENSG00000141510\nensembl:ENSG00000000000\n")
        sssom = "subject_id\tpredicate_id\tobject_id\tmapping_justification\n"
        head = "#curie_map:\n#  uniprot: http://example.org/\n#  ncbigene: http://example.org/g\n"
        line = "uniprot:P04637\tskos:exactMatch\tncbigene:7157\tsemapv:UnspecifiedMatching\n"
        (folder / "x.sssom.tsv").write_text(head + sssom + line)
        few = argparse.Namespace(**vars(args))
        few.edges, few.inputs, few.sssom = (folder / n for n in ("edges.tsv", "inputs.tsv", "x.sssom.tsv"))
        few.targets = ["uniprot"] if work == "onehop" else ["refseq", "ncbigene"]
        command = biotide_command(args.biotide, work, few, folder / "out.parquet", None)
        done = subprocess.run(command, capture_output=True, text=True)
    return peers.gist(done.stderr) if done.returncode else None


def middle(tries):
    """Of several tries of the same the one in the middle, by time."""
    failed = [t for t in tries if "failed" in t]
    return failed[0] if failed else sorted(tries, key=lambda t: t["wall"])[(len(tries) - 1) // 2]


def run_work(work, args, trouble):
    """What each engine and way took: {(engine, way): seen}."""
    seen = {}
    if "biotide" in args.engines:
        if why := unable(work, args):
            trouble.append(f"{work}: this biotide cannot do it: {why}")
        else:
            tries = [run_biotide(work, args, answer_file(work, "biotide", "sql")) for _ in range(args.rounds)]
            seen["biotide", "sql"] = middle(tries)
    for engine in args.engines:
        fastest = args.timeout / 3
        for way in WAYS.get((engine, work), []):
            if way in args.without.split(","):
                continue
            tries = []
            for _ in range(args.rounds):
                patience = min(args.timeout, max(60, 3 * fastest))  # no longer for a way than it could be worth
                out = answer_file(work, engine, way)
                tries.append(peers.attempt(engine, work, way, args, out, patience, args.keep))
                if "failed" in tries[-1]:
                    break
            seen[engine, way] = middle(tries)
            if "failed" not in seen[engine, way]:
                fastest = min(fastest, seen[engine, way]["wall"])
    for (engine, way), found in seen.items():
        log(peers.told(engine, work, way, found))
        if "failed" in found:
            trouble.append(f"{work}: {engine} ({way}): {found['failed']}")
    compare(work, seen, trouble)
    return seen


def answer_file(work, engine, way):
    return HERE / "data" / f"answer-{work}-{engine}-{way}.parquet"


def compare(work, seen, trouble):
    """Takes out who answers otherwise than most peers do."""
    key = lambda found: (found["answer"].get("answers"), found["answer"].get("checksum"))  # noqa: E731
    answered = {who: key(found) for who, found in seen.items() if found.get("answer")}
    theirs = [answer for (engine, _), answer in answered.items() if engine != "biotide"] or list(answered.values())
    if not theirs:
        return
    right = max(theirs, key=theirs.count)
    for (engine, way), answer in answered.items():
        if answer != right:
            trouble.append(f"{work}: {engine} ({way}): another answer: {answer[0]} where others have {right[0]}")
            seen[engine, way]["failed"] = "another answer"
    most = max((found["answer"].get("most", 0) for found in seen.values() if found.get("answer")), default=0)
    if work in peers.HOPS and most > MOST:
        trouble.append(f"{work}: an input has {most} results, of which xref gives {MOST}: answers cannot be the same")


def best(seen, engine):
    """The fastest way of an engine that answered rightly."""
    ways = [(found["wall"], way) for (e, way), found in seen.items() if e == engine and "failed" not in found]
    return (min(ways)[1], seen[engine, min(ways)[1]]) if ways else (None, None)


def report(args, results, counts, trouble):
    engines = [e for e in ["biotide", *PEERS] if e in args.engines]
    rows = []
    build = best(results.get("load", {}), "biotide")[1]
    if build:
        rate = f"{build['wall']:.2f} s, {build['rss']:.0f} MiB ({counts['edges'] / build['wall'] / 1e6:.2f} M edges/s)"
        rows.append(["build the index", rate, *["–"] * (len(engines) - 1), "–"])
    for work, seen in results.items():
        if work == "load":
            continue
        found = {engine: best(seen, engine) for engine in engines}
        cells, times = [], {}
        for engine, (way, one) in found.items():
            if one:
                times[engine] = one["wall"]
            named = f" ({way})" if one and engine in ("duckdb", "polars", "scipy") else ""
            cells.append(f"{one['wall']:.2f} s, {one['rss']:.0f} MiB{named}" if one else "–")
        rows.append([NAMES[work], *cells, ratio(times)])
        if work in peers.HOPS:
            times = {engine: one["query"] for engine, (_, one) in found.items() if one and "query" in one}
            if build and found.get("biotide", (None, None))[1]:
                times["biotide"] = max(found["biotide"][1]["wall"] - build["wall"], 1e-3)
            alone = [f"{times[e]:.2f} s" if e in times else "–" for e in engines]
            rows.append([f"{NAMES[work]}, query alone", *alone, ratio(times)])
    text = [table(["work", *engines, "fastest peer ÷ biotide"], rows), ""]
    details = []
    for work, seen in results.items():
        for (engine, way), one in seen.items():
            parts = [f"{one[k]:.2f}" if k in one else "–" for k in ("load", "query")]
            more, end = "–", "–"
            if "failed" not in one and one["answer"]:
                more = ", ".join(
                    f"{k} {one['answer'][k]}" for k in ("answers", "cliques", "most") if k in one["answer"]
                )
                end = one["answer"]["checksum"][-8:]
            times = [f"{one['wall']:.2f}", *parts, f"{one['rss']:.0f}"]
            details.append([work, f"{engine} ({way})", *times, one.get("failed", more), end])
    head = ["work", "engine", "s", "load s", "query s", "peak RSS, MiB", "answers", "checksum, end of it"]
    text += ["All ways:", "", table(head, details)]
    if trouble:
        text += ["", "Trouble:", "", *[f"* {line}" for line in trouble]]
    return "\n".join(text)


def ratio(times):
    theirs = {engine: t for engine, t in times.items() if engine != "biotide"}
    if "biotide" not in times or not theirs:
        return "–"
    engine = min(theirs, key=theirs.get)
    return f"{theirs[engine] / times['biotide']:.2f} × ({engine})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def main():
    args = arguments()
    trouble, results = [], {}
    if "biotide" in args.engines and not args.biotide.exists():
        trouble.append(f"no biotide at {args.biotide}: build it, or name it with --biotide")
        args.engines.remove("biotide")
    wanted = set(args.only)
    if "biotide" in args.engines and {"onehop", "twohop"} & wanted:
        wanted.add("load")  # what their queries take alone is counted from it
    files, args.sssom = data(args)
    for work in [w for w in WORKS if w in wanted]:
        args.edges, args.inputs = files[work]
        args.targets = TARGETS[args.data].get(work, [])
        results[work] = run_work(work, args, trouble)
    graph, inputs = files["load"]
    edges = 0
    if graph.exists():  # which not all works need
        with open(graph, "rb") as file:
            edges = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
    versions = ", ".join(f"{p} {version(p.removesuffix('-py'))}" for p in PEERS if p in args.engines)
    limit = f", biotide's memory limit {args.memory_limit}" if args.memory_limit else ""
    head = f"{edges:,} edges ({graph.name}), {inputs.name}; {versions}{limit}\n\n"
    text = head + report(args, results, {"edges": edges}, trouble)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    ours = [found for seen in results.values() for (engine, _), found in seen.items() if engine == "biotide"]
    sys.exit(any("another answer" in line for line in trouble) or any("failed" in found for found in ours))


if __name__ == "__main__":
    main()
