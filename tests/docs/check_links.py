#!/usr/bin/python3
"""Checks what README.md and docs/*.md point to.

usage: check_links.py [SOURCE_FOLDER]

1. The target of a relative link or picture exists; where it has a fragment (#heading), so does the heading.
2. A file or folder named in backticks with a path exists: `docs/tutorial.md`, from the source folder, or
   `sink/merge.c`, from src/. Names with a `*` must fit something. Text in code blocks is not looked at.
3. In `tests/unit/test_batch.c:reset_leaves_nothing` the word after the colon stands in the file.

Exits 1 and names file and line of each that does not hold.
"""

import pathlib
import re
import sys

LINK = re.compile(r"\[[^\[\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")  # of pictures, too
PICTURE = re.compile(r"<img\b[^>]*\bsrc=\"([^\"]+)\"")
CODE = re.compile(r"`([^`]+)`")
PATH = re.compile(r"([A-Za-z0-9_.*][A-Za-z0-9_.*-]*(?:/[A-Za-z0-9_.*-]+)*/?)(?::([A-Za-z_][A-Za-z0-9_]*))?")
HEADING = re.compile(r"^#{1,6} (.*?)\s*$")
FENCE = re.compile(r"^\s*(```|~~~)")
BUILT = re.compile(r"build[a-z-]*/")  # what a build makes is not in the source folder


def read_lines(path):
    """(number, line) of the lines outside of code blocks."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            yield number, line


def anchors(path):
    """The fragments that a hosting site makes of the headings."""
    found = set()
    for _, line in read_lines(path):
        if match := HEADING.match(line):
            text = re.sub(r"[^\w\- ]", "", match.group(1).lower().replace("`", ""))
            found.add(text.replace(" ", "-"))
    return found


def targets(line):
    """What a line points to. A picture that is a link itself is read from within."""
    found = LINK.findall(line)
    while (inner := LINK.sub("", line)) != line:
        line = inner
        found += LINK.findall(line)
    return found + PICTURE.findall(line)


def check_link(path, target):
    if re.match(r"[a-z]+:", target):
        return None
    name, _, fragment = target.partition("#")
    file = path.parent / name if name else path
    if not file.exists():
        return f"the link {target} leads nowhere"
    if fragment and fragment not in anchors(file):
        return f"the link {target} names a heading that is not there"
    return None


def check_name(root, text):
    match = PATH.fullmatch(text)
    if match is None or "/" not in match.group(1) or BUILT.match(text):
        return None
    name, word = match.groups()
    for base in (root, root / "src"):
        files = sorted(base.glob(name)) if "*" in name else [base / name]
        files = [file for file in files if file.exists()]
        if files and name.endswith("/") and not files[0].is_dir():
            return f"`{name}` is no folder"
        if files and word is not None and not holds(files[0], word):
            return f"`{name}` holds no \"{word}\""
        if files:
            return None
    return f"`{name}` is not there"


def holds(file, word):
    return file.is_file() and re.search(rf"\b{word}\b", file.read_text(encoding="utf-8")) is not None


def check(root, path):
    for number, line in read_lines(path):
        problems = [check_name(root, text) for text in CODE.findall(line)]
        problems += [check_link(path, target) for target in targets(CODE.sub("", line))]
        for problem in problems:
            if problem is not None:
                yield f"{path.relative_to(root)}:{number}: {problem}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    documents = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    problems = [problem for path in documents for problem in check(root, path)]
    print("\n".join(problems) if problems else f"{len(documents)} documents point to what is there")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
