#!/usr/bin/python3
"""Checks the includes of src/ against layers.txt, and a few rules that every header and test must keep.

usage: check_layers.py [SOURCE_FOLDER]
"""

import fnmatch
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_rules(path):
    """The folders that each folder may include, and (pattern, places) of restricted headers."""
    layers = {}
    headers = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(layer|header)\s+([^\s:]+):\s*(.*)", line)
        if match is None:
            sys.exit(f"{path}:{number}: neither a layer nor a header line")
        kind, name, words = match.group(1), match.group(2), match.group(3).split()
        if kind == "header":
            headers.append((name, words))
            continue
        for word in words:
            if word not in layers:
                sys.exit(f"{path}:{number}: {word} is not a layer above this line")
        layers[name] = {name, *words}
    return layers, headers


def includes(path):
    """(line number, opening mark, name) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match is not None:
            yield number, match.group(1), match.group(2)


def check_quoted(path, folder, name, layers):
    """An include of our own."""
    target = name.split("/")[0] if "/" in name else folder
    if "/" not in name and not (path.parent / name).is_file():
        return f'{name} is not beside the file: write "folder/{name}"'
    if target not in layers[folder]:
        return f"{folder} may not include {name}: {target} is not among its layers"
    if name.endswith("-private.h") and target != folder:
        return f"{name} is private to {target}"
    if name.endswith(".c"):
        return f"{name} is no header"
    return None


def check_angled(relative, folder, name, layers, headers):
    """An include of the system or of a library."""
    if name.split("/")[0] in layers and "/" in name:
        return f'<{name}> is ours: write "{name}"'
    for pattern, places in headers:
        if fnmatch.fnmatch(name, pattern) and folder not in places and relative not in places:
            return f"<{name}> may be included only in {', '.join(places)}"
    return None


def check_source(source, path, layers, headers):
    """The violations of one file of src/."""
    relative = path.relative_to(source).as_posix()
    folder = relative.split("/")[0]
    if folder not in layers:
        yield 1, f"{folder} is not in layers.txt"
        return
    for number, mark, name in includes(path):
        if mark == '"':
            problem = check_quoted(path, folder, name, layers)
        else:
            problem = check_angled(relative, folder, name, layers, headers)
        if problem is not None:
            yield number, problem


def check_test(path):
    """A test sees a file of src/ as everybody else does: through its header."""
    for number, _, name in includes(path):
        if name.endswith(".c"):
            yield number, f"a test includes {name}"


def check_header(path):
    """A header may be included twice."""
    if "\n#pragma once\n" not in "\n" + path.read_text(encoding="utf-8"):
        yield 1, "no #pragma once"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    layers, headers = read_rules(root / "tests" / "lint" / "layers.txt")
    source = root / "src"
    problems = []
    for path in sorted([*source.rglob("*.[ch]"), *(root / "tests").rglob("*.[ch]")]):
        is_source = source in path.parents
        found = list(check_source(source, path, layers, headers) if is_source else check_test(path))
        if path.suffix == ".h":
            found += check_header(path)
        problems += [f"{path.relative_to(root)}:{number}: {text}" for number, text in found]
    print("\n".join(problems) if problems else "every include keeps to its layer")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
