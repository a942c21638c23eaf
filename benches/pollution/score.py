"""Scores readers on polluted files: header, records and cells, precision and recall against the clean table.

    ../peers/.venv/bin/python score.py [--every N] [--out FILE]

Each reader reads each file twice: told nothing, and told the dialect, both times in its most forgiving mode.
The F1 of a measure is averaged over the files of a way, then over the ways.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pollute

HERE = Path(__file__).resolve().parent


def normal(value):
    """A value as it is compared: numbers by size, nothing as the empty text."""
    if value is None:
        return ""
    text = str(value)
    try:
        return repr(float(text))
    except ValueError:
        return text.removesuffix(" 00:00:00")


def biotide(binary, file, dialect):
    arguments = [f"'{file}'", "on_error => 'lenient'"]
    if dialect:
        given = {
            "delimiter": dialect["delim"],
            "quote": dialect["quote"],
            "header": dialect["header"],
            "skip_rows": dialect["skip"],
        }
        if dialect["escape"] != dialect["quote"]:
            given["escape"] = dialect["escape"]
        for name, value in given.items():
            value = json.dumps(value) if not isinstance(value, str) else "'" + value.replace("'", "''") + "'"
            arguments.append(f"{name} => {value}")
    query = f"SELECT * FROM read_csv({', '.join(arguments)})"
    run = subprocess.run([binary, "sql", query, "--quiet", "--output-format", "csv"], capture_output=True)
    if run.returncode:
        return [], []
    rows = list(csv.reader(io.StringIO(run.stdout.decode())))
    return (rows[0], rows[1:]) if rows else ([], [])


def duckdb(_, file, dialect):
    import duckdb as peer

    options = "null_padding = true, ignore_errors = true, strict_mode = false"
    if dialect:
        quoted = lambda text: "'" + text.replace("'", "''") + "'"
        options += f", delim = {quoted(dialect['delim'])}, quote = {quoted(dialect['quote'])}"
        options += f", escape = {quoted(dialect['escape'])}, header = {str(dialect['header']).lower()}"
        options += f", skip = {dialect['skip']}"
    try:
        answer = peer.connect().execute(f"SELECT * FROM read_csv('{file}', {options})")
        return [column[0] for column in answer.description], answer.fetchall()
    except peer.Error:
        return [], []


def f1(found, expected):
    if not found and not expected:
        return 1.0
    hits = sum((Counter(found) & Counter(expected)).values())
    if not hits:
        return 0.0
    precision, recall = hits / len(found), hits / len(expected)
    return 2 * precision * recall / (precision + recall)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", default=str(HERE / "../../target/release/biotide"))
    parser.add_argument("--every", type=int, default=1, help="only every N-th file of the many")
    parser.add_argument("--ways", default="")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    readers = {"biotide": biotide, "duckdb": duckdb}
    scores = defaultdict(lambda: defaultdict(list))
    files = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for i, (way, content, dialect, header, rows) in enumerate(pollute.pollutions(pollute.clean())):
            files[way] += 1
            if files[way] > 5 and files[way] % args.every or args.ways and way not in args.ways.split("|"):
                continue
            file = Path(folder) / f"f{i}.csv"
            file.write_bytes(content)
            expected = [tuple(map(normal, row)) for row in rows]
            cells = [(c, value) for row in expected for c, value in enumerate(row)]
            for reader, read in readers.items():
                for told in (False, True):
                    names, found = read(args.biotide, file, dialect if told else None)
                    found = [tuple(map(normal, row)) for row in found]
                    scores[way][reader, told].append((
                        f1(names, header) if header is not None else 1.0,
                        f1(found, expected),
                        f1([(c, value) for row in found for c, value in enumerate(row)], cells),
                    ))
            file.unlink()
            if i % 200 == 0:
                print(i, way, file=sys.stderr, flush=True)
    columns = [("biotide", False), ("duckdb", False), ("biotide", True), ("duckdb", True)]
    head = ["pollution", "files", *(f"{r}, {'told' if t else 'not told'}" for r, t in columns)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]

    def mean(values):
        return sum(values) / len(values)

    total = defaultdict(list)
    for way, by in scores.items():
        cells = [way, str(len(by[columns[0]]))]
        for column in columns:
            parts = [mean([score[k] for score in by[column]]) for k in range(3)]
            total[column].append(parts)
            cells.append(" / ".join(f"{part:.2f}" for part in parts))
        lines.append("| " + " | ".join(cells) + " |")
    cells = ["**all ways**", str(sum(len(by[columns[0]]) for by in scores.values()))]
    for column in columns:
        parts = [mean([p[k] for p in total[column]]) for k in range(3)]
        cells.append("**" + " / ".join(f"{part:.3f}" for part in parts) + "**")
    lines.append("| " + " | ".join(cells) + " |")
    text = "F1 of header / records / cells.\n\n" + "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
