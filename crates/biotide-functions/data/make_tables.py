"""Reduces reference tables to what the identifier functions need: hgnc.tsv.gz and secondary.tsv.gz.

    python make_tables.py hgnc_complete_set_2026-06-20.core11.tsv.gz HGNC_secID2priID.tsv.gz \
        ChEBI_secID2priID.tsv.gz NCBI_secID2priID.zip

The first is HGNC's complete set of approved genes (CC0), the others are sec2pri's tables of secondary identifiers
(HGNC: CC0; ChEBI: CC-BY-4.0, EMBL-EBI; NCBI Gene history of human genes: US public domain).
"""

import csv
import gzip
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent


def rows(path):
    if path.endswith(".zip"):
        archive = zipfile.ZipFile(path)
        file = archive.open(archive.namelist()[0])
    else:
        file = gzip.open(path)
    yield from csv.DictReader(io.TextIOWrapper(file, "utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)


def write(name, lines):
    out = HERE / name
    out.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", 9, mtime=0))
    print(f"{name}: {len(lines)} lines, {out.stat().st_size} bytes")


def digits(identifier):
    return int(identifier.rpartition(":")[2])


def main():
    hgnc, *secondary = sys.argv[1:]
    genes = ["#2026-06-20"]
    for row in sorted(rows(hgnc), key=lambda row: digits(row["hgnc_id"])):
        ensembl = row["ensembl_gene_id"]
        ensembl = str(int(ensembl.removeprefix("ENSG"))) if ensembl else ""
        fields = [str(digits(row["hgnc_id"])), row["symbol"], row["alias_symbol"], row["prev_symbol"], ensembl]
        genes.append("\t".join(fields))
    write("hgnc.tsv.gz", genes)
    retired = []
    for path, (namespace, release) in zip(
        secondary, [("hgnc", "2026-01-06"), ("chebi", "sec2pri d9984b9"), ("ncbigene", "2023-08-14")]
    ):
        retired.append(f"#{namespace}\t{release}")
        primaries = defaultdict(set)
        for row in rows(path):
            primary = row["primaryID"]
            found = primaries[digits(row["secondaryID"])]
            if primary and "Withdrawn" not in primary:
                found.add(digits(primary))
        last = 0
        for identifier, found in sorted(primaries.items()):
            # (Differences take half the bytes.)
            retired.append("\t".join([str(identifier - last), ",".join(map(str, sorted(found)))]).rstrip("\t"))
            last = identifier
    write("secondary.tsv.gz", retired)


if __name__ == "__main__":
    main()
