#!/usr/bin/env python3
"""What bench/peers holds redis2pg against: the script that one writes for such a move, with redis-py and psycopg2.

Reads the shop's hashes of $REDIS2PG_REDIS_URL in pipelines and copies them into the tables of
$REDIS2PG_POSTGRES_URL, parents first. It does to the values what mappings/shop.yaml says, and skips, counts and
names rows that are bad by themselves. Unlike redis2pg it keeps no account, cannot be resumed or undone, and an
orphan or a duplicate ends it.
"""

import csv
import datetime
import decimal
import io
import itertools
import json
import os
import re
import sys
import uuid

import psycopg2
import redis

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "redis2pg.invalid")
PAGE = 1000     # keys a SCAN is asked for, and reads sent at a time
BATCH = 10_000  # rows a COPY

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
URL = re.compile(r"https?://\S+", re.IGNORECASE)
CURRENCY = re.compile(r"[A-Z]{3}")
JOB_TYPES = {"functional", "load", "security", "ui", "api", "regression"}
PRIORITIES = {"low", "normal", "high", "urgent"}
ORDER_STATUSES = {"pending", "paid", "processing", "completed", "failed", "cancelled", "refunded", "expired"}
PAYMENT_STATUSES = {"pending", "completed", "failed", "refunded"}
CENTS = decimal.Decimal("0.01")
MAX_AMOUNT = decimal.Decimal(10) ** 8


# ---- Values ----

def uuid_of(kind, name):
    return uuid.uuid5(NAMESPACE, f"{kind}:{name}")


def text_id(value):
    if not 0 < len(value) <= 255:
        raise ValueError("an id has 1 to 255 characters")
    return value


def timestamp(value):
    moment = datetime.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment


def amount(value):
    number = decimal.Decimal(value)
    if not 0 <= number < MAX_AMOUNT or number != number.quantize(CENTS):
        raise ValueError(f"no amount: {value}")
    return number


def json_object(value):
    if not isinstance(json.loads(value), dict):
        raise ValueError("no JSON object")
    return value


def matching(pattern, value):
    if value and not pattern.fullmatch(value):
        raise ValueError(f"unexpected form: {value}")
    return value or None


def one_of(values, value):
    if value not in values:
        raise ValueError(f"unknown: {value}")
    return value


# ---- Rows ----

def user(customer_id, fields):
    return (
        uuid_of("customer", customer_id),
        text_id(customer_id),
        matching(EMAIL, fields.get("email", "").strip().lower()),
        json_object(fields.get("profile_data", "{}")),
        timestamp(fields["created_at"]),
    )


def order(order_id, fields):
    quantity = int(fields["quantity"])
    created_at = timestamp(fields["created_at"])
    expires_at = timestamp(fields["expires_at"]) if "expires_at" in fields else None
    status = fields["status"]
    if fields["order_id"] != order_id:
        raise ValueError("order_id is not that of the key")
    if not 1 <= quantity <= 1000:
        raise ValueError(f"quantity {quantity}")
    if expires_at is not None and expires_at <= created_at:
        raise ValueError("expired before it was created")
    return (
        uuid_of("order", order_id),
        text_id(order_id),
        uuid_of("customer", fields["customer_id"]),
        one_of(JOB_TYPES, fields["job_type"]),
        quantity,
        one_of(PRIORITIES, fields.get("priority") or "normal"),
        json_object(fields.get("parameters", "{}")),
        matching(URL, fields.get("notification_webhook")),
        amount(fields["total_amount"]),
        matching(CURRENCY, fields.get("currency", "USD")),
        one_of(ORDER_STATUSES, "cancelled" if status == "canceled" else status),
        created_at,
        expires_at,
        json_object(fields.get("metadata", "{}")),
        matching(URL, fields.get("invoice_url")),
    )


def payment(_, fields):
    payment_id = fields["payment_id"]
    processed_at = fields.get("processed_at")
    return (
        uuid_of("payment", payment_id),
        text_id(payment_id),
        uuid_of("order", fields["order_id"]),
        fields.get("transaction_id") or None,
        one_of(PAYMENT_STATUSES, fields["status"]),
        amount(fields["amount"]),
        matching(CURRENCY, fields["currency"]),
        timestamp(processed_at) if processed_at else None,
        timestamp(fields["created_at"]),
    )


# Parents first.
TABLES = [
    ("customer:", "users", user, "id, customer_id, email, profile_data, created_at"),
    ("order:", "orders", order,
     "id, order_id, customer_id, job_type, quantity, priority, parameters, notification_webhook, total_amount, "
     "currency, status, created_at, expires_at, metadata, invoice_url"),
    ("payment:", "payments", payment,
     "id, payment_id, order_id, transaction_id, status, amount, currency, processed_at, created_at"),
]


# ---- The move ----

def in_parts(items, size):
    items = iter(items)
    while part := list(itertools.islice(items, size)):
        yield part


def keys_of(source, prefix):
    """SCAN may give a key twice, and the sets customer:…:orders begin with the same word."""
    seen = set()
    for key in source.scan_iter(match=prefix + "*", count=PAGE):
        if key.count(":") == 1 and key not in seen:
            seen.add(key)
            yield key


def hashes_of(source, prefix):
    """(id in the key, fields)"""
    for keys in in_parts(keys_of(source, prefix), PAGE):
        pipeline = source.pipeline(transaction=False)
        for key in keys:
            pipeline.hgetall(key)
        for key, fields in zip(keys, pipeline.execute()):
            yield key[len(prefix):], fields


def rows_of(source, prefix, make_row):
    n_bad = 0
    for name, fields in hashes_of(source, prefix):
        try:
            yield make_row(name, fields)
        except (KeyError, ValueError, decimal.DecimalException) as problem:
            n_bad += 1
            print(f"{prefix}{name}: {problem!r}", file=sys.stderr)
    if n_bad > 0:
        print(f"{prefix}: {n_bad} rows are bad", file=sys.stderr)


def copy(target, table, columns, rows):
    """CSV knows no difference between empty and absent: None is written as nothing, which COPY takes as null."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    with target.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv)", buffer)


def main():
    source = redis.Redis.from_url(os.environ["REDIS2PG_REDIS_URL"], decode_responses=True)
    target = psycopg2.connect(os.environ["REDIS2PG_POSTGRES_URL"])
    for prefix, table, make_row, columns in TABLES:
        for rows in in_parts(rows_of(source, prefix, make_row), BATCH):
            copy(target, table, columns, rows)
        target.commit()


if __name__ == "__main__":
    main()
