"""Pollutes a clean table in the ways files are polluted in the wild, at every row and column.

The ways are those of Vitagliano et al., *Pollock: A Data Loading Benchmark* (VLDB 2023), and some more.
Yields (way, bytes, dialect): what a careful person would say of the file.
"""

import random

HEADER = ["id", "gene", "uniprot", "npx", "visits", "sampled", "note"]


def clean(rows=40, seed=7):
    """The table: numbers, identifiers, dates, and text with commas and quotes in it."""
    dice = random.Random(seed)
    genes = ["TP53", "MYC", "KRAS", "HLA-A", "IL6", "BRCA1", "C1orf112"]
    notes = ["", "kidney, left", 'called "p53"', "see batch 7", "α-synuclein", "repeat; ok"]
    table = []
    for i in range(rows):
        table.append([
            f"S{i:04d}",
            dice.choice(genes),
            f"P{dice.randrange(10000, 99999)}",
            f"{dice.gauss(0, 2):.4f}",
            str(dice.randrange(0, 9)),
            f"20{dice.randrange(10, 24)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}",
            dice.choice(notes),
        ])
    return table


def cell(value, delimiter=",", quote='"', escape=None):
    if any(sign in value for sign in (delimiter, quote, "\n")) or escape and escape in value:
        return quote + value.replace(quote, (escape or quote) + quote) + quote
    return value


def line(row, **dialect):
    return dialect.get("delimiter", ",").join(cell(value, **dialect) for value in row)


def text(rows, header=HEADER, end="\n", **dialect):
    lines = [line(row, **dialect) for row in ([header] if header else []) + rows]
    return "".join(one + end for one in lines)


def pollutions(table):
    """Every polluted file: (way, bytes, dialect, expected header, expected rows)."""
    usual = {"delim": ",", "quote": '"', "escape": '"', "header": True, "skip": 0}

    def file(way, content, names=HEADER, rows=table, **dialect):
        return way, content.encode(), usual | dialect, names, rows

    whole = text(table)
    yield file("clean", whole)
    yield file("no payload", "", [], [])
    yield file("header only", text([]), rows=[])
    yield file("one row", text(table[:1]), rows=table[:1])
    yield file("two rows", text(table[:2]), rows=table[:2])
    yield file("no final newline", whole[:-1])
    yield file("double final newline", whole + "\n")
    yield file("no header", text(table, None), None, header=False)
    for n in (1, 2, 5, 13):
        lines = "".join(f"Note {i} of the laboratory\n" for i in range(n))
        yield file("preamble", lines + whole, skip=n)
        yield file("comments before", "".join(f"# note {i}, by us\n" for i in range(n)) + whole, skip=n)
    second = ["", "", "", "NPX units", "count", "date", ""]
    joined = [f"{a} {b}".strip() for a, b in zip(HEADER, second)]
    yield file("two header rows", line(HEADER) + "\n" + line(second) + "\n" + text(table, None), joined)
    yield file("second table", whole + "\nx,y\n1,2\n3,4\n")
    yield file("footnote", whole + "* values below the limit are not shown\n")
    for delimiter in (";", "\t", "|", ", "):
        yield file("other delimiter", text(table, delimiter=delimiter), delim=delimiter)
    yield file("other quote", text(table, quote="'"), quote="'", escape="'")
    yield file("other escape", text(table, escape="\\"), escape="\\")
    yield file("line ends", text(table, end="\r\n"))
    yield file("line ends", text(table, end="\r"))
    for r, row in enumerate(table):
        before, after = text(table[:r]), text(table[r + 1:], None)
        cells = [cell(value) for value in row]
        for c in range(len(row)):
            if c > 0:
                cut = ",".join(cells[:c]) + ",".join(cells[c:])
                yield file("missing delimiter", before + cut + "\n" + after)
            more = ",".join(cells[:c]) + ("," if c else "") + "," + ",".join(cells[c:])
            yield file("extra delimiter", before + more + "\n" + after)
            if not cells[c].startswith('"'):
                for name, at in (("start", 0), ("middle", len(cells[c]) // 2), ("end", len(cells[c]))):
                    stray = cells[:c] + [cells[c][:at] + '"' + cells[c][at:]] + cells[c + 1:]
                    yield file(f"stray quote, {name}", before + ",".join(stray) + "\n" + after)
        for other in (";", "\t"):
            yield file("row of other delimiter", before + line(row, delimiter=other) + "\n" + after)
