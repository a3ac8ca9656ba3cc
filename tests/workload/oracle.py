"""What the target must hold, worked out from Redis without any code of redis2pg, and what it holds."""

import json

TABLES = ["things", "parts", "notes", "docs", "tags", "steps", "ranks", "events", "visits", "forms",
          "bills", "seats", "slots"]

HASHES = {"visits": [b"v"], "forms": [b"must", b"v"], "bills": [b"state", b"v"], "seats": [b"badge", b"v"],
          "slots": [b"owner", b"seal", b"v"]}


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
    for table, names in HASHES.items():
        for key in keys_of(redis, f"{table[:-1]}:*"):
            has = fields(redis, key)
            if table != "bills" or has.get(b"state") == b"open":
                identity = [] if table == "slots" else [name_of(key)]
                rows[table].append(identity + [text(has.get(name)) for name in names])
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


def may_stand(table, row, wanted, may_expire):
    """Rows that are kept: of visits that expired, and of an identity that no slot gives any more."""
    return (table == "visits" and row[0] in may_expire and all(row[0] != other[0] for other in wanted[table]) or
            table == "slots" and all(row[0] != other[0] for other in wanted[table]))


def differences(wanted, has, may_expire=(), limit=20):
    """Lines that name what is missing (-) and what is too much (+)."""
    lines = []
    for table in TABLES:
        lacking = [row for row in wanted[table] if row not in has[table]]
        extra = [row for row in has[table] if row not in wanted[table] and
                 not may_stand(table, row, wanted, may_expire)]
        lines += [f"{table} - {row}" for row in lacking] + [f"{table} + {row}" for row in extra]
    return lines[:limit] + ([f"… {len(lines)} in all"] if len(lines) > limit else [])
