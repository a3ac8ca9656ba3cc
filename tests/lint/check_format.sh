#!/usr/bin/env bash
# Checks that every C file is as clang-format leaves it.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v clang-format >/dev/null; then
    echo "clang-format is not installed: scripts/setup --tests" >&2
    exit 1
fi
folders=()
for folder in src tests bench; do
    if [[ -d $folder ]]; then
        folders+=("$folder")
    fi
done
find "${folders[@]}" -name '*.[ch]' -print0 | xargs -0 -r clang-format --dry-run -Werror
echo "every C file is formatted"
