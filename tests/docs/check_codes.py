#!/usr/bin/python3
"""Checks that docs/mapping.md lists the codes of all findings.

usage: check_codes.py [SOURCE_FOLDER]

A code is the word behind RP_SEVERITY_… or in a call of rp_words_error, in src. In the section "Findings of `check`"
it begins a row, or stands beside others at its beginning. Exits 1 and names each code that has no row, and each row
whose code the program does not have.
"""

import pathlib
import re
import sys

CODE = re.compile(r'RP_SEVERITY_\w+,\s*"(\w+)"|rp_words_error\(\s*loader,[^;]*?"(\w+)",\s*"')
SECTION = re.compile(r"^## Findings of `check`\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| (`[^|]*`) \|", re.MULTILINE)


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((root / "src").rglob("*.c")))
    codes = {"".join(groups) for groups in CODE.findall(sources)}
    section = SECTION.search((root / "docs" / "mapping.md").read_text(encoding="utf-8")).group(1)
    rows = {code for row in ROW.findall(section) for code in re.findall(r"`(\w+)`", row)}
    for code in sorted(codes - rows):
        print(f"docs/mapping.md lists no finding {code}")
    for code in sorted(code for code in rows if f'"{code}"' not in sources):
        print(f"docs/mapping.md lists the finding {code}, which the program does not have")
    if codes <= rows and all(f'"{code}"' in sources for code in rows):
        print(f"docs/mapping.md lists the {len(codes)} codes of findings")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
