"""What a guest on aarch64 must agree with its plan about: told of its machine by a device tree, or
by EFI and ACPI tables behind a tree that only leads to them.
"""

import re
import struct

import checks
from checks import differs, iomem, listed, merge
from tree import Tree

GICC, GICD, GICR = 0x0b, 0x0c, 0x0e          # [ACPI65] 5.2.12
SRAT_MEMORY, SRAT_GICC = 1, 3                # [ACPI65] 5.2.16
EFI_RUNTIME_DATA = 6                         # [UEFI210] 7.2.1
REDISTRIBUTOR = 0x20000                      # of a processor. [GICV3] 12.10
PPI, SPI = 16, 32                            # first interrupts of each kind


def tree(boot):
    return Tree((boot.plan.folder / "linux.device-tree.bin").read_bytes())


def ranges_with_nodes(rows):
    """[(start, end, node)], pieces of one node that touch in one"""
    merged = []
    for start, end, node in sorted(rows):
        if merged and merged[-1][1:] == (start, node):
            merged[-1] = (merged[-1][0], end, node)
        else:
            merged.append((start, end, node))
    return merged


def worded(rows):
    return ", ".join(f"0x{start:x}-0x{end:x} of node {node}" for start, end, node in rows)


# Both ways.

def tree_arrives(boot):
    """Byte by byte, but for the seeds that the kernel wiped."""
    found = " ".join(boot.console.fact("tree")).split(" ")[0]
    return differs("sha256 of the tree", found, tree(boot).digest_in_guest())


def seeds_are_used(boot):
    """The tree has both; a kernel that randomizes itself says nothing, one that cannot does."""
    wrong = [f"no {name} in the tree" for name in ("kaslr-seed", "rng-seed")
             if name not in tree(boot).root.find("chosen").properties]
    if boot.console.has(r"KASLR disabled"):
        wrong.append("the kernel found no seed")
    return wrong


def has_the_command_line(boot):
    planned = tree(boot).root.find("chosen").text("bootargs")
    return differs("command line", "\n".join(boot.console.fact("cmdline")), planned) + \
        differs("bootargs", planned, boot.case.command_line())


def memory_is_the_layouts(boot):
    """RAM of each node, as the kernel sorted it."""
    found = [(int(start, 16), int(end, 16) + 1, int(node)) for node, start, end in
             boot.console.find(r"^  node +(\d+): \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")]
    return differs("memory", worded(ranges_with_nodes(found)),
                   worded(ranges_with_nodes(boot.plan.memory())))


def processors_answer(boot):
    """Each is started by its affinity."""
    found = {int(cpu): int(mpidr, 16) for cpu, mpidr in
             boot.console.find(r"CPU(\d+): Booted secondary processor 0x([0-9a-f]+)")}
    wrong = differs("processors that were started", found,
                    {i: i for i in range(1, boot.case.vps)})
    first = boot.console.find(r"Booting Linux on physical CPU 0x([0-9a-f]+)")
    wrong += differs("first processor", [int(mpidr, 16) for mpidr, in first], [0])
    if boot.console.has(r"failed to boot|CPU\d+: failed"):
        wrong.append("a processor does not answer")
    return wrong


def redistributors(boot, expected):
    """Each processor finds its own; @expected: their addresses in the order of processors."""
    found = {int(cpu): (int(mpidr, 16), int(address, 16)) for cpu, mpidr, address in
             boot.console.find(r"GICv3: CPU(\d+): found redistributor ([0-9a-f]+) region "
                               r"\d+:0x([0-9a-f]+)")}
    return differs("redistributors", {cpu: f"0x{at:x}" for cpu, (_, at) in found.items()},
                   {i: f"0x{at:x}" for i, at in enumerate(expected)}) + \
        differs("affinities at the gic", {cpu: mpidr for cpu, (mpidr, _) in found.items()},
                {i: i for i in range(boot.case.vps)})


def interrupt(boot, name, intid):
    lines = boot.console.fact("interrupts")
    if any(re.search(rf"^ *\d+: .* GICv3 +{intid} (Level|Edge) +{re.escape(name)}$", line)
           for line in lines):
        return []
    return [f"{name} has no interrupt {intid}"]


def ticks(boot):
    """Every processor's timer interrupts it."""
    for line in boot.console.fact("interrupts"):
        match = re.match(r"^ *\d+: +((\d+ +)+)GICv3 .* arch_timer$", line)
        if match:
            counts = [int(word) for word in match.group(1).split()]
            return differs("processors with a timer", sum(count > 0 for count in counts),
                           boot.case.vps)
    return ["no arch_timer"]


# Device tree.

def model_is_told(boot):
    return differs("machine models", boot.console.find(r"^Machine model: (.*)$"),
                   [(tree(boot).root.text("model"),)])


def tree_has_the_ram(boot):
    rows = [(start, start + size, node.cell("numa-node-id", 0))
            for node in tree(boot).root.all("memory") for start, size in node.reg()]
    return differs("memory nodes", worded(sorted(rows)), worded(sorted(boot.plan.memory())))


def iomem_shows_the_ram(boot):
    """Reserved pieces lie in it, not beside it."""
    return differs("System RAM", listed(merge(iomem(boot, "System RAM"))),
                   listed(merge((start, end) for start, end, _ in boot.plan.memory())))


def tree_has_the_processors(boot):
    nodes = tree(boot).root.find("cpus").all("cpu")
    wrong = differs("affinities", [node.cell("reg") for node in nodes],
                    list(range(boot.case.vps)))
    owners = [str(node.cell("numa-node-id", 0)) for node in nodes]
    for i in range(boot.case.nodes):
        if not owners.count(str(i)):
            wrong.append(f"node {i} has no processor")
    return wrong


def psci_is_the_trees(boot):
    method = tree(boot).root.find("psci").text("method")
    wrong = differs("conduit", method, "hvc")
    for line in (r"^psci: probing for conduit method from DT\.$",
                 r"^psci: PSCIv1\.\d detected in firmware\.$"):
        if not boot.console.has(line):
            wrong.append(f"the kernel did not say {line}")
    return wrong


def gic_is_the_trees(boot):
    (distributor, d_size), (first, r_size) = tree(boot).root.find("intc").reg()
    wrong = differs("GICD", listed(iomem(boot, "GICD")),
                    listed([(distributor, distributor + d_size)]))
    wrong += differs("GICR", listed(iomem(boot, "GICR")), listed([(first, first + r_size)]))
    return wrong + redistributors(boot, [first + i * REDISTRIBUTOR
                                         for i in range(boot.case.vps)])


def uart_is_the_trees(boot):
    uart = [node for node in tree(boot).root.walk() if node.name.startswith("uart@")][0]
    (address, size), = uart.reg()
    kind, number, _ = uart.cells("interrupts")
    return differs(uart.name, listed(iomem(boot, uart.name)[:1]),
                   listed([(address, address + size)])) + \
        differs("kind of its interrupt", kind, 0) + \
        interrupt(boot, "uart-pl011", SPI + number)


def timer_is_the_trees(boot):
    """The kernel takes the virtual one: it does not run at EL2."""
    timer = tree(boot).root.find("timer")
    names = timer.properties["interrupt-names"].decode().split("\0")
    number = timer.cells("interrupts")[3 * names.index("virt") + 1]
    return interrupt(boot, "arch_timer", PPI + number) + ticks(boot)


def pmu_is_the_trees(boot):
    return interrupt(boot, "arm-pmu", PPI + tree(boot).root.find("pmu").cells("interrupts")[1])


def distances_are_the_trees(boot):
    if boot.case.nodes == 1:
        return differs("distance map", tree(boot).root.find("distance-map"), None)
    wrong = [] if boot.console.has(r"^OF: NUMA: parsing numa-distance-map-v1$") else \
        ["the kernel did not read the distance map"]
    cells = tree(boot).root.find("distance-map").cells("distance-matrix")
    told = {(a, b): d for a, b, d in zip(cells[0::3], cells[1::3], cells[2::3])}
    found = {}
    for line in boot.console.fact("nodes"):
        match = re.match(r"^node(\d+) cpus=\S* distance=([\d ]+?) \d+ kB$", line)
        for to, distance in enumerate(match.group(2).split() if match else []):
            found[(int(match.group(1)), to)] = int(distance)
    # One direction stands for both.
    for (a, b), distance in list(told.items()):
        told.setdefault((b, a), distance)
    for i in range(boot.case.nodes):
        told.setdefault((i, i), 10)
    return wrong + differs("distances", found, told)


# EFI and ACPI.

def efi_is_found(boot):
    places = boot.plan.names
    wrong = [] if boot.console.has(r"^efi: EFI v2\.70 by OpenVMM$") else ["no EFI system table"]
    told = boot.console.find(r"^efi: .*\bACPI 2\.0=0x([0-9a-f]+)")
    wrong += differs("RSDP in EFI's tables", [int(at, 16) for at, in told],
                     [places["acpi.rsdp"]])
    for name in ("RTPROP", "SMBIOS 3.0"):
        at = boot.console.find(rf"^efi: .*\b{re.escape(name)}=0x([0-9a-f]+)")
        start = places["efi.system-table"]
        if len(at) != 1 or not start <= int(at[0][0], 16) < start + 0x1000:
            wrong.append(f"{name} in EFI's tables: {at}, expected it behind 0x{start:x}")
    return wrong


def efi_map(boot):
    """[(start, end, type)]; [UEFI210] 7.2.3"""
    data = (boot.plan.folder / "efi.memory-map.bin").read_bytes()
    rows = []
    for at in range(0, len(data), 40):
        kind, _, start, _, pages, _ = struct.unpack_from("<IIQQQQ", data, at)
        rows.append((start, start + 4096 * pages, kind))
    return rows


def efi_map_has_the_ram(boot):
    return differs("EFI's memory map", listed(merge(row[:2] for row in efi_map(boot))),
                   listed(merge(row[:2] for row in boot.plan.memory())))


def iomem_shows_the_map(boot):
    """Runtime services' memory stays out of the kernel's hands."""
    kept = [row[:2] for row in efi_map(boot) if row[2] == EFI_RUNTIME_DATA]
    rest = [row[:2] for row in efi_map(boot) if row[2] != EFI_RUNTIME_DATA]
    wrong = differs("System RAM", listed(merge(iomem(boot, "System RAM"))), listed(merge(rest)))
    system = boot.plan.names["efi.system-table"]
    if not any(start <= system < end for start, end in kept):
        wrong.append("EFI's tables are in memory that the kernel gives to others")
    return wrong


def checksums_are_looked_at(boot):
    if boot.console.has(r"ACPI: Early table checksum verification enabled"):
        return []
    return ["checksums were not looked at"]


def madt(boot, kind):
    return [entry for found, entry in boot.plan.table("APIC").entries(44) if found == kind]


def processors_are_the_madts(boot):
    rows = [struct.unpack_from("<Q", entry, 68)[0] for entry in madt(boot, GICC)
            if struct.unpack_from("<I", entry, 12)[0] & 1]
    return differs("affinities in the MADT", rows, list(range(boot.case.vps)))


def gic_is_the_madts(boot):
    distributors = [struct.unpack_from("<Q", entry, 8)[0] for entry in madt(boot, GICD)]
    wrong = differs("GICD", [start for start, _ in iomem(boot, "GICD")], distributors)
    own = [struct.unpack_from("<Q", entry, 60)[0] for entry in madt(boot, GICC)]
    areas = [struct.unpack_from("<QI", entry, 4) for entry in madt(boot, GICR)]
    for base, length in areas:
        own = [base + i * REDISTRIBUTOR for i in range(length // REDISTRIBUTOR)]
    wrong += differs("GICR", listed(merge(iomem(boot, "GICR"))),
                     listed(merge((at, at + REDISTRIBUTOR) for at in own)))
    return wrong + redistributors(boot, own)


def psci_is_the_fadts(boot):
    flags = boot.plan.table("FACP").u16(129)  # ARM_BOOT_ARCH: compliant, by HVC
    wrong = differs("ARM_BOOT_ARCH", flags, 3)
    for line in (r"^psci: probing for conduit method from ACPI\.$",
                 r"^psci: PSCIv1\.\d detected in firmware\.$"):
        if not boot.console.has(line):
            wrong.append(f"the kernel did not say {line}")
    return wrong


def timer_is_the_gtdts(boot):
    return interrupt(boot, "arch_timer", boot.plan.table("GTDT").u32(64)) + ticks(boot)


def pmu_is_the_madts(boot):
    gsiv, = struct.unpack_from("<I", madt(boot, GICC)[0], 20)
    return interrupt(boot, "arm-pmu", gsiv)


def uart_is_the_spcrs(boot):
    """Table, console and interrupt."""
    spcr = boot.plan.table("SPCR")
    address = spcr.u64(44)
    told = boot.console.find(r"^ACPI: SPCR: console: pl011,mmio32,0x([0-9a-f]+),")
    return differs("SPCR's console", [int(at, 16) for at, in told], [address]) + \
        differs("ARMH0011", [start for start, _ in iomem(boot, "ARMH0011:00")][:1], [address]) + \
        interrupt(boot, "uart-pl011", spcr.u32(54))


def nodes_are_the_srats(boot):
    processors, memory = [], []
    for kind, entry in boot.plan.table("SRAT").entries(48):
        if kind == SRAT_GICC and struct.unpack_from("<I", entry, 10)[0] & 1:
            processors.append(struct.unpack_from("<I", entry, 2)[0])
        if kind == SRAT_MEMORY and struct.unpack_from("<I", entry, 28)[0] & 1:
            base, length = struct.unpack_from("<QQ", entry, 8)
            memory.append((base, base + length, struct.unpack_from("<I", entry, 2)[0]))
    found = [int(pxm) for pxm, _ in boot.console.find(
        r"SRAT: PXM (\d+) -> MPIDR 0x([0-9a-f]+) -> Node \d+")]
    told = [(int(start, 16), int(end, 16) + 1, int(pxm)) for pxm, start, end in boot.console.find(
        r"ACPI: SRAT: Node \d+ PXM (\d+) \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]")]
    return differs("SRAT's processors", found, processors) + \
        differs("SRAT's memory", worded(sorted(told)), worded(sorted(memory))) + \
        differs("SRAT's memory in the plan", worded(ranges_with_nodes(memory)),
                worded(ranges_with_nodes(boot.plan.memory())))


def namespace_is_there(boot):
    """UART and processors; neither windows nor VMBus, which a kernel would take for Hyper-V."""
    found = {}
    for line in boot.console.fact("namespace"):
        match = re.match(r"^(\S+) path=(\S+) hid=(\S*) uid=(\S*) status=(\S*) node=(\S*)$", line)
        if match:
            found[match.group(2)] = match.groups()[2:]
    expected = {r"\_SB_.UAR0": ("ARMH0011", "0", "ARMH0011:00")}
    for i in range(boot.case.vps):
        expected[rf"\_SB_.P{i + 1:03X}"] = ("ACPI0007", str(i + 1), f"cpu{i}")
    wrong = []
    for path, words in expected.items():
        hid, uid, _, node = found.get(path, ("nothing", "", "", ""))
        wrong += differs(path, (hid, uid, node), words)
    return wrong + [f"{path} is not expected" for path in found
                    if path.endswith((".VMOD", ".VMBS"))]


def smbios_is_found(boot):
    wrong = [] if boot.console.has(r"^SMBIOS 3\.\d\.\d present\.$") else ["no SMBIOS"]
    return wrong + ([] if boot.console.has(r"^DMI: \S+ .*, BIOS ") else ["no DMI"])


FIRST = [
    ("output", checks.said_something),
    ("end", checks.came_to_its_end),
    ("power-off", checks.switches_itself_off),
    ("command-line", has_the_command_line),
    ("tree-bytes", tree_arrives),
    ("seeds", seeds_are_used),
    ("ram", checks.counts_memory),
    ("memory", memory_is_the_layouts),
    ("total", checks.loses_no_memory),
    ("processors", checks.has_the_processors),
    ("started", processors_answer),
    ("nodes", checks.has_the_nodes),
]

LAST = [
    ("warnings", checks.warns_of_nothing_else),
]

# By hardware, as `pvw-agent boot` has it.
ROWS = {
    "device-tree": FIRST + [
        ("model", model_is_told),
        ("tree-ram", tree_has_the_ram),
        ("iomem", iomem_shows_the_ram),
        ("tree-processors", tree_has_the_processors),
        ("psci", psci_is_the_trees),
        ("gic", gic_is_the_trees),
        ("uart", uart_is_the_trees),
        ("timer", timer_is_the_trees),
        ("pmu", pmu_is_the_trees),
        ("distances", distances_are_the_trees),
    ] + LAST,
    "acpi": FIRST + [
        ("efi", efi_is_found),
        ("efi-map", efi_map_has_the_ram),
        ("iomem", iomem_shows_the_map),
        ("checksums", checksums_are_looked_at),
        ("tables", checks.finds_its_tables),
        ("table-bytes", checks.reads_equal_tables),
        ("madt", processors_are_the_madts),
        ("psci", psci_is_the_fadts),
        ("gic", gic_is_the_madts),
        ("uart", uart_is_the_spcrs),
        ("timer", timer_is_the_gtdts),
        ("pmu", pmu_is_the_madts),
        ("srat", nodes_are_the_srats),
        ("namespace", namespace_is_there),
        ("smbios", smbios_is_found),
    ] + LAST,
}
