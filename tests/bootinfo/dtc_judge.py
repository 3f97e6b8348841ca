#!/usr/bin/env python3
"""Judge our trees by dtc.

    dtc_judge.py TREE-EMIT

dtc reads every tree with all its checks on and must say nothing, except of what the form of these
trees makes so: /openhcl/entropy has its name from its readers; a bus may be without any window;
memory that is accepted is also memory; a host may say interrupts without their controller. Written
by dtc, each tree must be the same tree.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

COUNT = 150 * int(os.environ.get("PVW_TEST_RUNS", "1"))
# Check, what it says, and what must not be in the tree for it to be right.
KNOWN = [(re.compile(rf"Warning \({check}\): {text}"), without) for check, text, without in (
    ("unit_address_vs_reg", "/openhcl/entropy: node has a reg or ranges property, but no unit",
     None),
    ("simple_bus_reg", "/bus/vmbus(-vtl[02])?: missing or empty reg/ranges property", None),
    ("unique_unit_address", "/openhcl/memory@[0-9a-f]+: duplicate unit-address "
     r"\(also used in node /openhcl/accepted-memory@", None),
    ("interrupts_property", "/(pmu|serial@[0-9a-f]+): Missing interrupt-parent", b"intc@"),
)]


def dtc(source, form, data):
    return subprocess.run(["dtc", "-I", source, "-O", form, "-o", "-"], input=data,
                          capture_output=True, timeout=60)


def judge(data):
    """What is wrong, or None."""
    read = dtc("dtb", "dts", data)
    said = [line for line in read.stderr.decode().splitlines()
            if not any(known.search(line) and not (without and without in data)
                       for known, without in KNOWN)]
    if read.returncode or said:
        return f"status {read.returncode}: {said[:3]}"
    again = dtc("dtb", "dts", dtc("dtb", "dtb", data).stdout)
    return None if again.stdout == read.stdout else "written by dtc, it is another tree"


def main():
    if not shutil.which("dtc"):
        print("no dtc\n0 passed, 0 failed, 1 skipped")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], str(COUNT), folder], check=True, timeout=600)
        names = sorted(os.listdir(folder))
        assert len(names) == 2 * COUNT, len(names)
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                wrong = judge(file.read())
            if wrong:
                failed += 1
                print(f"not ok: {name}: {wrong}")
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
