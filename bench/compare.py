#!/usr/bin/env python3
"""Judge that what pvw-bench measures is the reference's work: compare.py PVW-BENCH GOLDEN

GOLDEN holds the reference cases; those of its folder bench_inputs are what the reference's figures
were taken with. Every bench that has one must give the same bytes.
"""

import json
import pathlib
import struct
import subprocess
import sys


def printed(bench, name):
    out = subprocess.run([bench, "--print", name], check=True, capture_output=True, text=True)
    return out.stdout.split("\n")[:-1]


def number(text):
    return int(text, 16)


def layout_of(output):
    """RAM as {start, end, node}, and the root complexes' windows, empty ones as {0, 0}."""
    ram = b"".join(
        struct.pack("<QQI4x", number(r["start"]), number(r["end"]), r["vnode"])
        for r in output["ram"]
    )
    complexes = b""
    for pcie in output["pcie"]:
        for window in ("ecam", "low_mmio", "high_mmio", "chbcr", "hdm"):
            start, end = map(number, pcie[window])
            complexes += struct.pack("<QQ", *((start, end) if end > start else (0, 0)))
        complexes += bytes(16)  # no remapping unit
    return [ram.hex(), complexes.hex()]


# Bench -> case, and what of its output the bench prints.
WANTED = {
    "layout/1node_0rc": ("layout_1node_0rc", layout_of),
    "layout/8node_16rc": ("layout_8node_16rc", layout_of),
    "layout/64node_256rc": ("layout_64node_256rc", layout_of),
    "dsdt/openhcl": ("e2e_8vp", lambda o: [rebased_dsdt(o["dsdt"])]),
    "madt/1vp": ("madt_acpi_1vp", lambda o: [o["madt"]]),
    "madt/64vp": ("madt_acpi_64vp", lambda o: [o["madt"]]),
    "madt/2048vp": ("madt_acpi_2048vp", lambda o: [o["madt"]]),
    "srat/2048vp_64node": ("srat_slit_2048vp_64node", lambda o: [o["srat"]]),
    "slit/64node": ("srat_slit_2048vp_64node", lambda o: [o["slit"]]),
    "acpi/1vp": ("madt_acpi_1vp", lambda o: [o["tables"], o["rsdp"]]),
    "acpi/64vp": ("madt_acpi_64vp", lambda o: [o["tables"], o["rsdp"]]),
    "acpi/2048vp": ("madt_acpi_2048vp", lambda o: [o["tables"], o["rsdp"]]),
    "uefi_blob/8vp": ("e2e_8vp", lambda o: [o["uefi_blob"]]),
    "uefi_blob/2048vp": ("e2e_2048vp", lambda o: [o["uefi_blob"]]),
    "prepare/8vp": ("e2e_8vp", lambda o: everything(o)),
    "prepare/64vp": ("e2e_64vp", lambda o: everything(o)),
    "prepare/2048vp": ("e2e_2048vp", lambda o: everything(o)),
}


def everything(output):
    return [output[piece] for piece in ("madt", "srat", "uefi_blob", "dsdt")]


def rebased_dsdt(text):
    """The case's DSDT with the bench's high window: 64 GiB, checksum corrected."""
    table = bytearray.fromhex(text)
    window = struct.pack("<QQ", 0x3C0000000, 0x3DFFFFFFF)
    at = table.index(window)
    table[at : at + 16] = struct.pack("<QQ", 0x1000000000, 0x101FFFFFFF)
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return table.hex()


def main():
    bench, golden = sys.argv[1], pathlib.Path(sys.argv[2]) / "bench_inputs"
    if not golden.is_dir():
        print(f"no {golden}: nothing to compare with")
        return 77
    wrong = 0
    for name, (case, pick) in WANTED.items():
        wanted = pick(json.loads((golden / f"{case}.json").read_text())["output"])
        same = printed(bench, name) == wanted
        wrong += not same
        print(f"{'same' if same else 'DIFFERENT':9} {name} ({case})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
