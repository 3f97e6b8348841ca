"""The guests of aarch64: processors, nodes, and both ways to tell a kernel of its machine. RAM
begins at 1 GiB; with enough of it, it goes on at 4 GiB behind the device space.
"""

import dataclasses

from case import GIB, MIB, Case

TREE, ACPI = "device-tree", "acpi"


def both(name, memory, **more):
    return [Case(f"{name}-{hardware}", memory, arch="aarch64", hardware=hardware,
                 address_bits=44, **more) for hardware in (TREE, ACPI)]


CASES = [case for pair in (
    both("1vp-256m", 256 * MIB),
    both("1vp-odd", 501 * MIB),
    both("1vp-512m-v1", 512 * MIB, layout_version=1),
    both("1vp-4g", 4 * GIB),
    both("2vp-512m", 512 * MIB, vps=2),
    both("2vp-2nodes", GIB, vps=2, nodes=2),
    both("2vp-2nodes-5g-v1", 5 * GIB, vps=2, nodes=2, layout_version=1),
    both("4vp-2nodes", GIB, vps=4, nodes=2),
    both("4vp-4nodes", 768 * MIB, vps=4, nodes=4),
) for case in pair] + [
    # more than a cluster's worth of affinity would need another board
    Case("8vp-device-tree", GIB, vps=8, arch="aarch64", hardware=TREE, address_bits=44),
]

# What is damaged on purpose, and asked for its registers.
BASES = {case.hardware: dataclasses.replace(case, name=f"base-{case.hardware}")
         for case in both("base", 512 * MIB, vps=2, nodes=2)}
