"""A guest to be booted, as a row of a matrix."""

import dataclasses
import struct

MIB = 1 << 20
GIB = 1 << 30


def size_text(size):
    return f"{size // MIB}MiB"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    memory: int
    vps: int = 1
    nodes: int = 1
    arch: str = "x86_64"
    image: str = "kernel"  # file of build/guests
    mtrr: str = "exact"
    layout_version: int = 2
    device_space: int = 0
    address_bits: int = 46
    options: tuple = ()    # more words for pvw-agent boot
    append: str = ""
    console: bool = True
    timeout: int = 300     # seconds
    has_vmod: bool = False
    hardware: str = ""     # aarch64: "device-tree" or "acpi"

    def words(self, guests):
        """Arguments of pvw-agent boot."""
        words = ["--arch", self.arch, "--memory", size_text(self.memory), "--vps", self.vps,
                 "--nodes", self.nodes, "--layout-version", self.layout_version,
                 "--phys-bits", self.address_bits, "--kernel", guests / self.image,
                 "--initrd", guests / "initrd.gz", "--append", self.command_line()]
        if self.arch == "x86_64":
            words += ["--mtrr", self.mtrr]
        if self.hardware == "acpi":
            words += ["--acpi"]
        if self.device_space:
            words += ["--device-space", size_text(self.device_space)]
        return [str(word) for word in words + list(self.options)]

    def command_line(self):
        if not self.console:
            return ("panic=-1 " + self.append).strip()
        fixed = {"x86_64": "console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 "
                           "acpi_force_table_verification no_timer_check panic=-1 "
                           "reboot=t",
                 "aarch64": "console=ttyAMA0 earlycon panic=-1"}[self.arch]
        # A busy machine stops its guests for seconds; their clocks jump.
        fixed += " rcupdate.rcu_cpu_stall_suppress=1"
        if self.hardware == "acpi":
            fixed += " acpi_force_table_verification"
        return (fixed + " " + self.append).strip()

    def cpus_of_node(self, node):
        """Processors lie in even runs over all nodes."""
        first = -(-node * self.vps // self.nodes)
        last = -(-(node + 1) * self.vps // self.nodes) - 1
        return str(first) if first == last else f"{first}-{last}"

    def distances(self, plan):
        """Rows of the SLIT; without one, what kernels take for granted. [ACPI65] 5.2.17"""
        slit = plan.table("SLIT")
        if not slit:
            return [[10 if a == b else 20 for b in range(self.nodes)] for a in range(self.nodes)]
        count, = struct.unpack_from("<Q", slit.data, 36)
        return [list(slit.data[44 + count * row:44 + count * (row + 1)]) for row in range(count)]
