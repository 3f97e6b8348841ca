"""A plan as an outsider reads it: plan.json and the bytes that were put into guest memory, decoded
from the specifications alone.
"""

import hashlib
import json
import pathlib
import struct

from tree import Tree


def number(value):
    return int(value, 0) if isinstance(value, str) else value


class Table:
    """An ACPI table where it lies."""

    def __init__(self, address, data):
        self.address = address
        self.data = data
        self.signature = data[:4].decode("ascii", "replace")

    def u8(self, at):
        return self.data[at]

    def u16(self, at):
        return struct.unpack_from("<H", self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from("<Q", self.data, at)[0]

    def text(self, at, length):
        return self.data[at:at + length].decode("ascii", "replace").rstrip(" \0")

    def digest(self):
        return hashlib.sha256(self.data).hexdigest()

    def entries(self, start):
        """(type, bytes) of what follows a head of @start bytes; MADT, SRAT. [ACPI65] 5.2.12"""
        at = start
        while at + 2 <= len(self.data):
            length = self.data[at + 1]
            if length < 2:
                raise ValueError(f"{self.signature}: an entry of {length} bytes at {at}")
            yield self.data[at], self.data[at:at + length]
            at += length


class Plan:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.document = json.loads((self.folder / "plan.json").read_text())
        self.layout = json.loads((self.folder / "layout.json").read_text())["layout"]
        self.command = (self.folder / "qemu.args").read_text().splitlines()
        self.registers = {}
        for group in self.document["registers"]:
            for register in group["registers"]:
                self.registers[register["name"]] = (number(register["low"]),
                                                    number(register["high"]))
        self.pieces = []
        self.names = {}
        for write in self.document["writes"]:
            path = self.folder / (write["artifact"] + ".bin")
            self.names[write["artifact"]] = number(write["gpa"])
            if path.exists():
                self.pieces.append((number(write["gpa"]), path.read_bytes()))

    def read(self, gpa, length):
        for start, data in self.pieces:
            if start <= gpa and gpa + length <= start + len(data):
                return data[gpa - start:gpa - start + length]
        raise ValueError(f"nothing planned at 0x{gpa:x}, {length} bytes")

    def value(self, name):
        return self.registers.get(name, (0, 0))[0]

    # Memory.

    def memory(self):
        """[(start, end, node)] of the guest's RAM"""
        return [(number(record["start"]), number(record["start"]) + number(record["size"]),
                 record["vnode"])
                for record in self.layout["records"] if record["kind"] == "ram"]

    def window(self, name):
        """(start, size) of a chipset window, "low" or "high"; None if it is empty"""
        window = self.layout["chipset"].get(name)
        if not window or number(window["size"]) == 0:
            return None
        return number(window["start"]), number(window["size"])

    # Linux.

    def zero_page(self):
        return self.read(self.value("Rsi"), 4096)

    def memory_map(self):
        """[(start, end, type)]; [LINUXBOOT] e820_table"""
        page = self.zero_page()
        entries = []
        for i in range(page[0x1e8]):
            start, size, kind = struct.unpack_from("<QQI", page, 0x2d0 + 20 * i)
            entries.append((start, start + size, kind))
        return entries

    def command_line(self):
        if "linux.command-line" not in self.names:  # aarch64: it stands in the tree
            tree = Tree((self.folder / "linux.device-tree.bin").read_bytes())
            return tree.root.find("chosen").text("bootargs")
        path = self.folder / "linux.command-line.bin"
        return path.read_bytes().rstrip(b"\0").decode()

    # ACPI.

    def table_at(self, address):
        length = struct.unpack("<I", self.read(address + 4, 4))[0]
        return Table(address, self.read(address, length))

    def rsdp(self):
        gpa = self.names["acpi.rsdp"]
        return Table(gpa, self.read(gpa, 36))

    def tables(self):
        """All tables but RSDP and XSDT, by the chain that a kernel follows."""
        xsdt = self.xsdt()
        tables = []
        for at in range(36, len(xsdt.data), 8):
            table = self.table_at(xsdt.u64(at))
            tables.append(table)
            if table.signature == "FACP":
                if table.u64(140):
                    tables.append(self.table_at(table.u64(140)))  # X_DSDT
                facs = table.u64(132) or table.u32(36)
                if facs:
                    tables.append(self.table_at(facs))
        return tables

    def xsdt(self):
        return self.table_at(self.rsdp().u64(24))

    def table(self, signature):
        """None if there is none, or no tables at all."""
        if "acpi.rsdp" not in self.names:
            return None
        for table in self.tables():
            if table.signature == signature:
                return table
        return None

    def find_bytes(self, table, pattern, skip=0):
        """Offset of bytes in a table."""
        at = table.data.find(pattern, skip)
        if at < 0:
            raise ValueError(f"no {pattern.hex()} in {table.signature}")
        return at
