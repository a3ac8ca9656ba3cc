#!/usr/bin/python3
"""Checks that fixtures/ has an example of each reject code and of each type of Redis key.

usage: check_fixtures.py [SOURCE_FOLDER]

The codes are those of src/model/reject.c; an example is an item of `rejects:` in a fixture file that names the code.
The types are those of the mapping language; an example is an entity of that type in a mapping that a fixture
file names. Exits 1 and names what has no example.
"""

import pathlib
import re
import sys

# Codes that no fixture test can give, and why.
EXCEPTIONS = {"delete_blocked": "rows are deleted by sync, which is not there yet"}

CODES = re.compile(r"\[RP_REJECT_\w+\] = \"(\w+)\"")
GIVEN = re.compile(r"\bcode: (\w+)")
MAPPING = re.compile(r"^mapping: (\S+)$", re.MULTILINE)
TYPE = re.compile(r"^\s+type: (\w+)$", re.MULTILINE)
TYPES = ("hash", "string", "json", "list", "set", "zset", "stream")


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    codes = set(CODES.findall((root / "src" / "model" / "reject.c").read_text(encoding="utf-8")))
    given, mappings = set(), set()
    for path in sorted((root / "fixtures").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        given |= set(GIVEN.findall(text))
        mappings |= {(path.parent / name).resolve() for name in MAPPING.findall(text)}
    texts = "\n".join(path.read_text(encoding="utf-8") for path in sorted(mappings))
    types = set(TYPE.findall(texts))
    problems = [f"no fixture expects a reject {code}" for code in sorted(codes - given - set(EXCEPTIONS))]
    problems += [f"fixtures expect a reject {code}, which can never come: {why}"
                 for code, why in EXCEPTIONS.items() if code in given]
    problems += [f"no fixture has a key of type {name}" for name in TYPES if name not in types]
    if re.search(r"^\s+each: ", texts, re.MULTILINE) is None:
        problems.append("no fixture has an entity with each")
    if len(codes) < 20:
        problems.append("the codes were not found in src/model/reject.c")
    print("\n".join(problems) if problems else f"fixtures/ has {len(codes) - len(EXCEPTIONS)} reject codes and every type")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
