#!/usr/bin/env python3
"""Judge the manual pages.

usage: pages_test.py PVW SOURCE [PAGE]...

Each page is sound by mandoc, where there is one. Every command and every option of the program is
named in its page, every diagnostic in pvw-diagnostics(7). Ends with "N passed, N failed, N skipped".
"""

import os
import re
import shutil
import subprocess
import sys

# scdoc's own habits, in every page that it makes.
HABITS = ("skipping paragraph macro", "lower case character in document title")


def lint(page):
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True,
                          timeout=60)
    return [line for line in (done.stdout + done.stderr).splitlines()
            if not any(habit in line for habit in HABITS)]


def help_of(program, *arguments):
    return subprocess.run([program, *arguments, "--help"], capture_output=True, text=True,
                          timeout=60, check=True).stdout


def main():
    program, source, *pages = sys.argv[1:]
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def judge(good, text):
        counts["passed" if good else "failed"] += 1
        if not good:
            print("not ok: " + text)

    def read(name):
        with open(os.path.join(source, name), encoding="utf-8") as file:
            return file.read()

    for page in pages:
        if not shutil.which("mandoc"):
            counts["skipped"] += 1
            print(f"skipped: {page}: no mandoc")
            continue
        findings = lint(page)
        judge(not findings, f"{page}: {findings[:5]}")
    if not pages:
        counts["skipped"] += 1
        print("skipped: no scdoc, so no pages")

    general = read("docs/pvw.1.scd")
    special = {"serve": read("docs/pvw-serve.8.scd"), "fixture": read("docs/pvw-fixture.5.scd")}
    commands = re.findall(r"^  ([a-z-]+)  +\S", help_of(program).split("Commands:")[1], re.M)
    for command in commands:
        text = general + special.get(command, "")
        words = re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", help_of(program, command), re.M)
        missing = [word for word in [command, *words] if f"*{word}*" not in text]
        judge(words and not missing, f"{command}: {missing} are in no page")

    rows = re.findall(r"^DIAGNOSTIC\((\w+), (\d{4}),", read("support/diagnostics.def"), re.M)
    areas = read("docs/diagnostics.md")
    listed = [page for page in pages if page.endswith("pvw-diagnostics.7")]
    for page in listed:
        with open(page, encoding="utf-8") as file:
            text = file.read().replace("\\-", "-").replace("\\&", "")
        missing = [row for row in rows if "PVW-{}-{}".format(*row) not in text]
        judge(rows and not missing, f"{missing} are not in {page}")
    missing = [area for area, _ in rows if f"| {area} | " not in areas]
    judge(not missing, f"{sorted(set(missing))} are not in docs/diagnostics.md")

    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
