"""What every guest must agree with its plan about. A check takes a Boot and returns what is wrong,
as a list of sentences; rows are run in order, and all of them.
"""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent

# [LINUX] enum e820_type, as /sys/firmware/memmap words it
MEMORY_TYPES = {1: "System RAM", 2: "Reserved", 3: "ACPI Tables", 4: "ACPI Non-volatile Storage",
                0xefffffff: "Soft Reserved"}


class Boot:
    """One guest that ended: what was asked for, planned and said."""

    def __init__(self, case, plan, console, status, why="ended"):
        self.case = case
        self.plan = plan
        self.console = console
        self.status = status  # 0: switched off
        self.why = why


def differs(what, found, expected):
    return [] if found == expected else [f"{what}: {found}, expected {expected}"]


def listed(ranges):
    return ", ".join(f"0x{start:x}-0x{end:x}" for start, end in ranges) or "nothing"


def merge(ranges):
    merged = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def subtract(ranges, hole):
    left = []
    for start, end in ranges:
        if end <= hole[0] or start >= hole[1]:
            left.append((start, end))
            continue
        if start < hole[0]:
            left.append((start, hole[0]))
        if end > hole[1]:
            left.append((hole[1], end))
    return left


def iomem(boot, name):
    """Top level ranges of /proc/iomem, or those of devices anywhere."""
    found = []
    for line in boot.console.fact("iomem"):
        match = re.match(r"^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$", line)
        if match and match.group(4) == name:
            found.append((int(match.group(2), 16), int(match.group(3), 16) + 1))
    return found


# Checks.

def said_something(boot):
    return [] if boot.console.text.strip() else ["no output at all"]


def came_to_its_end(boot):
    if not boot.console.text.strip():
        return []
    if "Kernel panic" in boot.console.text:
        return ["the kernel panicked: " + "; ".join(
            line for line in boot.console.kernel if "Kernel panic" in line)[:200]]
    return [] if boot.console.done else [f"never said @@DONE ({boot.why})"]


def switches_itself_off(boot):
    """Proves FADT's PM1a control block and \\_S5, or PSCI."""
    if not boot.console.has(r"^reboot: Power down$"):
        return ["no 'reboot: Power down'"]
    if boot.status != 0:
        return [f"status {boot.status} ({boot.why}), expected 0: it asked to be switched off"]
    return []


def has_the_command_line(boot):
    return differs("command line", "\n".join(boot.console.fact("cmdline")),
                   boot.plan.command_line())


def counts_memory(boot):
    """The plan has what was asked for: nothing here believes the plan alone."""
    planned = sum(end - start for start, end, _ in boot.plan.memory())
    return differs("bytes of RAM in the plan", planned, boot.case.memory)


def loses_no_memory(boot):
    """What the kernel manages is all but what it takes for itself: within 5 % and 48 MiB."""
    lines = boot.console.fact("meminfo")
    match = re.match(r"MemTotal: *(\d+) kB", lines[0]) if lines else None
    if not match:
        return ["no MemTotal"]
    total = int(match.group(1)) * 1024
    least = boot.case.memory * 95 // 100 - 48 * 1024 * 1024
    return [] if total >= least else [f"MemTotal 0x{total:x}, expected at least 0x{least:x}"]


def warns_of_nothing_else(boot):
    allowed = [row for row in json.loads((HERE / "allowed_warnings.json").read_text())
               if row["arch"] in ("any", boot.case.arch)
               and eval(row.get("when", "True"), {"vps": boot.case.vps})]
    wrong = []
    for line in boot.console.fact("warnings"):
        text = re.sub(r"^<\d+>\[ *\d+\.\d+\] ?", "", line)
        if text and not any(re.search(row["pattern"], text) for row in allowed):
            wrong.append(f"not an allowed warning: {text}")
    return wrong[:8]


def finds_its_tables(boot):
    """Address, length, revision and names of each table that the kernel went through."""
    wrong = []
    rsdp = boot.plan.rsdp()
    if not boot.console.find(rf"ACPI: RSDP 0x0*{rsdp.address:X} 0*{len(rsdp.data):X} \(v02 "
                             + re.escape(rsdp.text(9, 6)) + r" *\)"):
        wrong.append(f"no RSDP at 0x{rsdp.address:x} of {rsdp.text(9, 6)}")
    found = {}
    for name, address, length, rest in boot.console.find(
            r"ACPI: (\S{4}) 0x([0-9A-F]{16}) ([0-9A-F]{6})(.*)$"):
        if name != "RSDP":
            found[(name, int(address, 16))] = (int(length, 16), " ".join(rest.split()))
    for table in [boot.plan.xsdt()] + boot.plan.tables():
        told = found.pop((table.signature, table.address), None)
        if told is None:
            wrong.append(f"the kernel did not find {table.signature} at 0x{table.address:x}")
            continue
        if told[0] != len(table.data):
            wrong.append(f"{table.signature}: 0x{told[0]:x} bytes, expected "
                         f"0x{len(table.data):x}")
        if table.signature == "FACS":  # it has no header
            continue
        words = " ".join(f"(v{table.u8(8):02d} {table.text(10, 6)} {table.text(16, 8)} "
                         f"{table.u32(24):08X} {table.text(28, 4)} "
                         f"{table.u32(32):08X})".split())
        if told[1] != words:
            wrong.append(f"{table.signature}: {told[1]}, expected {words}")
    for name, address in sorted(found):
        wrong.append(f"{name} at 0x{address:x} is not planned")
    if not boot.console.has(r"ACPI: Early table checksum verification enabled"):
        if boot.case.arch == "x86_64":
            wrong.append("checksums were not looked at")
    return wrong


def reads_equal_tables(boot):
    found = {}
    for line in boot.console.fact("tables"):
        digest, name = line.split()
        found[name] = digest
    wrong = []
    seen = {}
    for table in boot.plan.tables():
        seen[table.signature] = seen.get(table.signature, 0) + 1
        # Several of a kind are numbered.
        name = table.signature
        if name not in found:
            name = f"{table.signature}{seen[table.signature]}"
        if found.pop(name, None) != table.digest():
            wrong.append(f"sha256 of {table.signature} is not the planned one")
    return wrong + [f"{name} is not planned" for name in sorted(found)]


def has_the_processors(boot):
    """Their number; the rest is the architecture's."""
    found = [line for line in boot.console.fact("processors") if line.startswith("processor")]
    wrong = differs("processors", len(found), boot.case.vps)
    brought = boot.console.find(r"smp: Brought up (\d+) nodes?, (\d+) CPUs?")
    if boot.case.vps > 1 or brought:
        wrong += differs("brought up", brought, [(str(boot.case.nodes), str(boot.case.vps))])
    return wrong


def has_the_nodes(boot):
    """One node for each NUMA node of the layout, its processors, its memory, its distances."""
    found = {}
    for line in boot.console.fact("nodes"):
        match = re.match(r"^node(\d+) cpus=(\S*) distance=(.*?) (\d+) kB$", line)
        if match:
            found[int(match.group(1))] = match.groups()[1:]
    wrong = differs("nodes", sorted(found), list(range(boot.case.nodes)))
    if wrong:
        return wrong
    distances = boot.case.distances(boot.plan)
    for node, (cpus, row, total) in found.items():
        wrong += differs(f"processors of node {node}", cpus, boot.case.cpus_of_node(node))
        wrong += differs(f"distances of node {node}", row,
                         " ".join(str(d) for d in distances[node]))
        size = sum(end - start for start, end, owner in boot.plan.memory() if owner == node)
        if not size * 90 // 100 - 48 * 1024 * 1024 <= int(total) * 1024 <= size:
            wrong.append(f"node {node} has {total} kB, expected at most {size // 1024}")
    # A tree does not number a single node.
    if boot.console.has(r"Faking a node|No NUMA configuration found") and \
            (boot.case.hardware != "device-tree" or boot.case.nodes > 1):
        wrong.append("the kernel fakes a node")
    return wrong


def run_all(rows, boot):
    """[(name, sentence)] of everything that is wrong."""
    wrong = []
    for name, check in rows:
        try:
            wrong += [(name, sentence) for sentence in check(boot)]
        except (ValueError, KeyError, IndexError) as error:
            wrong.append((name, f"{type(error).__name__}: {error}"))
    return wrong
