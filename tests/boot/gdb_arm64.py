"""The state of a processor of aarch64, as QEMU's debugger stub tells it, against a plan."""

import re
import xml.etree.ElementTree

PLAIN = re.compile(r"\b(PC|SP|X\d\d)=([0-9a-f]{16})")
STATE = re.compile(r"\bPSTATE=([0-9a-f]{8})")

# By the name that QEMU has for it. MAIR_EL1 is in no plan: with the MMU off it counts for nothing.
SYSTEM = {"SCTLR": "SctlrEl1", "TCR_EL1": "TcrEl1", "TTBR0_EL1": "Ttbr0El1",
          "TTBR1_EL1": "Ttbr1El1", "VBAR": "VbarEl1"}

FLAGS = 0xf0000000  # condition flags


def read_feature(stub, name):
    """A description of registers, in as many pieces as it takes. [GDB] qXfer:features:read"""
    text = ""
    while True:
        piece = stub.ask(f"qXfer:features:read:{name}:{len(text):x},1000")
        if piece[:1] not in ("m", "l"):
            raise ValueError(f"{name}: {piece}")
        text += piece[1:]
        if piece[0] == "l":
            return text


def ask(stub):
    """("info registers", {system register: value})"""
    # Descriptions are made when the whole is asked for.
    read_feature(stub, "target.xml")
    numbers = {}
    number = 0
    for register in xml.etree.ElementTree.fromstring(
            read_feature(stub, "system-registers.xml")).iter("reg"):
        number = int(register.get("regnum", number))
        numbers[register.get("name")] = number
        number += 1
    values = {}
    for name in SYSTEM:
        answer = stub.ask(f"p{numbers[name]:x}")
        values[name] = int.from_bytes(bytes.fromhex(answer), "little")
    return stub.monitor("info registers"), values


def differences(plan, answer):
    """Where the machine's state is not the plan's."""
    text, system = answer
    plain = {name: int(value, 16) for name, value in PLAIN.findall(text)}
    state = STATE.search(text)
    wrong = []

    def compare(what, found, expected):
        if found != expected:
            shown = "nothing" if found is None else f"0x{found:x}"
            wrong.append(f"{what} {shown}, expected 0x{expected:x}")

    compare("PC", plain.get("PC"), plan.value("Pc"))
    for i in range(31):
        compare(f"X{i}", plain.get(f"X{i:02d}"), plan.value(f"X{i}"))
    compare("PSTATE", int(state.group(1), 16) & ~FLAGS if state else None, plan.value("Cpsr"))
    for name, register in SYSTEM.items():
        compare(name, system.get(name), plan.value(register))
    return wrong
