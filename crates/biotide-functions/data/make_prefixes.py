"""Reduces a snapshot of the Bioregistry to what the identifier functions need: prefixes.json.gz.

    python make_prefixes.py bioregistry-0.15.6.json.gz bioregistry.epm.json.gz 0.15.6

The first file is the registry (its `bioregistry.json`), the second its default converter as an extended prefix
map (`bioregistry.get_default_converter()`). Both are CC0. The rules for pattern, banana, peel and preferred
prefix are those of `bioregistry.schema.Resource`.
"""

import gzip
import json
import sys
from pathlib import Path


def load(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def clean(pattern):
    pattern = pattern.rstrip("?")
    if not pattern.startswith("^"):
        pattern = f"^{pattern}"
    return pattern if pattern.endswith("$") else f"{pattern}$"


def external(record, registry, key):
    return (record.get(registry) or {}).get(key)


def pattern(record):
    if record.get("pattern") is not None:
        return record["pattern"]
    for registry in ("miriam", "wikidata.property", "bartoc"):
        if found := external(record, registry, "pattern"):
            return clean(found)
    return None


def obo_preferred(record):
    foundry = record.get("obofoundry")
    return (foundry.get("preferred_prefix") or foundry["prefix"].upper()) if foundry else None


def embedded(record):
    """Whether the prefix is part of local identifiers."""
    if record.get("namespace_in_lui") is not None:
        return record["namespace_in_lui"]
    miriam = record.get("miriam")
    return miriam["extras"]["namespaceEmbeddedInLui"] if miriam else False


def banana(record):
    if record.get("banana") is not None:
        return record["banana"]
    mapped = record.get("miriam") and embedded(record)
    return obo_preferred(record) if mapped else None


def main():
    registry, converter, version = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3]
    uris = {record["prefix"]: record for record in converter}
    prefixes = []
    for prefix, record in sorted(registry.items()):
        uri = uris.get(prefix, {})
        reduced = {
            "prefix": prefix,
            "preferred": record.get("preferred_prefix") or obo_preferred(record),
            "name": record.get("name"),
            "synonyms": record.get("synonyms"),
            "pattern": pattern(record),
            "banana": banana(record),
            "peel": record.get("banana_peel"),
            "uri_prefix": uri.get("uri_prefix"),
            "uri_prefix_synonyms": uri.get("uri_prefix_synonyms"),
        }
        prefixes.append({key: value for key, value in reduced.items() if value not in (None, [])})
    text = json.dumps({"version": version, "prefixes": prefixes}, ensure_ascii=False, separators=(",", ":"))
    out = Path(__file__).parent / "prefixes.json.gz"
    out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(prefixes)} prefixes, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
