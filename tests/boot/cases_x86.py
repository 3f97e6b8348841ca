"""The guests of x86-64: processors, nodes, both forms of a kernel, memory below 4 GiB, above, and
with Hyper-V's split; both policies of MTRRs; both versions of the layout.
"""

from case import GIB, MIB, Case

SPLIT = 128 * MIB  # of the device space: RAM up to 0xf8000000, then from 4 GiB on

CASES = [
    Case("1vp-256m", 256 * MIB),
    Case("1vp-256m-vmlinux-v1", 256 * MIB, image="vmlinux", layout_version=1),
    Case("1vp-512m-hyperv", 512 * MIB, mtrr="hyperv"),
    Case("1vp-512m-hyperv-v1", 512 * MIB, mtrr="hyperv", layout_version=1),
    Case("1vp-odd", 1001 * MIB),
    Case("1vp-3g", 3 * GIB),
    Case("1vp-4g-2g", 4 * GIB, device_space=2 * GIB),
    Case("1vp-5g", 5 * GIB),
    Case("1vp-5g-vmlinux-v1", 5 * GIB, image="vmlinux", layout_version=1),
    Case("1vp-5g-hyperv-v1", 5 * GIB, mtrr="hyperv", layout_version=1),
    Case("1vp-split", 5 * GIB, device_space=SPLIT),
    Case("1vp-split-hyperv", 5 * GIB, device_space=SPLIT, mtrr="hyperv"),
    Case("1vp-40bits", 512 * MIB, address_bits=40),
    Case("2vp-2nodes", 1536 * MIB, vps=2, nodes=2),
    Case("2vp-2nodes-vmlinux-v1", 1536 * MIB, vps=2, nodes=2, image="vmlinux", layout_version=1),
    Case("2vp-2nodes-split", 5 * GIB, vps=2, nodes=2, device_space=SPLIT),
    Case("4vp-1g", GIB, vps=4),
    Case("4vp-2nodes-hyperv-v1", 4 * GIB, vps=4, nodes=2, mtrr="hyperv", layout_version=1),
    Case("16vp-2g", 2 * GIB, vps=16),
    Case("16vp-2nodes-vmlinux", 5 * GIB, vps=16, nodes=2, image="vmlinux"),
]

# What is damaged on purpose, and asked for its registers.
BASE = Case("base", 512 * MIB, vps=2, nodes=2)
