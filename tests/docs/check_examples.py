#!/usr/bin/python3
"""Runs the examples of docs/mapping.md.

usage: redis2pg-sandbox -- check_examples.py REDIS2PG [SOURCE_FOLDER]

An example is a block of YAML and, directly behind it, a block of text. The YAML is one of

    columns       of an entity "things" for the hashes thing:{id}; a comment before them says their types
    entities      by their names
    a mapping     when redis2pg stands in it

and comments before it that begin with CREATE or INSERT are SQL that is run first; other comments before columns
are the definitions of columns. A line of the text is a command, `->` and what becomes of the key, or one of both:

    HSET thing:1 cents 1999     -> price: 19.99 | currency: null
    HSET thing:2 cents no       -> rejected invalid_decimal

What becomes of it: a row, as columns and their text, with the table's name before them where there are several;
`rejected CODE`, perhaps with `, shown as TEXT`; `filtered`, `ignored` or `unmapped`; `no row`. A text in double
quotes is a JSON string, `null` is NULL, and `<words>` stands for any value but NULL. The rows are all rows of the
tables that the mapping fills.

Each block of YAML in the document must be such an example; each word of the loader's tables (the arrays of RpWord
in src/mapping), each reference that begins with a dollar and each value that a word chooses from must stand in one.
Exits 1 and names what does not hold.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import textwrap

import yaml

N_WORKERS = 3
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"static const RpWord (\w+)\[\] = \{(.*?)\n\};", re.DOTALL)
WORD = re.compile(r'\{"(\w+)", RP_YAML_')
DOLLAR = re.compile(r'\{"(\$\w+)", RP_REFERENCE_')
CHOICES = re.compile(r"const char \*const \w+\[\] = \{([^}]*), NULL\};")
ARGUMENT = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+)""")

# The rows of a table as the texts that PostgreSQL writes.
ROWS_OF = """
CREATE FUNCTION public.rows_of(t regclass) RETURNS SETOF json LANGUAGE plpgsql AS $$
DECLARE columns text;
BEGIN
    SELECT string_agg(format('%L, %I::text', attname, attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND NOT attisdropped;
    RETURN QUERY EXECUTE format('SELECT json_build_object(%s) FROM %s', columns, t);
END $$;
"""


class Example:
    """One of the document's examples: what is loaded, and what is to come of it."""

    def __init__(self, number, line, text, session):
        self.number = number
        self.line = line
        self.schema = f"example_{number}"
        comments = [part[1:].strip() for part in text.split("\n") if part.startswith("#")]
        self.sql = [comment for comment in comments if comment.startswith(("CREATE ", "INSERT "))]
        definitions = [comment for comment in comments if comment not in self.sql]
        self.mapping = text
        document = yaml.load(text, Loader=yaml.BaseLoader)
        if "redis2pg" not in document:
            if not all(isinstance(value, dict) and "keys" in value for value in document.values()):
                self.sql.append(f"CREATE TABLE things (id text PRIMARY KEY, {', '.join(definitions)})")
                self.mapping = ('things:\n  keys: "thing:{id}"\n  type: hash\n  table: things\n  key: [id]\n'
                                "  columns:\n    id: $key.id\n" + textwrap.indent(text, "    "))
            self.mapping = "redis2pg: 1\nentities:\n" + textwrap.indent(self.mapping, "  ")
        self.document = yaml.load(self.mapping, Loader=yaml.BaseLoader)
        self.tables = {entity["table"] for entity in self.document["entities"].values()}
        self.read_session(session)

    def read_session(self, session):
        self.commands, self.rows, self.rejects = [], [], []
        self.counts = {"filtered": 0, "ignored": 0, "unmapped": 0}
        for line in session.splitlines():
            command, arrow, result = line.partition("-> ")
            if command.strip():
                self.commands.append(split_command(command))
            if arrow:
                self.expect(result.strip(), self.commands[-1][1].decode())

    def expect(self, result, key):
        if result.startswith("rejected "):
            code, _, shown = result.removeprefix("rejected ").partition(", shown as ")
            self.rejects.append((key, code, shown or None))
        elif result in self.counts:
            self.counts[result] += 1
        elif result != "no row":
            parts = result.split(" | ")
            table = parts.pop(0) if ": " not in parts[0] else min(self.tables)
            row = dict(part.strip().split(": ", 1) for part in parts)
            if self.tables == {"things"} and key.startswith("thing:"):
                row.setdefault("id", key.removeprefix("thing:"))
            self.rows.append((table, {column: read_value(value) for column, value in row.items()}))


def read_value(text):
    if text.startswith('"'):
        return json.loads(text)
    return None if text == "null" else text


def split_command(text):
    """The words of a command, as redis-cli takes them: bytes are written \\xff in double quotes."""
    words = []
    for word in ARGUMENT.findall(text):
        if word[0] == '"':
            words.append(word[1:-1].encode().decode("unicode_escape").encode("latin-1"))
        else:
            words.append((word[1:-1] if word[0] == "'" else word).encode())
    return words


# ---- the document ----

def read_examples(path):
    """(examples, problems)"""
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    examples, problems = [], []
    for number, block in enumerate(blocks):
        if block.group(1) != "yaml":
            continue
        line = text[: block.start()].count("\n") + 1
        behind = blocks[number + 1] if number + 1 < len(blocks) else None
        if behind is None or behind.group(1) != "text" or text[block.end() : behind.start()].strip():
            problems.append(f"{line}: no block of text stands directly behind this YAML")
            continue
        examples.append(Example(len(examples), line, block.group(2), behind.group(2)))
    return examples, problems


def scalars(node):
    """All texts of a YAML document but keys."""
    if isinstance(node, (dict, list)):
        for item in node.values() if isinstance(node, dict) else node:
            yield from scalars(item)
    else:
        yield node


def words_of(document):
    """The words of a mapping, as (table of the loader, word)."""
    yield from (("TOP_WORDS", word) for word in document)
    for link in document.get("links", {}).values():
        yield from (("LINK_WORDS", word) for word in link)
    for entity in document["entities"].values():
        yield from (("ENTITY_WORDS", word) for word in entity)
        for column in entity["columns"].values():
            if isinstance(column, dict):
                yield from (("COLUMN_WORDS", word) for word in column)
                for inner in ("replace", "boolean", "lookup"):
                    yield from ((inner.upper() + "_WORDS", word) for word in column.get(inner, {}))


def check_words(root, examples):
    """What the loader knows, and no example shows."""
    words = {word for example in examples for word in words_of(example.document)}
    texts = {text for example in examples for text in scalars(example.document)}
    references = {reference for text in texts for reference in re.findall(r"\$\w+", text)}
    for path in sorted((root / "src" / "mapping").glob("*.c")):
        source = path.read_text(encoding="utf-8")
        for table, body in TABLE.findall(source):
            for word in WORD.findall(body):
                if (table, word) not in words:
                    yield f"no example has the word {word} ({path.name}: {table})"
        for reference in sorted(set(DOLLAR.findall(source)) - references):
            yield f"no example has the reference {reference} ({path.name})"
        for body in CHOICES.findall(source):
            for choice in sorted(set(re.findall(r'"([a-z0-9_]+)"', body)) - texts - {word for _, word in words}):
                yield f"no example has {choice}, which a word chooses from ({path.name})"


# ---- the servers ----

def fill_redis(path, examples):
    """Each example has a database of its own, by its number."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        replies = connection.makefile("rb")
        for example in examples:
            for command in [[b"SELECT", str(example.number).encode()], *example.commands]:
                words = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
                connection.sendall(b"*%d\r\n%s" % (len(command), words))
                reply = replies.readline()
                if reply.startswith(b"-"):
                    sys.exit(f"docs/mapping.md:{example.line}: {command} -> {reply.decode()}")
                if reply.startswith(b"$"):
                    replies.read(int(reply[1:]) + 2)


def ask_psql(database, sql):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database], input=sql, text=True,
                          capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        sys.exit(f"psql: {done.stderr}\n{sql}")
    return done.stdout.splitlines()


def run_example(program, folder, database, example):
    """Loads an example; (the report of the run, None), or (None, what went wrong)."""
    path = folder / f"{example.number}.yaml"
    path.write_text(example.mapping, encoding="utf-8")
    environment = {**os.environ, "PGOPTIONS": f"-c search_path={example.schema},public",
                   "REDIS2PG_REDIS_URL": f"unix://{os.environ['REDIS_SOCKET']}?db={example.number}",
                   "REDIS2PG_POSTGRES_URL": f"host={os.environ['PGHOST']} user=postgres dbname={database}"}
    done = subprocess.run([program, "run", "--quiet", "--json", "--allow-rejects", "--mapping", path], text=True,
                          env=environment, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        return None, f"run ends with {done.returncode}: {done.stderr.strip()}"
    return json.loads(done.stdout), None


def run_all(program, folder, database, examples):
    """(example, report, rows of its tables, rejects, problem) of each, in a database of their own."""
    ask_psql("postgres", f"CREATE DATABASE {database}")
    ask_psql(database, ROWS_OF + f"ALTER DATABASE {database} SET timezone = 'UTC';" + "".join(
        f"CREATE SCHEMA {example.schema}; SET search_path = {example.schema};{';'.join(example.sql)};"
        for example in examples))
    runs = [run_example(program, folder, database, example) for example in examples]
    ask = "".join(
        f"SELECT json_build_object('table', '{table}', 'example', {example.number}, 'row', r) "
        f"FROM rows_of('{example.schema}.{table}') r;" for example in examples for table in sorted(example.tables))
    rows = [json.loads(line) for line in ask_psql(database, ask)]
    rejects = [json.loads(line) for line in ask_psql(database, """
        SELECT json_build_object('run', run, 'key', convert_from(key, 'UTF8'), 'code', code, 'value', value,
                                 'message', message) FROM redis2pg.rejects""")]
    for example, (report, problem) in zip(examples, runs):
        yield (example, report,
               [(row["table"], row["row"]) for row in rows if row["example"] == example.number],
               [reject for reject in rejects if report is not None and reject["run"] == report["run"]], problem)


# ---- the comparison ----

def fits(expected, actual):
    table, columns = expected
    return table == actual[0] and all(
        column in actual[1] and (actual[1][column] == value or
                                 (value is not None and re.fullmatch("<.*>", value) and actual[1][column] is not None))
        for column, value in columns.items())


def compare(example, report, rows, rejects):
    left = list(rows)
    for expected in example.rows:
        found = next((row for row in left if fits(expected, row)), None)
        if found is None:
            yield f"no row is {expected[1]} in {expected[0]}"
        else:
            left.remove(found)
    for row in left:
        yield f"a row in {row[0]} is not expected: {row[1]}"
    left = list(rejects)
    for key, code, shown in example.rejects:
        found = next((reject for reject in left if reject["key"] == key and reject["code"] == code
                      and (shown is None or reject["value"] == shown)), None)
        if found is None:
            yield f"{key} is not rejected as {code}{'' if shown is None else f', shown as {shown}'}"
        else:
            left.remove(found)
    for reject in left:
        yield f"{reject['key']} is rejected: {reject['code']}, {reject['message']} ({reject['value']})"
    counts = {"ignored": report["keys"]["ignored"], "unmapped": report["keys"]["unmapped"],
              "filtered": sum(entity["filtered"] for entity in report["entities"])}
    for name, count in counts.items():
        if example.counts[name] != count:
            yield f"{count} are {name}, not {example.counts[name]}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) == 3 else pathlib.Path(__file__).resolve().parents[2]
    path = root / "docs" / "mapping.md"
    examples, problems = read_examples(path)
    problems += check_words(root, examples)
    fill_redis(os.environ["REDIS_SOCKET"], examples)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(N_WORKERS) as workers:
        parts = [workers.submit(lambda part: list(run_all(sys.argv[1], pathlib.Path(folder), f"examples_{part}",
                                                          examples[part::N_WORKERS])), part)
                 for part in range(N_WORKERS)]
        for example, report, rows, rejects, problem in (result for part in parts for result in part.result()):
            found = [problem] if report is None else list(compare(example, report, rows, rejects))
            problems += [f"{example.line}: {text}" for text in found]
    print("\n".join(f"docs/mapping.md:{problem}" for problem in problems) if problems
          else f"{len(examples)} examples of docs/mapping.md do as they say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
