"""A flattened device tree, decoded from its definition alone. [DT04] 5"""

import hashlib
import struct

MAGIC = 0xd00dfeed
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9

# Seeds that kernels wipe in the tree once they have used them: the first's value, the second whole.
# [LINUXARM64] arch/arm64/kernel/pi/kaslr_early.c, drivers/of/fdt.c
KASLR_SEED, RNG_SEED = "kaslr-seed", "rng-seed"


class Node:
    def __init__(self, name, parent):
        self.name = name
        self.parent = parent
        self.properties = {}  # name: bytes
        self.places = {}      # name: (offset of the tag, offset of the value)
        self.children = []

    def cells(self, name):
        data = self.properties[name]
        return list(struct.unpack(f">{len(data) // 4}I", data))

    def cell(self, name, absent=None):
        return self.cells(name)[0] if name in self.properties else absent

    def text(self, name):
        return self.properties.get(name, b"").split(b"\0")[0].decode()

    def find(self, path):
        """By names, with or without unit address."""
        node = self
        for part in filter(None, path.split("/")):
            hits = [child for child in node.children if part in (child.name,
                                                                 child.name.split("@")[0])]
            if not hits:
                return None
            node = hits[0]
        return node

    def all(self, stem):
        return [child for child in self.children if child.name.split("@")[0] == stem]

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def reg(self):
        """[(address, size)], two cells each as everywhere in our trees"""
        return list(struct.iter_unpack(">QQ", self.properties["reg"]))


class Tree:
    def __init__(self, data):
        self.data = bytes(data)
        magic, self.size, structure, strings = struct.unpack_from(">4I", data)
        if magic != MAGIC:
            raise ValueError(f"0x{magic:x} is no device tree")
        self.root = self.parse(structure, strings)

    def string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def parse(self, at, strings):
        node = root = Node("", None)
        top = True
        while True:
            tag = struct.unpack_from(">I", self.data, at)[0]
            start, at = at, at + 4
            if tag == BEGIN_NODE:
                name = self.string(at)
                at += (len(name) + 4) & ~3
                if not top:
                    node.children.append(Node(name, node))
                    node = node.children[-1]
                top = False
            elif tag == END_NODE:
                node = node.parent or root
            elif tag == PROP:
                length, offset = struct.unpack_from(">II", self.data, at)
                name = self.string(strings + offset)
                node.properties[name] = self.data[at + 8:at + 8 + length]
                node.places[name] = (start, at + 8)
                at += 8 + (length + 3 & ~3)
            elif tag == END:
                return root
            elif tag != NOP:
                raise ValueError(f"tag {tag} at 0x{start:x}")

    def changed(self, node, name, value):
        """Bytes with another value of the same length."""
        tag, at = node.places[name]
        if len(value) != len(node.properties[name]):
            raise ValueError(f"{name} has {len(node.properties[name])} bytes")
        return self.data[:at] + value + self.data[at + len(value):]

    def without(self, node, name):
        """Bytes without a property."""
        start, at = node.places[name]
        end = at + (len(node.properties[name]) + 3 & ~3)
        return self.data[:start] + struct.pack(">I", NOP) * ((end - start) // 4) + self.data[end:]

    def wiped(self):
        """Bytes after a kernel has used the seeds."""
        data = self.data
        chosen = self.root.find("chosen")
        if KASLR_SEED in chosen.properties:
            data = Tree(data).changed(chosen, KASLR_SEED,
                                      bytes(len(chosen.properties[KASLR_SEED])))
        if RNG_SEED in chosen.properties:
            data = Tree(data).without(chosen, RNG_SEED)
        return data

    def digest_in_guest(self):
        return hashlib.sha256(self.wiped()).hexdigest()
