#!/usr/bin/env python3
"""Let dtc, and dt-validate where it is there, judge the trees that aarch64 kernels are given.

    judge_trees.py PVW-GOLDEN PVW FIXTURES

Machines of many shapes go through pvw-golden, the recorded guests through pvw plan. Each tree must
pass dtc without a warning, be the same after dtc has written and read it as text, and hold to the
schemas that dt-validate brings along (those of the Devicetree Specification; the kernel's own are
not packaged). What is known, and why it stays:

- /openvmm/vmbus has no unit address and stands on a bus that is called openvmm: that is where
  guests of the reference find it;
- the schema of /chosen knows 32 bits for the ends of an initrd, kernels take 64;
- the stub beside ACPI has nothing but /chosen, or kernels would not believe the tables.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "golden"))
import device_tree  # noqa: E402

TIMEOUT = 300

KNOWN_DTC = (
    re.compile(r"Warning \(unit_address_vs_reg\): /openvmm/vmbus: node has a reg or ranges "
               r"property, but no unit name$"),
    re.compile(r"Warning \(simple_bus_reg\): /openvmm/vmbus: simple-bus unit address format "
               r"error"),
    re.compile(r"Warning \(simple_bus_reg\): /openvmm/vmbus: missing or empty reg/ranges"),
)

KNOWN_SCHEMA = (
    re.compile(r": openvmm: \$nodename:0: 'openvmm' does not match"),
    re.compile(r": openvmm: vmbus: \{.*should not be valid under \{'type': 'object'\}"),
    re.compile(r": chosen: linux,initrd-(start|end):0: \[.*\] is too long"),
)

# The stub that leads to EFI's tables says nothing of the machine; its words are the kernel's own.
KNOWN_STUB = KNOWN_SCHEMA + (
    re.compile(r": /: '(compatible|model)' is a required property"),
    re.compile(r": chosen: ('linux,uefi-[a-z-]+',? ?)+do not match any of the regexes"),
)


def u64(value):
    return f"{value:#x}"


def bridge(index):
    """One root complex with an ECAM of its own; every second has a high window alone."""
    low = [u64(0xe0000000 + index * 0x400000), u64(0xe0400000 + index * 0x400000)]
    return {"index": index, "segment": index, "start_bus": 0, "end_bus": 15,
            "ecam": [u64(0x4000000000 + index * 0x1000000), u64(0x4001000000 + index * 0x1000000)],
            "low_mmio": low if index % 2 == 0 else ["0x0", "0x0"],
            "high_mmio": [u64(0x8000000000 + index * 0x40000000),
                          u64(0x8040000000 + index * 0x40000000)],
            "cxl": None, "vnode": None, "preserve_boot_config": index % 3 == 2}


def machine(processors=4, v2=False, msi=None, bridges=0, smmus=0, nodes=1, serial=True, pmu=23,
            windows=("low", "high"), line="console=ttyAMA0", slit=None):
    ram = [{"start": u64(0x40000000 + (n << 32)), "end": u64(0xc0000000 + (n << 32)), "vnode": n}
           for n in range(nodes)]
    low = ["0xe0000000", "0x100000000"] if "low" in windows else ["0x0", "0x0"]
    high = ["0x1000000000", "0x1020000000"] if "high" in windows else ["0x100000000"] * 2
    return {
        "topology": {"arch": "aarch64", "proc_count": processors, "vps_per_socket": processors,
                     "gic_distributor_base": "0xffff0000",
                     "gicv2_cpu_interface_base": "0xeffee000" if v2 else None,
                     "gicv3_redistributors_base": "0xeffee000", "gic_msi": msi,
                     "pmu_gsiv": pmu, "virt_timer_ppi": 20, "gic_nr_irqs": 992,
                     "vnodes": [i * nodes // processors for i in range(processors)],
                     "mpidrs": None},
        "ram": ram, "host_bridges": [bridge(i) for i in range(bridges)], "slit": slit,
        "generic_initiators": [], "caches": None,
        "arch_config": {"arch": "aarch64", "hypervisor_vendor_identity": "0x0",
                        "virt_timer_ppi": 20,
                        "smmu": [{"rc_index": i, "segment": i,
                                  "base": u64(0xef000000 + i * 0x20000),
                                  "event_gsiv": 64 + 2 * i, "gerr_gsiv": 65 + 2 * i,
                                  "reserved_iova_ranges": []} for i in range(smmus)]},
        "gpa": "0x8000", "dsdt_ops": [], "enable_serial": serial, "chipset_low_mmio": low,
        "chipset_high_mmio": high, "initrd_start": "0x48000000", "initrd_end": "0x49000000",
        "cmdline": line}


ITS = {"kind": "its", "its_base": "0xef800000"}
V2M = {"kind": "v2m", "frame_base": "0xeffe8000", "spi_base": 512, "spi_count": 64}

MACHINES = {
    "1vp": machine(1),
    "16vp": machine(16),
    "17vp": machine(17),
    "255vp": machine(255),
    "gicv2": machine(8, v2=True, msi=V2M, bridges=1),
    "no_serial": machine(serial=False),
    "no_pmu": machine(pmu=None),
    "no_line": machine(line=""),
    "its": machine(msi=ITS, bridges=1),
    "v2m": machine(msi=V2M, bridges=2),
    "no_msi": machine(bridges=1),
    "16rc": machine(msi=ITS, bridges=16),
    "smmu": machine(msi=ITS, bridges=3, smmus=2),
    "2node": machine(nodes=2),
    "4node": machine(8, nodes=4, slit={"num_nodes": 4, "distances": [[0, 3, 40], [3, 0, 40]]}),
    "low_window": machine(windows=("low",)),
    "high_window": machine(windows=("high",)),
    "no_window": machine(windows=()),
}


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, **options)


def from_golden(program, shape):
    case = json.dumps({"area": "linux_a64_dt", "input": shape})
    done = run(program, input=case)
    if done.returncode != 0:
        raise ValueError(f"pvw-golden: {done.stderr}")
    output = json.loads(done.stdout)["output"]
    if "dtb" not in output:
        raise ValueError(f"refused: {output}")
    return bytes.fromhex(output["dtb"])


def from_fixture(program, fixture, folder):
    done = run(program, "plan", "-q", "--fixture", str(fixture), "--output", f"{folder}/plan")
    if done.returncode != 0:
        raise ValueError(f"pvw plan: {done.stderr}")
    return pathlib.Path(folder, "plan", "linux.device-tree.bin").read_bytes()


def same(left, right):
    """Equal nodes and properties; dtc may order names and pad as it likes."""
    return left.name == right.name and left.properties == right.properties and \
        len(left.children) == len(right.children) and \
        all(same(a, b) for a, b in zip(left.children, right.children))


def unknown(lines, known):
    return [line for line in lines if line and not any(rule.search(line) for rule in known)]


def findings(blob, folder):
    """What is wrong with one tree, in words."""
    path = os.path.join(folder, "tree.dtb")
    pathlib.Path(path).write_bytes(blob)
    text = run("dtc", "-I", "dtb", "-O", "dts", "-o", f"{path}.dts", path)
    found = unknown(text.stderr.splitlines(), KNOWN_DTC)
    if text.returncode != 0:
        return found + [f"dtc: status {text.returncode}"]
    again = run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", f"{path}.again", f"{path}.dts")
    if again.returncode != 0:
        return found + [f"dtc: {again.stderr}"]
    if not same(device_tree.parse(blob),
                device_tree.parse(pathlib.Path(f"{path}.again").read_bytes())):
        found.append("dtc: another tree after reading its text")
    if shutil.which("dt-validate"):
        said = run("dt-validate", path)
        lines = [line for line in (said.stdout + said.stderr).splitlines()
                 if "From schema:" not in line]
        is_stub = all(node.name == "chosen" for node in device_tree.parse(blob).children)
        found += unknown(lines, KNOWN_STUB if is_stub else KNOWN_SCHEMA)
    return found


def main():
    golden, pvw, fixtures = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    counts = {"passed": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as folder:
        makers = {name: (lambda shape=shape: from_golden(golden, shape))
                  for name, shape in MACHINES.items()}
        for fixture in sorted(fixtures.glob("a64-linux-*.cbor")):
            makers[fixture.stem] = lambda fixture=fixture: from_fixture(pvw, fixture, folder)
        for name, make in makers.items():
            try:
                found = findings(make(), folder)
            except ValueError as error:
                found = [str(error)]
            counts["failed" if found else "passed"] += 1
            for line in found:
                print(f"FAILED {name}: {line}")
    if not shutil.which("dt-validate"):
        print("dt-validate is not there: only dtc has judged")
    print(f"{counts['passed']} passed, {counts['failed']} failed, 0 skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
