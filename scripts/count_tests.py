#!/usr/bin/env python3
"""Add up what the tests of a build printed about themselves.

    count_tests.py TESTLOG.json STATUS LEAKS   one build: its counts on stdout, failures on stderr
    count_tests.py --sum FILE...               all builds: the closing line; status 1 on a failure

A test program ends either with Criterion's "Synthesis" line or with a line
"N passed, N failed[, N skipped]". One that ran nothing at all counts as a failure. A program that prints neither counts as one test, judged by
its exit status; so does a failing one whose own count shows no failure. Every file in LEAKS, a
folder that the sanitizers write to, is a failure.
"""

import json
import pathlib
import re
import sys

CRITERION = re.compile(
    r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
CRITERION_SKIP = re.compile(r"\[SKIP\]")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def count(test):
    output = COLOUR.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
    ok = test["result"] in ("OK", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, 1
    found = CRITERION.findall(output)
    if found:
        _, passing, failing, crashing = map(int, found[-1])
        passed, failed, skipped = passing, failing + crashing, len(CRITERION_SKIP.findall(output))
    elif PLAIN.search(output):
        last = PLAIN.findall(output)[-1]
        passed, failed, skipped = int(last[0]), int(last[1]), int(last[2] or 0)
    else:
        passed, failed, skipped = int(ok), int(not ok), 0
    # A failure that nobody counted, or a program whose tests were lost.
    if failed == 0 and (not ok or passed + skipped == 0):
        failed = 1
    return passed, failed, skipped


def one_build(log, status, leaks):
    totals = [0, 0, 0]
    for line in pathlib.Path(log).read_text().splitlines():
        test = json.loads(line)
        counts = count(test)
        totals = [a + b for a, b in zip(totals, counts)]
        if counts[1]:
            print(f"FAILED {test['name']} ({test['result']})", file=sys.stderr)
            text = COLOUR.sub("", test.get("stdout", "") + test.get("stderr", ""))
            print("\n".join(text.splitlines()[-60:]), file=sys.stderr)
    for leak in sorted(pathlib.Path(leaks).glob("*")):
        totals[1] += 1
        print(f"FAILED sanitizer report {leak.name}", file=sys.stderr)
        print("\n".join(leak.read_text(errors="replace").splitlines()[:40]), file=sys.stderr)
    if status != "0" and totals[1] == 0:
        totals[1] = 1
        print(f"FAILED meson test ended with status {status}", file=sys.stderr)
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")


def main():
    if sys.argv[1:2] == ["--sum"]:
        totals = [0, 0, 0]
        for path in sys.argv[2:]:
            match = PLAIN.search(pathlib.Path(path).read_text())
            numbers = match.groups() if match else ("0", "1", "0")
            totals = [a + int(b or 0) for a, b in zip(totals, numbers)]
        print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
        return 1 if totals[1] or not totals[0] else 0
    one_build(*sys.argv[1:4])
    return 0


if __name__ == "__main__":
    sys.exit(main())
