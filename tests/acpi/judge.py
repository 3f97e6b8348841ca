#!/usr/bin/env python3
"""Let ACPICA judge the tables that acpi-emit writes.

    judge.py ACPI-EMIT

For every table: `iasl -d` must understand all of it, and what it says must compile again. The
default profile then has no error, no warning and no remark, and the same bytes. The reference
profile has exactly the findings that are known of it, and the same bytes where iasl writes
constants as the reference does. `acpiexec` loads DSDT and SSDT together and evaluates what the
machine's devices say of themselves.

Needs iasl and acpiexec; without them everything is skipped and exit status is 77.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 120  # seconds a program may take, generous for a busy machine
HEADER = 36

# What iasl says of the reference's VMBus: _HID and _ADR, _HID of five characters, _PS3 as a name;
# and of templates without a descriptor.
REFERENCE_FINDINGS = {"Warning 3073", "Error 6033", "Error 6103", "Warning 3150"}

# Tables and nodes that are newer than some iasl, by what it says then.
NOT_UNDERSTOOD = ("Unknown ACPI table signature [CEDT]", "Unknown IORT node type 0x6")

BAD_DECODE = ("Incorrect checksum", "Invalid zero length subtable", "Could not parse", "too long")

BAD_RUN = ("failed with status AE_", "Could not locate name", "defaulting to root node",
           "unknown command", "Incorrect checksum", "Attempted table install failed",
           "Segmentation Fault", "Terminating", "Firmware Error", "Firmware Warning",
           "ACPI Error", "ACPI Warning", "Invalid character")


class Judge:
    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def add(self, verdict, text):
        self.counts[verdict] += 1
        if verdict != "passed":
            print(f"{verdict.upper() if verdict == 'failed' else verdict} {text}")


def run(*command, cwd=None):
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, cwd=cwd,
                          timeout=TIMEOUT)
    return done.returncode, (done.stdout + done.stderr).decode("latin-1")


def judge_table(path, profile):
    """-> (verdict, text)"""
    name = f"{path.parent.name}/{path.stem}"
    with tempfile.TemporaryDirectory() as folder:
        status, said = run("iasl", "-p", f"{folder}/t", "-d", str(path))
        source = pathlib.Path(folder, "t.dsl")
        if status != 0 or not source.exists():
            return "failed", f"{name}: iasl -d: status {status}: {said[-400:]}"
        text = source.read_text(errors="replace")
        for phrase in NOT_UNDERSTOOD:
            if phrase in said or phrase in text:
                return "skipped", f"{name}: this iasl says: {phrase}"
        for phrase in BAD_DECODE:
            if phrase in said or phrase in text:
                return "failed", f"{name}: iasl -d says: {phrase}"

        _, said = run("iasl", "-f", "-oa", "-p", f"{folder}/back", str(source))
        findings = {" ".join(found) for found in
                    re.findall(r"^(Error|Warning|Remark)\s+(\d+)", said, re.MULTILINE)}
        allowed = REFERENCE_FINDINGS if profile == "reference" and path.stem == "dsdt" else set()
        if findings - allowed:
            return "failed", f"{name}: compiling again: {sorted(findings - allowed)}: {said[-600:]}"
        if not findings and "0 Errors, 0 Warnings, 0 Remarks" not in said:
            return "failed", f"{name}: compiling again says: {said[-400:]}"
        back = pathlib.Path(folder, "back.aml").read_bytes()
    if may_differ(path, profile):
        return "passed", name
    if back[HEADER:] != path.read_bytes()[HEADER:]:
        return "failed", f"{name}: compiled again it has other bytes"
    return "passed", name


def may_differ(path, profile):
    """Where the reference's own form is not what iasl writes."""
    if profile != "reference":
        return False
    # _PRT has wide constants; cache nodes are longer than the table's revision says.
    return path.stem == "pptt" or (path.stem == "dsdt" and path.parent.name.endswith("-devices"))


def section(said, start):
    """What acpiexec says from @start up to the next command."""
    at = said.find(start)
    if at < 0:
        return None
    rest = said[at + len(start):]
    return re.split(r"\n(?:Evaluating \\\\|Device: )", rest)[0]


def qwords(path, count):
    """`resources`: that many 64-bit windows, and lengths that fit."""
    def check(said):
        mine = section(said, f"Device: {path}\n")
        if mine is None:
            return f"{path}: no resources"
        lows = [int(x, 16) for x in re.findall(r"Address Minimum : ([0-9A-F]{16})", mine)]
        highs = [int(x, 16) for x in re.findall(r"Address Maximum : ([0-9A-F]{16})", mine)]
        sizes = [int(x, 16) for x in re.findall(r"Address Length : ([0-9A-F]{16})", mine)]
        if not len(lows) == len(highs) == len(sizes) == count:
            return f"{path}: {len(lows)} windows, expected {count}"
        if any(high - low + 1 != size for low, high, size in zip(lows, highs, sizes)):
            return f"{path}: a window whose length does not fit"
        return None
    return f"resources {path}", check


def value(path, expected):
    """`evaluate`: this text in what it returns."""
    def check(said):
        mine = section(said, f"Evaluation of {path} returned object")
        if mine is None:
            return f"{path}: nothing returned"
        return None if expected in mine else f"{path}: no {expected} in: {mine}"
    return f"evaluate {path}", check


def integer(path, number):
    return value(path, f"[Integer] = {number:016X}")


def text(path, string):
    # ACPICA reports _HID and _CID in capitals.
    return value(path, f'= "{string}"')


def buffer(path):
    return value(path, "[Buffer]")


def paravisor_checks(name, scope):
    count = int(re.search(r"-(\d+)vp-", name)[1])
    last = "%c%03d" % (ord("P") + count // 1000, count % 1000)
    checks = [
        buffer(r"\_SB.APIC._CRS"),
        text(r"\_SB.VMOD._HID", "ACPI0004"),
        buffer(r"\_SB.VMOD._CRS"),
        qwords(r"\_SB.VMOD", 2 if "-both-" in name else 1),
        integer(r"\_SB.VMOD.VMBS._STA", 0xF),
        buffer(r"\_SB.VMOD.VMBS._CRS"),
        buffer(r"\_SB.RTC0._CRS"),
        integer(rf"{scope}P001._UID", 1),
        text(rf"{scope}P001._HID", "ACPI0007"),
        integer(rf"{scope}{last}._UID", count),
        integer(rf"{scope}{last}._STA", 0xF),
    ]
    if name.startswith("default"):
        checks += [text(r"\_SB.VMOD.VMBS._HID", "MSFT1000"), text(r"\_SB.VMOD.VMBS._CID", "VMBUS")]
    else:
        checks += [text(r"\_SB.VMOD.VMBS._HID", "VMBUS")]
    if name.endswith("-uarts"):
        checks += [text(r"\_SB.UAR1._DDN", "COM1"), buffer(r"\_SB.UAR2._CRS"),
                   integer(r"\_SB.UAR2._UID", 2)]
    return checks


def bridge_checks(name, scope):
    first, second = ("PC00", "PC1I") if name.startswith("default") else ("PCI0", "PC54")
    checks = [buffer(rf"{scope}{first}._CRS"), integer(rf"{scope}{first}._UID", 0),
              qwords(rf"{scope}{first}", 2)]
    if "x86_64" in name:
        checks += [text(rf"{scope}{second}._HID", "ACPI0016"), integer(rf"{scope}{second}._SEG", 1),
                   integer(rf"{scope}{second}._BBN", 32), integer(rf"{scope}{second}._PXM", 1)]
    return checks


def device_checks(scope):
    return [text(r"\_SB.VI17._HID", "LNRO0005"), qwords(r"\_SB.VI17", 1),
            buffer(r"\_SB.PCI0._CRS"), value(r"\_SB.PCI0._PRT", "[Package]"),
            integer(r"\_SB.PCI0.VMBS._STA", 0xF), integer(rf"{scope}P002._UID", 2)]


def arm_checks(scope):
    return [qwords(r"\_SB.VMOD", 2), qwords(r"\_SB.UAR0", 1), text(r"\_SB.UAR1._HID", "ARMH0011"),
            buffer(r"\_SB.VMOD.VMBS._CRS"), integer(rf"{scope}P004._UID", 4)]


def checks_of(name):
    scope = "\\_SB." if name.startswith("default") else "\\"
    if "vp-" in name:
        return paravisor_checks(name, scope)
    if "-host-" in name:
        return bridge_checks(name, scope)
    if "-devices" in name:
        return device_checks(scope)
    return arm_checks(scope) + bridge_checks(name, scope)


def judge_machine(folder):
    """-> list of (verdict, text)"""
    tables = [t for t in ("dsdt.aml", "ssdt.aml") if (folder / t).exists()]
    checks = checks_of(folder.name)
    _, said = run("acpiexec", "-b", "; ".join(command for command, _ in checks), *tables,
                  cwd=folder)
    verdicts = []
    for phrase in BAD_RUN:
        if phrase in said:
            verdicts.append(("failed", f"{folder.name}: acpiexec says: {phrase}"))
    for _, check in checks:
        problem = check(said)
        verdicts.append(("failed", f"{folder.name}: {problem}") if problem
                        else ("passed", folder.name))
    return verdicts


def control(judge, folder):
    """The judges must notice what is wrong: a table with one byte changed."""
    source = bytearray((folder / "default-x86_64-1vp-both-uarts" / "apic.aml").read_bytes())
    source[45] = 0  # a zero length of the first entry
    broken = folder / "default-control"
    broken.mkdir()
    (broken / "apic.aml").write_bytes(source)
    verdict, text = judge_table(broken / "apic.aml", "default")
    judge.add("passed" if verdict == "failed" else "failed", f"control: {text}")
    shutil.rmtree(broken)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    missing = [tool for tool in ("iasl", "acpiexec") if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (Debian: acpica-tools)")
        print("0 passed, 0 failed, 1 skipped")
        return 77

    judge = Judge()
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        subprocess.run([sys.argv[1], str(root)], check=True, timeout=TIMEOUT)
        tables, seen = [], set()
        for path in sorted(root.glob("*/*.aml")):
            profile = path.parent.name.split("-")[0]
            key = (profile, hashlib.sha256(path.read_bytes()).digest())
            if path.stem != "rsdp" and key not in seen:
                seen.add(key)
                tables.append((path, profile))
        if len(tables) < 40:
            sys.exit(f"only {len(tables)} tables in {root}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for verdict, text in pool.map(lambda t: judge_table(*t), tables):
                judge.add(verdict, text)
            for verdicts in pool.map(judge_machine, sorted(p for p in root.iterdir())):
                for verdict, text in verdicts:
                    judge.add(verdict, text)
        control(judge, root)
    print(", ".join(f"{judge.counts[v]} {v}" for v in ("passed", "failed", "skipped")))
    return 1 if judge.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
