#!/usr/bin/env python3
"""docs/mtrr.md: eleven layouts as they are met, what the reference's registers mean there, and ours.

    mtrr_table.py PVW-GOLDEN DOCS-MTRR-MD [--write]

Both register sets come from pvw-golden (areas mtrr and mtrr_exact); what they mean is decided by the
oracles of mtrr_exact.py. Without --write the document must hold the very table, else the test fails.
"""

import json
import pathlib
import subprocess
import sys

from mtrr_exact import LARGEST, needs, number, types_of

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
LOW = (0xF8000000, 4 * GIB)
NONE = (0, 0)
HYPERV_8G = [(0, 0xF8000000), (4 * GIB, 8 * GIB + 128 * MIB)]

# name, width, RAM, low window, high window, other devices
LAYOUTS = [
    ("2 GiB, high window at 4 GiB", 46, [(0, 2 * GIB)], LOW, (4 * GIB, 9 * GIB // 2), []),
    ("the same with a PCIe window", 46, [(0, 2 * GIB)], LOW, (4 * GIB, 9 * GIB // 2),
     [("PCIe low", 0xF4000000, 0xF8000000)]),
    ("8 GiB, high window behind RAM", 46, [(0, 3 * GIB), (4 * GIB, 9 * GIB)], LOW,
     (9 * GIB, 19 * GIB // 2), []),
    ("8 GiB as Hyper-V, high window below 64 GiB", 46, HYPERV_8G, LOW, (127 * GIB // 2, 64 * GIB), []),
    ("100 GiB as Hyper-V, high window in the middle", 44,
     [(0, 0xF8000000), (4 * GIB, 127 * GIB // 2), (64 * GIB, 0x1948000000)], LOW,
     (127 * GIB // 2, 64 * GIB), []),
    ("8 GiB, high window at 4 GiB, RAM above it", 46, [(0, 0xF8000000), (0x120000000, 0x228000000)],
     LOW, (4 * GIB, 0x120000000), []),
    ("8 GiB without VMBus, ECAM and BARs behind RAM", 46, [(0, 3 * GIB), (4 * GIB, 9 * GIB)], LOW, NONE,
     [("ECAM", 9 * GIB, 37 * GIB // 4), ("BARs", 10 * GIB, 11 * GIB)]),
    ("256 MiB", 36, [(0, 256 * MIB)], LOW, NONE, []),
    ("3 GiB, low window from 3 GiB", 40, [(0, 3 * GIB)], (3 * GIB, 4 * GIB), (4 * GIB, 5 * GIB), []),
    ("12 TiB without VMBus, BARs at 13 TiB", 46, [(0, 3 * GIB), (4 * GIB, 12 * TIB + 2 * GIB)], LOW,
     NONE, [("BARs", 13 * TIB, 14 * TIB)]),
    ("12 TiB, high window behind RAM", 46, [(0, 3 * GIB), (4 * GIB, 12 * TIB + GIB)], LOW,
     (12 * TIB + GIB, 12 * TIB + 3 * GIB // 2), []),
]


def size_text(size):
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} B"


def ask(program, area, case):
    run = subprocess.run([program], input=json.dumps({"area": area, "input": case}),
                         capture_output=True, text=True, check=True, timeout=60)
    values = [number(r["value"]) for r in json.loads(run.stdout)["output"]["registers"]]
    return list(zip(values[::2], values[1::2]))


def write_back(registers, width, start, end):
    """Bytes of [start, end) that the processor takes as write-back."""
    space = (1 << width) - 4096
    edges = {start, end}
    for base, mask in registers:
        bits = mask & space
        size = bits & -bits if bits else 1 << width
        edges |= {base & space & -size, (base & space & -size) + size}
    cuts = sorted(e for e in edges if start <= e <= end)
    return sum(b - a for a, b in zip(cuts, cuts[1:]) if types_of(registers, width, a, False) == 6)


def wrong(registers, width, devices):
    found = [(name, write_back(registers, width, a, b)) for name, a, b in devices]
    return ", ".join(f"{name} {size_text(size)}" for name, size in found if size) or "–"


def row(program, layout):
    name, width, ram, low, high, others = layout
    devices = [("low", *low)] + ([("high", *high)] if high != NONE else []) + others
    case = {"ram": ram, "chipset_low_mmio": low, "chipset_high_mmio": high,
            "physical_address_width": width, "mmio": [(a, b) for _, a, b in others]}
    theirs, ours = ask(program, "mtrr", case), ask(program, "mtrr_exact", case)
    all_ram = ram + [(0, MIB)]
    mmio = [(a, b) for _, a, b in devices]
    strict = needs(all_ram, mmio, width, True)
    relaxed = needs(all_ram, mmio, width, False)
    lost = sum(b - a - write_back(ours, width, a, b) for a, b in ram)
    assert lost == 0 and LARGEST, name
    return (f"| {name} | {width} | {len(theirs)} | {wrong(theirs, width, devices)} | {len(ours)} | "
            f"{wrong(ours, width, devices)} | {relaxed[1][0]} / {relaxed[0][0]} / {strict[1][0]} |")


HEAD = """\
# MTRRs: the reference beside ours

Made by `tests/golden/mtrr_table.py`, which fails when this page says anything else. Both register sets are asked of
`pvw-golden`; what they mean is decided by the processor's rule (a pair matches where `address & mask == base & mask`,
[SDM3] 12.11.3), written anew in `tests/golden/mtrr_exact.py`.

The reference's bases are the starts of regions, its masks powers of two above their ends: every pair but the first covers
an aligned block that begins at or below its base, mostly at 0. RAM is never left uncached by it, but devices become
write-back. The policy exact leaves none so. "Fewest pairs" counts the optimum with unused space as one likes, the same without
uncached holes, and with RAM alone write-back. `pvw mtrr` shows the same of any guest, address by address.

| layout | bits | reference: pairs | devices it makes write-back | exact: pairs | devices made write-back | fewest pairs |
|---|---|---|---|---|---|---|
"""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, page = sys.argv[1], pathlib.Path(sys.argv[2])
    text = HEAD + "".join(row(program, layout) + "\n" for layout in LAYOUTS)
    if "--write" in sys.argv[3:]:
        page.write_text(text)
    elif page.read_text() != text:
        print(f"{page} is not what the policies give; mtrr_table.py … --write makes it anew:\n{text}")
        return 1
    print(f"{len(LAYOUTS)} layouts as in {page.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
