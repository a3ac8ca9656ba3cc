"""What bench/growth found: limits and tables."""

from document import markdown_table, write_section
from shop_data import circumstances_text, judged, limits_text

MAX_TIME_GROWTH = 1.15    # dearest : cheapest key, over all numbers of keys
MAX_MEMORY_GROWTH = 1.25  # highest : lowest peak over them; what "flat" allows for chance
MAX_MEMORY_MIB = 64


# ---- Limits ----

def spread(lines, name):
    return max(line[name] for line in lines) / min(line[name] for line in lines)


def judge(blocks):
    """Of each strategy. Memory is judged with as many threads as there are by default."""
    usual = {name: lines for name, lines in blocks.items() if name != "cores"}
    limits = []
    for strategy in dict.fromkeys(line["strategy"] for lines in usual.values() for line in lines):
        if keys := [line for line in blocks.get("keys", []) if line["strategy"] == strategy]:
            limits += [(f"{strategy}: time per key, dearest : cheapest", spread(keys, "us_per_key"), MAX_TIME_GROWTH),
                       (f"{strategy}: peak memory, highest : lowest", spread(keys, "peak_mib"), MAX_MEMORY_GROWTH)]
        peak = max(line["peak_mib"] for lines in usual.values() for line in lines if line["strategy"] == strategy)
        limits.append((f"{strategy}: peak memory of all, MiB", peak, MAX_MEMORY_MIB))
    return judged(limits)


# ---- Tables ----

def told_rounds(line):
    return "  ".join(f"{seconds:.2f}" for seconds in line["rounds"])


def keys_table(lines):
    return (["strategy", "keys", "s", "us/key", "CPU us/key", "redis2pg alone", "peak MiB", "rounds, s"],
            [[line["strategy"], f"{line['keys']:,}", f"{line['seconds']:.2f}", f"{line['us_per_key']:.1f}",
              f"{line['cpu_us_per_key']:.1f}", f"{line['tool_cpu_us_per_key']:.2f}", f"{line['peak_mib']:.1f}",
              told_rounds(line)] for line in lines])


def dirty_table(lines):
    clean = {line["strategy"]: line["seconds"] for line in lines if line["percent"] == 0}
    return (["strategy", "faulty", "hashes", "rejects", "s", "us/key", ": clean", "peak MiB", "rounds, s"],
            [[line["strategy"], f"{line['percent']} %", f"{line['faulty']:,}", f"{line['rejects']:,}",
              f"{line['seconds']:.2f}", f"{line['us_per_key']:.1f}", f"{line['seconds'] / clean[line['strategy']]:.2f}",
              f"{line['peak_mib']:.1f}", told_rounds(line)] for line in lines])


def shapes_table(lines):
    return (["strategy", "hashes", "each", "s", "keys/s", "MB/s", "peak MiB", "rounds, s"],
            [[line["strategy"], f"{line['keys']:,}", line["told"], f"{line['seconds']:.2f}",
              f"{line['keys_per_second']:,.0f}", f"{line['mb_per_second']:.1f}", f"{line['peak_mib']:.1f}",
              told_rounds(line)] for line in lines])


def told_cell(line):
    return f"{line['seconds']:.2f} s, {line['keys_per_second']:,.0f}/s, {line['peak_mib']:.0f} MiB"


def cores_table(lines):
    """Mappers down, writers across."""
    writers = sorted({line["writers"] for line in lines})
    cells = {(line["strategy"], line["mappers"], line["writers"]): line for line in lines}
    rows = [[f"{strategy}, {mappers} mapper{'s' if mappers > 1 else ''}",
             *(told_cell(cells[strategy, mappers, n]) for n in writers)]
            for strategy, mappers in dict.fromkeys((line["strategy"], line["mappers"]) for line in lines)]
    return ["", *(f"{n} writer{'s' if n > 1 else ''}" for n in writers)], rows


TABLES = {"keys": keys_table, "dirty": dirty_table, "shapes": shapes_table, "cores": cores_table}


def plain_table(head, rows):
    widths = [max(len(line[place]) for line in [head, *rows]) for place in range(len(head))]
    return "\n".join("  ".join([f"{line[0]:{widths[0]}}", *(f"{cell:>{width}}" for cell, width in
                                                           zip(line[1:], widths[1:]))]) for line in [head, *rows])


def show(result):
    for name, lines in result["blocks"].items():
        print(plain_table(*TABLES[name](lines)) + "\n")
    print(f"{limits_text(result['limits'])}\n\n{circumstances_text(result['circumstances'])}")


def section(name):
    return f"bench/growth {name}"


def write(result, document):
    """A section for each block that was measured; the others stay. The limits go with the keys."""
    for name, lines in result["blocks"].items():
        at = circumstances_text(result["circumstances"])
        told = f"{limits_text(result['limits'])}\n\n{at}" if name == "keys" else at
        table = markdown_table(*TABLES[name](lines))
        write_section(document, section(name), f"{table}\n\n```text\n{told}\n```")
