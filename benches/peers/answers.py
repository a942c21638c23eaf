"""Asks Biotide and DuckDB the same made-up questions about the same made-up tables, and compares the rows.

Only what SQL and both dialects agree on is asked: valid rows, integers and texts, no sums of floats, an order
wherever rows are counted off. Biotide answers under any memory limit, threads and rows of a batch.
"""

import argparse
import csv
import io
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
WORDS = ["", "a", "TP53", "naïve α", "x y", 'say "hi"', "tab\tstop", "comma,stop", "long " * 40]


def make_table(rng, path):
    delimiter = rng.choice(["\t", ",", ";"])
    rows = rng.randrange(1, 40_000)
    keys = rng.randrange(1, 5000)
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(["\n", "\r\n"]))
        writer.writerow(["id", "key", "text", "value"])
        for i in range(rows):
            value = "" if rng.random() < 0.05 else rng.randrange(-(10**6), 10**6)
            # An empty text is NULL to DuckDB, so there is none.
            text = rng.choice(WORDS[1:]) + str(rng.randrange(keys))
            writer.writerow([i, rng.randrange(keys), text, value])
    return delimiter


def question(rng):
    where = rng.choice(["true", "value > 0", "id % 3 = 1", "text LIKE '%5%'", "value IS NULL OR key < 50"])
    rows = f"(SELECT * FROM {{f}} WHERE {where}) r"
    n = rng.randrange(1, 3000)
    return rng.choice(
        [
            f"SELECT * FROM {rows}",
            f"SELECT count(*), sum(value), min(text), max(id), count(value) FROM {rows}",
            f"SELECT key, count(*), sum(value), min(text) FROM {rows} GROUP BY key",
            f"SELECT count(DISTINCT key), count(DISTINCT text), sum(DISTINCT value), count(*) FROM {rows}",
            f"SELECT key % 5, count(DISTINCT text) FILTER (WHERE value > 0), count(DISTINCT id) FROM {rows} GROUP BY 1",
            f"SELECT id, text FROM {rows} ORDER BY value NULLS LAST, id LIMIT {n}",
            f"SELECT DISTINCT key, text FROM {rows}",
            f"SELECT r.id, o.id FROM {rows} JOIN {{f}} o ON o.id = r.value % 1000 AND o.key <> r.key",
            f"SELECT r.id, o.text FROM {rows} LEFT JOIN {{f}} o ON o.id = r.key * 7",
            f"SELECT id, rank() OVER (PARTITION BY key ORDER BY value NULLS LAST, id), "
            f"sum(value) OVER (PARTITION BY key), max(id) OVER (PARTITION BY key) FROM {rows}",
            f"SELECT id, lag(value) OVER (ORDER BY id), ntile(7) OVER (PARTITION BY key % 3 ORDER BY id) FROM {rows}",
            f"SELECT id FROM {rows} WHERE EXISTS (SELECT 1 FROM {{f}} o WHERE o.id = r.id + 1 AND o.key = r.key)",
            f"SELECT id FROM {rows} WHERE key NOT IN (SELECT key FROM {{f}} WHERE value > 990000 AND key IS NOT NULL)",
        ]
    )


def biotide(args, rng, sql, path):
    way = ["--threads", rng.choice("1237"), "--batch-size", rng.choice(["100", "1024", "8192"])]
    way += ["--memory-limit", rng.choice(["64MB", "100MB", "1GB"]), "--quiet"]
    command = [args.biotide, "sql", sql.format(f=f"'{path}'"), *way]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        return way, None, done.stderr
    return way, sorted(map(tuple, list(csv.reader(io.StringIO(done.stdout)))[1:])), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    wrong = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in range(args.cases):
            rng = random.Random(args.seed * 1_000_003 + case)
            path = Path(folder) / f"t{case}.csv"
            delimiter = make_table(rng, path)
            sql = question(rng)
            table = f"read_csv('{path}', delim = '{delimiter}', header = true, quote = '\"', escape = '\"')"
            text = lambda value: "" if value is None else str(value)  # noqa: E731
            expected = duckdb.sql(sql.format(f=table)).fetchall()
            expected = sorted(tuple(map(text, row)) for row in expected)
            way, rows, said = biotide(args, rng, sql, path)
            if rows is None and "memory limit" in said:
                refused += 1
            elif rows != expected:
                wrong += 1
                counts = f"{len(rows or [])} rows, expected {len(expected)}"
                print(f"case {case}: {' '.join(way)}\n  {sql}\n  {counts} {said[-300:]}")
                for ours, theirs in zip(rows or [], expected):
                    if ours != theirs:
                        print(f"  {ours}\n  {theirs}")
                        break
            path.unlink()
    print(f"{args.cases} questions: {wrong} answered otherwise, {refused} refused for their memory limit")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
