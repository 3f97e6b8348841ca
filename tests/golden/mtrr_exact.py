#!/usr/bin/env python3
"""Judge the exact MTRR policy by properties, on the layouts of the reference's mtrr cases.

    mtrr_exact.py PVW-GOLDEN FOLDER

No reference output exists for this policy. So each layout of FOLDER/mtrr is given to pvw-golden
(area mtrr_exact), and this program, which shares no code with it, decides:

* a layout must be refused exactly if a range ends beyond the address width or MMIO overlaps RAM,
  as which the first 1 MiB counts;
* else the counts of all four covers must be those of a plain recursion over blocks;
* the first cover within six pairs must have been taken, or the layout refused for want of pairs
  with a message that names a boundary of it;
* every byte of RAM must be write-back and every byte of MMIO uncached, both as the processor
  matches pairs and as software reads them.
"""

import collections
import json
import pathlib
import subprocess
import sys

MIB = 1 << 20
BUDGET = 6
LARGEST = 1 << 43
# What the whole set of reference layouts is known to give.
ALL_LAYOUTS = 285
ALL_COUNTS = {"refused": 38, "strict-wb": 140, "strict": 69, "relaxed-wb": 9, "relaxed": 10,
              "too many": 19}
COVERS = ("strict-wb", "strict", "relaxed-wb", "relaxed")


def number(value):
    return int(value, 16) if isinstance(value, str) else value


def ranges_of(case):
    ram = [tuple(map(number, r)) for r in case["ram"]]
    mmio = [tuple(map(number, case[k])) for k in ("chipset_low_mmio", "chipset_high_mmio")]
    ram.append((0, MIB))
    return [r for r in ram if r[0] < r[1]], [m for m in mmio if m[0] < m[1]]


def covered(ranges, start, end):
    """Bytes of [start, end) in the union of ranges."""
    total, at = 0, start
    for a, b in sorted(ranges):
        a, b = max(a, at), min(b, end)
        if a < b:
            total += b - a
            at = b
    return total


def needs(ram, mmio, width, strict):
    """(pairs, uncached) without and with holes, as a plain recursion."""

    def visit(start, size):
        end = start + size
        in_ram = covered(ram, start, end)
        hot = size - in_ram if strict else covered(mmio, start, end)
        if not in_ram:
            return ((1, 1) if hot else (0, 0)), (0, 0), (0, 0)
        if not hot and size <= LARGEST:
            return (0, 0), (1, 0), (1, 0)
        left, right = visit(start, size // 2), visit(start + size // 2, size // 2)
        inside, outside, only = (
            tuple(a + b for a, b in zip(x, y)) for x, y in zip(left, right))
        if size <= LARGEST:
            outside = min(outside, (inside[0] + 1, inside[1]))
        return inside, outside, only

    _, with_holes, without = visit(0, 1 << width)
    return without, with_holes


def types_of(registers, width, address, by_size):
    space = (1 << width) - 4096
    found = set()
    for base, mask in registers:
        bits = mask & space
        if by_size:
            size = bits & -bits if bits else 1 << width
            hit = base & space <= address < (base & space) + size
        else:
            hit = address & bits == base & bits
        if hit:
            found.add(base & 0xff)
    if not found or 0 in found:
        return 0
    return 6 if found == {6} else None


def judge_set(registers, ram, mmio, width):
    space = (1 << width) - 4096
    edges = {e for r in ram + mmio for e in r}
    for base, mask in registers:
        bits = mask & space
        size = bits & -bits if bits else 1 << width
        if mask != bits | 0x800 or base & space & ~bits or base & ~space not in (0, 6):
            return f"pair {base:#x}/{mask:#x} is no aligned block"
        edges |= {base & space, (base & space) + size}
    for address in sorted(e for e in edges if e < 1 << width):
        hardware = types_of(registers, width, address, False)
        software = types_of(registers, width, address, True)
        if hardware != software:
            return f"{address:#x} is {hardware}, read as {software}"
        if any(a <= address < b for a, b in ram) and hardware != 6:
            return f"{address:#x} is RAM and of type {hardware}"
        if any(a <= address < b for a, b in mmio) and hardware != 0:
            return f"{address:#x} is MMIO and of type {hardware}"
    return None


def judge(case, output):
    """-> (class, complaint or None)"""
    ram, mmio = ranges_of(case)
    width = min(max(case["physical_address_width"], 36), 52)
    impossible = any(b > 1 << width for _, b in ram + mmio) or any(covered(ram, *m) for m in mmio)
    if "error" in output:
        return "refused", None if impossible else f"refused: {output['error']}"
    if impossible:
        return "refused", "not refused, but it has no exact set"

    expected = {}
    expected["strict-wb"], expected["strict"] = needs(ram, mmio, width, True)
    expected["relaxed-wb"], expected["relaxed"] = needs(ram, mmio, width, False)
    ours = {name: tuple(need) for name, need in output["needs"].items()}
    if ours != expected:
        return "solved", f"needs {ours}, expected {expected}"

    cover = next((c for c in COVERS if expected[c][0] <= BUDGET), None)
    if cover is None:
        text = output.get("refused", "")
        words = (f"needs {expected['relaxed'][0]} ", f"have {BUDGET}", "ends at 0x")
        boundary = any(f"{e:#x}" in text for r in ram + mmio for e in r)
        good = boundary and all(word in text for word in words)
        return "too many", None if good else f"expected a refusal, found {output}"
    if output.get("cover") != cover:
        return cover, f"took {output.get('cover')}, expected {cover}"
    values = [number(r["value"]) for r in output["registers"]]
    registers = list(zip(values[::2], values[1::2]))
    if len(registers) != expected[cover][0]:
        return cover, f"{len(registers)} pairs, expected {expected[cover][0]}"
    return cover, judge_set(registers, ram, mmio, width)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / "mtrr"
    paths = sorted(folder.glob("*.json"))
    if not paths:
        print(f"no cases in {folder}, skipped")
        return 77
    counts = collections.Counter()
    failed = 0
    for path in paths:
        case = json.loads(path.read_text())["input"]
        run = subprocess.run([program], input=json.dumps({"area": "mtrr_exact", "input": case}),
                             capture_output=True, text=True, check=True, timeout=120)
        verdict, complaint = judge(case, json.loads(run.stdout)["output"])
        counts[verdict] += 1
        if complaint:
            failed += 1
            print(f"FAILED {path.stem}: {complaint}")
    print(f"{len(paths)} layouts: " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    if len(paths) == ALL_LAYOUTS and counts != ALL_COUNTS:
        failed += 1
        print(f"FAILED expected {ALL_COUNTS}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
