#!/usr/bin/env python3
"""Let ACPICA judge the tables that acpi-emit writes.

    judge.py ACPI-EMIT [--all]

Besides machines that have something special it judges shapes: so many processors, nodes, windows
and host bridges, on either architecture. Without --all these are chosen so that every two values
meet in one of them; with it they are the whole product.

For every table: `iasl -d` must understand all of it, and what it says must compile again. The
default profile then has no error, no warning and no remark, and the same bytes. The reference
profile has exactly the findings that are known of it, and the same bytes where iasl writes
constants as the reference does. `acpiexec` loads DSDT and SSDT together and evaluates what the
machine's devices say of themselves. Equal tables are judged once.

Needs iasl and acpiexec; without them everything is skipped and exit status is 77.
"""

import concurrent.futures
import hashlib
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 900  # seconds a program may take, generous for a busy machine
HEADER = 36

# iasl's time to compile a data table grows with the square of its length: above this only --all
# pays for it. Every kind of table is judged in full at other sizes.
COMPILED_MAX = 180000

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


# acpiexec claims GPE 0 for itself and calls it level triggered, whatever a table says.
OF_ACPIEXEC = "ACPI Warning: GPE type mismatch (level/edge)"

# A guest that speaks for itself hands over what it supports and what it wants: all of it here.
OSC_ASKED = "01 00 00 00 1F 00 00 00 1D 00 00 00"
OSC_PCI = "5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66"


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


def judge_table(path, profile, everything):
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

        if path.stat().st_size > COMPILED_MAX and not everything:
            return "passed", name
        _, said = run("iasl", "-f", "-oa", "-p", f"{folder}/back", str(source))
        findings = {" ".join(found) for found in
                    re.findall(r"^(Error|Warning|Remark)\s+(\d+)", said, re.MULTILINE)}
        allowed = REFERENCE_FINDINGS if profile == "reference" and path.stem == "dsdt" else set()
        if findings - allowed:
            return "failed", f"{name}: compiling again: {sorted(findings - allowed)}: {said[-600:]}"
        unknown = unknown_identifiers(path, text)
        if not findings and f"0 Errors, {len(unknown)} Warnings, 0 Remarks" not in said:
            return "failed", f"{name}: compiling again says: {said[-400:]}"
        back = pathlib.Path(folder, "back.aml").read_bytes()
    if may_differ(path, profile):
        return "passed", name
    expected = bytearray(path.read_bytes())
    for at in unknown:
        expected[at:at + 4] = bytes(4)
    if back[HEADER:] != expected[HEADER:]:
        return "failed", f"{name}: compiled again it has other bytes"
    return "passed", name


def unknown_identifiers(path, text):
    """Offsets of the IORT's node identifiers that an old iasl takes for reserved and clears."""
    if path.stem != "iort":
        return []
    return [int(at, 16) for at, value in
            re.findall(r"^\[([0-9A-F]+)h \d+ +4\] +Reserved : ([0-9A-F]{8})$", text, re.MULTILINE)
            if int(value, 16)]


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


def every(said, name):
    """`all NAME`: {path: what it returned}."""
    return dict(re.findall(rf"Evaluation of (\S+\.{name}) returned object [^\n]*\n  ([^\n]*)", said))


def processor_name(number):
    return "%c%03d" % (ord("P") + number // 1000, number % 1000)


def bridge_name(index):
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return f"PC{digits[index // 36]}{digits[index % 36]}"


def bridge_windows(shape):
    """{name: number of windows} of a shape's host bridges, as shapes.h numbers them."""
    count = {"0rc": 0, "1rc": 1, "16rc": 16, "cxl": 2}[shape["bridges"]]
    return {bridge_name(6 * i): (i % 5 != 4) + (i % 4 != 3) for i in range(count)}


def asked_bridges(shape):
    """The first and the last: acpiexec takes 1023 characters of commands."""
    names = list(bridge_windows(shape))
    return dict.fromkeys(names[:1] + names[-1:])


def shape_commands(shape):
    commands = ["all _STA", "all _UID", "resources", "test predefined", r"evaluate \_SB.GENC.ADDR",
                r"evaluate \_S4"]
    return commands + [rf"evaluate \_SB.{name}._OSC ({OSC_PCI}) 1 3 ({OSC_ASKED})"
                       for name in asked_bridges(shape)]


def shape_problems(shape, said):
    """What acpiexec should have said of a shape and did not."""
    processors = {rf"\_SB_.{processor_name(i)}": i for i in range(1, shape["vps"] + 1)}
    stas, uids = every(said, "_STA"), every(said, "_UID")
    for path, uid in processors.items():
        if stas.get(path + "._STA") != "[Integer] = 000000000000000F":
            yield f"{path}._STA: {stas.get(path + '._STA')}"
        if uids.get(path + "._UID") != f"[Integer] = {uid:016X}":
            yield f"{path}._UID: {uids.get(path + '._UID')}"
    others = [path for path in stas if path[:-5] not in processors]
    if others != [r"\_SB_.VMOD.VMBS._STA"]:
        yield f"_STA also of {others}"

    windows = {"VMOD": {"none": 0, "low": 1, "both": 2, "edge": 2}[shape["windows"]]}
    windows.update(bridge_windows(shape))
    if shape["bridges"] != "0rc":
        windows["ECAM"] = len(windows) - 1
    for name, count in windows.items():
        problem = qwords(rf"\_SB.{name}", count)[1](said)
        if problem and not (name == "VMOD" and count == 0):
            yield problem
    for name in asked_bridges(shape):
        answer = section(said, rf"Evaluation of \_SB.{name}._OSC returned object") or ""
        granted = " ".join(re.findall(r"\b[0-9A-F]{2}\b", answer.partition(":")[2])[:16])
        if "00 00 00 00 1F 00 00 00 1D 00 00 00" not in granted:
            yield f"{name}._OSC: {answer}"
    for failure in re.findall(r"^(\S+) +returned (?!AE_OK)(AE_\S+)", said, re.MULTILINE):
        yield " ".join(failure)


def run_acpiexec(folder, commands):
    """-> (what it said, list of what it must not say)"""
    tables = [t for t in ("dsdt.aml", "ssdt.aml") if (folder / t).exists()]
    _, said = run("acpiexec", "-b", "; ".join(commands), *tables, cwd=folder)
    said = said.replace(OF_ACPIEXEC, "", 1)
    return said, [f"acpiexec says: {phrase}" for phrase in BAD_RUN if phrase in said]


def judge_machine(folder):
    """-> list of (verdict, text)"""
    checks = checks_of(folder.name)
    said, bad = run_acpiexec(folder, [command for command, _ in checks])
    verdicts = [("failed", f"{folder.name}: {text}") for text in bad]
    for _, check in checks:
        problem = check(said)
        verdicts.append(("failed", f"{folder.name}: {problem}") if problem
                        else ("passed", folder.name))
    return verdicts


def judge_shape(folder, shape):
    """-> list of (verdict, text)"""
    said, bad = run_acpiexec(folder, shape_commands(shape))
    problems = bad + list(itertools.islice(shape_problems(shape, said), 5))
    if problems:
        return [("failed", f"{folder.name}: {text}") for text in problems]
    return [("passed", folder.name)]


def parse_shape(name):
    arch, vps, nodes, windows, bridges = name.split("-")
    return {"arch": arch, "vps": int(vps[:-2]), "nodes": nodes, "windows": windows,
            "bridges": bridges}


def covering(names):
    """Some of the names, so that every two values that meet in one meet in one of these."""
    def pairs(name):
        return set(itertools.combinations(enumerate(name.split("-")), 2))

    every_pair = {name: pairs(name) for name in names}
    left = set().union(*every_pair.values())
    chosen = []
    while left:
        best = max(names, key=lambda name: len(every_pair[name] & left))
        chosen.append(best)
        left -= every_pair[best]
    return chosen


def unlike(folders, tables):
    """One of the folders for each content of these tables."""
    first = {}
    for folder in sorted(folders):
        content = tuple((folder / t).read_bytes() if (folder / t).exists() else b""
                        for t in tables)
        first.setdefault((folder.name.split("-")[1] == "shape", content), folder)
    return sorted(first.values())


def control(judge, folder):
    """The judges must notice what is wrong: a table with one byte changed."""
    source = bytearray((folder / "default-x86_64-1vp-both-uarts" / "apic.aml").read_bytes())
    source[45] = 0  # a zero length of the first entry
    broken = folder / "default-control"
    broken.mkdir()
    (broken / "apic.aml").write_bytes(source)
    verdict, text = judge_table(broken / "apic.aml", "default", everything=False)
    judge.add("passed" if verdict == "failed" else "failed", f"control: {text}")
    shutil.rmtree(broken)


def emit(program, root, everything):
    """The fixed machines and the shapes -> folders of either."""
    subprocess.run([program, str(root)], check=True, timeout=TIMEOUT)
    machines = set(root.iterdir())
    names = subprocess.run([program, "--shapes"], check=True, timeout=TIMEOUT, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    chosen = names if everything else covering(names)
    subprocess.run([program, str(root), *chosen], check=True, timeout=TIMEOUT)
    shapes = set(root.iterdir()) - machines
    print(f"{len(machines)} machines, {len(shapes)} of {len(names)} shapes")
    return machines, shapes


def different_tables(root):
    """Each content of a table once, with its profile."""
    tables, seen = [], set()
    for path in sorted(root.glob("*/*.aml")):
        profile = path.parent.name.split("-")[0]
        key = (profile, path.stem, hashlib.sha256(path.read_bytes()).digest())
        if path.stem != "rsdp" and key not in seen:
            seen.add(key)
            tables.append((path, profile))
    return tables


def shape_runs(shapes):
    """[(folder, shape)]: one for each DSDT and SSDT."""
    return [(folder, parse_shape(folder.name.removeprefix("default-shape-")))
            for folder in unlike(shapes, ("dsdt.aml", "ssdt.aml"))]


def main():
    arguments = sys.argv[1:]
    everything = arguments[1:] == ["--all"]
    if not arguments or (len(arguments) > 1 and not everything):
        sys.exit(__doc__)
    missing = [tool for tool in ("iasl", "acpiexec") if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (Debian: acpica-tools)")
        print("0 passed, 0 failed, 1 skipped")
        return 77

    judge = Judge()
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        machines, shapes = emit(arguments[0], root, everything)
        tables = different_tables(root)
        runs = shape_runs(shapes)
        if len(tables) < 40 or len(runs) < 20:
            sys.exit(f"only {len(tables)} tables and {len(runs)} runs in {root}")
        print(f"{len(tables)} different tables, {len(machines)} + {len(runs)} runs of acpiexec")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            verdicts = list(pool.map(lambda t: judge_table(*t, everything), tables))
            for more in itertools.chain(pool.map(judge_machine, sorted(machines)),
                                        pool.map(lambda r: judge_shape(*r), runs)):
                verdicts += more
        for verdict, text in verdicts:
            judge.add(verdict, text)
        control(judge, root)
    print(", ".join(f"{judge.counts[v]} {v}" for v in ("passed", "failed", "skipped")))
    return 1 if judge.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
