#!/usr/bin/env python3
"""Judge the way from a layout through trees to roles, on the reference's layouts.

    tree_circle.py PVW-GOLDEN FOLDER

Each case of FOLDER/resolve_layout_* that has a VTL2 is given to pvw-golden (area tree_circle_*),
which lays the machine out, writes its boot tree and its host tree, reads both again and decides
the roles. What comes out of either tree must be the windows that the reference laid out, each by
its declared role; what the reference refuses must be refused.
"""

import collections
import json
import pathlib
import subprocess
import sys

# What the whole set of reference layouts is known to give.
ALL_CASES = 42
ALL_REFUSED = 2


def number(value):
    return int(value, 16) if isinstance(value, str) else value


def window(value):
    start, end = map(number, value)
    return [0, 0] if start == end else [start, end]


def ask(program, arch, given):
    question = json.dumps({"area": "tree_circle_" + arch, "input": given})
    run = subprocess.run([program], input=question, capture_output=True, text=True, timeout=60,
                         check=True)
    return json.loads(run.stdout)["output"]


def judge(output, expected):
    """What is wrong, or None."""
    if "error" in expected or "panic" in expected:
        return None if "error" in output else "laid out, expected a refusal"
    if "error" in output:
        return output["error"]
    vtl2 = window(expected["chipset_vtl2"])
    for tree in ("boot", "host"):
        said = output[tree]
        for role in ("low", "high"):
            want = window(expected["chipset_" + role])
            if window(said[role]) != want:
                return f"{tree}: {role} is {said[role]}, expected {expected['chipset_' + role]}"
            source = "none" if want == [0, 0] else "declared"
            if said[role + "_source"] != source:
                return f"{tree}: {role} is {said[role + '_source']}, expected {source}"
        if [window(w) for w in said["vtl2"]] != ([vtl2] if vtl2 != [0, 0] else []):
            return f"{tree}: vtl2 is {said['vtl2']}, expected {expected['chipset_vtl2']}"
    return None


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    counts = collections.Counter()
    for arch in ("x86_64", "aarch64"):
        for path in sorted((folder / ("resolve_layout_" + arch)).glob("*.json")):
            case = json.loads(path.read_text())
            if case["input"]["vtl2_layout"] is None:
                counts["skipped"] += 1
                continue
            wrong = judge(ask(program, arch, case["input"]), case["output"])
            counts["failed" if wrong else "passed"] += 1
            counts["refused"] += "error" in case["output"] or "panic" in case["output"]
            if wrong:
                print(f"FAILED {arch}/{path.stem}: {wrong}")
    judged = counts["passed"] + counts["failed"]
    if judged == 0 or (judged == ALL_CASES and counts["refused"] != ALL_REFUSED):
        print(f"FAILED: {judged} cases, {counts['refused']} of them refused")
        counts["failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
