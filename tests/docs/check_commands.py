#!/usr/bin/python3
"""Looks whether the commands in the documents could be given.

usage: check_commands.py PROGRAM [SOURCE_FOLDER]

Each line of a shell block of README.md and docs/*.md that begins with `redis2pg` must name a command that the program
has, and only options that this command takes. Exits 1 and names each that does not.
"""

import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
OPTION = re.compile(r"(?<!\S)--([a-z][a-z0-9-]*)")
HELP_ROW = re.compile(r"^\s+(?:-\w, )?--([a-z0-9-]+)", re.MULTILINE)


def ask(program, *words):
    """What the program prints for --help; None where there is no such command."""
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else None


def commands_of(text):
    """The lines that begin with redis2pg, each with what a backslash joins to it."""
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("redis2pg "):
                yield line.strip()


def check(program, line, known):
    """What is wrong with it, or None."""
    words = [word for word in line.split()[1:] if not word.startswith("-")]
    command = words[0] if words else ""
    if not words:
        return None
    if command not in known:
        text = ask(program, command)
        known[command] = None if text is None else set(HELP_ROW.findall(text)) | {"help", "version"}
    if known[command] is None:
        return f"there is no command {command}"
    unknown = [name for name in OPTION.findall(line.split(" #")[0]) if name not in known[command]]
    return f"{command} has no --{', --'.join(unknown)}" if unknown else None


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    known, problems, n_lines = {}, [], 0
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for line in commands_of(path.read_text(encoding="utf-8")):
            n_lines += 1
            problem = check(program, line, known)
            if problem:
                problems.append(f"{path.relative_to(root)}: {line}: {problem}")
    print("\n".join(problems))
    print(f"{n_lines} commands, {len(problems)} problems")
    return 1 if problems or n_lines == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
