#!/usr/bin/env python3
"""Let iasl judge what pvw says of ACPI tables.

    asl_test.py PVW ACPI-EMIT

`pvw acpi --asl` of every DSDT and SSDT of acpi-emit's machines must compile to the same bytes, in
both profiles; where the reference has constants in a longer form than iasl writes, to the same
text. So must tables that iasl made of its own sources here, with more of the language than ours
use. What `iasl -d` finds in every other table, `pvw acpi` finds too: the same fields at the same
offsets with the same values.

Needs iasl; without it everything is skipped and exit status is 77.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 120  # seconds a program may take, generous for a busy machine
HEADER = 36

# Tables and nodes that are newer than some iasl, by what it says then.
NOT_UNDERSTOOD = ("Unknown ACPI table signature", "Unknown IORT node type", "Unknown structure type")

# The language beyond what our own tables use.
SOURCE = r"""
DefinitionBlock ("", "SSDT", 2, "JUDGE", "LANGUAGE", 0x00000007)
{
    External (\ELSE.WHER, MethodObj)
    External (\_SB.FAR, DeviceObj)
    Name (NUMB, Package () { 0, 1, 2, 0x100, 0x10000, 0x100000000, Ones, "a\"b\\c\t" })
    Name (HOLE, Package (7) { 1 })
    Name (BIG, Package (300) { 1, Package () { "nested", HOLE } })
    Name (BUFF, Buffer (0x20) { 1, 2, 3 })
    Name (GUID, ToUUID ("e5c937d0-3553-4d7a-9117-ea4d19c3434d"))
    Mutex (MUTX, 3)
    Event (EVNT)
    OperationRegion (PORT, SystemIO, 0x510, 0x10)
    Field (PORT, ByteAcc, Lock, WriteAsZeros)
    {
        REGA, 8,
        Offset (0x04),
        REGB, 3,
        , 5,
        AccessAs (WordAcc, 0),
        REGC, 16
    }
    IndexField (REGA, REGC, ByteAcc, NoLock, Preserve) { IND0, 8, IND1, 8 }
    BankField (PORT, REGB, 2, DWordAcc, NoLock, WriteAsOnes) { BNK0, 32 }
    DataTableRegion (DATA, "OEM1", "", "")
    PowerResource (PWRR, 2, 1) { Method (_STA) { Return (One) } Method (_ON) {} Method (_OFF) {} }
    ThermalZone (THRM) { Method (_TMP) { Return (0x0BB8) } }
    Scope (\_SB)
    {
        Processor (CPU0, 1, 0x410, 6) {}
        Device (DEV0)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CID, Package () { EisaId ("PNP0A03"), "LNRO0005" })
            Alias (_HID, HIDD)
            Name (_PRS, ResourceTemplate ()
            {
                StartDependentFn (1, 2) { IRQ (Level, ActiveLow, Shared) { 5, 10 } }
                StartDependentFnNoPri () { IRQNoFlags () { 11 } DMA (TypeF, BusMaster, Transfer16) { 2 } }
                EndDependentFn ()
            })
            Name (_CRS, ResourceTemplate ()
            {
                FixedIO (0x3F8, 8)
                IO (Decode10, 0x3F8, 0x3F8, 1, 8)
                Memory24 (ReadOnly, 0x1000, 0x2000, 0x10, 0x100)
                Memory32 (ReadWrite, 0x1000, 0x10000, 0x1000, 0x2000)
                VendorShort () { 1, 2, 3 }
                VendorLong () { 4, 5, 6, 7, 8, 9, 10, 11, 12 }
                Register (SystemMemory, 32, 0, 0x123456789, 3)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0, 0xCF7, 0, 0xCF8)
                DWordIO (ResourceConsumer, MinFixed, MaxFixed, SubDecode, ISAOnlyRanges,
                    0, 0x1000, 0x1FFF, 0, 0x1000, , , , TypeTranslation, SparseTranslation)
                DWordMemory (ResourceConsumer, SubDecode, MinNotFixed, MaxNotFixed, Prefetchable,
                    ReadOnly, 0xFFF, 0x1000, 0xFFFF, 0, 0x1000, , , , AddressRangeACPI)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, WriteCombining,
                    ReadWrite, 0, 0x100000000, 0x1FFFFFFFF, 0, 0x100000000)
                Interrupt (ResourceConsumer, Edge, ActiveLow, SharedAndWake) { 33, 34, 35 }
                FixedDMA (1, 2, Width32bit)
            })
            Method (MATH, 7, Serialized, 4)
            {
                Local0 = Arg0 + (Arg1 * 3) - (Arg2 << 4)
                Divide (Arg3, 7, Local1, Local2)
                Local3 = (Local1 % Local2) | (Arg4 & ~Arg5) ^ (Local0 >> 1)
                Local4 = DerefOf (NUMB [2])
                Local5 = Concatenate ("x", ToHexString (Arg6))
                Mid (Local5, 1, 2, Local6)
                Local7 = Match (NUMB, MGE, 1, MLT, 9, 0)
                If ((Arg0 >= Arg1) && !(Arg2 != Arg3)) { Return (RefOf (Local0)) }
                ElseIf ((Arg0 <= 4) || (Arg1 == "text")) { Return (SizeOf (BUFF)) }
                Else
                {
                    While (Local0 < 10)
                    {
                        Local0++
                        If (Local0 > 8) { Break }
                        Continue
                    }
                }
                CopyObject (Local0, NUMB)
                Return (MATH (1, 2, 3, 4, 5, 6, HELP (7)))
            }
            Method (HELP, 1)
            {
                Acquire (\MUTX, 0xFFFF)
                CreateWordField (\BUFF, 2, WRD0)
                CreateField (\BUFF, 16, 12, FLD0)
                CreateBitField (\BUFF, 3, BIT0)
                CreateQWordField (\BUFF, 8, QWD0)
                CreateByteField (\BUFF, 1, BYT0)
                If (CondRefOf (\_OSI, Local1)) { If (\_OSI ("Windows 2015")) { WRD0 = FLD0 } }
                Notify (\_SB.DEV0, 0x80)
                Notify (\_SB.FAR, 0x81)
                Sleep (10)
                Stall (1)
                Local2 = \ELSE.WHER (1, Arg0)
                Wait (\EVNT, 0x10)
                Signal (\EVNT)
                Reset (\EVNT)
                Release (\MUTX)
                Fatal (1, 0x12345678, Arg0)
                Debug = Timer
                Return (ToInteger (ToBuffer (Arg0)) + FromBCD (0x12) + FindSetLeftBit (Arg0))
            }
        }
    }
}
"""


class Judge:
    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def add(self, verdict, text):
        self.counts[verdict] += 1
        if verdict != "passed":
            print(f"{verdict.upper() if verdict == 'failed' else verdict} {text}")


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True,
                          stdin=subprocess.DEVNULL, cwd=cwd, timeout=TIMEOUT)
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


def compile_asl(text, folder, name):
    (folder / f"{name}.asl").write_text(text, encoding="latin-1")
    said = "".join(run("iasl", "-f", "-oa", "-on", "-p", folder / name, folder / f"{name}.asl")[1:])
    path = folder / f"{name}.aml"
    return (path if path.exists() else None), said


def judge_asl(pvw, path, name):
    """-> (verdict, text)"""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        status, text, said = run(pvw, "acpi", path, "--asl")
        if status != 0:
            return "failed", f"{name}: status {status}: {said[-400:]}"
        back, said = compile_asl(text, folder, "back")
        if not back:
            return "failed", f"{name}: iasl does not take it: {said[-600:]}"
        if back.read_bytes()[HEADER:] == path.read_bytes()[HEADER:]:
            return "passed", name
        if "reference" in name and "devices" in name:
            # _PRT has wide constants: the same numbers, with fewer digits.
            again = run(pvw, "acpi", back, "--asl")[1]
            shorten = lambda t: re.sub(r"0x0*([0-9A-F]+)\b", r"0x\1", t)
            if shorten(again).replace("One", "0x1").replace("Zero", "0x0") == \
                    shorten(text).replace("One", "0x1").replace("Zero", "0x0"):
                return "passed", name
        return "failed", f"{name}: compiled again it has other bytes"


def judge_fields(pvw, path, name):
    """Every field of iasl's, [offset offset length] name : value, against the same bytes of ours."""
    with tempfile.TemporaryDirectory() as folder:
        _, out, err = run("iasl", "-p", f"{folder}/t", "-d", path)
        source = pathlib.Path(folder, "t.dsl")
        if not source.exists():
            return "failed", f"{name}: iasl -d: {(out + err)[-400:]}"
        text = source.read_text(errors="replace")
    if any(phrase in out + err + text for phrase in NOT_UNDERSTOOD):
        return "skipped", f"{name}: this iasl is too old for it"
    status, out, err = run(pvw, "acpi", path, "--format", "json")
    if status != 0:
        return "failed", f"{name}: status {status}: {err[-400:]}"
    ours = {}
    for field in json.loads(out)["tables"][0]["fields"]:
        ours.setdefault(field["offset"], []).append(field)
    compared = 0
    for line in text.splitlines():
        match = re.match(r"\[(\w{3,4})h \d+\s+(\d+)\]\s*(.*?) : ([0-9A-F]+)(?: |$)", line)
        if not match:
            continue
        offset, size, label, value = int(match[1], 16), int(match[2]), match[3], int(match[4], 16)
        for field in ours.get(offset, []):
            number = re.fullmatch(r"0x([0-9a-f]+)|(\d+)", field["value"])
            if field["size"] != size or not number:
                continue
            compared += 1
            if (int(number[1], 16) if number[1] else int(number[2])) != value:
                return "failed", f"{name}: {label}: {field['path']} is {field['value']}, " \
                                 f"iasl says 0x{value:x}"
    if compared < 4:
        return "failed", f"{name}: only {compared} fields of both"
    return "passed", name


def judge_language(judge, pvw, folder):
    table, said = compile_asl(SOURCE, folder, "language")
    if not table:
        judge.add("failed", f"language: iasl does not take the source: {said[-600:]}")
        return
    judge.add(*judge_asl(pvw, table, "language"))
    # The judge must notice a byte that is wrong: the sleep is another.
    wrong = folder / "wrong.aml"
    wrong.write_bytes(table.read_bytes().replace(b"\x5b\x22\x0a\x0a", b"\x5b\x22\x0a\x0b"))
    text = run(pvw, "acpi", wrong, "--asl")[1]
    back, _ = compile_asl(text, folder, "control")
    same = back is not None and back.read_bytes()[HEADER:] == table.read_bytes()[HEADER:]
    judge.add("failed" if same else "passed", "control: a changed byte goes unseen")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which("iasl"):
        print("skipped: no iasl here (Debian: acpica-tools)\n0 passed, 0 failed, 1 skipped")
        return 77
    pvw, emit = (os.path.abspath(path) for path in sys.argv[1:])
    judge = Judge()
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        machines = root / "machines"
        subprocess.run([emit, str(machines)], check=True, timeout=TIMEOUT)
        work, seen = [], set()
        for path in sorted(machines.glob("*/*.aml")):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest in seen or path.stem == "rsdp":  # not a table that iasl reads
                continue
            seen.add(digest)
            is_aml = path.stem in ("dsdt", "ssdt")
            work.append((judge_asl if is_aml else judge_fields, path,
                         f"{path.parent.name}/{path.stem}"))
        if len(work) < 40:
            sys.exit(f"only {len(work)} tables in {machines}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for verdict, text in pool.map(lambda w: w[0](pvw, *w[1:]), work):
                judge.add(verdict, text)
        judge_language(judge, pvw, root)
    print(", ".join(f"{judge.counts[v]} {v}" for v in ("passed", "failed", "skipped")))
    return 1 if judge.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
