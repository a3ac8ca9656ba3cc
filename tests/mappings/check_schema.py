#!/usr/bin/python3
"""Holds mappings/schema.json against the program's own loader.

usage: check_schema.py LIST_FINDINGS [SOURCE_FOLDER]

LIST_FINDINGS is the program of tests/mappings/list_findings.c. The mappings of tests/mappings are loaded by it
and validated by the schema:

    accepted/   both accept; so they do all of mappings/
    refused/    both refuse. The first line names the code of the finding
    beyond/     the loader refuses, with the code of the first line; a schema cannot see the mistake

A file under accepted/ or beyond/ that is a folder is one mapping of several files.

Each word of the loader's tables (the arrays of RpWord in src/mapping) stands in the schema with a description,
in a file of accepted/, and in the name of a file of refused/, `column.trim.yaml`; and the schema has no other
words. Exits 1 and names each difference.

The schema sees a file as editors do: plain scalars are numbers, booleans and null as in YAML 1.2's core schema,
keys are text. Because to the loader all scalars are text, accepted files must fit when they are read so, too.
"""

import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

# The map of each table of words: how its files are named, and where the schema has it.
CONTEXTS = {
    "TOP_WORDS": ("top", None),
    "ENTITY_WORDS": ("entity", "entity"),
    "COLUMN_WORDS": ("column", "column_words"),
    "REPLACE_WORDS": ("replace", "replace"),
    "BOOLEAN_WORDS": ("boolean", "boolean"),
    "LOOKUP_WORDS": ("lookup", "lookup"),
    "LINK_WORDS": ("link", "link"),
}
TABLE = re.compile(r"static const RpWord (\w+)\[\] = \{(.*?)\n\};", re.DOTALL)
WORD = re.compile(r'\{"(\w+)", RP_YAML_')
CORE = (
    (re.compile(r"(?:~|null|Null|NULL|)\Z"), lambda text: None),
    (re.compile(r"(?:true|True|TRUE)\Z"), lambda text: True),
    (re.compile(r"(?:false|False|FALSE)\Z"), lambda text: False),
    (re.compile(r"[-+]?[0-9]+\Z"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), float),
)


def resolve(node, is_typed):
    """The value of a scalar, as an editor reads it or as text."""
    if node.style is not None:
        return node.value
    for number, (form, read) in enumerate(CORE):
        if form.match(node.value) and (is_typed or number == 0):
            return read(node.value)
    return node.value


def value_of(node, is_typed):
    if isinstance(node, yaml.ScalarNode):
        return resolve(node, is_typed)
    if isinstance(node, yaml.SequenceNode):
        return [value_of(item, is_typed) for item in node.value]
    return {key.value if isinstance(key, yaml.ScalarNode) else "": value_of(value, is_typed)
            for key, value in node.value} if node is not None else None


def read(path, is_typed):
    return value_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), is_typed)


def files_of(path):
    return [path] if path.is_file() else sorted([*path.glob("*.yaml"), *path.glob("*.yml")])


def mappings_of(folder):
    """The mappings in a folder: files, and folders that are one mapping."""
    return sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix in (".yaml", ".yml"))


def load(program, paths):
    """path -> codes that the loader found."""
    done = subprocess.run([program, *map(str, paths)], capture_output=True, text=True, check=True, timeout=60)
    found = {str(path): set() for path in paths}
    for line in done.stdout.splitlines():
        path, code = line.split("\t")[:2]
        if code != "accepted":
            found[path].add(code)
    return {path: found[str(path)] for path in paths}


def expected_code(path):
    first = files_of(path)[0].read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("# ").split(":")[0]


def problems_of(validator, path, is_typed):
    try:
        document = read(path, is_typed)
    except yaml.YAMLError:
        return []  # an editor says it before any schema
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:200]
            for error in validator.iter_errors(document)]


def check_accepted(validator, found):
    for path, codes in found.items():
        if codes:
            yield path, f"the loader refuses it: {', '.join(sorted(codes))}"
        for file in files_of(path):
            for is_typed in (True, False):
                for problem in problems_of(validator, file, is_typed):
                    yield file, f"the schema refuses it{'' if is_typed else ', read as text'}: {problem}"


def check_refused(validator, found, is_seen):
    for path, codes in found.items():
        if expected_code(path) not in codes:
            yield path, f"the loader does not say {expected_code(path)}, but {', '.join(sorted(codes)) or 'nothing'}"
        has_problem = any(problems_of(validator, file, True) for file in files_of(path))
        if has_problem != is_seen:
            yield path, "the schema accepts it" if is_seen else "the schema refuses it: it belongs to refused/"


def words_of(root):
    """table -> words."""
    found = {}
    for path in sorted((root / "src" / "mapping").glob("*.c")):
        for name, body in TABLE.findall(path.read_text(encoding="utf-8")):
            found[name] = WORD.findall(body)
    return found


def used_words(document, used):
    """Adds the words that stand in an accepted mapping to used, as (map, word)."""
    used.update(("top", word) for word in document)
    for link in document.get("links", {}).values():
        used.update(("link", word) for word in link)
    for entity in document.get("entities", {}).values():
        used.update(("entity", word) for word in entity)
        for column in entity["columns"].values():
            if isinstance(column, dict):
                used.update(("column", word) for word in column)
                for inner in ("replace", "boolean", "lookup"):
                    used.update((inner, word) for word in column.get(inner, {}))


def check_words(root, schema, accepted, refused):
    used = set()
    for path in accepted:
        for file in files_of(path):
            used_words(read(file, True), used)
    names = {path.name.rsplit(".", 1)[0].split("-")[0] for path in refused}
    tables = words_of(root)
    for table in sorted(set(tables) ^ set(CONTEXTS)):
        yield "src/mapping", f"the table {table} is {'new' if table in tables else 'gone'}: this test must know of it"
    for table, (context, definition) in CONTEXTS.items():
        properties = (schema["$defs"][definition] if definition else schema)["properties"]
        for word in tables.get(table, []):
            if "description" not in properties.get(word, {}):
                yield "mappings/schema.json", f"the word {context}.{word} lacks a description"
            if (context, word) not in used:
                yield "tests/mappings/accepted", f"no file has the word {context}.{word}"
            if f"{context}.{word}" not in names:
                yield "tests/mappings/refused", f"no file is named for the word {context}.{word}"
        for word in sorted(set(properties) - set(tables.get(table, []))):
            yield "mappings/schema.json", f"{context}.{word} is no word of the loader"


def check(program, root):
    schema = json.loads((root / "mappings" / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    corpus = root / "tests" / "mappings"
    accepted = [*mappings_of(root / "mappings"), *mappings_of(corpus / "accepted")]
    refused, beyond = mappings_of(corpus / "refused"), mappings_of(corpus / "beyond")
    found = load(program, [*accepted, *refused, *beyond])
    yield from check_accepted(validator, {path: found[path] for path in accepted})
    yield from check_refused(validator, {path: found[path] for path in refused}, True)
    yield from check_refused(validator, {path: found[path] for path in beyond}, False)
    yield from check_words(root, schema, accepted, refused)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) == 3 else pathlib.Path(__file__).resolve().parents[2]
    problems = list(check(sys.argv[1], root))
    for place, problem in problems:
        print(f"{place.relative_to(root) if isinstance(place, pathlib.Path) else place}: {problem}")
    if not problems:
        print("mappings/schema.json and the loader accept and refuse the same mappings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
