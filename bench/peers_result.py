"""What bench/peers found: figures, limits, the table, and the picture."""

import os
import resource
import statistics

from bar_chart import bar_chart
from document import markdown_table, write_file, write_section
from shop_data import circumstances_text, judged, limits_text

MAX_BULK_RATIO = 0.45     # bulk : \copy of CSV
MAX_FLOOR_RATIO = 1.6     # bulk : bare binary \copy, then all keys and indexes
MAX_MERGE_RATIO = 0.8     # merge : \copy of CSV
MIN_PYTHON_RATIO = 7      # the Python script : bulk
MAX_MEMORY_MIB = 64
MAX_BULK_CPU_US = 5       # processor time of redis2pg itself, a key

LABELS = {
    "bulk": "redis2pg run --strategy bulk",
    "merge": "redis2pg run --strategy merge",
    "csv": "psql \\copy of ready CSV",
    "binary": "psql \\copy of ready binary",
    "floor": "floor: bare \\copy, then all keys",
    "python": "Python script, redis-py, psycopg2",
}
OURS = {"bulk", "merge"}
SECTION = "bench/peers"


def summary_of(rounds, name, n_rows):
    each = [one[name] for one in rounds]
    seconds = statistics.median(one["seconds"] for one in each)
    # Linux counts what the forking process held into its child's peak: see measuring.used.
    least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = max(one["peak_mib"] for one in each)
    return {"label": LABELS[name], "seconds": seconds, "rows_per_second": n_rows / seconds,
            "cpu_seconds": {process: statistics.median(one["cpu_seconds"][process] for one in each)
                            for process in ("tool", "postgres", "redis")},
            "peak_mib": peak, "is_peak_less": peak <= least, "rounds": [one["seconds"] for one in each]}


def limits_of(peers, n_rows):
    """Those of which all peers were measured."""
    def ratio(one, other):
        return peers[one]["seconds"] / peers[other]["seconds"]
    limits = [
        ({"bulk", "csv"}, lambda: ("bulk : \\copy of CSV", ratio("bulk", "csv"), MAX_BULK_RATIO)),
        ({"bulk", "floor"}, lambda: ("bulk : the floor", ratio("bulk", "floor"), MAX_FLOOR_RATIO)),
        ({"merge", "csv"}, lambda: ("merge : \\copy of CSV", ratio("merge", "csv"), MAX_MERGE_RATIO)),
        ({"bulk", "python"}, lambda: ("the Python script : bulk", ratio("python", "bulk"), MIN_PYTHON_RATIO,
                                      "at least")),
        ({"bulk"}, lambda: ("peak memory, bulk, MiB", peers["bulk"]["peak_mib"], MAX_MEMORY_MIB)),
        ({"merge"}, lambda: ("peak memory, merge, MiB", peers["merge"]["peak_mib"], MAX_MEMORY_MIB)),
        ({"bulk"}, lambda: ("processor time of redis2pg a key, bulk, us",
                            peers["bulk"]["cpu_seconds"]["tool"] / n_rows * 1e6, MAX_BULK_CPU_US)),
    ]
    return judged([make() for needed, make in limits if needed <= peers.keys()])


def summary(rounds, n_rows):
    peers = {name: summary_of(rounds, name, n_rows) for name in rounds[0]}
    for one in peers.values():
        one["ratio"] = one["seconds"] / peers["csv"]["seconds"] if "csv" in peers else None
    return {"rows": n_rows, "peers": peers, "limits": limits_of(peers, n_rows)}


HEAD = ["", "median s", ": CSV", "rows/s", "CPU s: tool", "PostgreSQL", "Redis", "peak MiB", "rounds, s"]


def cells(one):
    cpu = one["cpu_seconds"]
    ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
    peak = f"{'< ' if one['is_peak_less'] else ''}{one['peak_mib']:.1f}"
    return [one["label"], f"{one['seconds']:.2f}", ratio, f"{one['rows_per_second']:,.0f}", f"{cpu['tool']:.2f}",
            f"{cpu['postgres']:.2f}", f"{cpu['redis']:.2f}", peak,
            "  ".join(f"{seconds:.2f}" for seconds in one["rounds"])]


def notes(result):
    script = result["script"] or {}
    told = ", ".join(f"{name} {version}" for name, version in script.items() if name != "parser")
    return (f"{result['rows']:,} rows; peak memory is the tool's own. The floor builds with "
            f"maintenance_work_mem={result['maintenance_work_mem']}, as redis2pg does."
            + (f"\nThe script: {told}, replies parsed by {script['parser']} parser." if script else ""))


def show(result):
    widths = [34, 8, 6, 9, 11, 10, 7, 8, 0]
    for line in [HEAD, *(cells(one) for one in result["peers"].values())]:
        print("  ".join([f"{line[0]:{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:]))]))
    print(f"\n{notes(result)}\n\n{limits_text(result['limits'])}\n\n{circumstances_text(result['circumstances'])}")


def write(result, document):
    """The table and the limits into the document, the bars beside it; gives both paths."""
    picture = os.path.join(os.path.dirname(document), "performance-peers.svg")
    title = f"{result['rows']:,} Redis keys into PostgreSQL, all keys and indexes in place"
    note = f"seconds, median of {len(result['rounds'])}; less is better; {result['circumstances']['cores']} cores"
    bars = [(one["label"], one["seconds"], f"{one['seconds']:.1f} s", name in OURS)
            for name, one in result["peers"].items()]
    rows = [[row[0].replace("\\", "\\\\"), *row[1:]] for row in map(cells, result["peers"].values())]
    write_section(document, SECTION, "\n\n".join([
        f"![{title}](performance-peers.svg)", markdown_table(HEAD, rows), notes(result),
        f"```text\n{limits_text(result['limits'])}\n\n{circumstances_text(result['circumstances'])}\n```"]))
    write_file(picture, bar_chart(title, note, bars))
    return document, picture
