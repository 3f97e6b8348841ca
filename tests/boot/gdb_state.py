"""The state that the first instruction of a guest finds, told by QEMU's debugger stub: an
independent look at what ROM and plan say. [GDB] remote protocol; RSP "qRcmd" is QEMU's monitor.
"""

import os
import re
import socket
import subprocess
import time


class Stub:
    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        ends = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(timeout)
        self.buffer = b""

    def send(self, payload):
        data = payload.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def receive(self):
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                packet = self.buffer[start + 1:end]
                self.buffer = self.buffer[end + 3:]
                self.socket.sendall(b"+")
                return packet.decode("latin-1")
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the stub hung up")
            self.buffer += more

    def ask(self, payload):
        self.send(payload)
        return self.receive()

    def monitor(self, command):
        self.send("qRcmd," + command.encode().hex())
        text = ""
        while True:
            packet = self.receive()
            if packet == "OK":
                return text
            if packet.startswith("O"):
                text += bytes.fromhex(packet[1:]).decode("latin-1")
            else:
                raise ValueError(f"{command}: {packet}")


def registers(stub):
    return stub.monitor("info registers")


def look(command, folder, entry, ask=registers, timeout=60):
    """What @ask learns at @entry; without it, the text of "info registers"."""
    path = os.path.join(folder, "gdb.sock")
    if os.path.exists(path):
        os.unlink(path)
    child = subprocess.Popen(
        command + ["-serial", "none", "-S", "-chardev",
                   f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        stub = Stub(path, timeout)
        stub.ask("?")
        answer = stub.ask(f"Z1,{entry:x},1")  # a hardware breakpoint: it changes no memory
        if answer != "OK":
            raise ValueError(f"breakpoint: {answer}")
        stub.send("c")
        stub.receive()
        return ask(stub)
    finally:
        child.kill()
        child.wait()


SEGMENT = re.compile(r"^([C-GLST][SRD]T?) *=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)",
                     re.MULTILINE)
TABLE = re.compile(r"^(GDT|IDT)= +([0-9a-f]+) ([0-9a-f]+)", re.MULTILINE)
PLAIN = re.compile(r"\b(R[A-Z0-9]{1,2}|RIP|RFL|CR[0-4]|EFER) ?=([0-9a-f]+)")


def parse_x86(text):
    """{name: number}, {segment: (selector, base, limit, attributes)}, {table: (base, limit)}"""
    plain = {name: int(value, 16) for name, value in PLAIN.findall(text)}
    segments = {name: tuple(int(value, 16) for value in values)
                for name, *values in SEGMENT.findall(text)}
    tables = {name: (int(base, 16), int(limit, 16)) for name, base, limit in TABLE.findall(text)}
    return plain, segments, tables


EFER_LMA = 0x400
CR0_ET = 0x10


def differences_x86(plan, text):
    """Where the machine's state is not the plan's."""
    plain, segments, tables = parse_x86(text)
    wrong = []

    def compare(what, found, expected):
        if found != expected:
            shown = "nothing" if found is None else f"0x{found:x}"
            wrong.append(f"{what} {shown}, expected 0x{expected:x}")

    names = {"RIP": "Rip", "RSP": "Rsp", "RBP": "Rbp", "RSI": "Rsi", "R8": "R8", "R9": "R9",
             "R10": "R10", "R11": "R11", "R12": "R12", "CR3": "Cr3", "CR4": "Cr4"}
    for name, register in names.items():
        compare(name, plain.get(name), plan.value(register))
    for name in ("RAX", "RBX", "RCX", "RDX", "RDI", "R13", "R14", "R15"):
        compare(name, plain.get(name), 0)
    compare("RFL", plain.get("RFL"), plan.value("Rflags") | 2)
    compare("CR0", plain.get("CR0"), plan.value("Cr0") | CR0_ET)
    compare("EFER", plain.get("EFER"), plan.value("Efer") | EFER_LMA)
    for name in ("GDT", "IDT"):
        low, high = plan.registers.get(name.capitalize() + "r", (0, 0))
        base, limit = tables.get(name, (None, None))
        compare(name, base, high)
        compare(name + " limit", limit, low >> 48)
    for name in ("ES", "CS", "SS", "DS", "FS", "GS"):
        low, high = plan.registers.get(name.capitalize(), (0, 0))
        selector, base, _, flags = segments.get(name, (None, None, None, 0))
        compare(name, selector, high >> 32 & 0xffff)
        compare(name + " base", base, low)
        # Limits count for nothing in 64-bit mode; the accessed bit is set by loading.
        compare(name + " attributes", flags >> 8 & 0xf0ff | 1, high >> 48 & 0xf0ff | 1)
    return wrong
