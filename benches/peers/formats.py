"""The group-by over one table in several coats: plain, gzip, BGZF, zstd, JSON Lines, Latin-1.

    python formats.py --file data/proteins.tsv --rows 3000000

makes the files beside the table (once), runs every engine on each in turn, and prints a markdown table.
"""

import argparse
import csv
import io
import json
import shutil
import statistics
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from run import HERE, PEERS, log, measure, same, table, warm

QUERY = "SELECT panel, count(*), avg(npx) FROM '{f}' GROUP BY panel"
COATS = ["tsv", "tsv.gz", "bgz", "tsv.zst", "jsonl", "latin1.tsv"]


def block(data):
    """A BGZF block (SAM specification, section 4.1)."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    head = struct.pack("<BBBBIBBHBBH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2)
    head += struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def make(args):
    """The files, by their ending."""
    stem = HERE / "data" / f"coats-{args.rows}"
    files = {coat: stem.with_name(f"{stem.name}.{coat}") for coat in COATS}
    plain = files["tsv"]
    if not plain.exists():
        log("making", plain.name)
        with open(args.file, "rb") as source, open(plain, "wb") as out:
            for _ in range(args.rows + 1):
                out.write(source.readline())
    makers = {
        "tsv.gz": lambda out: pipe(["gzip", "-6", "-c", str(plain)], out),
        "tsv.zst": lambda out: pipe(["zstd", "-3", "-q", "-c", str(plain)], out),
        "bgz": lambda out: blocks(plain, out),
        "jsonl": lambda out: subprocess.run([args.biotide, "convert", plain, out, "--quiet"], check=True),
        "latin1.tsv": lambda out: latin(plain, out),
    }
    for coat, maker in makers.items():
        if not files[coat].exists():
            log("making", files[coat].name)
            maker(files[coat])
    return files


def pipe(command, out):
    if shutil.which(command[0]) is None:
        sys.exit(f"{command[0]} is needed to make {out.name}")
    with open(out, "wb") as file:
        subprocess.run(command, stdout=file, check=True)


def blocks(plain, out):
    with open(plain, "rb") as source, open(out, "wb") as file:
        while data := source.read(65280):
            file.write(block(data))
        file.write(block(b""))


def latin(plain, out):
    """Every tenth panel and assay gets a letter beyond ASCII."""
    with open(plain, "rb") as source, open(out, "wb") as file:
        for i, line in enumerate(source):
            file.write(line.replace(b"Cardio", b"Cardi\xf6", 1) if i % 10 == 0 else line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide")
    parser.add_argument("--file", type=Path, default=HERE / "data" / "proteins.tsv")
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--coats", default=",".join(COATS))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    args.biotide, args.file = args.biotide.resolve(), args.file.resolve()
    files = make(args)
    size = files["tsv"].stat().st_size
    rows, trouble = [], []
    for coat in args.coats.split(","):
        file = files[coat]
        times = {engine: [] for engine in ["biotide", *PEERS]}
        answers, rss = {}, {}
        for _ in range(args.rounds):
            warm(file)
            for engine in times:
                if engine == "biotide":
                    query = QUERY.format(f=file)
                    argv = [str(args.biotide), "sql", query, "--output-format", "csv", "--threads", "2", "--quiet"]
                else:
                    argv = [sys.executable, "-m", "engines.formats", engine, str(file)]
                    if coat == "tsv":
                        argv = [sys.executable, "-m", f"engines.{engine}", "groupby", str(file), "-"]
                try:
                    seen, printed = measure(argv)
                except RuntimeError as error:
                    if engine not in answers:
                        answers[engine] = None
                        trouble.append(f"{coat}: {engine}: {str(error)[-160:]}")
                    continue
                times[engine].append(seen["wall"])
                rss[engine] = max(rss.get(engine, 0), seen["rss"])
                if engine == "biotide":
                    found = list(csv.reader(io.StringIO(printed)))[1:]
                    answers[engine] = sorted([p, int(n), float(m)] for p, n, m in found)
                else:
                    answers[engine] = json.loads(printed)
        for engine, answer in answers.items():
            if answer is not None and not same(answer, answers["biotide"]):
                trouble.append(f"{coat}: {engine}: another answer: {str(answer)[:120]}")
        middle = {engine: statistics.median(t) for engine, t in times.items() if t}
        peers = {engine: t for engine, t in middle.items() if engine != "biotide"}
        best = min(peers, key=peers.get) if peers else None
        ratio = f"{peers[best] / middle['biotide']:.2f} × ({best})" if best else "–"
        cells = [f"{middle[e]:.3f}" if e in middle else "–" for e in ["biotide", *PEERS]]
        speed = f"{size / middle['biotide'] / 1e6:,.0f}"
        rows.append([coat, *cells, ratio, speed, f"{rss['biotide']:.0f}"])
        log(rows[-1])
    head = ["coat", "biotide", *PEERS, "fastest peer ÷ biotide", "MB/s of plain text", "peak RSS, MiB"]
    text = f"{args.rows:,} rows, {size / 1e6:,.0f} MB as plain text, {args.rounds} rounds, medians, seconds.\n\n"
    text += table(head, rows) + "\n\n" + "\n".join(f"- {line}" for line in trouble) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
