"""The shop's data for measurements, where it goes, and the circumstances of a measurement."""

import json
import os
import platform

from measuring import Failure, output_of, psql, redis

SOURCE_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAPPING = os.path.join(SOURCE_ROOT, "mappings", "shop.yaml")
SCHEMA = os.path.join(SOURCE_ROOT, "schema", "shop")
PERFORMANCE = os.path.join(SOURCE_ROOT, "docs", "performance.md")

POSTGRES_SETTINGS = ["max_wal_size=4GB"]

# Hashes of each kind at scale 1, and the columns that the mapping writes, parents first.
ENTITIES = [
    ("customers", "users", 100_000, "id, customer_id, email, profile_data, created_at"),
    ("orders", "orders", 500_000,
     "id, order_id, customer_id, job_type, quantity, priority, parameters, notification_webhook, total_amount, "
     "currency, status, created_at, expires_at, metadata, invoice_url"),
    ("payments", "payments", 400_000,
     "id, payment_id, order_id, transaction_id, status, amount, currency, processed_at, created_at"),
]
TABLES = [table for _, table, _, _ in ENTITIES]


# ---- The data ----

def counts(scale):
    return {name: max(1, round(n_hashes * scale)) for name, _, n_hashes, _ in ENTITIES}


def generate(program, scale, faults=0):
    """Fills Redis anew, with that percentage of faulty hashes; gives what was planted, as `demo` tells it."""
    redis("FLUSHALL")
    words = [word for name, count in counts(scale).items() for word in (f"--{name}", str(count))]
    told = output_of([program, "demo", "--fill", "--faults", str(faults), "--json", *words], "redis2pg demo --fill")
    return json.loads(told)["planted"]


def empty_tables(tables=tuple(TABLES)):
    """Empties the tables and forgets all earlier runs, and leaves PostgreSQL nothing to write behind."""
    psql("TRUNCATE " + ", ".join(tables))
    psql("SET client_min_messages = error; DROP SCHEMA IF EXISTS redis2pg CASCADE")
    psql("CHECKPOINT")


def check_tables(scale, after):
    for name, table, _, _ in ENTITIES:
        found = int(psql(f"SELECT count(*) FROM {table}"))
        if found != counts(scale)[name]:
            raise Failure(f"after {after}, {table} holds {found} rows instead of {counts(scale)[name]}")


# ---- The circumstances ----

def settings():
    """PostgreSQL's settings that are not the defaults, but for names of places."""
    rows = psql("SELECT name || '=' || current_setting(name) FROM pg_settings WHERE setting IS DISTINCT FROM boot_val "
                "AND source IN ('configuration file', 'command line') AND name !~ '(directory|directories|_file|"
                "^lc_|^port$|^listen|^TimeZone|^log_|DateStyle|search_config)' ORDER BY name")
    return rows.splitlines()


def circumstances(program):
    redis_version = next(line.partition(":")[2] for line in redis("INFO", "server").splitlines()
                         if line.startswith("redis_version:"))
    return {
        "redis2pg": output_of([program, "--version"], "redis2pg --version").strip(),
        "redis": redis_version,
        "postgres": psql("SHOW server_version"),
        "postgres_settings": settings(),
        "psql": output_of(["psql", "--version"], "psql").strip(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


# ---- Limits ----

def judged(limits):
    """From (figure, value, limit) to what a result holds. A fourth word, "at least", turns the limit round."""
    return [{"figure": name, "value": value, "limit": limit, "bound": bound,
             "kept": value >= limit if bound == "at least" else value <= limit}
            for name, value, limit, bound in ((*each, "at most")[:4] for each in limits)]


def shown_limit(limit):
    return f"{'>= ' if limit['bound'] == 'at least' else ''}{limit['limit']:.2f}"


def shown_verdict(limit):
    return "kept" if limit["kept"] else "MISSED"


def limits_text(limits):
    lines = [f"{'figure':42} {'value':>8} {'limit':>8}"]
    lines += [f"{limit['figure']:42} {limit['value']:8.2f} {shown_limit(limit):>8}  {shown_verdict(limit)}"
              for limit in limits]
    return "\n".join(lines)


def circumstances_text(at):
    return (f"{at['redis2pg']}, Redis {at['redis']}, PostgreSQL {at['postgres']}, {at['psql']}; "
            f"{at['cores']} cores, {at['system']}\n"
            "PostgreSQL settings that are not the defaults: " + (", ".join(at["postgres_settings"]) or "none"))


def show_limits(result):
    print(limits_text(result["limits"]))
    print("\n" + circumstances_text(result["circumstances"]))
