#!/usr/bin/env python3
"""Judge `pvw fixture` by the fixtures of the tree.

usage: fixtures_test.py PVW FIXTURES [--mutants N]

Every fixture verifies; those that are named refused-* name the diagnostic, the place, what was
found and what was expected, and no two the same diagnostic. JSON output is one object with the
names of its schema. A changed expectation is seen, named field by field, and rebase takes it
back. Damaged fixtures end in an ordinary exit status, never in a signal.
"""

import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

DONE, USAGE, MALFORMED, DIFFERENT = 0, 2, 3, 10
# of any command on any input: all but usage, an internal error and a signal
ORDINARY = {0, 1, 3, 10}

failures = []


def check(condition, text):
    if not condition:
        failures.append(text)
        print(f"not ok: {text}")


class Pvw:
    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments):
        return subprocess.run([self.path, "fixture", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120,
                              env={**os.environ, "NO_COLOR": "1"})


def judge_verify(pvw, files):
    done = pvw("verify", *files)
    lines = done.stdout.decode().splitlines()
    check(done.returncode == DONE, f"verify ends with {done.returncode}: {done.stderr.decode()}")
    check(len(lines) == len(files), f"{len(lines)} lines of {len(files)} fixtures")
    for path, line in zip(files, lines):
        refused = os.path.basename(path).startswith("refused-")
        check(line == f"{path}: " + ("refused as expected" if refused else "verified"), line)


def judge_refusals(pvw, files):
    """Diagnostic, place, found and expected: what a person needs to correct the input."""
    codes = {}
    for path in files:
        shown = json.loads(pvw("show", "--format", "json", path).stdout)
        code = shown["fields"]["expect.diagnostic"]
        text = pvw("verify", "-v", path).stderr.decode()
        check(code in text, f"{path}: {code} is not in {text}")
        check(re.search(r"dtb:/|0x[0-9a-f]+|aarch64", text), f"{path}: no place in {text}")
        check(re.search(r"expected|overlap|declared absent|need|in pieces|not offered", text),
              f"{path}: no expectation in {text}")
        check(code not in codes, f"{path}: {code} is {codes.get(code)}'s")
        codes[code] = path
    check(len(codes) >= 6, f"{len(codes)} refusals, expected at least 6")


def judge_json(pvw, files):
    done = json.loads(pvw("verify", "--format", "json", *files[:2]).stdout)
    check(done["schema"] == "pvw.fixture-verify/1", str(done["schema"]))
    check([entry["file"] for entry in done["files"]] == files[:2], str(done))
    check(all(entry["equal"] and entry["differences"] == [] for entry in done["files"]),
          str(done))
    shown = json.loads(pvw("show", "--format", "json", files[0]).stdout)
    check(shown["schema"] == "pvw.fixture/1", str(shown["schema"]))
    check(re.fullmatch("[0-9a-f]{64}", shown["fields"]["expect.plan"]), "expect.plan")


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def judge_difference(pvw, path, folder):
    """One bit of the recorded plan digest."""
    with open(path, "rb") as file:
        data = file.read()
    digest = json.loads(pvw("show", "--format", "json", path).stdout)["fields"]["expect.plan"]
    at = data.index(bytes.fromhex(digest))
    changed = os.path.join(folder, "changed.cbor")
    with open(changed, "wb") as file:
        file.write(flip(data, at))

    done = pvw("verify", changed)
    check(done.returncode == DIFFERENT, f"verify of a change ends with {done.returncode}")
    check(f"-> {digest}" in done.stdout.decode(), done.stdout.decode())
    compared = pvw("diff", path, changed)
    check(compared.returncode == DIFFERENT, f"diff ends with {compared.returncode}")
    check("expect.plan" in compared.stdout.decode(), compared.stdout.decode())
    check("1 difference" in compared.stdout.decode(), compared.stdout.decode())

    rebased = pvw("rebase", changed)
    check(rebased.returncode == DONE, f"rebase ends with {rebased.returncode}")
    check("expect.plan" in rebased.stdout.decode(), rebased.stdout.decode())
    with open(changed, "rb") as file:
        check(file.read() == data, "rebase gives other bytes than were recorded")
    same = pvw("diff", path, changed)
    check(same.returncode == DONE, f"diff of equals ends with {same.returncode}")


def judge_record(pvw, path, folder):
    """A fixture is an input, too: recorded again it is the same but for its note."""
    again = os.path.join(folder, "again.cbor")
    done = pvw("record", "--fixture", path, "-o", again)
    check(done.returncode == DONE, done.stderr.decode())
    compared = pvw("diff", path, again).stdout.decode()
    fields = re.findall(r"^  ([a-z_.]+):", compared, re.M)
    check(set(fields) <= {"provenance.note"}, compared)
    other = pvw("record", "--fixture", path, "--seed", "2", "-o", again)
    check(other.returncode == DONE, other.stderr.decode())
    compared = pvw("diff", path, again).stdout.decode()
    check("options.entropy" in compared and "uefi.config" in compared, compared)


def judge_recorder(pvw, path, folder):
    """Outcomes that were not meant are not written."""
    never = os.path.join(folder, "never.cbor")
    meant = pvw("record", "--fixture", path, "--refuse", "-o", never)
    check(meant.returncode != DONE and b"PVW-FIXTURE-0006" in meant.stderr, str(meant))
    wrong = pvw("record", "--fixture", path, "--isolation", "snp", "-o", never)
    check(wrong.returncode != DONE and b"PVW-SESSION-0002" in wrong.stderr, str(wrong))
    check(not os.path.exists(never), "a file was written")


def judge_identifiers(pvw, path, folder):
    """Serial numbers and GUIDs of a document do not reach a fixture, unless told to."""
    tree = os.path.join(folder, "tree.dtb")
    with open(path, "rb") as file:
        data = file.read()
    at = data.index(b"\xd0\x0d\xfe\xed")
    with open(tree, "wb") as file:
        file.write(data[at:at + int.from_bytes(data[at + 4:at + 8], "big")])
    document = os.path.join(folder, "settings.json")
    with open(document, "w", encoding="utf-8") as file:
        json.dump({"V1": {"SerialNumber": "SECRET-4711", "BiosGuid":
                          "00112233-4455-6677-8899-aabbccddeeff"}}, file)
    out = os.path.join(folder, "identifiers.cbor")
    guid = bytes.fromhex("33221100554477668899aabbccddeeff")
    for more, kept in ([], False), (["--keep-identifiers"], True):
        done = pvw("record", "--dtb", tree, "--settings", document, "-o", out, *more)
        check(done.returncode == DONE, done.stderr.decode())
        with open(out, "rb") as file:
            recorded = file.read()
        check((b"SECRET-4711" in recorded) == kept, f"serial number, kept={kept}")
        check((guid in recorded) == kept, f"GUID, kept={kept}")
        check(folder.encode() not in recorded, "a path is in the fixture")


def judge_errors(pvw, path, folder):
    cases = [
        (["verify", "/nonexistent.cbor"], MALFORMED, b"PVW-CLI-0002"),
        (["verify"], USAGE, b"number of files"),
        (["bake", path], USAGE, b"unknown action"),
        (["diff", path], USAGE, b"number of files"),
        (["record", "--fixture", path], USAGE, b"--output"),
        (["record", "-o", folder + "/x"], None, b"PVW-INPUT-0001"),
        (["record", "--fixture", path, "--dtb", path, "-o", folder + "/x"], None,
         b"PVW-INPUT-0002"),
        (["record", "--vm", path, "-o", folder + "/x"], None, b"PVW-INPUT-0003"),
        (["record", "--fixture", path, "--phys-bits", "12", "-o", folder + "/x"], None,
         b"PVW-INPUT-0004"),
        (["record", "--fixture", path, "--entropy", "00", "-o", folder + "/x"], None,
         b"PVW-INPUT-0004"),
        (["record", "--fixture", path, "--kernel", "1:x", "-o", folder + "/x"], None,
         b"PVW-INPUT-0004"),
        (["record", "--fixture", path, "--entropy", "00", "--seed", "1", "-o", folder + "/x"],
         None, b"PVW-INPUT-0002"),
        (["record", "--dtb", "/dev/zero", "-o", folder + "/x"], None, b"PVW-INPUT-0005"),
        (["record", "--fixture", path, "--mtrr", "all", "-o", folder + "/x"], USAGE,
         b"exact, hyperv"),
    ]
    for arguments, status, word in cases:
        done = pvw(*arguments)
        check(done.returncode not in (DONE, DIFFERENT), f"{arguments} ends with 0")
        check(status is None or done.returncode == status,
              f"{arguments} ends with {done.returncode}, expected {status}")
        check(word in done.stderr, f"{arguments}: {done.stderr.decode()}")
    check(not os.path.exists(folder + "/x"), "a file was written")


def judge_mutants(pvw, files, folder, count):
    """The same damages in every run: bytes changed, cut out, doubled, and the end cut off."""
    dice = random.Random(20240229)
    small = [path for path in files if os.path.getsize(path) < 16384]
    paths = []
    for number in range(count):
        with open(dice.choice(small), "rb") as file:
            data = bytearray(file.read())
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            kind = dice.randrange(8)
            if kind == 0:
                del data[at:at + dice.randint(1, 8)]
            elif kind == 1:
                data[at:at] = data[at:at + dice.randint(1, 8)]
            elif kind == 2:
                del data[max(at, 1):]
            else:
                data[at] = dice.choice([0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)])
        path = os.path.join(folder, f"mutant-{number}.cbor")
        with open(path, "wb") as file:
            file.write(data)
        paths.append(path)
    for start in range(0, len(paths), 100):
        some = paths[start:start + 100]
        done = pvw("verify", "-q", *some)
        check(done.returncode in ORDINARY, f"mutants from {start}: {done.returncode}: "
              + done.stderr.decode(errors="replace")[-2000:])
        shown = pvw("rebase", *some)
        check(shown.returncode in ORDINARY, f"rebase of mutants from {start}: "
              f"{shown.returncode}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pvw")
    parser.add_argument("fixtures")
    parser.add_argument("--mutants", type=int, default=1000)
    options = parser.parse_args()
    pvw = Pvw(options.pvw)
    files = sorted(glob.glob(os.path.join(options.fixtures, "*.cbor")))
    refused = [path for path in files if os.path.basename(path).startswith("refused-")]
    example = os.path.join(options.fixtures, "x64-uefi-4vp.cbor")

    check(len(files) - len(refused) >= 16, f"{len(files) - len(refused)} fixtures that verify")
    with tempfile.TemporaryDirectory() as folder:
        judge_verify(pvw, files)
        judge_refusals(pvw, refused)
        judge_json(pvw, files)
        judge_difference(pvw, example, folder)
        judge_record(pvw, example, folder)
        judge_recorder(pvw, example, folder)
        judge_identifiers(pvw, example, folder)
        judge_errors(pvw, example, folder)
        judge_mutants(pvw, files, folder, options.mutants)
    print(f"{len(files)} fixtures, {options.mutants} mutants, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
