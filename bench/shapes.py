"""Hashes of other shapes than the shop's: wide, long and small ones, each with a schema and a mapping of its own."""

import collections
import functools
import multiprocessing
import os
import random
import string

from measuring import Failure, output_of, redis, redis_pipeline

LONG_BYTES = 65_536
POOL_BYTES = 4 * 1024 * 1024

# A column, the field that it comes from, by the same name: its SQL type, what a mapping says beside `from`, and its
# value in the n-th hash.
Column = collections.namedtuple("Column", "name sql_type words value_of")
Shape = collections.namedtuple("Shape", "name table told n_hashes columns")


# ---- Values ----

@functools.lru_cache
def text_pool():
    """Words in no order, the same each time: PostgreSQL compresses them about as it does prose."""
    chance = random.Random(7)
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 11))) for _ in range(5000)]
    return " ".join(chance.choices(words, k=POOL_BYTES // 7)).encode()


def long_text(number):
    pool = text_pool()
    start = number * 7919 % (len(pool) - LONG_BYTES)
    return pool[start:start + LONG_BYTES]


def moment(number):
    return b"2025-%02d-%02dT%02d:%02d:%02d.%06d" % (number % 12 + 1, number % 28 + 1, number % 24, number % 60,
                                                    number // 7 % 60, number * 31 % 1_000_000)


KINDS = [
    ("integer", "", lambda number: b"%d" % (number * 17 % 2_000_000_000)),
    ("numeric(12, 2)", "", lambda number: b"%d.%02d" % (number * 13 % 1_000_000, number % 100)),
    ("timestamptz", ", timestamp: iso8601, zone: UTC", moment),
    ("text", "", lambda number: b"value %d of a text" % number),
]


def shifted(value_of, by):
    return lambda number: value_of(number + by)


def wide_columns(n_columns):
    return [Column(f"c{number:03}", sql_type, words, shifted(value_of, number))
            for number in range(1, n_columns + 1) for sql_type, words, value_of in [KINDS[number % len(KINDS)]]]


def shapes(scale):
    def count(n_hashes):
        return max(1, round(n_hashes * scale))
    small = [Column("name", *KINDS[3]), Column("score", *KINDS[0]), Column("seen_at", *KINDS[2])]
    return [
        Shape("wide", "wide_rows", "100 fields", count(20_000), wide_columns(100)),
        Shape("long", "long_values", f"a field of {LONG_BYTES // 1024} KiB", count(5_000),
              [Column("body", "text", "", long_text)]),
        Shape("small", "small_hashes", "3 fields", count(300_000), small),
    ]


# ---- Where they come from and go ----

def create_table(shape):
    columns = ",\n".join(f"    {column.name} {column.sql_type} NOT NULL" for column in shape.columns)
    return f"CREATE TABLE {shape.table} (\n    id text PRIMARY KEY,\n{columns}\n);\n"


def mapping_text(shape):
    columns = "\n".join(f"      {column.name}: {{from: {column.name}{column.words}}}" for column in shape.columns)
    return (f'redis2pg: 1\nentities:\n  {shape.table}:\n    keys: "{shape.name}:{{id}}"\n    type: hash\n'
            f"    table: {shape.table}\n    key: [id]\n    columns:\n      id: $key.id\n{columns}\n")


def prepare(shape, folder):
    """Creates the table; gives the path of the mapping."""
    schema, mapping = (os.path.join(folder, shape.name + suffix) for suffix in (".sql", ".yaml"))
    for path, text in ((schema, create_table(shape)), (mapping, mapping_text(shape))):
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
    output_of(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", schema], "psql -f")
    return mapping


def fill(shape):
    """Writes the hashes into an empty Redis; gives the bytes of their values."""
    redis("FLUSHALL")
    n_bytes = 0

    def commands():
        nonlocal n_bytes
        for number in range(shape.n_hashes):
            words = [b"HSET", b"%b:%08d" % (shape.name.encode(), number)]
            for column in shape.columns:
                value = column.value_of(number)
                n_bytes += len(value)
                words += (column.name.encode(), value)
            yield words

    redis_pipeline(commands(), 100)
    return n_bytes


def fill_apart(shape):
    """fill() in a process of its own: what it holds would else count into the peaks of what we start later."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(fill(shape)))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise Failure(f"hashes of the shape {shape.name} could not be written: see above") from None
    finally:
        child.join()
