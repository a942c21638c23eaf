"""Writes a made-up graph of cross-references, with the degrees of UniProt's idmapping, and identifiers to map.

An accession has 1 to 60 cross-references, 20 on average. Every edge is a function of its accession and its place among
the accession's edges, so that a chunk needs nothing of those before it and memory does not grow with the file (but for
a few bytes an identifier of those the inputs are drawn from). Accessions come in an order in which neighbours have
nothing to do with each other.

Sharing: accessions form families of one to eight, as the isoforms and fragments of a gene do, and half of what a member
refers to is what the family's first one does. Namespaces of hubs (HUBS) are shared by all: few identifiers, many edges.
"""

import argparse
import gzip
import math
import os
import time
from multiprocessing import Pool
from pathlib import Path
from statistics import NormalDist

import numpy as np

# Of a hundred edges, beside the one UniParc entry and the one taxon that each accession has.
SHARES = {
    "ensembl": 18,
    "refseq": 16,
    "ena.embl": 28,
    "ncbigene": 7,
    "kegg.genes": 8,
    "string": 8,
    "uniparc": 4,
    "go": 7,
    "reactome": 2.5,
    "pdb": 1,
    "hgnc": 0.5,
    "ncbitaxon": 0,
}
NAMES = list(SHARES)
HUBS = {"go": 20_000, "ncbitaxon": 30_000, "reactome": 30_000, "pdb": 250_000, "hgnc": 45_000}
MOST = 60  # edges of an accession
PLACES = 64  # numbers of an accession's edges, of which MOST are used
FAMILY = 8
ORGANISMS = ["hsa", "mmu", "rno", "dre", "dme", "cel", "sce", "ath", "eco", "bsu", "mtu", "pfa"]
TAXA = ["9606", "10090", "10116", "7955", "7227", "6239", "4932", "3702", "83333", "224308", "83332", "36329"]
SPECIES = ["HSA", "MMU", "RNO", "DRE", "DME", "CEL", "SCE", "PFA"]
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
ALNUM = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", np.uint8)
DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
FIRST = np.frombuffer(b"ABCDEFGHIJKLMNRSTUVWXYZ", np.uint8)
OPQ = np.frombuffer(b"OPQ", np.uint8)
SPREAD = 12_884_901_893  # prime, so it permutes the numbers below any of the moduli here
CHUNK = 20_000  # accessions
LIMIT = 250_000_000  # beyond it products would not fit 64 bits

SSSOM_HEAD = """\
#curie_map:
{prefixes}#license: https://creativecommons.org/publicdomain/zero/1.0/
#mapping_set_id: https://example.org/biotide/benches/xref
"""
SSSOM_COLUMNS = ["subject_id", "predicate_id", "object_id", "mapping_justification", "confidence"]


def mix(values, seed):
    """A well mixed 64-bit number of each (SplitMix64)."""
    x = values.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def unit(mixed):
    return (mixed >> np.uint64(11)) * 2.0**-53


def spread(numbers, modulus):
    return numbers.astype(np.uint64) * np.uint64(SPREAD) % np.uint64(modulus)


def positional(values, alphabets):
    """Texts of one alphabet a character, the last one counting fastest."""
    out = np.empty((len(values), len(alphabets)), np.uint8)
    for place in range(len(alphabets) - 1, -1, -1):
        base = np.uint64(len(alphabets[place]))
        rest = values // base
        out[:, place] = alphabets[place][values - rest * base]
        values = rest
    return out


def digits(values, width):
    return positional(values, [DIGITS[:10]] * width)


def number(values, width):
    """Digits without leading zeros; NUL, which is dropped in the end, in their place."""
    out = digits(values, width)
    leading = np.logical_and.accumulate(out[:, :-1] == ord("0"), axis=1)
    out[:, :-1][leading] = 0
    return out


def words(choices, picked):
    width = max(map(len, choices))
    table = np.array([c.encode().ljust(width, b"\0") for c in choices], dtype=f"S{width}")
    return table.view(np.uint8).reshape(len(choices), width)[(picked % np.uint64(len(choices))).astype(np.intp)]


def beside(*parts):
    """Puts texts of a fixed width, or one text for all, side by side."""
    n = next(len(p) for p in parts if not isinstance(p, str))
    spelled = [np.tile(np.frombuffer(p.encode(), np.uint8), (n, 1)) if isinstance(p, str) else p for p in parts]
    return np.concatenate(spelled, axis=1)


def accessions(numbers):
    """UniProt accessions, of 6 characters for 15 % and of 10 for the rest."""
    few, which = numbers % np.uint64(20) < 3, numbers // np.uint64(20)
    out = np.zeros((len(numbers), 10), np.uint8)
    short = which[few] * np.uint64(3) + numbers[few] % np.uint64(20)
    shape = [OPQ, DIGITS[:10], ALNUM, ALNUM, ALNUM, DIGITS[:10]]
    out[few, :6] = positional(spread(short, 3 * 10 * 36**3 * 10), shape)
    tail = [LETTERS, ALNUM, ALNUM, DIGITS[:10]]
    shape = [FIRST, DIGITS[:10], *tail, *tail]
    out[~few] = positional(spread(numbers[~few], (26 * 36 * 36 * 10) ** 2), shape)  # all begin with A0, as most do
    return out


def zipf(mixed, kinds):
    """One of few: the commonest of 20,000 gets 2 % of the edges."""
    return np.minimum((unit(mixed) ** 2.5 * kinds).astype(np.uint64), np.uint64(kinds - 1))


def objects(name, numbers, mixed):
    """Identifiers of a namespace, of numbers of edges: different ones of different numbers, but for hubs."""
    if name in HUBS:
        rank, one = zipf(mixed, HUBS[name]), np.uint64(1)
    match name:
        case "ensembl":
            return beside("ENS", words(["G", "T", "P"], numbers), digits(spread(numbers, 10**11), 11))
        case "refseq":
            return beside("NP_", digits(spread(numbers, 10**9), 9))
        case "ena.embl":
            return positional(spread(numbers, 26**3 * 10**5), [LETTERS] * 3 + [DIGITS[:10]] * 5)
        case "ncbigene":
            return number(spread(numbers, 10**9), 9)
        case "kegg.genes":
            return beside(words(ORGANISMS, mixed), ":", number(spread(numbers, 10**9), 9))
        case "string":
            return beside(words(TAXA, mixed), ".ENSP", digits(spread(numbers, 10**11), 11))
        case "uniparc":
            return beside("UPI", positional(spread(numbers, 2**40), [DIGITS] * 10))
        case "go":
            return digits(spread(rank + one, 10**7), 7)
        case "reactome":
            return beside("R-", words(SPECIES, rank), "-", number(spread(rank + one, 10**7), 7))
        case "pdb":
            lower = ALNUM.copy()
            lower[:26] += 32
            return positional(spread(rank, 9 * 36**3), [DIGITS[1:10], lower, lower, lower])
        case "hgnc":
            return number(rank + one, 5)
        case "ncbitaxon":
            return number(spread(rank + one, 10**7), 7)


class Graph:
    def __init__(self, edges, seed, hubs):
        self.edges, self.seed, self.hubs = edges, seed, hubs
        bell = NormalDist()
        steps = [(i + 0.5) / 4096 for i in range(4096)]
        degrees = [round(math.exp(math.log(16) + 0.75 * bell.inv_cdf(q))) for q in steps]
        self.degrees = np.clip(degrees, 1, MOST).astype(np.int64)
        shares = np.array([SHARES[n] for n in NAMES]) / sum(SHARES.values())
        self.bounds = np.cumsum(shares)[:-1]
        kept = 1 - sum(shares[NAMES.index(n)] for n in HUBS)
        mean = self.degrees.mean()
        if not hubs:
            mean = np.mean(1 + np.maximum(self.degrees - 2, 0) * kept)
        self.accessions = math.ceil(edges / mean * 1.02) + 200
        step = int(self.accessions * 0.6180339887) | 1
        while math.gcd(step, self.accessions) != 1:
            step += 2
        self.step = step

    def chunk(self, first, sssom=False):
        """The text of the edges of the accessions from `first` on, how many, and numbers that inputs are drawn from."""
        last = min(first + CHUNK, self.accessions)
        one = np.arange(first, last, dtype=np.uint64) * np.uint64(self.step) % np.uint64(self.accessions)
        count = self.count(one)
        subject = np.repeat(one, count)
        place = np.arange(len(subject)) - np.repeat(np.cumsum(count) - count, count)
        place = place.astype(np.uint64)

        leader = self.leader(one)
        head, most = np.repeat(leader, count), np.repeat(self.count(leader), count)
        half = mix(subject * np.uint64(PLACES) + place, self.seed + 3) & np.uint64(1) == 0
        shared = (head != subject) & (place < most) & (half | (place == 1))
        numbers = np.where(shared, head, subject) * np.uint64(PLACES) + place
        mixed = mix(numbers, self.seed)
        names = np.searchsorted(self.bounds, unit(mix(numbers, self.seed + 1)), side="right")
        names[place == 0] = NAMES.index("uniparc")
        names[place == 1] = NAMES.index("ncbitaxon")
        if not self.hubs:
            kept = ~np.isin(names, [NAMES.index(n) for n in HUBS])
            subject, shared, numbers, mixed, names = (x[kept] for x in (subject, shared, numbers, mixed, names))

        width = 1 + max(map(len, NAMES)) + 21
        texts = np.zeros((len(subject), width), np.uint8)
        for k, name in enumerate(NAMES):
            at = np.flatnonzero(names == k)
            if len(at):
                text = beside(name + ":", objects(name, numbers[at], mixed[at]))
                texts[at, : text.shape[1]] = text
        places = {name: (np.flatnonzero(~shared & (names == NAMES.index(name)))) for name in DRAWN}
        drawn = {name: (at, numbers[at].astype(np.uint32)) for name, at in places.items()}
        if sssom:
            sure = digits(mix(numbers + subject, self.seed + 4) % np.uint64(50) + np.uint64(50), 2)
            line = beside(
                "uniprot:", accessions(subject), "\tskos:exactMatch\t", texts,
                "\tsemapv:UnspecifiedMatching\t0.", sure, "\n",
            )  # fmt: skip
        else:
            line = beside("uniprot:", accessions(subject), "\t", texts, "\n")
        return line[line != 0].tobytes(), len(line), drawn

    def count(self, one):
        return self.degrees[(mix(one, self.seed + 2) & np.uint64(4095)).astype(np.intp)]

    def leader(self, one):
        """The first of the family: the nearest before it that begins one."""
        found = one.copy()
        for _ in range(FAMILY - 1):
            begins = (mix(found, self.seed + 5) % np.uint64(10) < 7) | (found % np.uint64(FAMILY) == 0)
            found = np.where(begins, found, found - np.uint64(1))
        return found


DRAWN = ["ensembl", "ena.embl", "kegg.genes"]


def chunk(task):
    graph, first, sssom = task
    return graph.chunk(first, sssom)


def cut(text, lines):
    at = -1
    for _ in range(lines):
        at = text.index(b"\n", at + 1)
    return text[: at + 1]


def write(graph, out, sssom, processes):
    """The file of edges; returns the numbers of identifiers that are in it."""
    drawn = {name: [] for name in DRAWN}
    part = out.with_name(out.name + ".part")
    left = graph.edges
    opener = gzip.open(part, "wb", compresslevel=1) if out.suffix == ".gz" else open(part, "wb")
    with opener as file, Pool(processes) as pool:
        if sssom:
            prefixes = "".join(f"#  {n}: https://identifiers.org/{n}/\n" for n in ["uniprot", *NAMES])
            file.write(SSSOM_HEAD.format(prefixes=prefixes).encode())
        columns = SSSOM_COLUMNS if sssom else ["subject_id", "object_id"]
        file.write("\t".join(columns).encode() + b"\n")
        starts = range(0, graph.accessions, CHUNK)
        for first in range(0, len(starts), 8):  # some at a time, so that no more than those wait to be written
            tasks = [(graph, start, sssom) for start in starts[first : first + 8]]
            for text, edges, numbers in pool.imap(chunk, tasks):
                if left == 0:
                    break
                if edges > left:
                    text = cut(text, left)
                file.write(text)
                for name, (at, values) in numbers.items():
                    drawn[name].append(values[at < left])
                left -= min(edges, left)
    if left:
        raise SystemExit(f"{left} edges are missing")
    os.replace(part, out)
    return {name: np.concatenate(values) for name, values in drawn.items()}


def curies(name, numbers, seed):
    block = beside(name + ":", objects(name, numbers, mix(numbers, seed)), "\n")
    return block, block.shape[1]


def write_inputs(graph, drawn, rows, out):
    """90 % identifiers of Ensembl that are in the graph, 5 % that are not, 3 % once more, 2 % of other namespaces."""
    rng = np.random.default_rng(graph.seed)
    known, unknown, again = rows * 90 // 100, rows * 5 // 100, rows * 3 // 100
    other = rows - known - unknown - again
    there = drawn["ensembl"]
    picked = rng.choice(there, known, replace=known > len(there))
    parts = [
        ("ensembl", picked),
        ("ensembl", np.arange(unknown) + graph.accessions * PLACES),
        ("ensembl", rng.choice(picked, again)),
        ("ena.embl", rng.choice(drawn["ena.embl"], other // 2)),
        ("kegg.genes", rng.choice(drawn["kegg.genes"], other - other // 2)),
    ]
    kinds = np.concatenate([np.full(len(n), k, np.uint8) for k, (_, n) in enumerate(parts)])
    numbers = np.concatenate([n.astype(np.uint64) for _, n in parts])
    order = rng.permutation(rows)
    part = out.with_name(out.name + ".part")
    with open(part, "wb") as file:
        file.write(b"id\n")
        for first in range(0, rows, 500_000):
            at = order[first : first + 500_000]
            block = np.zeros((len(at), 40), np.uint8)
            for k, (name, _) in enumerate(parts):
                mine = np.flatnonzero(kinds[at] == k)
                if len(mine):
                    text, width = curies(name, numbers[at[mine]], graph.seed)
                    block[mine, :width] = text
            file.write(block[block != 0].tobytes())
    os.replace(part, out)
    return known / max(len(there), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=100_000_000)
    parser.add_argument("--out", type=Path, default=Path("edges.tsv"), help="the edges; gzipped if it ends in .gz")
    parser.add_argument("--inputs", type=int, default=10_000_000, help="identifiers to map")
    parser.add_argument("--inputs-out", type=Path, help="where they go; none are written without")
    parser.add_argument("--no-hubs", action="store_true", help=f"without {', '.join(HUBS)}: components stay small")
    parser.add_argument("--sssom", action="store_true", help="columns of SSSOM, with confidences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, 2))
    args = parser.parse_args()
    if not 100 <= args.edges <= LIMIT:
        parser.error(f"--edges: 100 to {LIMIT}")
    begin = time.perf_counter()
    graph = Graph(args.edges, args.seed, not args.no_hubs)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    drawn = write(graph, args.out, args.sssom, args.processes)
    size = args.out.stat().st_size / 1e6
    print(f"{args.out}: {args.edges:,} edges, {size:,.0f} MB in {time.perf_counter() - begin:.1f} s")
    if args.inputs_out:
        begin = time.perf_counter()
        share = write_inputs(graph, drawn, args.inputs, args.inputs_out)
        print(f"{args.inputs_out}: {args.inputs:,} identifiers in {time.perf_counter() - begin:.1f} s", end="")
        print(f", {share:.0%} of {len(drawn['ensembl']):,} of Ensembl")


if __name__ == "__main__":
    main()
