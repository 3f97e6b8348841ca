#!/usr/bin/env python3
"""Run the reference cases through pvw-golden and compare.

    run.py PVW-GOLDEN FOLDER DEVIATIONS.md [AREA ...]

A case passes when the output is equal, or when both sides refuse (the wording of an error is
ours), or when a row of DEVIATIONS.md says that we differ on purpose and we do what it says.
A row whose case no longer differs fails, so that the list stays true. Areas that pvw-golden does
not know (exit status 3) are skipped and named.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

import device_tree

# Areas whose outputs are compared by meaning: (ours, expected, input) -> difference or None.
BY_MEANING = {"linux_a64_dt": device_tree.first_difference}

# The inputs of the speed comparison are cases of other areas; their names say of which.
BENCH_AREAS = {"layout": "resolve_layout_x86_64", "e2e": "e2e", "madt": "acpi_tables",
               "srat": "acpi_tables"}

# A case may not take longer than this; seconds, generous for sanitizer builds.
TIMEOUT = 120


def read_deviations(path):
    """Rows "| area/case | ours | why |"; ours is `refused` or `value`."""
    rows = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r"\|\s*`?([a-z0-9_]+/[\w.-]+)`?\s*\|\s*(\w+)\s*\|\s*(.+?)\s*\|$", line)
        if not match:
            continue
        case, ours, why = match.groups()
        if ours not in ("refused", "value") or not why:
            sys.exit(f"{path}:{number}: '{ours}' is neither 'refused' nor 'value', or no reason")
        rows[case] = ours
    return rows


def is_refusal(output):
    """A refusal of the reference: an error, or a panic, which must be an error here."""
    return isinstance(output, dict) and ("error" in output or "panic" in output)


def first_difference(ours, expected, path="output"):
    if type(ours) is not type(expected):
        return f"{path}: {short(ours)}, expected {short(expected)}"
    if isinstance(ours, dict):
        # A part that both sides refuse; the wording is ours here too.
        if is_refusal(ours) and is_refusal(expected):
            return None
        for key in sorted(set(ours) | set(expected)):
            if key not in ours or key not in expected:
                side = "missing" if key not in ours else "not expected"
                return f"{path}.{key}: {side}"
            found = first_difference(ours[key], expected[key], f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(ours, list):
        for i, (a, b) in enumerate(zip(ours, expected)):
            found = first_difference(a, b, f"{path}[{i}]")
            if found:
                return found
        if len(ours) != len(expected):
            return f"{path}: {len(ours)} items, expected {len(expected)}"
        return None
    if ours == expected:
        return None
    if isinstance(ours, str) and len(ours) > 40:
        at = next((i for i, (a, b) in enumerate(zip(ours, expected)) if a != b),
                  min(len(ours), len(expected)))
        return (f"{path}: {len(ours) // 2} bytes, expected {len(expected) // 2}; first "
                f"difference at byte {at // 2:#x}: {ours[at:at + 16]}, expected "
                f"{expected[at:at + 16]}")
    return f"{path}: {short(ours)}, expected {short(expected)}"


def short(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def judge(program, path, deviations):
    """-> (verdict, text): passed, failed, skipped"""
    case = json.loads(path.read_text())
    name = f"{case['area']}/{path.stem}"
    area = case["area"]
    if area == "bench_inputs":
        area = BENCH_AREAS.get(path.stem.split("_")[0], area)
    question = json.dumps({"area": area, "input": case["input"]})
    try:
        run = subprocess.run([program], input=question, capture_output=True, text=True,
                             timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return "failed", f"{name}: no answer within {TIMEOUT} s"
    if run.returncode == 3:
        return "skipped", f"{name}: {run.stderr.strip()}"
    if run.returncode != 0:
        return "failed", f"{name}: status {run.returncode}: {run.stderr.strip()[-2000:]}"

    ours = json.loads(run.stdout)["output"]
    expected = case["output"]
    # An overflow or a panic in the reference is its defect: refusing is the right answer.
    refusal_expected = is_refusal(expected)
    if is_refusal(ours) and refusal_expected:
        difference = None
    elif area in BY_MEANING and not is_refusal(ours) and not refusal_expected:
        difference = BY_MEANING[area](ours, expected, case["input"])
    else:
        difference = first_difference(ours, expected)

    wanted = deviations.get(name)
    if wanted is None:
        return ("failed", f"{name}: {difference}") if difference else ("passed", name)
    if difference is None:
        return "failed", f"{name}: listed in deviations.md, but equal to the reference"
    if (wanted == "refused") != is_refusal(ours):
        return "failed", f"{name}: deviations.md says '{wanted}', the answer is {short(ours)}"
    return "passed", name


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    deviations = read_deviations(pathlib.Path(sys.argv[3]))
    wanted = set(sys.argv[4:])

    cases = [path for path in sorted(folder.glob("*/*.json"))
             if not wanted or path.parent.name in wanted]
    if not cases:
        sys.exit(f"no cases in {folder}")
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    by_area = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (verdict, text) in zip(
                cases, pool.map(lambda p: judge(program, p, deviations), cases)):
            counts[verdict] += 1
            area = by_area.setdefault(path.parent.name, dict.fromkeys(counts, 0))
            area[verdict] += 1
            if verdict == "failed":
                print(f"FAILED {text}")
            elif verdict == "skipped" and wanted:
                print(f"skipped {text}")
    for area, numbers in by_area.items():
        print(f"{area}: " + ", ".join(f"{n} {verdict}" for verdict, n in numbers.items() if n))
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
