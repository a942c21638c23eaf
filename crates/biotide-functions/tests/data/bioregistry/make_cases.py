"""What bioregistry 0.15.6 and its curies converter (0.15.7) answer, for the tests of the mode `bioregistry`.

    pip install bioregistry==0.15.6 && python make_cases.py

cases.tsv.gz: CURIEs of the examples, extra examples and decoys of all prefixes, and of odd identifiers, with the
prefix in its spellings: normalize_curie, is_valid_curie, is_standardizable_curie, is_valid_identifier.
iris.tsv.gz: IRIs with the examples: compress, standardize_uri.
ids.tsv.gz: the examples, extra examples and decoys: standardize_identifier, and whether that is valid.
spellings.tsv.gz: prefixes and synonyms in several spellings: normalize_prefix.
"""

import gzip
import random

import bioregistry as b

conv = b.get_default_converter()
registry = b.read_registry()


def write(name, header, rows):
    clean = [row for row in dict.fromkeys(rows) if not any(c in field for field in row for c in "\t\n\r")]
    text = "\n".join("\t".join(row) for row in [header, *clean]) + "\n"
    with open(f"{name}.tsv.gz", "wb") as file:
        file.write(gzip.compress(text.encode(), 9, mtime=0))
    print(name, len(clean))


def flag(value):
    return str(bool(value)).lower()


def normal(curie):
    try:
        return b.normalize_curie(curie) or ""
    except Exception:
        return ""


rng = random.Random(5)
curies, ids, spellings = [], [], []
for prefix, record in registry.items():
    own = [("example", record.get_example())] if record.get_example() else []
    own += [("extra", i) for i in record.example_extras or []] + [("decoy", i) for i in record.example_decoys or []]
    for kind, i in own:
        standard = b.standardize_identifier(prefix, i)
        ids.append((prefix, kind, i, standard, flag(b.is_valid_identifier(prefix, standard))))
    preferred = [record.get_preferred_prefix()] if record.get_preferred_prefix() else []
    for spelling in [prefix, *record.get_synonyms(), *preferred]:
        for written in (
            spelling,
            spelling.upper(),
            spelling.title(),
            spelling.replace(".", " ").replace("_", "-"),
            "".join(c for c in spelling if c not in " -_./"),
            "_".join(spelling.lower().split(".")),
        ):
            spellings.append((written, b.normalize_prefix(written) or ""))
    written = [prefix, prefix.upper(), prefix.title(), prefix.replace(".", " "), *record.get_synonyms(), *preferred]
    banana, peel = record.get_banana(), record.get_banana_peel()
    some = [i for _, i in own][:7] + ["1", "0000001", "TP53", "", "٣٤", " x "]
    for i in some:
        curies += [f"{s}:{i}" for s in rng.sample(written, min(3, len(written)))]
        if banana:
            curies += [f"{prefix}:{banana}{peel}{i}", f"{prefix}:{banana.lower()}_{i}"]
        curies.append(f"{prefix}:{prefix}{peel}{i}")
curies += ["GO_0003993", "x", ":1", "nope:1", "go::1", "go:"]
rows = []
for curie in dict.fromkeys(curies):
    prefix, _, i = curie.partition(":")
    known = b.normalize_prefix(prefix)
    valid = flag(b.is_valid_identifier(known, i)) if known else ""
    rows.append((curie, normal(curie), flag(b.is_valid_curie(curie)), flag(b.is_standardizable_curie(curie)), valid))
write("cases", ("curie", "normal", "valid", "standardizable", "id_valid"), rows)
write("ids", ("prefix", "kind", "id", "standard", "valid"), ids)
write("spellings", ("spelling", "prefix"), spellings)
rng = random.Random(3)
rows = []
for record in conv.records:
    example = b.get_example(record.prefix) or "123"
    for iri in [record.uri_prefix, *rng.sample(record.uri_prefix_synonyms, min(3, len(record.uri_prefix_synonyms)))]:
        for written in (iri + example, iri, iri[:-1]):
            if written and written.strip() == written:
                curie = conv.compress(written) or ""
                known = conv.get_record(curie.split(":", 1)[0]) if curie else None
                rows.append((written, curie, known.uri_prefix + curie.split(":", 1)[1] if known else ""))
write("iris", ("iri", "curie", "standard"), rows)
