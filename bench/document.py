"""Results as Markdown, and where they stand in docs/performance.md."""

import os

from measuring import Failure


def markdown_table(head, rows):
    """The first column is text, the others are figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_file(path, text):
    """All of it or nothing."""
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".new", path)


def write_section(path, name, text):
    """Puts text between the comments `<!-- name: begin -->` and `<!-- name: end -->`, in place of what stood there."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    with open(path, encoding="utf-8") as old:
        before, found_begin, rest = old.read().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise Failure(f"{path} has no lines {begin.strip()} and {end.strip()} in this order")
    write_file(path, f"{before}{begin}\n{text.strip()}\n\n{end}{after}")
