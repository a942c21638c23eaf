"""Write a made-up long protein table, shaped like UK Biobank's Olink data, as TSV.

Every column is text taken from a small table of its values by random index; the
fields of a block lie side by side in a fixed-width record padded with NUL bytes,
and dropping the padding gives the text.
"""

import argparse
import os
import time

import numpy as np

COLUMNS = [
    "eid", "visit", "assay", "uniprot", "panel", "olink_id",
    "plate_id", "well", "npx", "lod", "qc_warning", "sample_date",
]  # fmt: skip
PANELS = [
    f"{name}{part}"
    for name in ("Cardiometabolic", "Inflammation", "Neurology", "Oncology")
    for part in ("", " II")
]
ASSAYS = 3000
PLATES = 1200
NA_SHARE = 0.02
WARN_SHARE = 0.03
BLOCK = 250_000
LOW, HIGH = -99_999, 159_999  # npx and lod, in units of 0.0001


def distinct(make, n):
    seen = {}
    while len(seen) < n:
        seen.setdefault(make())
    return list(seen)


def decimals(units):
    return f"{'-' if units < 0 else ''}{abs(units) // 10_000}.{abs(units) % 10_000:04d}"


def text(values):
    return np.array(values, dtype="S")


class Table:
    def __init__(self, rows, seed, by_sample):
        self.rng = rng = np.random.default_rng(seed)
        self.by_sample = by_sample
        letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        alnum = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))

        def symbol():
            stem = "".join(rng.choice(letters, rng.integers(3, 6)))
            return stem + str(rng.integers(1, 30)) if rng.random() < 0.6 else stem

        def accession():
            middle = "".join(rng.choice(alnum, 3))
            return f"{rng.choice(['O', 'P', 'Q'])}{rng.integers(10)}{middle}{rng.integers(10)}"

        accessions = distinct(accession, ASSAYS + 40)
        uniprot = accessions[:ASSAYS]
        for i, second in enumerate(accessions[ASSAYS:]):
            uniprot[i * 70] += "_" + second
        self.assay = text(distinct(lambda: s if (s := symbol()) != "NAN" else "NANS", ASSAYS))
        self.uniprot = text(uniprot)
        self.panel = text(PANELS)[np.arange(ASSAYS) % len(PANELS)]
        self.olink_id = text([f"OID{20049 + i}" for i in range(ASSAYS)])
        self.mean = rng.normal(0, 0.4, ASSAYS)
        self.lod = rng.normal(-2, 0.8, ASSAYS)

        # A sample is one person's visit: it has one eid, visit, plate, well and date.
        n = max(rows // ASSAYS, 1) + 1
        days = np.datetime64("2007-03-01") + rng.integers(0, 5000, n)
        self.eid = (1_000_000 + rng.permutation(5_000_000)[:n]).astype("S7")
        self.visit = text(["0", "1", "2", "3"])[rng.choice(4, n, p=[0.85, 0.05, 0.07, 0.03])]
        self.plate = rng.integers(0, PLATES, n)
        self.plate_id = text([f"P{i:04d}" for i in range(PLATES)])
        self.well = text([f"{r}{c:02d}" for r in "ABCDEFGH" for c in range(1, 13)])[rng.integers(0, 96, n)]
        self.sample_date = days.astype("S10")

        self.number = text([decimals(u) for u in range(LOW, HIGH + 1)] + ["NA"])
        self.qc_warning = text(["PASS", "WARN"])

    def numbers(self, values):
        return np.clip(np.rint(values * 10_000).astype(np.int64), LOW, HIGH) - LOW

    def block(self, first, n):
        rng = self.rng
        if self.by_sample:
            sample, assay = np.divmod(np.arange(first, first + n), ASSAYS)
        else:
            sample, assay = rng.integers(0, len(self.eid), n), rng.integers(0, ASSAYS, n)
        npx = self.numbers(self.mean[assay] + rng.standard_normal(n))
        npx[rng.random(n) < NA_SHARE] = len(self.number) - 1
        plate = self.plate[sample]
        lod = self.numbers(self.lod[assay] + (plate * 37 + assay * 11) % 1000 / 5000)
        fields = [
            self.eid[sample], self.visit[sample], self.assay[assay], self.uniprot[assay],
            self.panel[assay], self.olink_id[assay], self.plate_id[plate], self.well[sample],
            self.number[npx], self.number[lod],
            self.qc_warning[(rng.random(n) < WARN_SHARE).astype(np.int64)],
            self.sample_date[sample],
        ]  # fmt: skip
        record = []
        for name, field in zip(COLUMNS, fields):
            record += [(name, field.dtype), ("end_" + name, "S1")]
        out = np.empty(n, dtype=record)
        for name, field in zip(COLUMNS, fields):
            out[name] = field
            out["end_" + name] = b"\n" if name == COLUMNS[-1] else b"\t"
        padded = out.view(np.uint8)
        return padded[padded != 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--out", default="proteins.tsv")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by-sample", action="store_true", help="rows sorted by sample, not in random order")
    args = parser.parse_args()

    start = time.perf_counter()
    table = Table(args.rows, args.seed, args.by_sample)
    part = args.out + ".part"
    with open(part, "wb") as file:
        file.write("\t".join(COLUMNS).encode() + b"\n")
        for first in range(0, args.rows, BLOCK):
            file.write(table.block(first, min(BLOCK, args.rows - first)))
    os.replace(part, args.out)
    size = os.path.getsize(args.out) / 1e6
    print(f"{args.out}: {args.rows:,} rows, {size:,.0f} MB in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
