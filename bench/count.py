#!/usr/bin/env python3
"""Instructions a call, by callgrind: count.py PVW-BENCH [NAME]

Prints the table of bench/README.md for the benches whose name contains NAME. Two runs of
different length are subtracted, so that what happens once is not counted.
"""

import os
import re
import subprocess
import sys

CALLS = 20

# Bench: instructions of the reference, and ours to reach.
FIGURES = {
    "layout/1node_0rc": (5798, 1500),
    "layout/8node_16rc": (113122, 20000),
    "layout/64node_256rc": (1921086, 250000),
    "mtrr/hyperv": (712, 400),
    "mtrr/exact": (None, 20000),
    "dsdt/openhcl": (60243, 4000),
    "madt/1vp": (2190, 500),
    "madt/64vp": (6106, 2000),
    "madt/2048vp": (123271, 40000),
    "srat/2048vp_64node": (155561, 50000),
    "slit/64node": (32190, 6000),
    "ssdt/16rc": (352481, 25000),
    "acpi/1vp": (78183, 6000),
    "acpi/64vp": (447141, 25000),
    "acpi/2048vp": (12855312, 700000),
    "uefi_blob/8vp": (5595, 3000),
    "uefi_blob/2048vp": (145975, 60000),
    "boot_dt_parse/8cpu": (189008, 60000),
    "boot_dt_parse/64cpu": (360828, 160000),
    "boot_dt_parse/2048cpu": (6692148, 4000000),
    "boot_dt_write/8cpu": (287119, 30000),
    "boot_dt_write/64cpu": (351686, 60000),
    "linux_x86/4vp": (291619, 60000),
    "prepare/8vp": (267314, 75000),
    "prepare/64vp": (453118, 180000),
    "prepare/2048vp": (7255059, 4200000),
}


def instructions(bench, name, calls):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    # One loader path whatever the caller's environment: it is part of what is subtracted.
    run = subprocess.run(
        command + [bench, "--count", str(calls), name],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    )
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def number(value):
    return f"{value:,}" if value is not None else "–"


def main():
    bench, wanted = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    names = subprocess.run(
        [bench, "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    print("| name | reference | goal | ours | of the goal |\n|---|---|---|---|---|")
    for name in names:
        if wanted not in name:
            continue
        reference, goal = FIGURES.get(name, (None, None))
        ours = instructions(bench, name, CALLS) - instructions(bench, name, 0)
        ours //= CALLS
        part = f"{ours / goal:.2f}" if goal else "–"
        print(f"| {name} | {number(reference)} | {number(goal)} | {ours:,} | {part} |", flush=True)


if __name__ == "__main__":
    main()
