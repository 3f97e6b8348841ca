#!/usr/bin/env python3
"""Does what fits a width of addresses with layout version 1 fit with version 2?

    layout_widths.py PVW-GOLDEN FOLDER

Every case of FOLDER/resolve_layout_* that has a layout is laid out with version 1 and given no
more address bits than that one needs. Version 2 must have a layout of that width, too:

* as the case stands;
* or with the inputs that INPUTS names for it: how much space there is for 32-bit addresses, and
  how much windows are aligned. Version 2 does not take them from the devices that a guest has,
  else these would move RAM;
* or it is one of EXCEPTIONS, and is refused in the words given there.

A row that is not needed fails, so that both tables stay true. docs/formats.md says the same in
words.
"""

import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys

# More 32-bit addresses than the architecture's device space has.
SPACE_2_GIB = {"device_space_size": "0x80000000"}
# The guest has no BAR of more than 1 GiB: windows need not be aligned more.
SMALL_BARS = {"bar_align_max": "0x40000000"}

AREAS = ("resolve_layout_aarch64", "resolve_layout_x86_64")

# Cases have the same names and devices for both architectures.
INPUTS = {
    # Windows and buses that need more than 1 GiB below 4 GiB.
    "rc256": SPACE_2_GIB,
    # Fixed low windows below 3 GiB.
    "rand_000": SPACE_2_GIB,
    "rand_005": SPACE_2_GIB,
    "rand_022": SPACE_2_GIB,
    "rand_025": SPACE_2_GIB,
    "rand_029": SPACE_2_GIB,
    "rand_036": SPACE_2_GIB,
    "rand_039": SPACE_2_GIB,
    "rand_047": SPACE_2_GIB,
    # A window of 99 GiB that ends 7 GiB below the limit of 38 bits: aligned to 64 GiB it does not.
    "rand_023": SMALL_BARS,
}

IN_THE_WAY = "has its high window at"

# Fixed high windows where RAM is, or below the first address of windows. Version 1 leads RAM
# around them; version 2 moves no RAM for a device, and keeps what MTRRs must tell apart apart.
EXCEPTIONS = {
    "rc_fixed_high_in_ram_path": IN_THE_WAY,
    "rand_022": IN_THE_WAY,
    "rand_030": IN_THE_WAY,
}

# What the whole set of reference layouts is known to give.
ALL_CASES = 230
ALL_COUNTS = {"refused by version 1": 38, "fits": 168, "fits with device_space_size": 16,
              "fits with bar_align_max": 2, "exception": 6}


def lay_out(program, case, version, **inputs):
    """-> (top, None) or (None, refusal)"""
    query = {"area": "layout_placements", "input": {**case, "layout_version": version, **inputs}}
    run = subprocess.run([program], input=json.dumps(query), capture_output=True, text=True,
                         check=True, timeout=120)
    output = json.loads(run.stdout)["output"]
    return (None, output["error"]) if "error" in output else (int(output["top"], 16), None)


def judge(program, name, case):
    """-> (class, complaint or None)"""
    top, _ = lay_out(program, case, 1)
    if top is None:
        return "refused by version 1", None
    width = (top - 1).bit_length()
    inputs = INPUTS.get(name, {})
    refusal = lay_out(program, case, 2, physical_address_size=width)[1]
    if refusal is None:
        needless = inputs or name in EXCEPTIONS
        return "fits", "a row, though it fits without" if needless else None
    if inputs:
        refusal = lay_out(program, case, 2, physical_address_size=width, **inputs)[1]
    if name in EXCEPTIONS:
        good = refusal and EXCEPTIONS[name] in refusal
        return "exception", None if good else f"{width} bits: {refusal or 'fits'}"
    if refusal:
        return "does not fit", f"{width} bits: {refusal}"
    return "fits with " + ", ".join(inputs), None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    cases = [(area, path.stem, json.loads(path.read_text())["input"])
             for area in AREAS for path in sorted((folder / area).glob("*.json"))]
    if not cases:
        print(f"no cases in {folder}, skipped")
        return 77
    counts = collections.Counter()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        verdicts = list(pool.map(lambda case: judge(program, *case[1:]), cases))
    for (area, name, _), (verdict, complaint) in zip(cases, verdicts):
        counts[verdict] += 1
        if complaint:
            failed += 1
            print(f"FAILED {area}/{name}: {complaint}")
    print(f"{len(cases)} cases: " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    if len(cases) == ALL_CASES and counts != ALL_COUNTS:
        failed += 1
        print(f"FAILED expected {ALL_COUNTS}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
