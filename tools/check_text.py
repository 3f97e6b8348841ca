#!/usr/bin/env python3
"""What no compiler looks at.

    check_text.py [ROOT]

Files name no path of one machine; sources have no trailing blanks, no carriage returns and end
in a newline; C stays within 100 columns; the rows of diagnostics.def are numbered without a hole,
in one place an area, and each row that the code uses is named by a test.
"""

import pathlib
import re
import sys

import check_files

# In pieces, so that this file may look at itself.
FORBIDDEN = [
    ("a path of one machine", re.compile(r"(?<![\w./-])/wor" + r"k/")),
    ("a path of one machine", re.compile(r"/tm" + r"p/b-")),
]
SOURCES = {".c", ".h", ".def", ".py", ".sh", ".build", ".txt", ".proto", ".go", ".dts", ".md",
           ".yml", ".yaml", ".scd"}
C_SOURCES = {".c", ".h"}
COLUMNS = 100
DIAGNOSTICS = "support/diagnostics.def"
ROW = re.compile(r"^DIAGNOSTIC\((\w+),\s*(\w+),\s*(\w+),\s*(\w+),", re.MULTILINE)


def is_source(file):
    return file.suffix in SOURCES or file.parts[0] in ("scripts", ".ci")


def columns(line):
    return len(line.expandtabs(8))


def check_file(file, data):
    """What is wrong with one file, each with its line."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ["not UTF-8"] if is_source(file) else []
    if "\0" in text:
        return []
    texts = []
    for number, line in enumerate(text.split("\n"), 1):
        for what, pattern in FORBIDDEN:
            if pattern.search(line):
                texts.append(f"line {number}: {what}")
        if not is_source(file):
            continue
        if line.endswith((" ", "\t")):
            texts.append(f"line {number}: blanks at the end")
        if "\r" in line:
            texts.append(f"line {number}: carriage return")
        if file.suffix in C_SOURCES and columns(line) > COLUMNS:
            texts.append(f"line {number}: {columns(line)} columns, at most {COLUMNS}")
    if is_source(file) and text and not text.endswith("\n"):
        texts.append("no newline at the end")
    return texts


def check_numbering(text):
    """-> ([(area, number)], failures)"""
    rows = [(m.group(1), m.group(2)) for m in ROW.finditer(text)]
    failures = []
    if len(rows) != len(re.findall(r"^\s*DIAGNOSTIC\(", text, re.MULTILINE)):
        failures.append("a row that cannot be read")
    last = {}
    closed = set()
    before = None
    for area, number in rows:
        name = f"PVW-{area}-{number}"
        if not re.fullmatch(r"\d{4}", number):
            failures.append(f"{name}: expected four digits")
            continue
        if area != before:
            if area in closed:
                failures.append(f"{name}: apart from the other rows of {area}")
            if before:
                closed.add(before)
            before = area
        expected = last.get(area, 0) + 1
        if int(number) != expected:
            failures.append(f"{name}: expected number {expected:04}")
        last[area] = int(number)
    return rows, failures


def unprovoked(rows, code, tests):
    """Rows that the code names and no test does."""
    names = [f"PVW_{area}_{number}" for area, number in rows]
    in_code = set(re.findall(r"PVW_[A-Z0-9]+_\d{4}", code))
    in_tests = set(re.findall(r"PVW_[A-Z0-9]+_\d{4}",
                              re.sub(r"PVW-([A-Z0-9]+)-(\d{4})", r"PVW_\1_\2", tests)))
    return [n for n in names if n in in_code and n not in in_tests]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = check_files.tree_files(root)
    failures = {}
    code, tests = [], []
    for file in files:
        data = (root / file).read_bytes()
        texts = check_file(file, data)
        if texts:
            failures[file.as_posix()] = texts
        if file.parts[0] == "tests":
            tests.append(data.decode(errors="replace"))
        elif file.suffix in (".c", ".h"):
            code.append(data.decode(errors="replace"))

    rows, texts = check_numbering((root / DIAGNOSTICS).read_text())
    for text in texts:
        failures.setdefault(f"{DIAGNOSTICS} (rows)", []).append(text)
    missing = unprovoked(rows, "\n".join(code), "\n".join(tests))
    for name in missing:
        print(f"{name.replace('_', '-')}: no test names it")
    return check_files.finish(len(files) + len(rows), failures, len(missing))


if __name__ == "__main__":
    sys.exit(main())
