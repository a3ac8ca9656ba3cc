"""One `redis2pg run`, measured, and refused when it did not do what it should."""

import json
import os

from measuring import Failure, used


def run(program, mapping, strategy, folder, *words):
    """Gives its Usage and its result. Rejects are the caller's to look at."""
    path = os.path.join(folder, "run.json")
    what = f"redis2pg run --strategy {strategy}"
    usage = used([program, "run", "--mapping", mapping, "--strategy", strategy, "--allow-rejects", "--json",
                  "--progress", "none", "--log-level", "error", *words], what, path)
    with open(path, encoding="utf-8") as text:
        result = json.load(text)
    if result["strategy"] != strategy or not result["balanced"]:
        raise Failure(f"{what}: {json.dumps(result)}")
    return usage, result


def run_clean(program, mapping, strategy, folder, expected, *words):
    """As run(), of data without faults; expected has the rows to insert by entity."""
    usage, result = run(program, mapping, strategy, folder, *words)
    inserted = {entity["entity"]: entity["inserted"] for entity in result["entities"]}
    if result["status"] != "completed" or result["rejects"]["total"] != 0 or inserted != expected:
        raise Failure(f"redis2pg run --strategy {strategy}: {expected} should be inserted: {json.dumps(result)}")
    return usage, result
