#!/usr/bin/python3
"""Opens reports in a headless Chromium and looks at them as a person would.

usage: check_report.py REDIS2PG RENDER_REPORT SOURCE_FOLDER [FOLDER_FOR_PICTURES]

Runs inside of redis2pg-sandbox. Exits 77 when there is no Chromium.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import chromium

PAGE = (pathlib.Path(__file__).parent / "page.js").read_text(encoding="utf-8")
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


def ask(browser, call):
    # The whole is one expression: what stands around it would make the comment at its head a statement.
    return browser.evaluate(f"({PAGE.strip().split(chr(10), 1)[1]}).{call}")


# ---- reports to look at ----


def make_runs(program, source, folder):
    """A faulty shop with a hostile customer: its run, the run's rollback with a row that stays."""

    def call(status, *words):
        done = subprocess.run([program, *words], env={**os.environ, "REDIS2PG_MAPPING": f"{source}/mappings/shop.yaml"},
                              capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != status:
            sys.exit(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def redis(*words):
        subprocess.run(["redis-cli", "-s", os.environ["REDIS_SOCKET"], *words], check=True, stdout=subprocess.DEVNULL)

    call(0, "schema", "apply", f"{source}/schema/shop")
    call(0, "demo", "--fill", "--faults", "5", "--customers", "300", "--orders", "900", "--payments", "700")
    redis("HSET", "customer:<script>alert(1)</script>", "name", "<script>alert(2)</script>", "email", "\"'><img src=x>")
    redis("SET", "<i>nobody</i>:1", "x")
    printed = json.loads(call(1, "run", "--json", "--report", f"{folder}/run"))
    subprocess.run(["psql", "-qd", os.environ["REDIS2PG_POSTGRES_URL"], "-c",
                    "UPDATE orders SET total_amount = 1 WHERE order_id IN (SELECT order_id FROM orders LIMIT 3)"], check=True)
    call(6, "rollback", "1", "--report", f"{folder}/rollback")
    return printed


def make_rendered(render, source, folder):
    for path in sorted((pathlib.Path(source) / "tests" / "reports").glob("*.json")):
        subprocess.run([render, path, f"{folder}/{path.stem}"], check=True)


# ---- figures ----


def check_verdict(name, browser, report):
    seen, verdict = ask(browser, "verdict()"), report["verdict"]
    expect(f"{name}: headline", seen["headline"], verdict["headline"])
    expect(f"{name}: sentences", seen["sentences"], [text.replace("`", "") for text in verdict["sentences"]])
    expect(f"{name}: status", seen["status"], verdict["status"])
    if not seen["word"]:
        failures.append(f"{name}: the status is told by colour alone")


def check_run(name, tables, figures, report):
    run = report["run"]
    rows = {row["Entity"]: row for row in tables["Rows by entity"]}
    for entity in run["entities"]:
        row = rows[entity["entity"]]
        for account in ("read", "inserted", "updated", "unchanged", "filtered", "vanished", "parked", "rejected", "deleted"):
            expect(f"{name}: {entity['entity']} {account}", row[account.capitalize()], entity[account])
    keys = {row["Keys"]: row["Number"] for row in tables["Keys that Redis gave"]}
    expect(f"{name}: keys", keys, run["keys"])
    codes = {row["Code"]: row["Rejects"] for row in tables["Rejects by code, the most frequent first"]}
    expect(f"{name}: codes", codes, run["rejects"]["by_code"])
    expect(f"{name}: rejected", figures["rejected"], sum(entity["rejected"] for entity in run["entities"]))
    patterns = [(row["Pattern"], row["Keys"]) for row in tables["Patterns of keys, those with the most keys first"]]
    expect(f"{name}: patterns", patterns, [(item["pattern"], item["keys"]) for item in run["unmapped_patterns"]])
    for code in run["rejects"]["by_code"]:
        listed = tables[f"Examples of {code}"]
        expect(f"{name}: examples of {code}", len(listed),
               sum(example["code"] == code for example in report["reject_examples"]))


def check_reconcile(name, tables, figures, report):
    reconcile = report["reconcile"]
    rows = {row["Entity"]: row for row in tables["Rows by entity"]}
    columns = {"In Redis": "source_rows", "In PostgreSQL": "target_rows", "Equal": "equal", "Missing": "missing",
               "of which explained": "explained", "Extra": "extra", "Different": "different", "Refused": "rejected"}
    for entity in reconcile["entities"]:
        for heading, member in columns.items():
            expect(f"{name}: {entity['entity']} {member}", rows[entity["entity"]][heading], entity[member])
    for member in ("different", "missing", "extra", "equal"):
        expect(f"{name}: {member}", figures[member], sum(entity[member] for entity in reconcile["entities"]))
    sums = {(row["Entity"], row["Aggregate"]): row for row in tables["Sums, least and greatest values on both sides"]}
    for entity in reconcile["entities"]:
        for aggregate in entity["aggregates"]:
            row = sums[entity["entity"], aggregate["name"]]
            expect(f"{name}: {aggregate['name']}", [row["In Redis"], row["In PostgreSQL"], "equal" in row["Equal"]],
                   [aggregate["source"], aggregate["target"], aggregate["equal"]])
    for row, link in zip(tables["Keys that list members of an entity"], reconcile["links"], strict=True):
        expect(f"{name}: {link['link']}", [row["Checked"], row["Dangling"], row["Unlisted"]],
               ["–"] * 3 if link["not_checked"] else [link["checked"], link["dangling"], link["unlisted"]])


def check_rollback(name, tables, report):
    for row, table in zip(tables["Rows by table"], report["rollback"]["tables"], strict=True):
        expect(f"{name}: {table['table']}", [row["Deleted"], row["Restored"], row["Inserted again"], row["Kept"]],
               [table["deleted"], table["restored"], table["reinserted"], table["kept"]])


def check_figures(name, browser, report):
    tables, figures = ask(browser, "tables()"), ask(browser, "figures()")
    if "reconcile" in report:
        check_reconcile(name, tables, figures, report)
    elif "rollback" in report:
        check_rollback(name, tables, report)
    else:
        check_run(name, tables, figures, report)


# ---- looks ----


def check_looks(name, browser, pictures):
    grounds = set()
    for width in (1200, 360):
        for scheme in ("light", "dark"):
            browser.size(width)
            browser.medium(scheme)
            place = f"{name}, {width} px, {scheme}"
            expect(f"{place}: sticks out", ask(browser, "overflowing()"), [])
            expect(f"{place}: too little contrast", ask(browser, "faint()"), [])
            grounds.add(ask(browser, "background()"))
            if pictures:
                browser.size(width, min(browser.evaluate("document.documentElement.scrollHeight"), 6000))
                browser.picture(f"{pictures}/{name}-{width}-{scheme}.png", whole=False)
    expect(f"{name}: light and dark", len(grounds), 2)


def check_print(name, browser, pictures):
    browser.size(720)
    browser.medium("dark", "print")
    expect(f"{name}: contents on paper", ask(browser, "hidden('nav')"), True)
    expect(f"{name}: paper", ask(browser, "background()"), "rgb(255, 255, 255)")
    expect(f"{name}: contrast on paper", ask(browser, "faint()"), [])
    expect(f"{name}: sticks out of the paper", ask(browser, "overflowing()"), [])
    if pictures:
        browser.picture(f"{pictures}/{name}-print.png")
    pdf = browser.call("Page.printToPDF", printBackground=True)["data"]
    if len(pdf) < 5000:
        failures.append(f"{name}: printing gives {len(pdf)} characters")
    browser.medium()


def check_quiet(name, browser, url):
    said = browser.named("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    expect(f"{name}: console", said, [])
    asked = {params["request"]["url"] for params in browser.named("Network.requestWillBeSent")}
    expect(f"{name}: requests", asked, {url})


def check_names(name, browser):
    """What a screen reader is given for pictures."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        role = node.get("role", {}).get("value")
        if role in ("image", "img") and not node.get("ignored") and not node.get("name", {}).get("value"):
            failures.append(f"{name}: a picture has no name")
    if not any(node.get("role", {}).get("value") == "table" for node in nodes):
        failures.append(f"{name}: no table is one for a screen reader")


def check(name, browser, folder, pictures):
    path = pathlib.Path(folder) / name / "report.html"
    report = json.loads((path.parent / "report.json").read_text(encoding="utf-8"))
    browser.size(1200)
    browser.medium()
    browser.open(path.as_uri())
    check_verdict(name, browser, report)
    check_figures(name, browser, report)
    expect(f"{name}: barriers", ask(browser, "barriers()"), [])
    expect(f"{name}: strangers", ask(browser, "strangers()"), [])
    check_looks(name, browser, pictures)
    browser.size(360)
    check_names(name, browser)
    check_print(name, browser, pictures)
    check_quiet(name, browser, path.as_uri())
    return report


def check_texts(folder, printed):
    """The other faces have the same figures."""
    report = json.loads((folder / "run" / "report.json").read_text(encoding="utf-8"))
    for member in ("entities", "keys", "rejects", "unmapped_patterns"):
        expect(f"report.json: {member}", report["run"][member], printed[member])
    text = (folder / "run" / "report.txt").read_text(encoding="utf-8")
    for code, count in printed["rejects"]["by_code"].items():
        if not re.search(rf"^  {code}: {count:,}\.".replace(",", " "), text, re.M):
            failures.append(f"report.txt: no {code}: {count}")
    if max(map(len, text.splitlines())) > 110:
        failures.append("report.txt: a line of more than 110 columns")


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    browser_path = chromium.find()
    if browser_path is None:
        print("there is no Chromium")
        return 77
    program, render, source = sys.argv[1:4]
    pictures = sys.argv[4] if len(sys.argv) == 5 else None
    with tempfile.TemporaryDirectory(prefix="redis2pg-reports-") as folder, chromium.Browser(browser_path) as browser:
        printed = make_runs(program, source, folder)
        make_rendered(render, source, folder)
        names = sorted(entry.name for entry in pathlib.Path(folder).iterdir())
        for name in names:
            check(name, browser, folder, pictures)
        check_texts(pathlib.Path(folder), printed)
    for failure in failures:
        print(failure)
    print(f"{len(names)} reports: {', '.join(names)}; {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
