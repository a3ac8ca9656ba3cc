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


def around_section(path, name):
    """What stands before and after the text between `<!-- name: begin -->` and `<!-- name: end -->`, with these lines.

    Of use before a long measurement too: it fails where there is no such place, or no such file."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    try:
        with open(path, encoding="utf-8") as old:
            before, found_begin, rest = old.read().partition(begin)
    except OSError as problem:
        raise Failure(f"{path}: {problem.strerror}") from None
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise Failure(f"{path} has no lines {begin.strip()} and {end.strip()} in this order")
    return before + begin, end + after


def write_section(path, name, text):
    before, after = around_section(path, name)
    write_file(path, f"{before}\n{text.strip()}\n\n{after}")
