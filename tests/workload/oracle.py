"""What the target must hold, worked out from Redis without any code of redis2pg, and what it holds."""

import json

TABLES = ["things", "parts", "notes", "docs", "tags", "steps", "ranks", "events"]


def keys_of(redis, pattern):
    cursor, found = 0, set()
    while True:
        cursor, page = redis.ask("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
        found.update(page)
        cursor = int(cursor)
        if cursor == 0:
            return sorted(found)


def name_of(key):
    return key.split(b":", 1)[1].decode()


def text(value):
    return None if value is None else value.decode()


def fields(redis, key):
    flat = redis.ask("HGETALL", key)
    return dict(zip(flat[0::2], flat[1::2]))


def expected(redis):
    """Rows by table, as lists of texts."""
    rows = {table: [] for table in TABLES}
    for key in keys_of(redis, "thing:*"):
        has = fields(redis, key)
        rows["things"].append([name_of(key), text(has.get(b"a")), text(has.get(b"n")), text(has.get(b"b"))])
    for key in keys_of(redis, "part:*"):
        has = fields(redis, key)
        rows["parts"].append([name_of(key), text(has[b"thing"]), text(has.get(b"v"))])
    for key in keys_of(redis, "note:*"):
        rows["notes"].append([name_of(key), text(redis.ask("GET", key))])
    for key in keys_of(redis, "doc:*"):
        for n, item in enumerate(json.loads(redis.ask("GET", key))["items"]):
            rows["docs"].append([name_of(key), str(n), item["v"]])
    for key in keys_of(redis, "tags:*"):
        rows["tags"] += [[name_of(key), text(member)] for member in redis.ask("SMEMBERS", key)]
    for key in keys_of(redis, "steps:*"):
        rows["steps"] += [[name_of(key), str(n), text(value)] for n, value in enumerate(redis.ask("LRANGE", key, 0, -1))]
    for key in keys_of(redis, "rank:*"):
        flat = redis.ask("ZRANGE", key, 0, -1, "WITHSCORES")
        rows["ranks"] += [[name_of(key), text(member), repr(float(score))] for member, score in zip(flat[0::2], flat[1::2])]
    for key in keys_of(redis, "ev:*"):
        for entry, flat in redis.ask("XRANGE", key, "-", "+"):
            has = dict(zip(flat[0::2], flat[1::2]))
            rows["events"].append([name_of(key), text(entry), text(has.get(b"k"))])
    return {table: sorted(rows[table], key=json.dumps) for table in TABLES}


def found(query):
    """The same of PostgreSQL; query gives the text that a statement prints."""
    rows = {}
    for table in TABLES:
        printed = query(f"SELECT coalesce(json_agg(row_to_json(t)), '[]') FROM {table} t")
        rows[table] = [list(row.values()) for row in json.loads(printed)]
        if table == "ranks":
            rows[table] = [[name, member, repr(float(score))] for name, member, score in rows[table]]
        rows[table] = [[value if value is None else str(value) for value in row] for row in rows[table]]
    return {table: sorted(rows[table], key=json.dumps) for table in TABLES}


def differences(wanted, has, limit=20):
    """Lines that name what is missing (-) and what is too much (+)."""
    lines = []
    for table in TABLES:
        lacking = [row for row in wanted[table] if row not in has[table]]
        extra = [row for row in has[table] if row not in wanted[table]]
        lines += [f"{table} - {row}" for row in lacking] + [f"{table} + {row}" for row in extra]
    return lines[:limit] + ([f"… {len(lines)} in all"] if len(lines) > limit else [])
