"""Damage to guests of aarch64 that a check must report."""

import struct

import mutations_x86
from cases_arm64 import ACPI, TREE
from mutations_x86 import CHECKSUM, Mutation, entry_at, wrong_checksum
from tree import Tree

RAM_GPA = 1 << 30

STATE = 0x1000  # of the ROM; agent/rom/state_arm64.S
STATE_COPY_LEN = STATE + 0x18
STATE_PC = STATE + 0x20
STATE_SCTLR = STATE + 0x30
STATE_X0 = STATE + 0x60
COPIED = 0x2000

GICC, SRAT_GICC = 0x0b, 3  # [ACPI65] 5.2.12, 5.2.16


class Guest(mutations_x86.Guest):
    def write(self, gpa, data):
        self.memory.seek(gpa - RAM_GPA)
        self.memory.write(data)

    def tree_gpa(self):
        return self.plan.names["linux.device-tree"]

    def tree(self):
        return Tree((self.plan.folder / "linux.device-tree.bin").read_bytes())

    def set_property(self, path, name, value):
        tree = self.tree()
        node = tree.root.find(path)
        if not isinstance(value, bytes):
            value = value(node.properties[name])
        self.write(self.tree_gpa(), tree.changed(node, name, value))

    def move_tree(self):
        """Into what the board overwrites: the ROM has it, and brings it back."""
        self.write_rom(COPIED, self.tree().data)
        self.write_rom(STATE_X0, struct.pack("<Q", RAM_GPA))


def set_property(path, name, value):
    return lambda guest: guest.set_property(path, name, value)


def cells(*changes):
    """Other values of some cells: (index, value)"""
    def change(data):
        values = list(struct.unpack(f">{len(data) // 4}I", data))
        for index, value in changes:
            values[index] = value
        return struct.pack(f">{len(values)}I", *values)
    return change


def patch(signature, at, value, size=4):
    return lambda guest: guest.patch(signature, at, value.to_bytes(size, "little"))


def patch_entry(signature, start, kind, skip, at, value, size=4):
    def change(guest):
        entry = entry_at(guest.plan.table(signature), start, kind, skip)
        guest.patch(signature, entry + at, value.to_bytes(size, "little"))
    return change


# Device tree.

def no_magic(guest):
    guest.write(guest.tree_gpa(), bytes(4))


def tree_elsewhere(guest):
    guest.write_rom(STATE_X0, struct.pack("<Q", guest.tree_gpa() + 0x10000))


def entry_elsewhere(guest):
    guest.write_rom(STATE_PC, struct.pack("<Q", guest.plan.value("Pc") + 0x8000000))


def mmu_on(guest):
    guest.write_rom(STATE_SCTLR, struct.pack("<Q", guest.plan.value("SctlrEl1") | 1))


def not_put_back(guest):
    guest.move_tree()
    guest.write_rom(STATE_COPY_LEN, bytes(8))


def other_letter(data):
    return data[:3] + b"x" + data[4:]


def swapped_processors(guest):
    tree = guest.tree()
    for i, node in ((0, 1), (1, 0)):
        cpu = tree.root.find("cpus").all("cpu")[i]
        tree = Tree(tree.changed(cpu, "numa-node-id", struct.pack(">I", node)))
    guest.write(guest.tree_gpa(), tree.data)


def half_a_node(guest):
    tree = guest.tree()
    node = tree.root.all("memory")[1]
    (start, size), = node.reg()
    guest.write(guest.tree_gpa(),
                tree.changed(node, "reg", struct.pack(">QQ", start, size // 2)))


def initrd_elsewhere(guest):
    guest.set_property("chosen", "linux,initrd-start",
                       lambda data: struct.pack(">Q", int.from_bytes(data, "big") + (1 << 20)))


# EFI and ACPI.

def no_efi(guest):
    guest.write(guest.plan.names["efi.system-table"], b"XXX")


def no_rsdp(guest):
    guest.write(guest.plan.rsdp().address, b"XXX")


def efi_descriptor(kind, at, change):
    """A field of the first descriptor of a type."""
    def damage(guest):
        data = (guest.plan.folder / "efi.memory-map.bin").read_bytes()
        for start in range(0, len(data), 40):
            if struct.unpack_from("<I", data, start)[0] == kind:
                value, = struct.unpack_from("<Q", data, start + at)
                guest.write(guest.plan.names["efi.memory-map"] + start + at,
                            struct.pack("<Q", change(value)))
                return
        raise ValueError(f"no descriptor of type {kind}")
    return damage


def srat_swaps_processors(guest):
    srat = guest.plan.table("SRAT")
    changed = bytearray(srat.data)
    for skip, domain in ((0, 1), (1, 0)):
        changed[entry_at(srat, 48, SRAT_GICC, skip) + 2] = domain
    changed[9] = (changed[9] - sum(changed)) & 0xff
    guest.write(srat.address, bytes(changed))


def uart_without_interrupt(guest):
    # Extended interrupt descriptor of the UART: flags, count, number. [ACPI65] 6.4.3.6
    dsdt = guest.plan.table("DSDT")
    at = guest.plan.find_bytes(dsdt, b"\x89\x06\x00")
    guest.patch("DSDT", at + 5, struct.pack("<I", 77))


def no_smbios(guest):
    system = (guest.plan.folder / "efi.system-table.bin").read_bytes()
    guest.write(guest.plan.names["efi.system-table"] + system.index(b"_SM3_"), b"_XX_")


def redistributors_elsewhere(guest):
    madt = guest.plan.table("APIC")
    changed = bytearray(madt.data)
    for skip in range(2):
        struct.pack_into("<Q", changed, entry_at(madt, 44, GICC, skip) + 60, 0x0a800000)
    changed[9] = (changed[9] - sum(changed)) & 0xff
    guest.write(madt.address, bytes(changed))


def row(base, name, change, check, words, also="", **more):
    return Mutation(name, change, check, words, also, base=base, **more)


SILENT = {"timeout": 15}
STUCK = {"timeout": 30}  # nothing is to be waited for

MUTATIONS = [
    row(TREE, "tree-without-magic", no_magic, "output", "no output at all", **SILENT),
    row(TREE, "tree-elsewhere", tree_elsewhere, "output", "no output at all", **SILENT),
    row(TREE, "entry-elsewhere", entry_elsewhere, "output", "no output at all", **SILENT),
    row(TREE, "mmu-on", mmu_on, "output", "no output at all", **SILENT),
    row(TREE, "not-put-back", not_put_back, "end", "panicked|never said",
        "Machine model: linux,dummy-virt", **STUCK),
    row(TREE, "other-model", set_property("", "model", other_letter), "model", "microsoft"),
    row(TREE, "other-command-line", set_property("chosen", "bootargs", other_letter),
        "tree-bytes", "sha256"),
    row(TREE, "no-kaslr-seed", set_property("chosen", "kaslr-seed", bytes(8)), "seeds",
        "found no seed"),
    row(TREE, "psci-by-smc", set_property("psci", "method", b"smc\0"), "end",
        "never said|panicked", **STUCK),
    row(TREE, "distributor-elsewhere", set_property("intc", "reg", cells((1, 0x0a000000))), "end",
        "never said|panicked", "init_IRQ", **STUCK),
    row(TREE, "redistributors-elsewhere", set_property("intc", "reg", cells((5, 0x0a800000))),
        "end", "never said|panicked", "init_IRQ", **STUCK),
    row(TREE, "uart-elsewhere", set_property("openvmm/uart", "reg", cells((1, 0x0a000000))),
        "output", "no output at all", **SILENT),
    row(TREE, "uart-without-interrupt", set_property("openvmm/uart", "interrupts",
                                                     cells((1, 77))), "uart",
        "no interrupt 33"),
    row(TREE, "other-timer", set_property("timer", "interrupts", cells((7, 5))), "timer",
        "no interrupt 27"),
    row(TREE, "half-a-node", half_a_node, "memory", "memory: "),
    row(TREE, "swapped-processors", swapped_processors, "nodes", "processors of node"),
    row(TREE, "other-distance", set_property("distance-map", "distance-matrix",
                                             cells((5, 33))), "nodes", "distances of node"),
    row(TREE, "no-distances", set_property("distance-map", "compatible", other_letter),
        "distances", "did not read"),
    row(TREE, "nobodys-affinity", set_property("cpus/cpu@1", "reg", cells((0, 9))), "processors",
        "processors: 1"),
    row(TREE, "initrd-elsewhere", initrd_elsewhere, "end", "panicked"),

    row(ACPI, "no-efi", no_efi, "output", "no output at all", **SILENT),
    row(ACPI, "no-rsdp", no_rsdp, "tables", "no RSDP"),
    row(ACPI, "short-efi-map", efi_descriptor(7, 24, lambda pages: pages // 2), "memory",
        "memory: "),
    row(ACPI, "efi-tables-given-away", efi_descriptor(6, 0, lambda kind: 4), "iomem",
        "System RAM"),
    *[row(ACPI, f"{signature.lower()}-checksum", wrong_checksum(signature), "warnings",
          rf"{CHECKSUM} \[{signature}\]")
      for signature in ("XSDT", "FACP", "APIC", "GTDT", "SRAT", "SPCR", "DSDT")],
    row(ACPI, "acpi-swapped-processors", srat_swaps_processors, "srat", "SRAT's processors"),
    row(ACPI, "acpi-nobodys-affinity", patch_entry("APIC", 44, GICC, 1, 68, 9, 8), "processors",
        "processors: 1"),
    row(ACPI, "acpi-redistributors", redistributors_elsewhere, "end", "never said|panicked",
        **STUCK),
    row(ACPI, "acpi-timer", patch("GTDT", 64, 21), "timer", "no interrupt 27"),
    row(ACPI, "acpi-no-psci", patch("FACP", 129, 0, 2), "psci", "did not say",
        "reboot: System halted", timeout=60),
    row(ACPI, "acpi-hypervisor", patch("FACP", 268, int.from_bytes(b"MsHyperV", "little"), 8),
        "end", "never said|panicked", **STUCK),
    row(ACPI, "acpi-uart-interrupt", uart_without_interrupt, "uart", "no interrupt 33"),
    row(ACPI, "acpi-no-smbios", no_smbios, "smbios", "no SMBIOS"),
]
