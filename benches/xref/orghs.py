"""Makes cross-references of human genes from Debian's r-bioc-org.hs.eg.db: 3.4 million edges of NCBI genes.

The package (37 MB, Artistic-2.0; the content is of NCBI Gene, Ensembl, UniProt, UCSC, OMIM and KEGG, of which the last
two may not be passed on) is fetched by apt-get, and what is made of it stays in `data`. Needs apt-get and dpkg-deb.
"""

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "r-bioc-org.hs.eg.db"
INSIDE = "usr/lib/R/site-library/org.Hs.eg.db/extdata/org.Hs.eg.sqlite"
# Table, column, and what stands before the identifier in its CURIE.
TABLES = [
    ("ensembl", "ensembl_id", "ensembl:"),
    ("ensembl_trans", "trans_id", "ensembl:"),
    ("ensembl_prot", "prot_id", "ensembl:"),
    ("uniprot", "uniprot_id", "uniprot:"),
    ("refseq", "accession", "refseq:"),
    ("accessions", "accession", "genbank:"),
    ("omim", "omim_id", "omim:"),
    ("ucsc", "ucsc_id", "ucsc:"),
    ("ec", "ec_number", "ec:"),
    ("kegg", "path_id", "kegg.pathway:hsa"),
    ("pubmed", "pubmed_id", "pubmed:"),
]


def fetch(folder):
    """The SQLite database out of the package."""
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True, stdout=sys.stderr)
    (package,) = Path(folder).glob(f"{PACKAGE}_*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return Path(folder) / INSIDE


def write(database, edges, inputs):
    base = sqlite3.connect(database)
    counts, starts = {}, set()
    part = edges.with_name(edges.name + ".part")
    with open(part, "w") as file:
        file.write("subject_id\tobject_id\n")
        for table, column, before in TABLES:
            query = f"SELECT DISTINCT g.gene_id, t.{column} FROM {table} t JOIN genes g USING (_id) ORDER BY 1, 2"
            n = 0
            for gene, other in base.execute(query):
                file.write(f"ncbigene:{gene}\t{before}{other}\n")
                n += 1
                if before == "ensembl:":
                    starts.add(before + other)
            counts[table] = n
    os.replace(part, edges)
    picked = sorted(starts)
    random.Random(1).shuffle(picked)
    with open(inputs, "w") as file:
        file.write("id\n")
        file.writelines(f"{start}\n" for start in picked)
    return counts, len(picked)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "data" / "orghs.tsv", help="the edges")
    parser.add_argument("--inputs-out", type=Path, default=HERE / "data" / "orghs-inputs.tsv", help="Ensembl's")
    parser.add_argument("--sqlite", type=Path, help="the database, if it is there already; else it is fetched")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.out.parent) as folder:
        database = args.sqlite or fetch(folder)
        counts, inputs = write(database, args.out, args.inputs_out)
    for table, n in counts.items():
        print(f"{table:14}{n:>10,}")
    print(f"{args.out}: {sum(counts.values()):,} edges; {args.inputs_out}: {inputs:,} identifiers")


if __name__ == "__main__":
    main()
