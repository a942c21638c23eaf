"""Write the table that the pipelines read: CSV of `id,name,value`, the same for the same seed.

    python make_data.py --rows 10000000 --out data/rows-10000000.csv

Every field is taken from a small table by random index and padded with NUL bytes to a fixed width; dropping the padding
gives the text. Of the accessions of UniProt 3 % are in lower case, 3 % isoforms, 1 % none; of the names 4 % have blanks
around them; of the values 2 % are no numbers. Nothing is quoted, as the seed's reader knows no quotes.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

ACCESSIONS, NAMES, VALUES = 50_000, 20_000, 200_000
BLOCK = 500_000
LETTERS, ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
KINDS = ["kinase", "Phosphatase", "receptor subunit", "Interleukin", "zinc finger protein", "Cytochrome P450"]
NO_ACCESSIONS = ["unknown", "Q9ZZZ", "ENSG00000141510", "P0463"]
NO_VALUES = ["NA", "", "<LOD", "n.d."]


def accession(rng):
    pick = lambda letters, n=1: "".join(letters[i] for i in rng.integers(0, len(letters), n))  # noqa: E731
    digit = lambda: str(rng.integers(0, 10))  # noqa: E731
    if rng.random() < 0.5:
        return pick("OPQ") + digit() + pick(ALNUM, 3) + digit()
    ends = [pick(LETTERS) + pick(ALNUM, 2) + digit() for _ in range(2 if rng.random() < 0.5 else 1)]
    return pick("ABCDEFGHIJKLMN") + digit() + "".join(ends)


def tables(rng):
    """The fields that each column takes its values from."""
    ids = [accession(rng) for _ in range(ACCESSIONS)]
    for i, chance in enumerate(rng.random(ACCESSIONS)):
        if chance < 0.03:
            ids[i] = ids[i].lower()
        elif chance < 0.06:
            ids[i] += f"-{rng.integers(1, 20)}"
        elif chance < 0.07:
            ids[i] = NO_ACCESSIONS[i % len(NO_ACCESSIONS)]
    names = [f"{KINDS[i % len(KINDS)]} {i}" for i in range(NAMES)]
    for i, chance in enumerate(rng.random(NAMES)):
        if chance < 0.04:
            names[i] = f" {names[i]}  "
    values = [f"{x:.4f}" for x in rng.normal(0, 100, VALUES)]
    for i in np.flatnonzero(rng.random(VALUES) < 0.02):
        values[i] = NO_VALUES[i % len(NO_VALUES)]
    ends = zip([ids, names, values], [",", ",", "\n"])
    return [np.array([text + end for text in column], "S") for column, end in ends]


def make(rows, out, seed=1):
    rng = np.random.default_rng(seed)
    columns = tables(rng)
    part = Path(f"{out}.part")
    with open(part, "wb") as file:
        file.write(b"id,name,value\n")
        for first in range(0, rows, BLOCK):
            block = np.empty(min(BLOCK, rows - first), [(f"f{i}", column.dtype) for i, column in enumerate(columns)])
            for i, column in enumerate(columns):
                block[f"f{i}"] = column[rng.integers(0, len(column), len(block))]
            padded = block.view(np.uint8)
            file.write(padded[padded != 0])
    os.replace(part, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, default="rows.csv")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    begin = time.perf_counter()
    make(args.rows, args.out, args.seed)
    size = args.out.stat().st_size / 1e6
    print(f"{args.out}: {args.rows:,} rows, {size:,.0f} MB in {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main()
