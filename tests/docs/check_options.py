#!/usr/bin/python3
"""Compares docs/commands.md with what the built program says with --help.

usage: check_options.py PROGRAM [SOURCE_FOLDER]

The section "Global options" must have a row for each option that every command takes, and the section of a
command (its heading is the command's name in backticks) a row for each option of its own, in the order of the
program, with the same argument. A row begins with "| `--name". The usage line of a command must stand in its
section. Exits 1 and names each difference.
"""

import pathlib
import re
import subprocess
import sys

GLOBAL = "Global options"
HEADING = re.compile(r"^## (.*?)\s*$")
ROW = re.compile(r"^\| `--([a-z0-9-]+)(?:[ =]([^`]+))?`")
HELP_ROW = re.compile(r"^\s+(?:-\w, )?--([a-z0-9-]+)(?:=(\S+))?(?:\s|$)")
COMMAND_ROW = re.compile(r"^  ([a-z]+)\s{2,}\S")


def ask(program, *words):
    """What the program prints for --help."""
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(words)} --help ends with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def read_commands(program):
    """Names of the commands, in their order."""
    lines = ask(program)
    start = lines.index("Commands:") + 1
    return [match.group(1) for line in lines[start:] if (match := COMMAND_ROW.match(line))]


def read_help(program, command):
    """(usage line, options of every command, options of this one); an option is (name, argument or "")."""
    usage, options, own, taken = "", [], [], None
    for line in ask(program, command):
        if line.startswith("  redis2pg ") and not usage:
            usage = line.strip().replace("[OPTION…] ", "")
        elif line.startswith("Options of every command"):
            taken = options
        elif line.startswith("Options of this command"):
            taken = own
        elif line.startswith("Example"):
            break
        elif taken is not None and (match := HELP_ROW.match(line)) and match.group(1) != "help":
            taken.append((match.group(1), match.group(2) or ""))
    return usage, options, own


def read_document(path):
    """Heading -> (text, options) of each section of the second level."""
    sections, title = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := HEADING.match(line):
            title = match.group(1).strip("`")
            sections[title] = ([], [])
        elif title is not None:
            sections[title][0].append(line)
            if match := ROW.match(line):
                sections[title][1].append((match.group(1), (match.group(2) or "").replace("\\|", "|")))
    return {title: ("\n".join(lines), options) for title, (lines, options) in sections.items()}


def show(option):
    return f"--{option[0]} {option[1]}".rstrip()


def compare(title, documented, real):
    """Differences between the rows of a section and the options of the program."""
    for option in real:
        if option not in documented:
            yield f'"{title}" lacks {show(option)}, which the program has'
    for option in documented:
        if option not in real:
            yield f'"{title}" has {show(option)}, which the program has not'
        if documented.count(option) > 1:
            yield f'"{title}" has {show(option)} more than once'
    if sorted(documented) == sorted(real) and documented != real:
        yield f'"{title}": the rows are not in the program\'s order: {", ".join(map(show, real))}'


def check(program, sections):
    commands = read_commands(program)
    if not commands:
        yield "redis2pg --help lists no commands"
    for number, command in enumerate(commands):
        usage, options, own = read_help(program, command)
        if number == 0:
            yield from compare(GLOBAL, sections.get(GLOBAL, ("", []))[1], options)
        if command not in sections:
            yield f'there is no section "## `{command}`"'
            continue
        text, documented = sections[command]
        yield from compare(command, documented, own)
        if usage not in text:
            yield f'"{command}" lacks its usage line: {usage}'
    for title, (_, documented) in sections.items():
        if documented and title != GLOBAL and title not in commands:
            yield f'"{title}" has options, but the program has no such command'


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else pathlib.Path(__file__).resolve().parents[2]
    problems = list(check(sys.argv[1], read_document(root / "docs" / "commands.md")))
    for problem in problems:
        print(f"docs/commands.md: {problem}")
    if not problems:
        print("docs/commands.md has the options that the program has")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
