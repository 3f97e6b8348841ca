"""Compare the device trees of area linux_a64_dt by meaning.

Header, names' block, order of properties and of sibling nodes are free; properties stand before
children. cpu@ nodes are paired by `reg`, all others by their full name. Every node and property of
the reference must be there with its value, except where the reference is wrong:

  openvmm/vmbus ranges   two cells short an entry there; ours: (start, start, length) a window
  chosen stdout-path     names a node that does not exist there
  cpus, cpu@             `compatible` stands on the wrong one there
  cpu@'s name            decimal there; ours: hexadecimal, as [DT04] 2.2.1.1 wants it

numa-node-id, distance-map, rng-seed and kaslr-seed may be there in addition; nothing else.
"""

import struct

BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


class Node:
    def __init__(self, name):
        self.name = name
        self.properties = {}
        self.children = []


def parse(blob):
    """-> the root; raises ValueError with what is wrong"""
    head = struct.unpack_from(">10I", blob)
    if head[0] != 0xd00dfeed or head[1] != len(blob):
        raise ValueError("not a whole tree")
    structure, strings, reservations = head[2], head[3], head[4]
    if struct.unpack_from(">2Q", blob, reservations) != (0, 0):
        raise ValueError("memory reservations, expected none")
    if head[7] != 0:
        raise ValueError(f"boot processor {head[7]}, expected 0")
    stack, root, at = [], None, structure
    while True:
        token, = struct.unpack_from(">I", blob, at)
        at += 4
        if token == BEGIN_NODE:
            end = blob.index(0, at)
            node = Node(blob[at:end].decode())
            at = (end + 4) // 4 * 4
            if stack:
                if any(child.name == node.name for child in stack[-1].children):
                    raise ValueError(f"{node.name} is there twice")
                stack[-1].children.append(node)
            elif root:
                raise ValueError("two roots")
            else:
                root = node
            stack.append(node)
        elif token == END_NODE:
            stack.pop()
        elif token == PROP:
            length, name = struct.unpack_from(">2I", blob, at)
            begin = strings + name
            text = blob[begin:blob.index(0, begin)].decode()
            node = stack[-1]
            if node.children:
                raise ValueError(f"{node.name}: {text} stands behind a child")
            if text in node.properties:
                raise ValueError(f"{node.name}: {text} is there twice")
            node.properties[text] = blob[at + 8:at + 8 + length]
            at = (at + 8 + length + 3) // 4 * 4
        elif token == END:
            break
        elif token != NOP:
            raise ValueError(f"token {token}")
    if stack or root is None:
        raise ValueError("nodes without an end")
    return root


def is_cpu(path):
    return path.startswith("/cpus/cpu@")


def key_of(path, node):
    if path == "/cpus" and node.name.startswith("cpu@"):
        return ("cpu", int.from_bytes(node.properties.get("reg", b""), "big"))
    return node.name


def window_ranges(case_input):
    ranges = b""
    for name in ("chipset_low_mmio", "chipset_high_mmio"):
        start, end = (int(text, 16) for text in case_input[name])
        if start < end:
            ranges += struct.pack(">3Q", start, start, end - start)
    return ranges


def correct(path, properties, case_input):
    """The reference's properties with what it should say."""
    properties = dict(properties)
    if path == "/cpus":
        properties.pop("compatible", None)
    elif is_cpu(path):
        properties["compatible"] = b"arm,armv8\0"
    elif path == "/openvmm/vmbus":
        properties["ranges"] = window_ranges(case_input)
    elif path == "/chosen" and "stdout-path" in properties:
        properties["stdout-path"] = b"/openvmm/uart@effec000\0"
    return properties


def is_extra(path, name):
    if name == "numa-node-id":
        return is_cpu(path) or path.startswith("/memory@")
    return path == "/chosen" and name in ("rng-seed", "kaslr-seed")


def compare_properties(path, ours, expected, case_input):
    wanted = correct(path, expected.properties, case_input)
    for name, value in wanted.items():
        if name not in ours.properties:
            return f"{path}: {name} is missing"
        if ours.properties[name] != value:
            return f"{path}: {name} is {ours.properties[name].hex()}, expected {value.hex()}"
    for name in ours.properties:
        if name not in wanted and not is_extra(path, name):
            return f"{path}: {name} is not expected"
    return None


def compare(path, ours, expected, case_input):
    difference = compare_properties(path or "/", ours, expected, case_input)
    if difference:
        return difference
    left = {key_of(path, node): node for node in ours.children}
    right = {key_of(path, node): node for node in expected.children}
    for key, node in right.items():
        if key not in left:
            return f"{path}/{node.name} is missing"
        found = left[key]
        if isinstance(key, tuple) and found.name != f"cpu@{key[1]:x}":
            return f"{path}/{found.name}: expected cpu@{key[1]:x}"
        difference = compare(f"{path}/{node.name}", found, node, case_input)
        if difference:
            return difference
    for key, node in left.items():
        if key not in right and not (path == "" and node.name == "distance-map"):
            return f"{path}/{node.name} is not expected"
    return None


def first_difference(ours, expected, case_input):
    """Of two outputs {"dtb": hex}; None if they mean the same."""
    if set(ours) != {"dtb"} or set(expected) != {"dtb"}:
        return f"{sorted(ours)}, expected {sorted(expected)}"
    try:
        root = parse(bytes.fromhex(ours["dtb"]))
    except (ValueError, IndexError, struct.error) as error:
        return f"output.dtb: {error}"
    return compare("", root, parse(bytes.fromhex(expected["dtb"])), case_input)
