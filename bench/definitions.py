"""Keys, other constraints and indexes of tables, as the catalogue has them: to compare, drop and build."""

import json

from measuring import psql

# What a table bears; build and drop are null where it stays: a CHECK, and the index of a constraint.
CONSTRAINTS = """
    SELECT contype::text AS kind, conrelid::regclass::text AS "table", conname::text AS name,
        pg_get_constraintdef(oid) AS definition, convalidated AS is_valid,
        CASE WHEN contype IN ('p', 'u', 'x', 'f') THEN
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        END AS build,
        CASE WHEN contype IN ('p', 'u', 'x', 'f') THEN
            format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) END AS drop
    FROM pg_constraint WHERE conrelid = ANY ('{TABLES}'::regclass[])"""
INDEXES = """
    SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid),
        indisvalid AND indisready AND indislive,
        CASE WHEN NOT is_backing THEN pg_get_indexdef(indexrelid) END,
        CASE WHEN NOT is_backing THEN format('DROP INDEX %s', indexrelid::regclass) END
    FROM pg_index, LATERAL (SELECT EXISTS (SELECT FROM pg_constraint
        WHERE conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x')) AS is_backing) l
    WHERE indrelid = ANY ('{TABLES}'::regclass[])"""

# Keys first, which foreign keys need; foreign keys last.
BUILD_ORDER = ["p", "u", "x", "index", "f"]


def definitions(tables):
    """What stands on the tables, in a fixed order."""
    both = f"{CONSTRAINTS} UNION ALL {INDEXES}".replace("TABLES", ",".join(tables))
    return json.loads(psql(f"SELECT coalesce(json_agg(d ORDER BY kind, \"table\", name), '[]') FROM ({both}) d"))


def invalid(found):
    return [each["name"] for each in found if not each["is_valid"]]


def build_statements(found):
    """As a user would write them down from \\d: one after the other."""
    return [each["build"] for kind in BUILD_ORDER for each in found if each["kind"] == kind and each["build"]]


def drop_statements(found):
    return [each["drop"] for kind in reversed(BUILD_ORDER) for each in found if each["kind"] == kind and each["drop"]]
