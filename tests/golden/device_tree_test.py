#!/usr/bin/env python3
"""The comparison of device trees must see every difference, and forgive what it says it forgives.

    device_tree_test.py FOLDER-OF-CASES
"""

import copy
import json
import pathlib
import struct
import sys

import device_tree
from device_tree import Node


def corrected(node, path, case_input):
    """What we would answer: the reference's tree with its defects put right."""
    made = Node(node.name)
    if path.startswith("/cpus/cpu@"):
        made.name = f"cpu@{int.from_bytes(node.properties['reg'], 'big'):x}"
    made.properties = device_tree.correct(path or "/", node.properties, case_input)
    made.children = [corrected(child, f"{path}/{child.name}", case_input)
                     for child in node.children]
    return made


def at(root, *names):
    for name in names:
        root = next(child for child in root.children if child.name == name)
    return root


def rename(root):
    at(root, "cpus").children[-1].name = "cpu@ff"


def swap_cells(root):
    vmbus = at(root, "openvmm", "vmbus")
    vmbus.properties["ranges"] = vmbus.properties["ranges"][:32]


DIFFERENT = {
    "a property with another value": lambda r: r.properties.update({"model": b"x\0"}),
    "a property too few": lambda r: at(r, "timer").properties.pop("always-on"),
    "a property too many": lambda r: at(r, "timer").properties.update({"extra": b""}),
    "a node too few": lambda r: r.children.remove(at(r, "psci")),
    "a node too many": lambda r: r.children.append(Node("extra")),
    "the reference's vmbus ranges": swap_cells,
    "the reference's console": lambda r: at(r, "chosen").properties.update(
        {"stdout-path": b"/hvlite/uart@effec000\0"}),
    "the reference's cpus": lambda r: at(r, "cpus").properties.update(
        {"compatible": b"arm,armv8\0"}),
    "a processor without compatible": lambda r: at(r, "cpus").children[0].properties.pop(
        "compatible"),
    "a processor under a wrong name": rename,
    "a node of a processor elsewhere": lambda r: at(r, "timer").properties.update(
        {"numa-node-id": struct.pack(">I", 0)}),
    "a seed elsewhere": lambda r: r.properties.update({"rng-seed": b"x" * 32}),
}

EQUAL = {
    "siblings in another order": lambda r: r.children.reverse(),
    "processors in another order": lambda r: at(r, "cpus").children.reverse(),
    "properties in another order": lambda r: setattr(
        r, "properties", dict(reversed(list(r.properties.items())))),
    "nodes of processors": lambda r: at(r, "cpus").children[0].properties.update(
        {"numa-node-id": struct.pack(">I", 1)}),
    "distances": lambda r: r.children.append(Node("distance-map")),
    "seeds": lambda r: at(r, "chosen").properties.update(
        {"rng-seed": b"x" * 32, "kaslr-seed": b"y" * 8}),
}

BROKEN = {
    "cut short": lambda blob: blob[:-8],
    "another boot processor": lambda blob: blob[:28] + struct.pack(">I", 1) + blob[32:],
    "no magic": lambda blob: b"\0" + blob[1:],
}


def main():
    counts = {"passed": 0, "failed": 0}

    def expect(right, what):
        counts["passed" if right else "failed"] += 1
        if not right:
            print(f"FAILED {what}")

    for path in sorted(pathlib.Path(sys.argv[1]).glob("linux_a64_dt/*.json")):
        case = json.loads(path.read_text())
        if "dtb" not in case["output"]:
            continue
        blob = bytes.fromhex(case["output"]["dtb"])
        reference = device_tree.parse(blob)
        ours = corrected(reference, "", case["input"])
        if not at(ours, "chosen").properties.get("stdout-path"):
            continue
        for wanted, changes in ((False, {"nothing": lambda r: None, **EQUAL}), (True, DIFFERENT)):
            for what, change in changes.items():
                tree = copy.deepcopy(ours)
                change(tree)
                found = device_tree.compare("", tree, reference, case["input"])
                expect(bool(found) == wanted, f"{path.stem}: {what}: {found}")
        expect(device_tree.compare("", reference, reference, case["input"]),
               f"{path.stem}: the reference's own tree passes")
        for what, damage in BROKEN.items():
            found = device_tree.first_difference({"dtb": damage(blob).hex()}, case["output"],
                                                 case["input"])
            expect(found, f"{path.stem}: {what} passes")
    print(f"{counts['passed']} passed, {counts['failed']} failed, 0 skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
