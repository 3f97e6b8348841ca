"""What a guest on x86-64 must agree with its plan about."""

import base64
import re
import struct

import checks
from checks import differs, iomem, listed, merge, subtract

LOCAL_APIC, IO_APIC, OVERRIDE = 0, 1, 2
SRAT_CPU, SRAT_MEMORY = 0, 1


def e820_is_the_planned_one(boot):
    """Order, bounds and types, of the map that the loader gave. Linux joins what touches and is
    of one type, as at the border of two nodes; zero_page_arrives sees each entry."""
    joined = []
    for start, end, kind in boot.plan.memory_map():
        if joined and joined[-1][1] == start and joined[-1][2] == kind:
            joined[-1] = (joined[-1][0], end, kind)
        else:
            joined.append((start, end, kind))
    planned = [f"0x{start:x} 0x{end - 1:x} {checks.MEMORY_TYPES.get(kind, kind)}"
               for start, end, kind in joined]
    found = boot.console.fact("memory-map")
    wrong = [f"entry {i}: {f}, expected {p}"
             for i, (f, p) in enumerate(zip(found, planned)) if f != p]
    return wrong + differs("entries", len(found), len(planned))


def e820_has_the_ram(boot):
    """The map is the layout's RAM, cut into pieces below 1 MiB."""
    mapped = merge((start, end) for start, end, _ in boot.plan.memory_map())
    ram = merge((start, end) for start, end, _ in boot.plan.memory())
    return differs("the memory map", listed(mapped), listed(ram))


def zero_page_arrives(boot):
    """Map and setup header, byte by byte, as the kernel kept them."""
    found = base64.b64decode("".join(boot.console.fact("boot-params")) or "")
    planned = bytearray(boot.plan.zero_page())
    # The decompressor of a bzImage says here that it moved the kernel. [LINUXBOOT] KASLR_FLAG
    if boot.case.image == "kernel" and len(found) == 4096:
        planned[0x211] |= found[0x211] & 0x02
    if len(found) != 4096:
        return [f"boot_params has {len(found)} bytes, expected 4096"]
    count = planned[0x1e8]
    wrong = []
    for name, start, end in (("e820 count", 0x1e8, 0x1e9), ("setup header", 0x1f1, 0x268),
                             ("e820", 0x2d0, 0x2d0 + 20 * count)):
        for at in range(start, end):
            if found[at] != planned[at]:
                wrong.append(f"{name}: byte 0x{found[at]:02x} at 0x{at:x}, expected "
                             f"0x{planned[at]:02x}")
                break
    return wrong


def iomem_shows_it(boot):
    """Linux takes page 0 and what is between 640 KiB and 1 MiB away by itself."""
    ram = [(start, end) for start, end, kind in boot.plan.memory_map() if kind == 1]
    ram = subtract(subtract(merge(ram), (0, 0x1000)), (0xa0000, 0x100000))
    wrong = differs("System RAM", listed(iomem(boot, "System RAM")), listed(ram))
    # Not from the map: the tables must lie in memory that the kernel knows as theirs.
    tables = iomem(boot, "ACPI Tables")
    for table in boot.plan.tables():
        end = table.address + len(table.data)
        if not any(start <= table.address and end <= stop for start, stop in tables):
            wrong.append(f"{table.signature} at 0x{table.address:x} is not in ACPI Tables: "
                         + listed(tables))
            break
    return wrong


def madt(boot):
    return boot.plan.table("APIC")


def apic_ids(boot):
    """Of enabled processors, in the order of the table."""
    return [entry[3] for kind, entry in madt(boot).entries(44)
            if kind == LOCAL_APIC and struct.unpack_from("<I", entry, 4)[0] & 1]


def processors_are_the_madts(boot):
    wrong = differs("processors in the MADT", len(apic_ids(boot)), boot.case.vps)
    found = [int(line.split(":")[1]) for line in boot.console.fact("processors")
             if line.startswith("apicid")]
    wrong += differs("APIC ids", sorted(found), sorted(apic_ids(boot)))
    wrong += differs("APIC ids in the MADT", apic_ids(boot), list(range(boot.case.vps)))
    if boot.console.has(r"do_boot_cpu failed|CPU\d+ failed"):
        wrong.append("a processor does not answer")
    return wrong


def interrupts_are_the_madts(boot):
    wrong = []
    address = f"{madt(boot).u32(36):08x}"
    local = [start for start, _ in iomem(boot, "Local APIC")]
    wrong += differs("local APIC", [f"{start:08x}" for start in local], [address])
    for kind, entry in madt(boot).entries(44):
        if kind == IO_APIC:
            identity, base = entry[2], struct.unpack_from("<I", entry, 4)[0]
            wrong += differs("I/O APIC", boot.console.find(
                r"IOAPIC\[0\]: apic_id (\d+), version \d+, address 0x([0-9a-f]+), GSI (\d+)-23"),
                [(str(identity), f"{base:x}", str(struct.unpack_from("<I", entry, 8)[0]))])
        if kind == OVERRIDE:
            source, gsi = entry[3], struct.unpack_from("<I", entry, 4)[0]
            if not boot.console.has(rf"INT_SRC_OVR \(bus 0 bus_irq {source} global_irq {gsi} "):
                wrong.append(f"no override of interrupt {source} to {gsi}")
    lines = boot.console.fact("interrupts")
    for pin, name in ((2, "timer"), (4, "ttyS0"), (8, "rtc0"), (9, "acpi")):
        if not any(re.search(rf"^ +\d+: .* IO-APIC +{pin}-\w+ +{name}$", line)
                   for line in lines):
            wrong.append(f"{name} has no interrupt at input {pin} of the I/O APIC")
    # The kernel does not wait for ticks (no_timer_check); they must have come all the same.
    if not any(re.search(r"^ +0: +[1-9]", line) for line in lines):
        wrong.append("the timer never interrupted processor 0")
    return wrong


def nodes_are_the_srats(boot):
    wrong = []
    found = {(int(apic, 16), int(pxm)) for pxm, apic, _ in boot.console.find(
        r"SRAT: PXM (\d+) -> APIC 0x([0-9a-f]+) -> Node (\d+)")}
    srat = boot.plan.table("SRAT")
    planned, memory = set(), []
    for kind, entry in srat.entries(48):
        if kind == SRAT_CPU and struct.unpack_from("<I", entry, 4)[0] & 1:
            planned.add((entry[3], entry[2] | int.from_bytes(entry[9:12], "little") << 8))
        if kind == SRAT_MEMORY and struct.unpack_from("<I", entry, 28)[0] & 1:
            domain, = struct.unpack_from("<I", entry, 2)
            base, length = struct.unpack_from("<QQ", entry, 8)
            memory.append((base, base + length, domain))
    wrong += differs("SRAT's processors", sorted(found), sorted(planned))
    told = [(int(start, 16), int(end, 16) + 1, int(pxm)) for pxm, start, end in boot.console.find(
        r"ACPI: SRAT: Node \d+ PXM (\d+) \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")]
    wrong += differs("SRAT's memory", sorted(told), sorted(memory))
    wrong += differs("SRAT's memory in the plan", sorted(memory), sorted(boot.plan.memory()))
    return wrong


MSRS = {"0x2ff": "MtrrDefType", "0x250": "MtrrFix64k00000", "0x258": "MtrrFix16k80000",
        "0x259": "MtrrFix16kA0000"}
MSRS.update({f"0x{0x268 + i:x}": f"MtrrFix4k{0xc0 + 8 * i:X}000" for i in range(8)})
MSRS.update({f"0x{0x200 + 2 * i:x}": f"MtrrPhysBase{i}" for i in range(8)})
MSRS.update({f"0x{0x201 + 2 * i:x}": f"MtrrPhysMask{i}" for i in range(8)})


def mtrrs_are_the_planned_ones(boot):
    """Every bit. What the plan does not state is 0. (PAT is the kernel's own by then.)"""
    found = dict(line.split() for line in boot.console.fact("msrs") if len(line.split()) == 2)
    wrong = []
    for msr, name in MSRS.items():
        value = int(found.get(msr, "-1"), 16)
        if value != boot.plan.value(name):
            wrong.append(f"{name} 0x{value:x}, expected 0x{boot.plan.value(name):x}")
    return wrong


def memory_type(plan, address):
    """Of an address above 1 MiB, by variable MTRRs. [SDM3] 12.11.4"""
    default = plan.value("MtrrDefType")
    if not default & 0x800:
        return 0
    types = set()
    for i in range(8):
        base, mask = plan.value(f"MtrrPhysBase{i}"), plan.value(f"MtrrPhysMask{i}")
        bits = mask & ~0xfff
        if mask & 0x800 and address & bits == base & bits & ~0xfff:
            types.add(base & 0xff)
    if not types:
        return default & 0xff
    return 0 if 0 in types else min(types)


def mtrrs_mean_it(boot):
    """Exact ones: RAM is write-back, windows are uncached, at both ends and every 128 MiB."""
    if boot.case.mtrr != "exact":
        return []
    wrong = []
    step = 128 << 20
    spans = [("RAM", max(start, 0x100000), end, 6) for start, end, _ in boot.plan.memory()]
    spans += [(f"the {name} window", start, start + size, 0) for name in ("low", "high")
               for start, size in [boot.plan.window(name) or (0, 0)] if size]
    for what, start, end, expected in spans:
        for address in [start, end - 0x1000] + list(range((start // step + 1) * step, end, step)):
            found = memory_type(boot.plan, address)
            if found != expected:
                wrong.append(f"{what} at 0x{address:x} has type {found}, expected {expected}")
                break
    return wrong


def kernel_keeps_the_mtrrs(boot):
    wrong = [f"the kernel says: {line}" for line in boot.console.kernel
             if re.search(r"losing \d+MB of RAM|incorrect mask|mtrr: Disabled|MTRRs disabled|"
                          r"CPU MTRRs all blank", line)]
    sizes = {line.split(":")[1].strip() for line in boot.console.fact("processors")
             if line.startswith("address sizes")}
    return wrong + differs("address sizes", sizes, {
        f"{boot.case.address_bits} bits physical, 48 bits virtual"})


# Objects that the plan's namespace has on this board.
DEVICES = {r"\_SB_.VMOD": ("ACPI0004", ""), r"\_SB_.VMOD.VMBS": ("MSFT1000", "15"),
           r"\_SB_.UAR1": ("PNP0501", ""), r"\_SB_.RTC0": ("PNP0B00", "")}


def namespace_is_there(boot):
    found = {}
    for line in boot.console.fact("namespace"):
        match = re.match(r"^(\S+) path=(\S+) hid=(\S*) uid=(\S*) status=(\S*) node=(\S*)$", line)
        if match:
            found[match.group(2)] = match.groups()
    wrong = []
    for path, (hid, status) in DEVICES.items():
        if path not in found:
            wrong.append(f"no {path}")
            continue
        wrong += differs(f"_HID of {path}", found[path][2], hid)
        wrong += differs(f"_STA of {path}", found[path][4], status)
    for i in range(boot.case.vps):
        path = rf"\_SB_.P{i + 1:03d}"
        device = found.get(path)
        if not device:
            wrong.append(f"no processor {path}")
            continue
        wrong += differs(f"{path}", (device[2], device[3], device[5]),
                         ("ACPI0007", str(i + 1), f"cpu{i}"))
    return wrong


def windows_of(boot):
    return [window for window in (boot.plan.window("low"), boot.plan.window("high")) if window]


def windows_are_the_layouts(boot):
    """Minimum, maximum and length of VMOD's descriptors, as they lie in the guest's DSDT."""
    found = [tuple(int(word, 16) for word in line.split())
             for line in boot.console.fact("windows")]
    planned = [(start, start + size - 1, size) for start, size in windows_of(boot)]

    def words(rows):
        return "; ".join(" ".join(f"0x{n:x}" for n in row) for row in rows)

    return differs("windows", words(sorted(found)), words(sorted(planned)))


def kernel_reads_the_windows(boot):
    """The same by the kernel's interpreter; without the module there is nothing to compare."""
    if not boot.case.has_vmod:
        return []
    planned = [f"type=13 kind=0 producer=1 min=0x{start:x} max=0x{start + size - 1:x} "
               f"len=0x{size:x} granularity=0x0 translation=0x0 min_fixed=1 max_fixed=1"
               for start, size in windows_of(boot)]
    return differs("resources of VMOD", boot.console.fact("probe"), planned)


def smbios_is_found(boot):
    wrong = [] if boot.console.has(r"^SMBIOS 3\.\d\.\d present\.$") else ["no SMBIOS"]
    return wrong + ([] if boot.console.has(r"^DMI: \S+ .*, BIOS ") else ["no DMI"])


ROWS = [
    ("output", checks.said_something),
    ("end", checks.came_to_its_end),
    ("power-off", checks.switches_itself_off),
    ("command-line", checks.has_the_command_line),
    ("ram", checks.counts_memory),
    ("e820", e820_is_the_planned_one),
    ("e820-ram", e820_has_the_ram),
    ("zero-page", zero_page_arrives),
    ("iomem", iomem_shows_it),
    ("memory", checks.loses_no_memory),
    ("tables", checks.finds_its_tables),
    ("table-bytes", checks.reads_equal_tables),
    ("processors", checks.has_the_processors),
    ("apic-ids", processors_are_the_madts),
    ("interrupts", interrupts_are_the_madts),
    ("nodes", checks.has_the_nodes),
    ("srat", nodes_are_the_srats),
    ("mtrrs", mtrrs_are_the_planned_ones),
    ("mtrr-types", mtrrs_mean_it),
    ("mtrr-kernel", kernel_keeps_the_mtrrs),
    ("namespace", namespace_is_there),
    ("windows", windows_are_the_layouts),
    ("vmod", kernel_reads_the_windows),
    ("smbios", smbios_is_found),
    ("warnings", checks.warns_of_nothing_else),
]
