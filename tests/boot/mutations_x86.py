"""Damage that a check must report: one row each {name, what is done, the check, its words}. A check
that no longer sees its damage is a failure of this test.

Damage is done to the memory's file and to the ROM, behind the worker's back.
"""

import dataclasses
import struct

STATE = 0x1000  # of the ROM; agent/rom/state_x86.S
STATE_MSRS = STATE + 0x100
STATE_RIP = STATE + 0x90
STATE_RSI = STATE + 0x10 + 8 * 6


class Guest:
    """Memory and ROM of a prepared guest, open for change."""

    def __init__(self, plan, memory, rom):
        self.plan = plan
        self.memory = memory  # files
        self.rom = rom

    def write(self, gpa, data):
        self.memory.seek(gpa)  # our guests have it all below 4 GiB
        self.memory.write(data)

    def write_rom(self, offset, data):
        self.rom.seek(offset)
        self.rom.write(data)

    def patch(self, signature, at, data, fix=True):
        """Bytes of a table; its checksum follows unless that is the damage."""
        table = self.plan.xsdt() if signature == "XSDT" else self.plan.table(signature)
        changed = bytearray(table.data)
        changed[at:at + len(data)] = data
        if fix:
            changed[9] = (changed[9] - sum(changed)) & 0xff
        self.write(table.address, bytes(changed))

    def msr(self, number, value):
        """Value of an MSR in the ROM's list."""
        self.rom.seek(STATE)
        head = self.rom.read(16)
        for i in range(struct.unpack_from("<I", head, 8)[0]):
            self.rom.seek(STATE_MSRS + 16 * i)
            found, = struct.unpack("<I", self.rom.read(4))
            if found == number:
                self.write_rom(STATE_MSRS + 16 * i + 8, struct.pack("<Q", value))
                return
        raise ValueError(f"MSR 0x{number:x} is not in the ROM")


def entry_at(table, start, kind, skip=0):
    at = start
    for found, entry in table.entries(start):
        if found == kind:
            if skip == 0:
                return at
            skip -= 1
        at += len(entry)
    raise ValueError(f"no entry of type {kind}")


def wrong_checksum(signature):
    def change(guest):
        table = guest.plan.xsdt() if signature == "XSDT" else guest.plan.table(signature)
        guest.patch(signature, 9, bytes([table.data[9] ^ 0x55]), fix=False)
    return change


def wrong_rsdp(guest):
    rsdp = guest.plan.rsdp()
    guest.write(rsdp.address + 8, bytes([rsdp.data[8] ^ 0x55]))


def xsdt_names_nothing(guest):
    # where nothing is: behind the tables, in the same page
    last = max(table.address + len(table.data) for table in
               guest.plan.tables() + [guest.plan.xsdt()])
    guest.patch("XSDT", 36 + 8 * (len(guest.plan.xsdt().data) // 8 - 5),
                struct.pack("<Q", (last + 15) & ~15))


def broken_aml(guest):
    # Name(_HID, …) of the first processor becomes a reference to what nobody has
    dsdt = guest.plan.table("DSDT")
    at = guest.plan.find_bytes(dsdt, b"\x08_HID\x0dACPI0007\0")
    guest.patch("DSDT", at + 5, b"XYZW" + b"\xa3" * 6)


def rename_s5(guest):
    guest.patch("DSDT", guest.plan.find_bytes(guest.plan.table("DSDT"), b"_S5_"), b"_S7_")


def move_pm1(guest):
    # PM1a control block, both forms. [ACPI65] 5.2.9
    table = guest.plan.table("FACP")
    changed = bytearray(table.data)
    struct.pack_into("<I", changed, 64, 0x604)
    struct.pack_into("<Q", changed, 172 + 4, 0x604)
    changed[9] = (changed[9] - sum(changed)) & 0xff
    guest.write(table.address, bytes(changed))


def srat_is_short(guest):
    srat = guest.plan.table("SRAT")
    at = entry_at(srat, 48, 1, 1)
    guest.patch("SRAT", at + 16, struct.pack("<Q", srat.u64(at + 16) // 2))


def srat_overlaps(guest):
    srat = guest.plan.table("SRAT")
    at = entry_at(srat, 48, 1, 1)
    guest.patch("SRAT", at + 8, struct.pack("<QQ", srat.u64(at + 8) - (16 << 20),
                                            srat.u64(at + 16) + (16 << 20)))


def srat_swaps_processors(guest):
    srat = guest.plan.table("SRAT")
    table = bytearray(srat.data)
    for skip, domain in ((0, 1), (1, 0)):
        table[entry_at(srat, 48, 0, skip) + 2] = domain
    table[9] = (table[9] - sum(table)) & 0xff
    guest.write(srat.address, bytes(table))


def nobodys_apic_id(guest):
    guest.patch("APIC", entry_at(guest.plan.table("APIC"), 44, 0, 1) + 3, b"\x09")


def no_override(guest):
    madt = guest.plan.table("APIC")
    at = entry_at(madt, 44, 2, 0)
    if madt.data[at + 3] != 0:
        at = entry_at(madt, 44, 2, 1)
    guest.patch("APIC", at, b"\x7f")  # a type that nobody knows


def no_io_apic(guest):
    guest.patch("APIC", entry_at(guest.plan.table("APIC"), 44, 1), b"\x7f")


def e820_entry(index, field, value):
    def change(guest):
        at = guest.plan.value("Rsi") + 0x2d0 + 20 * index + {"start": 0, "size": 8, "type": 16}[
            field]
        guest.write(at, struct.pack("<I" if field == "type" else "<Q", value))
    return change


def tables_in_ram(guest):
    kinds = [kind for _, _, kind in guest.plan.memory_map()]
    e820_entry(kinds.index(3), "type", 1)(guest)


def one_entry_more(guest):
    page = guest.plan.zero_page()
    count = page[0x1e8]
    at = guest.plan.value("Rsi")
    guest.write(at + 0x1e8, bytes([count + 1]))
    guest.write(at + 0x2d0 + 20 * count, struct.pack("<QQI", 64 << 20, 1 << 20, 2))


def mtrrs_miss_ram(guest):
    guest.msr(0x201, (guest.plan.value("MtrrPhysMask0") | 0x10000000))


def narrow_masks(guest):
    guest.msr(0x201, guest.plan.value("MtrrPhysMask0") & ((1 << 40) - 1))


def wide_masks(guest):
    guest.msr(0x201, guest.plan.value("MtrrPhysMask0") | 1 << 50)


def mtrrs_off(guest):
    guest.msr(0x2ff, 0)


def fixed_mtrr(guest):
    guest.msr(0x259, 0x0606060606060606)


def window_length(guest):
    dsdt = guest.plan.table("DSDT")
    start, size = guest.plan.window("low")
    at = guest.plan.find_bytes(dsdt, struct.pack("<QQ", start, start + size - 1))
    guest.patch("DSDT", at + 24, struct.pack("<Q", size // 2))


def window_tag(guest):
    dsdt = guest.plan.table("DSDT")
    start, _ = guest.plan.window("low")
    # type, length and three flags stand before the granularity, that before the minimum
    at = guest.plan.find_bytes(dsdt, struct.pack("<Q", start)) - 14
    guest.patch("DSDT", at, b"\x8f")


def initrd_elsewhere(guest):
    guest.write(guest.plan.value("Rsi") + 0x218, struct.pack("<I", 64 << 20))


def other_command_line(guest):
    at = guest.plan.names["linux.command-line"]
    guest.write(at + len(guest.plan.command_line()), b" extra\0")


def runs_into_nothing(guest):
    guest.write_rom(STATE_RIP, struct.pack("<Q", 0x90000))


def half_a_zero_page(guest):
    guest.write_rom(STATE_RSI, struct.pack("<Q", guest.plan.value("Rsi") + 0x10000))


def no_smbios(guest):
    guest.write(guest.plan.names["smbios.anchor"], b"_XX_")


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    change: object
    check: str          # that must report it
    words: str          # a regular expression that one of its sentences matches
    also: str = ""      # that the console must have, a regular expression
    until: str = None   # words on the console after which there is nothing to wait for
    timeout: int = 300
    base: str = ""      # which guest is damaged, by its hardware


CHECKSUM = "Incorrect checksum in table"

MUTATIONS = [
    Mutation("rsdp-checksum", wrong_rsdp, "tables", "no RSDP", "A valid RSDP was not found"),
    Mutation("xsdt-checksum", wrong_checksum("XSDT"), "warnings", rf"{CHECKSUM} \[XSDT\]"),
    Mutation("fadt-checksum", wrong_checksum("FACP"), "warnings", rf"{CHECKSUM} \[FACP\]"),
    Mutation("madt-checksum", wrong_checksum("APIC"), "warnings", rf"{CHECKSUM} \[APIC\]"),
    Mutation("srat-checksum", wrong_checksum("SRAT"), "warnings", rf"{CHECKSUM} \[SRAT\]"),
    Mutation("dsdt-checksum", wrong_checksum("DSDT"), "warnings", rf"{CHECKSUM} \[DSDT\]"),
    Mutation("xsdt-names-nothing", xsdt_names_nothing, "tables", "the kernel did not find"),
    Mutation("broken-aml", broken_aml, "warnings", "ACPI (BIOS )?(Error|Warning)"),
    Mutation("no-s5", rename_s5, "power-off", "it asked to be|no 'reboot"),
    Mutation("other-pm1-control", move_pm1, "power-off", "it asked to be|no 'reboot"),
    Mutation("srat-too-short", srat_is_short, "nodes", "nodes|Faking|fakes",
             "nodes only cover|Faking a node"),
    Mutation("srat-overlaps", srat_overlaps, "nodes", "nodes|fakes", "overlaps with node"),
    Mutation("srat-swaps-processors", srat_swaps_processors, "srat", "SRAT's processors"),
    Mutation("nobodys-apic-id", nobodys_apic_id, "processors", "processors: 1",
             "do_boot_cpu failed"),
    Mutation("no-irq0-override", no_override, "interrupts", "no override of interrupt 0"),
    Mutation("no-io-apic", no_io_apic, "end", "never said|panicked", "No IOAPIC entries present",
             until="No IOAPIC entries present"),
    Mutation("tables-in-ram", tables_in_ram, "iomem", "is not in ACPI Tables"),
    Mutation("one-entry-more", one_entry_more, "e820", "entries"),
    Mutation("mtrrs-miss-ram", mtrrs_miss_ram, "mtrr-kernel", r"losing \d+MB"),
    Mutation("narrow-mtrr-masks", narrow_masks, "mtrr-kernel", "incorrect mask"),
    Mutation("wide-mtrr-masks", wide_masks, "mtrrs", "MtrrPhysMask0"),
    Mutation("mtrrs-off", mtrrs_off, "mtrrs", "MtrrDefType"),
    Mutation("other-fixed-mtrr", fixed_mtrr, "mtrrs", "MtrrFix16kA0000"),
    Mutation("window-length", window_length, "windows", "windows"),
    Mutation("window-tag", window_tag, "windows", "windows"),
    Mutation("initrd-elsewhere", initrd_elsewhere, "end", "panicked"),
    Mutation("other-command-line", other_command_line, "command-line", "extra"),
    Mutation("no-smbios", no_smbios, "smbios", "no SMBIOS"),
    Mutation("runs-into-nothing", runs_into_nothing, "output", "no output at all", timeout=15),
    Mutation("other-zero-page", half_a_zero_page, "output", "no output at all", timeout=15),
]
