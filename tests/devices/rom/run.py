#!/usr/bin/env python3
"""Run our BIOS in QEMU, with its ports answered by a worker: run.py PVW AGENT FIXTURE ROM ELF QEMU [TRACE]

QEMU has the processor and the memory; the memory is the file that the worker writes to, too. The
ROM's port instructions are stopped at over QEMU's debugger socket, sent to the worker as
intercepts, and stepped over with the worker's answer in the register. The ROM checks what it can;
what it cannot know is compared here with what the fixture says. With TRACE the accesses and
answers are written there. Exit status 77: QEMU or its debugger is not there.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROM_SIZE = 0x40000
GUEST_SIZE = 16 << 20  # what QEMU maps of the guest's memory
MEMORY_SIZE = 5 << 30  # all of it; holes
SEGMENT = 0xF0000
# label -> kind, fixed port or None for dx, width, length of the instruction
PORTS = {
    "io_out": ("out", None, 4, 2), "io_in": ("in", None, 4, 2),
    "io_in_byte": ("in", None, 1, 1), "io_post": ("out", 0x80, 1, 2),
    "io_post_word": ("out", 0x80, 2, 2),
}
CHECKS = []


def check(what, found, expected):
    CHECKS.append(what)
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


class Debugger:
    """The little of the debugger's remote protocol that is needed."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.buffer = b""

    def receive(self):
        while True:
            match = re.match(rb"[^$]*\$([^#]*)#..", self.buffer, re.DOTALL)
            if match:
                self.buffer = self.buffer[match.end():]
                self.socket.sendall(b"+")
                return match.group(1).decode()
            data = self.socket.recv(65536)
            if not data:
                sys.exit("QEMU is gone")
            self.buffer += data

    def ask(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) & 255:02x}".encode())
        return self.receive()

    def registers(self):
        data = bytearray.fromhex(self.ask("g"))
        return data, list(struct.unpack_from("<16I", data))

    def set_registers(self, data, eax, eip):
        struct.pack_into("<I", data, 0, eax)
        struct.pack_into("<I", data, 32, eip)
        check("registers are set", self.ask("G" + data.hex()), "OK")


class Worker:
    def __init__(self, pvw, agent, fixture, folder, memory):
        self.pvw, self.address = pvw, f"unix:{folder}/worker/socket"
        self.process = subprocess.Popen(
            [pvw, "serve", "--listen", self.address, "--guest-memory", memory,
             "--sandbox", "off", "--log", "off"])
        for _ in range(500):
            if os.path.exists(f"{folder}/worker/socket"):
                break
            time.sleep(0.01)
        out = subprocess.run([agent, "drive", "--fixture", fixture, "--socket", self.address],
                             check=True, capture_output=True, text=True)
        digest = bytes.fromhex(re.search(r"^Plan\s+([0-9a-f]{64})", out.stderr, re.M).group(1))
        self.call("Load", {"plan_digest": base64.b64encode(digest).decode(),
                           "target": {"guest_memory": True}})

    def call(self, method, request):
        out = subprocess.run([self.pvw, "--format", "json", "call", method, "-", "--socket",
                              self.address], input=json.dumps(request), check=True,
                             capture_output=True, text=True)
        return json.loads(out.stdout)

    def access(self, kind, port, width, value):
        item = {"kind": "INTERCEPT_PIO_READ" if kind == "in" else "INTERCEPT_PIO_WRITE",
                "address": str(port), "width": width}
        if kind == "out":
            item["data"] = base64.b64encode(value.to_bytes(width, "little")).decode()
        return self.call("HandleIntercepts", {"items": [item]})["answers"][0]


def words(kind, answer):
    """An answer in the words of docs/formats.md, and the value read."""
    refusals = {"INTERCEPT_NOT_CLAIMED": "unclaimed", "INTERCEPT_BAD_WIDTH": "bad-width",
                "INTERCEPT_DEVICE_ERROR": "error", "INTERCEPT_FILTERED": "filtered"}
    data = base64.b64decode(answer.get("data", ""))
    value = int.from_bytes(data, "little")
    if answer["result"] in refusals:
        return refusals[answer["result"]], value
    text = [f"{value:#x}"] if kind == "in" else []
    if int(answer.get("defer_ns", 0), 0):
        text.append(f"defer {int(answer['defer_ns'], 0)}")
    if answer.get("set"):
        text.append(f"set {len(answer['set'][0]['registers'])}")
    return " ".join(text) or "done", value


def symbols(elf):
    out = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16)
            for address, _, name in (line.split() for line in out.splitlines())}


def start_qemu(qemu, rom, memory, folder):
    process = subprocess.Popen(
        [qemu, "-accel", "tcg", "-machine", "pc,memory-backend=ram", "-m", f"{GUEST_SIZE >> 20}",
         "-object", f"memory-backend-file,id=ram,size={GUEST_SIZE},mem-path={memory},share=on",
         "-bios", rom, "-display", "none", "-nodefaults", "-S",
         "-gdb", f"unix:{folder}/gdb,server=on,wait=off"])
    for _ in range(1000):
        if os.path.exists(f"{folder}/gdb") or process.poll() is not None:
            break
        time.sleep(0.01)
    if process.poll() is not None:
        print("QEMU does not start: skipped", file=sys.stderr)
        sys.exit(77)
    return process


def run_rom(debugger, worker, where):
    """Until the ROM halts; returns the trace."""
    stops = {SEGMENT + where[name]: name for name in PORTS}
    lines = []
    for address in [*stops, SEGMENT + where["halted"]]:
        check("a stop is set", debugger.ask(f"Z0,{address:x},1"), "OK")
    while len(lines) < 100000:
        debugger.ask("c")
        data, registers = debugger.registers()
        eax, edx, eip, cs = registers[0], registers[2], registers[8], registers[10]
        if eip == where["halted"]:
            return lines
        check("segment", cs, 0xF000)
        kind, port, width, length = PORTS[stops[SEGMENT + eip]]
        port = edx & 0xFFFF if port is None else port
        mask = (1 << 8 * width) - 1
        answer = worker.access(kind, port, width, eax & mask)
        text, value = words(kind, answer)
        if kind == "in":
            if text == "unclaimed":
                value = mask  # an empty bus
            eax = eax & ~mask | value
        written = f" {eax & mask:#x}" if kind == "out" else ""
        lines.append(f"{kind}.{width} {port:#x}{written} = {text}")
        debugger.set_registers(data, eax, eip + length)
    sys.exit("the ROM does not halt")


def fixture_facts(pvw, fixture):
    facts = {}
    out = subprocess.run([pvw, "fixture", "show", fixture], check=True, capture_output=True,
                         text=True).stdout
    for line in out.splitlines():
        key, _, value = line.partition(": ")
        facts[key] = value
    return facts


def ranges(facts, prefix):
    found = []
    for key, value in facts.items():
        if key.startswith(prefix):
            found.append((int(key[len(prefix):], 16), int(value.split()[0], 16), value.split()[-1]))
    return sorted(found)


def judge(memory, facts, trace):
    """What the ROM found is what the fixture says."""
    def u32(gpa, count=1):
        values = struct.unpack_from(f"<{count}I", memory, gpa)
        return values[0] if count == 1 else list(values)

    check("the ROM is done", memory[0x8000:0x8008], b"PVWBIOS!")
    failed, last = struct.unpack_from("<HH", memory, 0x8008)
    check("checks that failed in the ROM, and the last", (failed, last), (0, 0))

    ram = [r for r in ranges(facts, "expect.ranges.memory.0x") if r[2].endswith("VTL0_RAM")]
    mmio = {r[2]: r for r in ranges(facts, "expect.ranges.mmio.0x")}
    low, high = mmio["MMIO_ROLE_VTL0_CHIPSET_LOW"], mmio["MMIO_ROLE_VTL0_CHIPSET_HIGH"]
    mib, four = 1 << 20, 1 << 32
    vps = len([key for key in facts if key.startswith("host_caps.vps[")])
    order = ["OPTICAL", "HARD_DRIVE", "NETWORK", "FLOPPY"]
    check("the fixture's boot order", json.loads(facts["settings.pcat.boot_order"]),
          [f"PCAT_BOOT_{kind}" for kind in order])
    kinds = ["FLOPPY", "OPTICAL", "HARD_DRIVE", "NETWORK"]
    nibbles = 0x76540000 | sum(i << 4 * kinds.index(kind) for i, kind in enumerate(order))
    check("numbers", u32(0x8010, 9), [
        ram[0][1] >> 10,
        sum(r[1] for r in ram if r[0] + r[1] < four) // mib,
        sum(r[1] for r in ram if r[0] + r[1] >= four) // mib,
        low[0], high[0] // mib, high[1] // mib - 1,
        sum(r[1] for r in ram if r[0] >= high[0] + high[1]) // mib,
        vps, nibbles])
    guid = base64.b64decode(json.loads(facts["settings.bios_guid.le"]))
    check("GUID", bytes(memory[0x80A0:0x80B0]), guid)
    serial = base64.b64decode(json.loads(facts.get("settings.smbios.serial_number", '""')))
    check("serial number", bytes(memory[0x8080:0x80A0]), serial[:32].ljust(32))
    check("APIC ids", u32(0x80C0, vps), list(range(vps)))
    at = 0x8200
    for index, (start, size, _) in enumerate(ram[1:]):
        more = 4 if index + 2 < len(ram) else 0
        check("RAM range", u32(at, 3),
              [1 | more | size // mib << 3, start & 0xFFFFFFFF, start >> 32])
        at += 12
    check("no more RAM", u32(at), 0)
    check("SRAT", bytes(memory[0x90000:0x90004]), b"SRAT")
    check("processor record", bytes(memory[0x98000:0x98002]), b"\x04\x23")
    check("entropy", bytes(memory[0x99000:0x99040]).hex(), facts["options.entropy"])
    generation = base64.b64decode(json.loads(facts["settings.chipset.generation_id"]))
    check("generation id", bytes(memory[0x9A000:0x9A010]), generation)
    defers = [int(line.split()[-1]) for line in trace if " defer " in line]
    check("waits", defers, [1000000, 2000000, 10000000, 250000])
    check("MTRRs", len([line for line in trace if " set " in line]), 1)
    check("stubs", [line.split("= ")[1] for line in trace if line.startswith("in.1 0x279")],
          ["0xff", "unclaimed"])


def main():
    pvw, agent, fixture, rom, elf, qemu = sys.argv[1:7]
    if not shutil.which(qemu):
        print(f"no {qemu}: skipped", file=sys.stderr)
        sys.exit(77)
    check("size of the ROM", os.path.getsize(rom), ROM_SIZE)
    with tempfile.TemporaryDirectory() as folder:
        memory = f"{folder}/memory"
        with open(memory, "wb") as file:
            file.truncate(MEMORY_SIZE)
        processes = []
        try:
            worker = Worker(pvw, agent, fixture, folder, memory)
            processes.append(worker.process)
            processes.append(start_qemu(qemu, rom, memory, folder))
            trace = run_rom(Debugger(f"{folder}/gdb"), worker, symbols(elf))
            with open(memory, "rb") as file:
                judge(bytearray(file.read(1 << 20)), fixture_facts(pvw, fixture), trace)
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    if len(sys.argv) > 7:
        head = (f"# What tests/devices/rom/bios.S does in QEMU, with {pathlib.Path(fixture).name}"
                f",\n# and what the worker answered. Written by tests/devices/rom/run.py.\n")
        pathlib.Path(sys.argv[7]).write_text(head + "\n".join(trace) + "\n")
    print(f"{len(trace)} accesses, {len(CHECKS)} checks")


if __name__ == "__main__":
    main()
