#!/usr/bin/env python3
"""Boots stock kernels from what a worker prepared, and compares what they see with the plan.

    boot_test.py [--arch ARCH] [--only TEXT] [--jobs N] [--keep DIR] [--list] PVW-AGENT PVW

One line a boot. Guests come from scripts/guests; what cannot be had is skipped, with the reason.
Each check is tested itself: damage behind the worker's back must be reported (mutations_*.py).
Ends with "N passed, N failed, N skipped".
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import cases_arm64
import cases_x86
import checks
import checks_arm64
import checks_x86
import gdb_arm64
import gdb_state
import machine
import mutations_arm64
import mutations_x86
from case import MIB
from checks import Boot
from console import Console
from plan import Plan

ROOT = pathlib.Path(__file__).resolve().parents[2]

BOOT_TIMEOUT = 300  # seconds: a busy machine takes twenty times what a free one does


class Slots:
    """Two guests of one processor at a time, or one of more."""

    def __init__(self, count):
        self.count = count
        self.free = count
        self.condition = threading.Condition()

    def take(self, wanted):
        wanted = min(wanted, self.count)
        with self.condition:
            self.condition.wait_for(lambda: self.free >= wanted)
            self.free -= wanted
        return wanted

    def give(self, taken):
        with self.condition:
            self.free += taken
            self.condition.notify_all()


class Report:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0

    def line(self, what, name, outcome, seconds, details=()):
        with self.lock:
            self.passed += outcome == "ok"
            self.failed += outcome == "FAILED"
            self.skipped += outcome == "skipped"
            print(f"{outcome:7} {what:8} {name:28} {seconds:6.1f} s", flush=True)
            for detail in details:
                print(f"        {detail}", flush=True)


class Lab:
    """What all tests of one architecture share."""

    def __init__(self, options, guests, work):
        self.agent = options.agent
        self.pvw = options.pvw
        self.guests = guests
        self.work = work
        self.report = Report()
        self.has_vmod = (guests / "modules" / "vmod.ko").exists()

    def case(self, case):
        return dataclasses.replace(case, has_vmod=self.has_vmod)

    def agent_boot(self, case, folder, *more):
        """(status, console, messages) of pvw-agent boot"""
        words = [self.agent, "boot", "--worker", self.pvw, "--keep", str(folder), "--timeout",
                 str(case.timeout), *case.words(self.guests), *more]
        done = subprocess.run(words, capture_output=True, timeout=BOOT_TIMEOUT + 120)
        return (done.returncode, done.stdout.decode(errors="replace"),
                done.stderr.decode(errors="replace"))

    def prepare(self, case, name):
        folder = self.work / name
        status, _, messages = self.agent_boot(case, folder, "--prepare")
        if status != 0:
            raise RuntimeError(f"pvw-agent boot --prepare: status {status}: {messages.strip()}")
        return folder


# Kinds of tests: each returns what is wrong, as sentences.

def boot_case(lab, case, rows):
    folder = lab.work / case.name
    try:
        status, text, messages = lab.agent_boot(case, folder)
        if not (folder / "plan.json").exists():
            return [f"status {status}: {messages.strip()}"]
        console = Console(text)
        wrong = checks.run_all(rows, Boot(case, Plan(folder), console, status))
        sentences = [f"{name}: {sentence}" for name, sentence in wrong]
        if wrong and (not console.done or status != 0):
            sentences += [messages.strip().split("\n")[-1], console.tail()]
        return sentences
    finally:
        if not KEEP:
            machine.remove_files(folder)


def boot_mutation(lab, base, case, mutation, rows, guest_class):
    folder = lab.work / f"mutation-{mutation.name}"
    plan = Plan(base)
    try:
        machine.copy_files(base, folder)
        with open(folder / "ram.img", "r+b") as memory, open(folder / "rom.bin", "r+b") as rom:
            mutation.change(guest_class(plan, memory, rom))
        outcome = machine.run(machine.replaced(plan.command, folder), folder, mutation.timeout,
                              mutation.until)
        console = Console(outcome.text)
        wrong = checks.run_all(rows, Boot(case, plan, console, outcome.status, outcome.why))
        told = [sentence for name, sentence in wrong if name == mutation.check]
        sentences = []
        if not any(re.search(mutation.words, sentence) for sentence in told):
            sentences.append(f"check '{mutation.check}' does not report it with "
                             f"/{mutation.words}/, but: {told}")
            sentences += [f"{name}: {sentence}" for name, sentence in wrong[:6]]
        if mutation.also and not re.search(mutation.also, outcome.text):
            sentences.append(f"the console has no /{mutation.also}/")
        return sentences + ([console.tail()] if sentences else [])
    finally:
        if not KEEP:
            machine.remove_files(folder)


@dataclasses.dataclass(frozen=True)
class Registers:
    """How the registers of an architecture are asked for and compared."""
    entry: str          # the plan's name of the instruction pointer
    ask: object
    differences: object
    other: str          # a register that is 0
    other_at: int       # in the ROM


REGISTERS = {
    "x86_64": Registers("Rip", gdb_state.registers, gdb_state.differences_x86, "R12",
                        mutations_x86.STATE + 0x10 + 8 * 12),
    "aarch64": Registers("Pc", gdb_arm64.ask, gdb_arm64.differences, "X7",
                         mutations_arm64.STATE_X0 + 8 * 7),
}


def look_at_registers(lab, case):
    """At the kernel's first instruction; and a ROM with another value must be found out."""
    folder = lab.prepare(case, f"registers-{case.name}")
    own = REGISTERS[case.arch]
    try:
        plan = Plan(folder)

        def look():
            return own.differences(plan, gdb_state.look(plan.command, folder,
                                                        plan.value(own.entry), own.ask))

        wrong = look()
        with open(folder / "rom.bin", "r+b") as rom:
            rom.seek(own.other_at)
            rom.write(b"\x5a")
        damaged = look()
        if damaged != [f"{own.other} 0x5a, expected 0x0"]:
            wrong.append(f"a wrong {own.other} is reported as {damaged}")
        return wrong
    finally:
        machine.remove_files(folder)


def puts_back_what_the_board_overwrites(lab, case):
    """A tree at the start of RAM, where the board writes its own at every reset, arrives."""
    folder = lab.prepare(case, f"put-back-{case.name}")
    try:
        plan = Plan(folder)
        with open(folder / "ram.img", "r+b") as memory, open(folder / "rom.bin", "r+b") as rom:
            mutations_arm64.Guest(plan, memory, rom).move_tree()
        outcome = machine.run(plan.command, folder, BOOT_TIMEOUT)
        console = Console(outcome.text)
        wrong = checks.run_all(checks_arm64.ROWS[case.hardware],
                               Boot(case, plan, console, outcome.status, outcome.why))
        return [f"{name}: {sentence}" for name, sentence in wrong] + \
            ([console.tail()] if wrong else [])
    finally:
        machine.remove_files(folder)


def reset_x86(lab, case):
    """The FADT's reset register: the exit device stands at its port instead of the chipset."""
    folder = lab.prepare(dataclasses.replace(case, append="reboot=acpi pvw.end=reset"), "reset")
    try:
        plan = Plan(folder)
        fadt = plan.table("FACP")
        port, value = fadt.u64(116 + 4), fadt.u8(128)  # [ACPI65] 5.2.9 RESET_REG, RESET_VALUE
        if fadt.u8(116) != 1 or not fadt.u32(112) & 1 << 10:
            return [f"no reset register in I/O space: {fadt.data[112:132].hex()}"]
        with open(folder / "rom.bin", "r+b") as rom:
            rom.seek(mutations_x86.STATE + 0x0c)  # power management would lie above it
            rom.write(bytes(4))
        command = plan.command + ["-device", f"isa-debug-exit,id=reset,iobase=0x{port:x},iosize=1"]
        outcome = machine.run(command, folder, BOOT_TIMEOUT)
        if outcome.status != value << 1 | 1:
            return [f"status {outcome.status} ({outcome.why}), expected {value << 1 | 1}",
                    Console(outcome.text).tail()]
        return []
    finally:
        machine.remove_files(folder)


def tells_status(lab, case):
    """What the guest writes to the exit device is the status of pvw-agent."""
    if not (lab.guests / "status").exists():
        raise SkipTest("no program for the guest can be built here")
    folder = lab.work / "status"
    asked = dataclasses.replace(case, append="pvw.show=hello pvw.status=42")
    status, text, messages = lab.agent_boot(asked, folder)
    machine.remove_files(folder)
    wrong = checks.differs("status", status, 42)
    if "hello from VTL0" not in text:
        wrong.append("no hello")
    return wrong + ([messages.strip()] if wrong else [])


def refuses(case, words, diagnostic, text, *more):
    """pvw-agent boot must say what is wrong instead of starting it."""
    def test(lab, _):
        folder = lab.work / f"refused-{case.name}"
        status, _, messages = lab.agent_boot(case, folder, *words)
        machine.remove_files(folder)
        if status == 0 or diagnostic not in messages or text not in messages:
            return [f"status {status}, expected {diagnostic} and '{text}': {messages.strip()}"]
        return []
    return test


def boots_memtest(lab, case):
    """A kernel of somebody else's: it says on the serial line what it found."""
    if not (lab.guests / "memtest").exists():
        raise SkipTest("memtest86+ cannot be had")
    folder = lab.work / "memtest"
    words = [lab.agent, "boot", "--worker", lab.pvw, "--keep", str(folder), "--memory", "256MiB",
             "--kernel", str(lab.guests / "memtest"), "--append",
             "console=ttyS0,115200 nosmp nosm nobench ", "--prepare"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    try:
        if done.returncode != 0:
            return [done.stderr.strip()]
        # Its second step is behind the memory that it lies in itself.
        outcome = machine.run(Plan(folder).command, folder, BOOT_TIMEOUT,
                              until="[252MB of 255MB]")
        screen = " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", outcome.text).split())
        wrong = [f"no /{words}/" for words in (r"Memtest86\+ v\d", "Memory : 256MB",
                                              r"4MB - 256MB \[252MB of 255MB\]", "Errors: 0")
                 if not re.search(words, screen)]
        return wrong + (["    | " + screen[:400]] if wrong else [])
    finally:
        machine.remove_files(folder)


class SkipTest(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Arch:
    cases: list
    bases: dict     # by hardware: what is damaged, or does other things
    rows: dict      # by hardware
    mutations: list
    guest: object
    others: list    # (name, hardware, function of lab and base case)


def case_named(name, **changes):
    return dataclasses.replace(cases_x86.BASE, name=name, **changes)


ARCHS = {
    "x86_64": Arch(cases_x86.CASES, {"": cases_x86.BASE}, {"": checks_x86.ROWS},
                   mutations_x86.MUTATIONS, mutations_x86.Guest, [
        ("registers", "", look_at_registers),
        ("registers-vmlinux", "", lambda lab, case: look_at_registers(
            lab, dataclasses.replace(case, name="vmlinux", image="vmlinux"))),
        ("reset", "", reset_x86),
        ("status", "", tells_status),
        ("memtest", "", boots_memtest),
        ("refuses-no-ram", "", refuses(case_named("none", memory=0), [], "PVW-AGENT-0016",
                                       "memory")),
        ("refuses-rom", "", refuses(case_named("rom"), ["--rom", str(ROOT / "tests/boot")],
                                    "PVW-CLI-0002", "state_x86.bin")),
        ("refuses-qemu", "", refuses(case_named("qemu"), ["--qemu", "/no/such/qemu"],
                                     "PVW-AGENT-0012", "/no/such/qemu")),
        ("reports-silence", "", refuses(case_named("silent", console=False, timeout=20), [],
                                        "PVW-AGENT-0013", "nothing on the console")),
    ]),
    "aarch64": Arch(cases_arm64.CASES, cases_arm64.BASES, checks_arm64.ROWS,
                    mutations_arm64.MUTATIONS, mutations_arm64.Guest, [
        ("registers-device-tree", "device-tree", look_at_registers),
        ("registers-acpi", "acpi", look_at_registers),
        ("put-back-device-tree", "device-tree", puts_back_what_the_board_overwrites),
        ("put-back-acpi", "acpi", puts_back_what_the_board_overwrites),
    ]),
}


def find_guests(arch):
    """The folder of scripts/guests; SkipTest with its last words if there is none."""
    done = subprocess.run([str(ROOT / "scripts/guests"), arch], capture_output=True, text=True,
                          timeout=900)
    if done.returncode == 3:
        raise SkipTest(done.stderr.strip().split("\n")[-1])
    if done.returncode != 0:
        raise RuntimeError(f"scripts/guests: {done.stderr.strip()}")
    return ROOT / "build" / "guests" / arch


def list_tests(arch, lab):
    """[(what, name, slots, function)]"""
    own = ARCHS[arch]
    tests = [("boot", case.name, 1 if case.vps == 1 else 2,
              lambda case=case: boot_case(lab, lab.case(case), own.rows[case.hardware]))
             for case in own.cases]
    folders = {}
    lock = threading.Lock()

    def prepared(hardware):
        with lock:
            if hardware not in folders:
                case = lab.case(own.bases[hardware])
                folders[hardware] = lab.prepare(case, f"damaged-{case.name}")
            return folders[hardware]

    def damage(mutation):
        return boot_mutation(lab, prepared(mutation.base), lab.case(own.bases[mutation.base]),
                             mutation, own.rows[mutation.base], own.guest)

    tests += [("damage", mutation.name, 1, lambda mutation=mutation: damage(mutation))
              for mutation in own.mutations]
    tests += [("other", name, 1,
               lambda test=test, hardware=hardware: test(lab, lab.case(own.bases[hardware])))
              for name, hardware, test in own.others]
    return tests


def run_test(lab, slots, test):
    what, name, wanted, function = test
    taken = slots.take(wanted)
    begin = time.monotonic()
    try:
        wrong = function()
        outcome = "FAILED" if wrong else "ok"
    except SkipTest as reason:
        outcome, wrong = "skipped", [str(reason)]
    except Exception as error:  # a broken test is a failed one, the others go on
        outcome, wrong = "FAILED", [f"{type(error).__name__}: {error}"]
    finally:
        slots.give(taken)
    lab.report.line(what, name, outcome, time.monotonic() - begin, wrong)


KEEP = False


def main():
    global KEEP
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arch", choices=sorted(ARCHS), default="x86_64")
    parser.add_argument("--only", default="", help="tests whose names have this text")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", help="leave what was booted in this folder")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("agent")
    parser.add_argument("pvw")
    options = parser.parse_args()
    KEEP = bool(options.keep)
    if shutil.which(f"qemu-system-{options.arch}") is None:
        print(f"skipped: no qemu-system-{options.arch}\n0 passed, 0 failed, 1 skipped")
        return 77
    try:
        guests = find_guests(options.arch)
    except SkipTest as reason:
        print(f"skipped: {reason}\n0 passed, 0 failed, 1 skipped")
        return 77
    work = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="pvw-boots."))
    work.mkdir(parents=True, exist_ok=True)
    lab = Lab(options, guests, work)
    print((guests / "packages").read_text().strip(), flush=True)
    if not lab.has_vmod and options.arch == "x86_64":
        reason = guests / "no-vmod"
        lab.report.line("other", "vmod", "skipped", 0,
                        [reason.read_text().strip() if reason.exists() else "no vmod.ko"])
    tests = [test for test in list_tests(options.arch, lab)
             if options.only in f"{test[0]} {test[1]}"]
    if options.list:
        print("\n".join(f"{what} {name}" for what, name, _, _ in tests))
        return 0
    slots = Slots(options.jobs)
    threads = []
    try:
        # Alone first: what takes all slots would wait for ever behind what takes one.
        for test in sorted(tests, key=lambda test: -test[2]):
            thread = threading.Thread(target=run_test, args=(lab, slots, test))
            threads.append(thread)
            thread.start()
            if test[2] > 1:
                thread.join()
        for thread in threads:
            thread.join()
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    report = lab.report
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
