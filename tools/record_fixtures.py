#!/usr/bin/env python3
"""Record every fixture of fixtures/ anew from its source in fixtures/src/.

usage: record_fixtures.py PVW [--check] [--out DIR] [NAME ...]

  --check   record into a temporary folder and compare with what is there, byte by byte
  --out     where to write; default: fixtures/ of this tree
  NAME      only fixtures whose name contains one of these words

A row names the fixture, its tree and the options of `pvw fixture record`. A tree is compiled
from NAME.dts by dtc, or taken as it is from NAME.dtb. x64-bench-* are the trees of the speed
comparison with the reference implementation, whose bytes must not change.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(os.path.dirname(HERE), "fixtures")
SOURCES = os.path.join(FIXTURES, "src")

BENCH = "--phys-bits 46 --vps-per-socket 32"

# fixture, tree, options; PATH: stands for the folder of the sources
ROWS = [
    ("x64-uefi-4vp", "x64-numa-roles.boot", "--note 'roles declared, two nodes'"),
    ("x64-uefi-1vp", "x64-1vp", ""),
    ("x64-uefi-64vp-4node", "x64-64vp-4node", "--vps-per-socket 16 --smt"),
    ("x64-uefi-64vp-16node", "x64-16node", "--vps-per-socket 4"),
    ("x64-bench-8vp", "x64-bench-8vp", BENCH),
    ("x64-bench-64vp", "x64-bench-64vp", BENCH),
    ("x64-bench-2048vp", "x64-bench-2048vp", BENCH),
    ("x64-uefi-by-address", "x64-by-address", ""),
    ("x64-uefi-low-window", "x64-low-window", ""),
    ("x64-uefi-high-window", "x64-high-window", ""),
    ("x64-uefi-no-window", "x64-no-window", ""),
    ("x64-uefi-low-touching", "x64-low-touching", "--note 'two pieces that touch'"),
    ("x64-uefi-low-absent", "x64-low-absent", ""),
    ("x64-uefi-reserved", "x64-reserved", ""),
    ("x64-uefi-vtl2-mmio", "x64-vtl2-mmio", ""),
    ("x64-uefi-sidecar", "x64-sidecar", ""),
    ("x64-uefi-vbs", "x64-vbs", "--isolation vbs --settings PATH:isolated.json"),
    ("x64-uefi-snp", "x64-snp", "--isolation snp --settings PATH:isolated.json"),
    ("x64-uefi-tdx", "x64-tdx", "--isolation tdx --phys-bits 52 --settings PATH:isolated.json"),
    ("x64-uefi-relay", "x64-by-address", "--relay 4 --settings PATH:settings.json"),
    ("x64-uefi-settings", "x64-vtl2-mmio", "--settings PATH:settings.json"),
    ("x64-uefi-reference", "x64-numa-roles.boot",
     "--mtrr hyperv --acpi-profile reference --layout-version 1"),
    ("x64-pcat-2vp", "x64-by-address", "--firmware pcat --settings PATH:settings.json"),
    ("x64-linux-2vp", "x64-by-address", "--settings PATH:linux.json"),
    ("x64-none-2vp", "x64-by-address", "--firmware none"),
    ("a64-uefi-1vp", "a64-1vp", ""),
    ("a64-uefi-8vp-2node", "a64-8vp-2node", ""),
    ("a64-uefi-64vp-4node", "a64-64vp-4node", ""),
    ("a64-uefi-pl011", "a64-pl011", ""),
    ("a64-linux-tree-2vp", "a64-linux", "--settings PATH:linux-arm64-tree.json"),
    ("a64-linux-acpi-2vp", "a64-linux", "--settings PATH:linux-arm64-acpi.json"),
]

# what must be refused: fixture, tree, options, diagnostic
REFUSED = [
    ("refused-range", "bad-range", "", "PVW-ROLE-0002"),
    ("refused-role-of-vtl2", "bad-vtl", "", "PVW-ROLE-0003"),
    ("refused-role-unknown", "bad-role", "", "PVW-ROLE-0004"),
    ("refused-straddle", "bad-straddle", "", "PVW-ROLE-0005"),
    ("refused-role-address", "bad-address", "", "PVW-ROLE-0006"),
    ("refused-overlap", "bad-overlap", "", "PVW-ROLE-0007"),
    ("refused-overlap-ram", "bad-ram", "", "PVW-ROLE-0008"),
    ("refused-role-conflict", "bad-conflict", "", "PVW-ROLE-0009"),
    ("refused-fragmented", "bad-fragmented", "", "PVW-ROLE-0010"),
    ("refused-relay", "x64-small-high", "--relay 64 --settings PATH:settings.json",
     "PVW-VMBUS-0002"),
    ("refused-isolation", "x64-by-address", "--isolation snp", "PVW-SESSION-0002"),
    ("refused-pcat-arm64", "a64-1vp", "--firmware pcat", "PVW-BOOT-0001"),
    ("refused-linux-arm64", "a64-linux", "--settings PATH:linux-arm64-uart.json",
     "PVW-ARM64-0015"),
]


def compile_tree(name, folder):
    binary = os.path.join(SOURCES, name + ".dtb")
    if os.path.exists(binary):
        return binary
    out = os.path.join(folder, name + ".dtb")
    # warnings are about style; the trees are as a shim writes them
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out,
                    os.path.join(SOURCES, name + ".dts")], check=True)
    return out


def words_of(options):
    return [word.replace("PATH:", SOURCES + "/") for word in shlex.split(options)]


def record(pvw, tree, options, out):
    """Fixed seed and no time: the same source gives the same bytes."""
    command = [pvw, "fixture", "record", "-q", "--dtb", tree, "--seed", "1", "-o", out]
    subprocess.run(command + words_of(options), check=True)


def check_diagnostic(pvw, path, expected):
    """A refusal is recorded whatever it says; it must say this."""
    if expected is None:
        return
    shown = subprocess.run([pvw, "fixture", "show", "--format", "json", path], check=True,
                           stdout=subprocess.PIPE)
    found = json.loads(shown.stdout)["fields"]["expect.diagnostic"]
    if found != expected:
        raise ValueError(f"refused with {found}, expected {expected}")


def record_all(pvw, folder, names):
    rows = [row + (None,) for row in ROWS]
    rows += [(row[0], row[1], row[2] + " --refuse", row[3]) for row in REFUSED]
    written, failed = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name, tree, options, diagnostic in rows:
            if names and not any(word in name for word in names):
                continue
            path = os.path.join(folder, name + ".cbor")
            try:
                record(pvw, compile_tree(tree, scratch), options, path)
                check_diagnostic(pvw, path, diagnostic)
                written.append(name)
            except (subprocess.CalledProcessError, ValueError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed.append(name)
    return written, failed


def differing(names, folder):
    """Names whose recording is not the file of the tree."""
    found = []
    for name in names:
        with open(os.path.join(folder, name + ".cbor"), "rb") as recorded:
            path = os.path.join(FIXTURES, name + ".cbor")
            if not os.path.exists(path) or open(path, "rb").read() != recorded.read():
                found.append(name)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pvw")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", default=FIXTURES)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    pvw = os.path.abspath(options.pvw)

    if not options.check:
        written, failed = record_all(pvw, options.out, options.names)
        print(f"{len(written)} recorded, {len(failed)} failed")
        return 1 if failed else 0
    with tempfile.TemporaryDirectory() as folder:
        written, failed = record_all(pvw, folder, options.names)
        changed = differing(written, folder)
    for name in changed:
        print(f"{name}: differs from a new recording", file=sys.stderr)
    print(f"{len(written) - len(changed)} as recorded, {len(changed) + len(failed)} not")
    return 1 if changed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
