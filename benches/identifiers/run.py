"""Identifiers a second on one core: Biotide's SQL functions next to bioregistry, curies, Polars and DuckDB.

Of Biotide, Polars and DuckDB the time of the same query without the function is taken off; bioregistry and curies are
called in a loop over fewer identifiers. Needs `pip install bioregistry==0.15.6 curies==0.15.7 polars duckdb`.
"""

import argparse
import gzip
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"

HERE = Path(__file__).resolve().parent
UNIPROT = r"^([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})$"


def accession(rng):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    middle = "".join(rng.choice(letters) for _ in range(3))
    return f"{rng.choice('OPQ')}{rng.randrange(10)}{middle}{rng.randrange(10)}"


def symbols():
    """All symbols of HGNC's genes, each with a gene."""
    table = gzip.decompress((HERE / "../../crates/biotide-functions/data/hgnc.tsv.gz").read_bytes()).decode()
    found = {}
    for line in table.splitlines()[1:]:
        number, symbol, alias, previous, _ = line.split("\t")
        for name in filter(None, [symbol, *alias.split("|"), *previous.split("|")]):
            found.setdefault(name, f"HGNC:{number}")
    return found


def make(path, rows):
    rng = random.Random(1)
    names = list(symbols())
    prefixes = ["CHEBI", "GO", "HGNC", "UniProtKB", "Entrez Gene", "PMID", "mesh", "doid", "CHEBI:CHEBI", "nope"]
    with open(path, "w") as out:
        out.write("curie\taccession\tcell\tsymbol\n")
        for _ in range(rows):
            one = accession(rng) if rng.random() < 0.9 else accession(rng)[:5]
            cell = ";".join(accession(rng) for _ in range(rng.choice([1, 1, 2, 3])))
            out.write(f"{rng.choice(prefixes)}:{rng.randrange(10**7):07}\t{one}\t{cell}\t{rng.choice(names)}\n")


def best(work, times=3):
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--biotide", type=Path, default=HERE / "../../target/release/biotide", help="the binary")
    parser.add_argument("--rows", type=int, default=5_000_000)
    args = parser.parse_args()
    import bioregistry
    import duckdb
    import polars as pl

    with tempfile.TemporaryDirectory() as folder:
        text, file = f"{folder}/ids.tsv", f"{folder}/ids.parquet"
        make(text, args.rows)
        subprocess.run([args.biotide, "convert", text, file, "--quiet"], check=True)
        frame = pl.read_parquet(file)

        def biotide(column, function):
            def ask(what):
                sql = f"SELECT count({what}) FROM '{file}'"
                command = [args.biotide, "sql", sql, "--threads", "1", "--quiet"]
                return best(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))

            return ask(function) - ask(f"nullif({column}, '')")

        def duck(column, function):
            connection = duckdb.connect(config={"threads": 1})
            ask = lambda what: best(lambda: connection.sql(f"SELECT count({what}) FROM '{file}'").fetchall())  # noqa: E731
            return ask(function) - ask(f"nullif({column}, '')")

        genes = pl.DataFrame({"symbol": list(symbols()), "id": list(symbols().values())})

        def joined():
            connection = duckdb.connect(config={"threads": 1})
            genes.write_parquet(f"{folder}/genes.parquet")
            connection.sql(f"CREATE TABLE genes AS SELECT * FROM '{folder}/genes.parquet'")
            ask = lambda sql: best(lambda: connection.sql(sql).fetchall())  # noqa: E731
            join = f"SELECT count(genes.id) FROM '{file}' AS t LEFT JOIN genes ON genes.symbol = t.symbol"
            return ask(join) - ask(f"SELECT count(nullif(symbol, '')) FROM '{file}'")

        few = frame["curie"].head(200_000).to_list()
        converter = bioregistry.get_default_converter()
        bioregistry.normalize_curie("go:1")
        rate = lambda rows, seconds: f"{rows / max(seconds, 1e-9) / 1e6:.1f}"  # noqa: E731
        print("| work | engine | million a second |\n|---|---|---|")
        for work, engine, rows, seconds in [
            ("curie_normalize", "biotide", args.rows, biotide("curie", "curie_normalize(curie)")),
            ("", "bioregistry", len(few), best(lambda: [bioregistry.normalize_curie(c) for c in few])),
            ("", "curies", len(few), best(lambda: [converter.standardize_curie(c) for c in few])),
            ("UniProt validation", "biotide", args.rows, biotide("accession", "id_is_valid('uniprot', accession)")),
            ("", "polars", args.rows, best(lambda: frame["accession"].str.contains(UNIPROT))),
            ("", "duckdb", args.rows, duck("accession", f"regexp_full_match(accession, '{UNIPROT}')")),
            ("split, validate, standardise", "biotide", args.rows, biotide("cell", "id_split(cell, 'uniprot')")),
            (
                "split and regex",
                "polars",
                args.rows,
                best(lambda: frame.select(pl.col("cell").str.split(";").list.eval(pl.element().str.contains(UNIPROT)))),
            ),
            ("the same, identifiers only", "biotide", args.rows, biotide("cell", "id_list(cell, 'uniprot')")),
            ("symbol_resolve", "biotide", args.rows, biotide("symbol", "symbol_resolve(symbol)")),
            ("join with a table of symbols", "duckdb", args.rows, joined()),
            ("", "polars", args.rows, best(lambda: frame.select("symbol").join(genes, on="symbol", how="left"))),
        ]:
            print(f"| {work} | {engine} | {rate(rows, seconds)} |", flush=True)


if __name__ == "__main__":
    main()
