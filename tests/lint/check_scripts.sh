#!/usr/bin/env bash
# Checks every shell script: those that end in .sh, and those that begin with a shell's name.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v shellcheck >/dev/null; then
    echo "shellcheck is not installed: scripts/setup --tests" >&2
    exit 1
fi
scripts=()
for path in scripts/* .ci/* bench/* tests/lint/* tests/support/initdb; do
    if [[ -f $path ]] && { [[ $path == *.sh ]] || head -n 1 "$path" | grep -Eq '^#!.*\b(ba)?sh\b'; }; then
        scripts+=("$path")
    fi
done
shellcheck "${scripts[@]}"
echo "${#scripts[@]} scripts checked"
