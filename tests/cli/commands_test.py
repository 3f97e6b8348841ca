#!/usr/bin/env python3
"""Judge pvw's commands from outside.

usage: commands_test.py PVW SOURCE [--filter WORD]

Exit statuses, help, JSON with the name of its schema, folders of results, determinism, completion
and, over a worker of its own, everything that knows --socket. Ends with one line
"N passed, N failed, N skipped".
"""

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
import zlib

DONE, REFUSED, USAGE, MALFORMED, UNREACHABLE, DEADLINE = range(6)
COMMANDS = ["serve", "plan", "layout", "map", "mtrr", "boot-tree", "acpi", "artifact",
            "check", "explain", "fixture", "igvm", "call",
            "doctor", "completion", "version", "help"]
tests = []


class Skip(Exception):
    """What the test needs is not on this machine."""


def test(function):
    tests.append(function)
    return function


class Pvw:
    def __init__(self, program, source, folder):
        self.program, self.source, self.folder = program, source, folder
        self.fixture = os.path.join(source, "fixtures", "x64-uefi-4vp.cbor")

    def __call__(self, *arguments, stdin=None, env=None):
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("PVW_SOCKET", "PVW_LOG", "NO_COLOR")}
        environment.update(env or {})
        return subprocess.run([self.program, *arguments], input=stdin, capture_output=True,
                              timeout=120, env=environment)

    def path(self, name):
        return os.path.join(self.folder, name)

    def json(self, schema, *arguments):
        done = self(*arguments, "--format", "json")
        document = json.loads(done.stdout)
        assert list(document)[0] == "schema", document
        assert document["schema"] == schema, document["schema"]
        one_line = self(*arguments, "--format", "jsonl").stdout
        assert one_line.count(b"\n") == 1, "jsonl is one line"
        return document


def ends(done, status, word=""):
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == status, f"status {done.returncode}, expected {status}: {text}"
    assert word in text, f"no '{word}' in: {text}"


def diagnostics(pvw):
    with open(os.path.join(pvw.source, "support", "diagnostics.def"), encoding="utf-8") as file:
        return re.findall(r"^DIAGNOSTIC\((\w+), (\d{4}), (\w+), (\w+),", file.read(), re.M)


# ---------------------------------------------------------------- help and usage

@test
def every_command_has_help_with_two_examples(pvw):
    text = pvw("--help").stdout.decode()
    listed = re.findall(r"^  ([a-z-]+)  +\S", text.split("Commands:")[1].split("Options:")[0], re.M)
    assert set(COMMANDS) <= set(listed), listed
    for command in listed:
        help_text = pvw(command, "--help")
        ends(help_text, DONE, "usage: pvw " + command)
        examples = help_text.stdout.decode().split("Examples:\n")[1]
        count = len(re.findall(r"^  pvw " + command + r"\b", examples, re.M))
        assert count >= 2, f"{command}: {count} examples"
        assert pvw("help", command).stdout == help_text.stdout, command


@test
def help_fits_a_page(pvw):
    lines = pvw("--help").stdout.decode().splitlines()
    assert len(lines) <= 40, len(lines)
    for command in COMMANDS:
        for line in pvw(command, "--help").stdout.decode().splitlines():
            assert len(line) <= 120, f"{command}: {line}"


@test
def examples_name_options_that_exist(pvw):
    for command in COMMANDS:
        text = pvw(command, "--help").stdout.decode()
        known = set(re.findall(r"(?:^  .{0,4}|, )(--?[a-z0-9-]+)", text, re.M | re.I))
        for option in re.findall(r" (--[a-z0-9-]+)", text.split("Examples:\n")[1]):
            assert option in known or option == "--help", f"{command}: {option}"


@test
def usage_errors_end_with_2(pvw):
    for arguments in ([], ["nope"], ["--nope"], ["plan", "--nope"], ["plan", "extra"],
                      ["plan"], ["explain"], ["explain", "a", "b"], ["explain", "nope"],
                      ["explain", "0x"], ["explain", "PVW-NOPE-0001"], ["completion", "csh"],
                      ["call"], ["call", "Nope"], ["check", "-W", "nope", "--fixture", pvw.fixture],
                      ["check", "-E", "no-plan", "--fixture", pvw.fixture],
                      ["plan", "--fixture", pvw.fixture, "--dtb", "x"],
                      ["plan", "--fixture", pvw.fixture, "--mtrr", "best"],
                      ["map", "--fixture", pvw.fixture, "--from", "2", "--to", "1"],
                      ["map", "--fixture", pvw.fixture, "--width", "9999"],
                      ["plan", "--fixture", pvw.fixture, "--format", "xml"]):
        ends(pvw(*arguments), USAGE)


@test
def misspelt_words_are_named(pvw):
    for word in ("nope", "0x", "0x1z", "PVW-NOPE-0001"):
        ends(pvw("explain", word), USAGE, "PVW-CLI-0005: ")
    for option in ("-W", "-E"):
        ends(pvw("check", option, "nope", "--fixture", pvw.fixture), USAGE,
             "PVW-CLI-0006: 'nope', expected one of pvw check --list")


@test
def unreadable_input_ends_with_3(pvw):
    ends(pvw("plan", "--fixture", pvw.path("missing")), MALFORMED, "PVW-CLI-0002")
    bad = pvw.path("bad")
    with open(bad, "wb") as file:
        file.write(b"neither a tree nor a fixture, but longer than a header of either one")
    ends(pvw("plan", "--fixture", bad), MALFORMED, "PVW-FIXTURE")
    ends(pvw("plan", "--dtb", bad), MALFORMED, "PVW-DT")
    ends(pvw("map", "--dtb", bad), MALFORMED, "PVW-DT")
    ends(pvw("call", "Health", "{"), MALFORMED, "PVW-JSON-0001")


@test
def refused_input_ends_with_1_and_a_hint(pvw):
    fixture = os.path.join(pvw.source, "fixtures", "refused-fragmented.cbor")
    for command in ("plan", "map"):
        done = pvw(command, "--fixture", fixture)
        ends(done, REFUSED, "error PVW-ROLE-0010")
        assert b"hint: " in done.stderr and done.stdout == b"", done
        assert b"hint" not in pvw(command, "--fixture", fixture, "-q").stderr


def machine(pvw, file_name, **members):
    path = pvw.path(file_name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"schema": "pvw.vm/1", "memory": "4GiB", **members}, file)
    return path


@test
def layout_takes_its_own_template(pvw):
    for arch in ("x86_64", "aarch64"):
        done = pvw("layout", "--template", "--arch", arch)
        ends(done, DONE)
        document = json.loads(done.stdout)
        assert document["arch"] == arch, document
        path = pvw.path("template.json")
        with open(path, "wb") as file:
            file.write(done.stdout)
        ends(pvw("layout", path), DONE, f"layout        version 2, {arch}")
        assert pvw("layout", "-", stdin=done.stdout).stdout == pvw("layout", "--vm", path).stdout


@test
def layout_puts_everything_where_the_contract_says(pvw):
    path = machine(pvw, "x3.json", layout={"version": 1}, pcie={"root_complexes": [{}]})
    layout = pvw.json("pvw.layout/1", "layout", path)
    places = {(p["tag"], p["start"], p["end"]) for p in layout["placements"]}
    assert places == {("ram0", "0x0", "0xc0000000"), ("ram0", "0x100000000", "0x140000000"),
                      ("pcie-rc0-low-mmio", "0xf4000000", "0xf8000000"),
                      ("chipset-low-mmio", "0xf8000000", "0x100000000"),
                      ("pcie-rc0-high-mmio", "0x140000000", "0x180000000"),
                      ("chipset-high-mmio", "0x180000000", "0x1a0000000"),
                      ("pcie-seg0-ecam", "0x1a0000000", "0x1b0000000")}, places
    assert layout["root_complexes"][0]["high_largest_bar"] == "0x40000000", layout
    assert pvw.json("pvw.layout/1", "layout", path, "--layout-version", "2")["version"] == 2
    assert pvw.json("pvw.layout/1", "map", "--vm", path) == layout
    ends(pvw("layout", path, "--width", "32"), REFUSED, "PVW-RESOLVE-0008")


@test
def layout_compares_with_what_was_kept(pvw):
    path, kept = machine(pvw, "vm.json"), pvw.path("kept.json")
    with open(kept, "wb") as file:
        file.write(pvw("layout", path, "--format", "json").stdout)
    ends(pvw("layout", path, "--against", kept), DONE, "chipset-high-mmio")
    more = machine(pvw, "more.json", memory="6GiB")
    ends(pvw("layout", more, "--against", kept), REFUSED,
         "ram0 was at 0x100000000-0x140000000 (ram) and would be at 0x100000000-0x1c0000000")
    ends(pvw("layout", path, "--against", kept, "--layout-version", "1"), REFUSED,
         "version 1, expected 2")
    ends(pvw("layout", path, "--against", path), MALFORMED, "version: error PVW-JSON-0003")


@test
def layout_restores_what_was_kept(pvw):
    one, two = {"name": "a"}, {"name": "b", "segment": 1}
    path, kept = machine(pvw, "vm.json", pcie={"root_complexes": [one, two]}), pvw.path("kept.json")
    with open(kept, "wb") as file:
        file.write(pvw("layout", path, "--format", "json", "--layout-version", "1").stdout)
    turned = machine(pvw, "turned.json", pcie={"root_complexes": [two, one]})

    ends(pvw("layout", turned, "--against", kept, "--layout-version", "1"), REFUSED, "PVW-RESOLVE-0019")
    ends(pvw("layout", turned, "--pin", kept, "--explain"), DONE,
         "where it was in the layout that is restored")
    restored = pvw.json("pvw.layout/1", "layout", turned, "--pin", kept)
    assert restored["version"] == 1, restored
    places = [[(p["tag"], p["start"], p["end"], p["kind"]) for p in layout["placements"]]
              for layout in (restored, json.loads(open(kept, encoding="utf-8").read()))]
    assert places[0] == places[1], places

    less = machine(pvw, "less.json", pcie={"root_complexes": [one]})
    ends(pvw("layout", less, "--pin", kept), REFUSED,
         "kept.json: error PVW-RESOLVE-0019: pcie-b-low-mmio was at 0x")
    more = machine(pvw, "more.json", memory="5GiB", pcie={"root_complexes": [one, two]})
    ends(pvw("layout", more, "--pin", kept), REFUSED, "ram0 at 0x200000000-0x240000000 was not there before")
    ends(pvw("layout", path, "--pin", kept, "--layout-version", "2"), REFUSED,
         "version 2, expected 1")
    ends(pvw("layout", path, "--pin", kept, "--width", "32"), REFUSED, "vm.json: error PVW-RESOLVE-0008")
    ends(pvw("layout", path, "--pin", path), MALFORMED, "vm.json.version: error PVW-JSON-0003")
    ends(pvw("layout", path, "--pin", kept, "--against", kept), USAGE, "--against and --pin")


@test
def layout_warns_of_what_nobody_means(pvw):
    window = {"start": "0x80000000", "end": "0x90000000"}
    path = machine(pvw, "vm.json", layout={"version": 1}, pcie={"root_complexes": [{"high": window}]})
    done = pvw("layout", path)
    ends(done, DONE, "pcie-rc0-high-mmio")
    ends(done, DONE, "rc0: warning PVW-RESOLVE-0024")
    assert b"0 errors, 1 warning" in done.stderr, done.stderr
    json.loads(pvw("layout", path, "--format", "json").stdout)
    assert not pvw("layout", path, "--quiet").stderr
    assert not pvw("layout", machine(pvw, "sound.json")).stderr


def size_of(text):
    number, unit = text.split()
    return int(float(number) * 1024 ** ["B", "KiB", "MiB", "GiB"].index(unit))


def wrong(place, placements):
    """What is not true of the reason that a placement is explained with, or None."""
    text, start = place["placed"], int(place["start"], 16)
    size = int(place["end"], 16) - start
    aligned = re.search("aligned to (.*)", place["asked"])
    align = size_of(aligned[1]) if aligned else 2 ** 30 if "first window" in text else 1
    edges = {(p["tag"], p["start"]) for p in placements}, {(p["tag"], p["end"]) for p in placements}
    under = re.search(r"under (\S+) at (0x\w+)", text)
    above = re.search(r"on (\S+), which ends at (0x\w+)", text)
    behind = re.search(r"from (0x\w+) on, \D+ \((0x\w+)\) rounded up to (\d+ \w+)", text)
    fits = re.search(r"as many times (\d+ \w+) as fit below (\S+)$", text)
    if under:
        edge = int(under[2], 16)
        if under.groups() not in edges[0] or (edge - size) // align * align != start:
            return "under"
    elif above:
        edge = int(above[2], 16)
        if above.groups() not in edges[1] or -(-edge // align) * align != start:
            return "above"
    elif behind:
        edge, end, step = int(behind[1], 16), int(behind[2], 16), size_of(behind[3])
        if -(-end // step) * step != edge or -(-edge // align) * align != start:
            return "behind"
    if (under or above) and (edge != (start + size if under else start)) != ("apart by" in text):
        return "apart"
    if fits:
        after = placements[placements.index(place) + 1]
        if after["tag"] != fits[2] or int(after["start"], 16) - start - size >= size_of(fits[1]):
            return "fits"
    return None


@test
def layout_explains_with_the_truth(pvw):
    pcie = {"root_complexes": [{"segment": i, "end_bus": 15, "low": "100MiB", "high": high}
                               for i, high in enumerate(("2MiB", "16GiB", "5GiB"))]}
    holes = [{"start": start, "end": start + 4096, "reason": "host"}
             for start in (2 ** 31, 0xd0000000, 0x182000000, 0x300000000)]
    reasons = 0
    for arch in ("x86_64", "aarch64"):
        for high in (0, "512MiB"):
            for memory in ("2GiB", "6GiB", "3100MiB", "515GiB"):
                for layout in ({"version": 1}, {}, {"device_space": "3GiB"},
                               {"reserved_iova": holes}, {"ram_start": "16MiB"}):
                    path = machine(pvw, "vm.json", arch=arch, boot="linux", memory=memory,
                                   layout=layout, pcie=pcie, vtl2={"memory": "32MiB"},
                                   chipset={"virtio_mmio": 3, "high": high})
                    placements = pvw.json("pvw.layout/1", "layout", path, "--explain")["placements"]
                    for place in placements:
                        assert wrong(place, placements) is None, (layout, arch, place)
                        reasons += 1
    assert reasons > 1000, reasons


@test
def layout_explains_every_range(pvw):
    path = machine(pvw, "vm.json", pcie={"root_complexes": [{"name": "gpu"}]})
    text = pvw("layout", path, "--explain").stdout.decode()
    assert "asked for by pcie.root_complexes[0].low: 64 MiB, aligned to 64 MiB" in text, text
    assert "under chipset-low-mmio at 0xf8000000" in text, text
    for placement in pvw.json("pvw.layout/1", "layout", path, "--explain")["placements"]:
        assert placement["member"] and placement["asked"] and placement["placed"], placement


@test
def layout_refuses_what_is_no_machine(pvw):
    ends(pvw("layout"), USAGE, "PVW-INPUT-0002")
    path = machine(pvw, "vm.json")
    ends(pvw("layout", path, "--vm", path), USAGE, "PVW-INPUT-0002")
    ends(pvw("layout", path, "--scale", "round"), USAGE, "log, linear")
    ends(pvw("layout", "--template", "--arch", "mips"), USAGE, "x86_64")
    ends(pvw("layout", pvw.path("nowhere.json")), MALFORMED, "PVW-CLI-0002")
    bad = machine(pvw, "bad.json", layout={"pages": 1})
    ends(pvw("layout", bad), MALFORMED, "bad.json.layout.pages: error PVW-JSON-0005")
    ends(pvw("layout", machine(pvw, "bad.json", arm={})), MALFORMED, "PVW-VM-0003")


@test
def addresses_of_a_machine_are_explained(pvw):
    path = machine(pvw, "vm.json")
    ends(pvw("explain", "0xf8001000", "--vm", path), DONE, "asked for by chipset.low: 128 MiB")
    found = pvw.json("pvw.explain/1", "explain", "0xd0000000", "--vm", path)
    assert "tag" not in found and found["before"]["tag"] == "ram0", found
    assert found["behind"]["tag"] == "chipset-low-mmio", found
    ends(pvw("explain", "0xffffffffffffffff", "--vm", path), DONE, "behind: nothing")
    ends(pvw("explain", "0x0", "--vm", path, "--fixture", pvw.fixture), USAGE, "PVW-INPUT-0002")
    ends(pvw("map", "--vm", path, "--fixture", pvw.fixture), USAGE, "PVW-INPUT-0002")
    ends(pvw("plan", "--vm", path), REFUSED, "PVW-INPUT-0003")


@test
def pictures_are_sound_and_always_the_same(pvw):
    path = machine(pvw, "vm.json", name="<&>", vtl2={"memory": "128MiB"})
    for what in (("map", "--fixture", pvw.fixture), ("map", "--vm", path), ("layout", path)):
        for scale in ("log", "linear"):
            done = pvw(*what, "--format", "svg", "--scale", scale)
            ends(done, DONE)
            root = xml.etree.ElementTree.fromstring(done.stdout)
            assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
            assert root.get("role") == "img" and root.get("width") == "960", root.attrib
            assert pvw(*what, "--format", "svg", "--scale", scale).stdout == done.stdout, what
            apart(done.stdout.decode())
    ends(pvw("plan", "--fixture", pvw.fixture, "--format", "svg"), REFUSED, "plan draws nothing")


def apart(svg):
    """No two texts of a column are closer than a line."""
    for column in re.findall(r'<text class="(?:address|size)" x="(\d+)"', svg):
        places = [int(y) for y in re.findall(rf'<text class="\w+" x="{column}" y="(\d+)"', svg)]
        assert all(b - a >= 20 for a, b in zip(places, places[1:])), (column, places)


@test
def formats_of_later_are_refused_by_name(pvw):
    for name in ("dot", "cbor"):
        ends(pvw("map", "--fixture", pvw.fixture, "--format", name), REFUSED,
             f"{name} is not made by this version")


@test
def output_that_reaches_nobody_is_a_failure(pvw):
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([pvw.program, "map", "--fixture", pvw.fixture], stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == MALFORMED and b"cannot write" in done.stderr, done


# ---------------------------------------------------------------- IGVM files

@test
def igvm_files_are_shown_and_checked(pvw):
    with open(os.path.join(pvw.source, "fuzz", "corpus", "igvm", "stays"), "rb") as file:
        data = bytearray(file.read()[1:])  # the first byte is the fuzz target's
    good, damaged, wrong = (pvw.path(name) for name in ("good.igvm", "damaged.igvm", "wrong.igvm"))
    with open(good, "wb") as file:
        file.write(data)
    text = pvw("igvm", "show", good)
    for word in ("format 1, x86_64", "platform    vsm", "relocatable 0x8000000-0x8400000",
                 "device-tree at 0x0", "Rip        0x8000000"):
        ends(text, DONE, word)
    assert pvw("igvm", "check", good).stdout == b""
    document = pvw.json("pvw.igvm/1", "igvm", "show", good)
    assert document["sound"] and document["page_tables"]["start"] == "0x8400000", document
    assert document["contexts"][0]["registers"][0]["name"] == "Rip", document

    ends(pvw("igvm", "show", good, "--platform", "snp"), REFUSED, "PVW-IGVM-0012")
    ends(pvw("igvm", "look", good), USAGE, "show or check")
    with open(damaged, "wb") as file:
        file.write(data[:40] + b"x" + data[41:])
    ends(pvw("igvm", "check", damaged), REFUSED, "PVW-IGVM-0005")

    # Two things are wrong: both are told.
    at = data.index((0x305).to_bytes(4, "little") + (24).to_bytes(4, "little")) + 8
    data[at] |= 1
    at = data.index((0x30D).to_bytes(4, "little") + (16).to_bytes(4, "little")) + 8
    data[at] |= 1
    size = int.from_bytes(data[12:16], "little")
    data[20:24] = bytes(4)
    data[20:24] = zlib.crc32(bytes(data[:24 + size])).to_bytes(4, "little")
    with open(wrong, "wb") as file:
        file.write(data)
    done = pvw("igvm", "check", wrong)
    ends(done, REFUSED, "required-memory")
    ends(done, REFUSED, "error-range")


# ---------------------------------------------------------------- plan

@test
def mtrr_compares_the_policies(pvw):
    document = pvw.json("pvw.mtrr/1", "mtrr", "--fixture", pvw.fixture)
    assert document["ours"]["policy"] == "exact" and document["reference"]["policy"] == "hyperv"
    assert 0 < len(document["ours"]["pairs"]) <= 6
    low = [r for r in document["ranges"] if r["start"] == "0xf8000000"]
    assert low[0]["what"] == "mmio"
    assert low[0]["ours"] == {"processor": "uncached", "software": "uncached"}
    assert low[0]["reference"]["processor"] == "write-back"
    # One row behind the other, up to the end of the guest's addresses.
    ends_at = 0
    for row in document["ranges"]:
        assert int(row["start"], 16) == ends_at
        ends_at = int(row["end"], 16)
    assert ends_at == 1 << document["address_bits"]
    text = pvw("mtrr", "--fixture", pvw.fixture).stdout.decode()
    assert "WB  !" in text and "base 0x0000000000006" in text


@test
def mtrr_tells_one_address(pvw):
    done = pvw("mtrr", "--fixture", pvw.fixture, "0xf8000000")
    text = done.stdout.decode()
    assert "software: uncached" in text and "wrong" in text, text
    row = pvw.json("pvw.mtrr/1", "mtrr", "--fixture", pvw.fixture, "0")
    assert row["what"] == "ram" and row["start"] == "0x0"
    ends(pvw("mtrr", "--fixture", pvw.fixture, "banana"), USAGE, "expected an address")
    ends(pvw("mtrr", "--fixture", pvw.fixture, hex(1 << 52)), USAGE, "expected an address below")


@test
def mtrr_knows_x86_alone(pvw):
    fixture = os.path.join(pvw.source, "fixtures", "a64-uefi-1vp.cbor")
    ends(pvw("mtrr", "--fixture", fixture), USAGE, "aarch64")


def tree_of(pvw, name="x64-numa-roles.boot.dts", change=None):
    if not shutil.which("dtc"):
        raise Skip("no dtc")
    with open(os.path.join(pvw.source, "fixtures", "src", name), encoding="utf-8") as file:
        text = file.read()
    if change:
        assert change[0] in text, change
        text = text.replace(*change)
    path = pvw.path(hashlib.sha256(text.encode()).hexdigest()[:8] + ".dtb")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path], input=text.encode(),
                   check=True)
    return path


def describe(pvw, **members):
    document = {"schema": "pvw.vm/1", "arch": "x86_64",
                "nodes": [{"memory": "4GiB"}, {"memory": "4GiB"}], "processors": {"count": 4},
                "vtl2": {"memory": "512MiB", "chipset": "1GiB"}}
    document.update(members)
    path = pvw.path("vm.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({k: v for k, v in document.items() if v is not None}, file)
    return path


@test
def boot_tree_of_a_description_can_be_planned(pvw):
    for arch, high in (("x86_64", "0x240000000"), ("aarch64", "0x240000000")):
        tree = pvw.path(arch + ".dtb")
        ends(pvw("boot-tree", describe(pvw, arch=arch), "-o", tree), DONE)
        given = ["--dtb", tree, "--arch", arch]
        ends(pvw("check", *given), DONE, "0 errors, 0 warnings, 0 notes")
        plan = pvw.json("pvw.plan/1", "plan", *given, "--firmware", "none")
        windows = {r["tag"]: r for r in plan["layout"]["records"] if "chipset" in r["tag"]}
        assert windows["chipset-high"]["start"] == high, windows
        text = pvw("map", *given).stdout.decode()
        assert text.count("role declared") == 2 and "VTL2 persisted state" in text, text
        # Equal descriptions give equal trees, wherever they go.
        with open(tree, "rb") as file:
            assert pvw("boot-tree", describe(pvw, arch=arch), "-o", "-").stdout == file.read()


@test
def boot_tree_writes_the_hosts_too(pvw):
    tree = pvw("boot-tree", describe(pvw), "--host", "-o", "-").stdout
    assert b"openhcl,mmio-roles" in tree and b"vmbus-vtl0@f8000000" in tree
    if not shutil.which("dtc"):
        raise Skip("no dtc")
    done = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", "-o", "-"], input=tree,
                          capture_output=True, check=True)
    assert not done.stderr, done.stderr


@test
def boot_tree_wants_a_machine_with_vtl2(pvw):
    ends(pvw("boot-tree", describe(pvw, vtl2=None), "-o", "-"), REFUSED, "PVW-TREE-0010")
    ends(pvw("boot-tree", describe(pvw, vtl2={"memory": "1MiB"}), "-o", "-"), REFUSED,
         "PVW-TREE-0011")
    ends(pvw("boot-tree", describe(pvw)), USAGE, "'output'")
    ends(pvw("boot-tree", "-o", "-"), USAGE)


@test
def plan_is_json_with_all_its_parts(pvw):
    plan = pvw.json("pvw.plan/1", "plan", "--fixture", pvw.fixture)
    for member in ("layout", "artifacts", "writes", "registers", "diagnostics", "plan_digest",
                   "mtrr", "acpi"):
        assert member in plan, member
    assert len(base64.b64decode(plan["plan_digest"])) == 32
    assert plan["layout"]["layout_version"] == 2
    records = plan["layout"]["records"]
    assert {"ram", "chipset-low", "chipset-high"} <= {record["tag"] for record in records}
    for record in records:
        assert set(record) == {"kind", "tag", "start", "size", "vnode", "igvm_type"}, record
    starts = [int(record["start"], 0) for record in records]
    assert starts == sorted(set(starts)), starts
    assert all(write["gpa"].startswith("0x") for write in plan["writes"])
    assert "explanations" not in plan
    explained = pvw.json("pvw.plan/1", "plan", "--fixture", pvw.fixture, "--explain")
    ranges = explained["explanations"]
    assert ranges[0]["start"] == "0x0"
    for before, after in zip(ranges, ranges[1:]):
        assert before["end"] == after["start"], (before, after)


@test
def plan_writes_a_folder(pvw):
    out = pvw.path("out")
    ends(pvw("plan", "--fixture", pvw.fixture, "-o", out), DONE)
    with open(os.path.join(out, "plan.json"), encoding="utf-8") as file:
        plan = json.load(file)
    assert plan["schema"] == "pvw.plan/1"
    files = {"plan.json"}
    for artifact in plan["artifacts"]:
        name = artifact["name"] + ".bin"
        files.add(name)
        with open(os.path.join(out, name), "rb") as file:
            data = file.read()
        assert len(data) == int(artifact["size"], 16), name
        assert hashlib.sha256(data).digest() == base64.b64decode(artifact["sha256"]), name
    assert set(os.listdir(out)) == files, os.listdir(out)
    assert len(files) > 2
    ends(pvw("plan", "--fixture", pvw.fixture, "-o", out), DONE)
    ends(pvw("plan", "--fixture", pvw.fixture, "-o", pvw.fixture), MALFORMED, "not a folder")
    ends(pvw("plan", "--fixture", pvw.fixture, "-o", pvw.path("no/such")), MALFORMED, "No such")


@test
def equal_input_gives_equal_bytes(pvw):
    arguments = ["plan", "--dtb", tree_of(pvw), "--format", "json"]
    same = [pvw(*arguments, "--seed", "1").stdout for _ in range(2)]
    other = pvw(*arguments, "--seed", "2").stdout
    assert same[0] == same[1]
    assert other != same[0]
    entropy = "ab" * 64
    assert pvw(*arguments, "--entropy", entropy).stdout == \
        pvw(*arguments, "--entropy", entropy.upper()).stdout


@test
def every_fixture_plans_or_is_refused(pvw):
    folder = os.path.join(pvw.source, "fixtures")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".cbor"):
            continue
        for command in ("plan", "map", "check"):
            done = pvw(command, "--fixture", os.path.join(folder, name))
            allowed = {REFUSED, 6} if name.startswith("refused-") else {DONE}
            if command == "check":
                allowed |= {DONE, REFUSED} if name.startswith("refused-") else set()
            assert done.returncode in allowed, (command, name, done)


@test
def options_win_over_the_fixture(pvw):
    exact = pvw.json("pvw.plan/1", "plan", "--fixture", pvw.fixture, "--mtrr", "exact")
    hyperv = pvw.json("pvw.plan/1", "plan", "--fixture", pvw.fixture, "--mtrr", "hyperv")
    assert exact["mtrr"] == "MTRR_POLICY_EXACT" and hyperv["mtrr"] == "MTRR_POLICY_HYPERV"
    assert exact["plan_digest"] != hyperv["plan_digest"]


@test
def verbose_prints_registers(pvw):
    short = pvw("plan", "--fixture", pvw.fixture).stdout.decode()
    long = pvw("plan", "--fixture", pvw.fixture, "-v").stdout.decode()
    assert len(long.splitlines()) > len(short.splitlines()) + 5
    assert re.search(r"^  0x[0-9a-f]{8} \w+ +0x[0-9a-f]{16}", long, re.M), long


# ---------------------------------------------------------------- map

@test
def map_is_a_picture_without_colour(pvw):
    text = pvw("map", "--fixture", pvw.fixture).stdout.decode()
    assert "\033" not in text
    addresses = [int(a, 16) for a in re.findall(r"^(0x[0-9a-f]{16}) [+~]", text, re.M)]
    assert addresses == sorted(addresses) and len(addresses) > 5
    assert "chipset low" in text and "end of ram 0x" in text
    assert text.isascii()


@test
def map_has_colour_when_asked(pvw):
    arguments = ("map", "--fixture", pvw.fixture, "--color", "always")
    assert b"\033[" in pvw(*arguments).stdout
    assert b"\033[" in pvw(*arguments, env={"NO_COLOR": "1"}).stdout
    assert b"\033" not in pvw("map", "--fixture", pvw.fixture, "--color", "never").stdout


@test
def map_is_as_wide_as_asked(pvw):
    for width in (80, 120):
        text = pvw("map", "--fixture", pvw.fixture, "--width", str(width)).stdout.decode()
        line = next(line for line in text.splitlines() if line.endswith("-+"))
        assert len(line) == width - 8, (width, len(line))


@test
def map_draws_a_part(pvw):
    text = pvw("map", "--fixture", pvw.fixture, "--from", "0xf0000000", "--to",
               "0x100000000").stdout.decode()
    addresses = [int(a, 16) for a in re.findall(r"^(0x[0-9a-f]{16}) [+~]", text, re.M)]
    assert addresses[0] == 0xf0000000 and addresses[-1] == 0x100000000, text


@test
def map_is_json(pvw):
    layout = pvw.json("pvw.map/1", "map", "--fixture", pvw.fixture)
    roles = {ram["role"] for ram in layout["memory"]}
    assert "MEMORY_ROLE_VTL0_RAM" in roles and "MEMORY_ROLE_VTL2_RAM" in roles, roles
    assert layout["chipset"]["low"]["size"].startswith("0x")


# ---------------------------------------------------------------- check

@test
def acpi_lists_the_tables_of_a_plan(pvw):
    fixture = os.path.join(pvw.source, "fixtures", "x64-linux-2vp.cbor")
    text = pvw("acpi", "--fixture", fixture).stdout.decode()
    rows = {line[:8].strip(): line for line in text.splitlines()[1:]}
    assert {"RSD PTR", "DSDT", "FACP", "APIC", "SRAT", "XSDT"} <= set(rows), text
    assert "0x19000" in rows["DSDT"] and "2 local_apic" in rows["APIC"], text
    assert all("right" in row for row in rows.values()), text
    document = pvw.json("pvw.acpi/1", "acpi", "--fixture", fixture)
    listed = {table["signature"]: table for table in document["tables"]}
    assert listed["DSDT"]["gpa"] == "0x19000" and listed["APIC"]["checksum_ok"], listed
    assert "fields" not in listed["APIC"], listed["APIC"]


@test
def acpi_shows_a_table(pvw):
    fixture = os.path.join(pvw.source, "fixtures", "x64-linux-2vp.cbor")
    text = pvw("acpi", "--fixture", fixture, "--table", "madt").stdout.decode()
    assert text.startswith("APIC  Multiple APIC Description Table, "), text
    assert "local_apic[1]" in text and "pcat_compat" not in text, text
    document = pvw.json("pvw.acpi/1", "acpi", "--fixture", fixture, "--table", "APIC")
    fields = {field["path"]: field for field in document["tables"][0]["fields"]}
    assert fields["local_apic[1].apic_id"] == {"path": "local_apic[1].apic_id",
        "offset": fields["local_apic[0].apic_id"]["offset"] + 8, "size": 1, "value": "1",
        "note": ""}, fields
    hexadecimal = pvw("acpi", "--fixture", fixture, "--table", "APIC", "--hex").stdout.decode()
    assert hexadecimal.startswith("0000  41 50 49 43 "), hexadecimal
    document = pvw.json("pvw.acpi/1", "acpi", "--fixture", fixture, "--table", "DSDT")
    assert document["tables"][0]["asl"].startswith("DefinitionBlock ("), document
    ends(pvw("acpi", "--fixture", fixture, "--table", "HPET"), REFUSED, "PVW-TABLE-0010")
    ends(pvw("acpi", "--fixture", fixture, "--asl", "--hex"), USAGE, "expected one of them")


@test
def acpi_takes_machines_and_files(pvw):
    machine_file = pvw.path("acpi-vm.json")
    with open(machine_file, "wb") as file:
        file.write(pvw("layout", "--template").stdout)
    folder = pvw.path("acpi-tables")
    ends(pvw("acpi", "--vm", machine_file, "-o", folder), DONE)
    assert {"RSDP.aml", "DSDT.aml", "SSDT.aml", "APIC.aml"} <= set(os.listdir(folder))
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    shown = pvw.json("pvw.acpi/1", "acpi", *files)["tables"]
    assert len(shown) == len(files) and all(table["fields"] for table in shown), shown
    reference = pvw.json("pvw.acpi/1", "acpi", "--vm", machine_file, "--acpi-profile",
                         "reference", "--table", "DSDT")
    assert reference["tables"][0]["asl"] != [
        table["asl"] for table in shown if table["signature"] == "DSDT"][0]
    ends(pvw("acpi", "--vm", machine_file, files[0]), USAGE, "expected one of them")


@test
def acpi_finds_what_is_wrong_with_a_file(pvw):
    good, damaged = pvw.path("good"), pvw.path("damaged.aml")
    fixture = os.path.join(pvw.source, "fixtures", "x64-linux-2vp.cbor")
    ends(pvw("acpi", "--fixture", fixture, "-o", good), DONE)
    with open(os.path.join(good, "APIC.aml"), "rb") as file:
        table = bytearray(file.read())
    table[45] = 0  # the length of the first entry
    with open(damaged, "wb") as file:
        file.write(table)
    done = pvw("acpi", damaged)
    ends(done, REFUSED, "APIC+0x2c: error PVW-TABLE-0003")
    ends(done, REFUSED, "PVW-TABLE-0002")
    with open(damaged, "wb") as file:
        file.write(b"no table, certainly")
    ends(pvw("acpi", damaged), REFUSED, "PVW-TABLE-0008")


@test
def artifact_diff_says_what_differs(pvw):
    folders = []
    for name in ("x64-uefi-1vp", "x64-uefi-4vp"):
        folders.append(pvw.path("diff-" + name))
        fixture = os.path.join(pvw.source, "fixtures", name + ".cbor")
        ends(pvw("plan", "--fixture", fixture, "-o", folders[-1]), DONE)
    ends(pvw("artifact", "diff", folders[0], folders[0]), DONE)
    done = pvw("artifact", "diff", *folders)
    ends(done, 10, "+APIC local_apic.uid = 4")
    ends(done, 10, "+SRAT local_apic.domain_low = 1")
    ends(done, 10, "+processors.processors = 4")
    ends(done, 10, "plan.json")
    document = json.loads(pvw("artifact", "diff", *folders, "--format", "json").stdout)
    assert document["schema"] == "pvw.artifact-diff/1" and document["different"], document
    changes = [change for file in document["files"] if file["a"].endswith("madt.bin")
               for change in file["changes"]]
    assert any("APIC local_apic.uid = 4" in change["added"] for change in changes), changes


@test
def artifact_diff_compares_what_it_does_not_know_as_bytes(pvw):
    files = [pvw.path("a.bin"), pvw.path("b.bin")]
    for path, data in zip(files, (bytes(64), bytes(40) + b"\x01" + bytes(30))):
        with open(path, "wb") as file:
            file.write(data)
    done = pvw("artifact", "diff", *files)
    ends(done, 10, "-00000020  00 00")
    ends(done, 10, "64 bytes, then 71")
    assert b"00000010" not in done.stdout
    ends(pvw("artifact", "diff", files[0], pvw.path("missing")), MALFORMED, "PVW-CLI-0002")
    ends(pvw("artifact", "diff", files[0], pvw.folder), USAGE, "expected two of a kind")
    ends(pvw("artifact", "show", *files), USAGE, "expected diff")


@test
def check_lists_its_checks(pvw):
    names = [line.split()[0] for line in pvw("check", "--list").stdout.decode().splitlines()]
    listed = pvw.json("pvw.checks/1", "check", "--list")["checks"]
    assert [row["check"] for row in listed] == names
    wanted = """role-conflict role-straddle role-fragmented role-by-address window-overlap
        window-missing window-alignment low-ends-at-4g ram-overlap ram-alignment ram-node
        cpu-duplicate cpu-x2apic phys-bits mtrr-pairs relay-room channel-room uefi-device-page
        settings-unknown settings-clamped acpi-table-length""".split()
    assert set(wanted) <= set(names), set(wanted) - set(names)
    assert len(set(names)) == len(names)


@test
def check_finds_nothing_in_a_sound_tree(pvw):
    done = pvw("check", "--dtb", tree_of(pvw))
    ends(done, DONE, "0 errors, 0 warnings, 0 notes")
    assert done.stderr == b""


@test
def check_lists_all_findings(pvw):
    tree = tree_of(pvw, change=("openhcl,mmio-role = <1>", "openhcl,mmio-role = <9>"))
    done = pvw("check", "--dtb", tree, "--phys-bits", "36")
    ends(done, REFUSED, "[role-unknown]")
    report = pvw.json("pvw.check/1", "check", "--dtb", tree, "--phys-bits", "36")
    assert report["errors"] >= 1 and report["findings"], report
    for finding in report["findings"]:
        assert set(finding) >= {"check", "severity", "code", "text", "source", "hint"}


@test
def check_obeys_wishes(pvw):
    fixture = os.path.join(pvw.source, "fixtures", "x64-uefi-by-address.cbor")

    def names(*arguments):
        report = pvw.json("pvw.check/1", "check", "--fixture", fixture, *arguments)
        return {finding["check"]: finding["severity"] for finding in report["findings"]}

    assert names()["role-by-address"] == "note"
    assert "role-by-address" not in names("-W", "no-role-by-address")
    assert names("-W", "no-role-by-address", "-W", "role-by-address")["role-by-address"] == "note"
    assert names("-E", "role-by-address")["role-by-address"] == "error"
    ends(pvw("check", "--fixture", fixture, "-E", "role-by-address"), REFUSED)
    ends(pvw("check", "--fixture", fixture), DONE)


@test
def check_makes_warnings_fail_when_asked(pvw):
    tree = tree_of(pvw, change=("memory-type = <10>", "memory-type = <1>"))
    ends(pvw("check", "--dtb", tree), DONE, "1 warning")
    ends(pvw("check", "--dtb", tree, "--exit-code-warnings"), REFUSED, "1 warning")


@test
def check_knows_no_worker(pvw):
    ends(pvw("check", "--socket", "unix:" + pvw.path("nobody")), UNREACHABLE, "PVW-CLIENT-0001")


# ---------------------------------------------------------------- explain

@test
def explain_knows_every_diagnostic(pvw):
    rows = diagnostics(pvw)
    assert len(rows) > 150
    for area, number, code, severity in rows:
        name = f"PVW-{area}-{number}"
        done = pvw("explain", name.lower())
        ends(done, DONE, f"{name}: {severity.lower()} {code}")
        assert b"hint: " in done.stdout, name
    row = pvw.json("pvw.explain/1", "explain", "PVW-ROLE-0010")
    assert row["diagnostic"] == "PVW-ROLE-0010" and row["exit_status"] == 1, row
    assert row["title"] and row["hint"]


@test
def explain_says_what_an_address_is(pvw):
    plan = pvw.json("pvw.plan/1", "plan", "--fixture", pvw.fixture)
    write = plan["writes"][0]
    inside = hex(int(write["gpa"], 16) + 4)
    answer = pvw.json("pvw.explain/1", "explain", inside, "--fixture", pvw.fixture)
    assert answer["artifact"] == write["artifact"], answer
    assert int(answer["start"], 16) <= int(inside, 16) < int(answer["end"], 16)
    ends(pvw("explain", "0xf8001000", "--fixture", pvw.fixture), DONE, "mmio, chipset-low")
    ends(pvw("explain", "0xffffffffffffffff", "--fixture", pvw.fixture), DONE, "last page")
    ends(pvw("explain", "0x1000", "--fixture", os.path.join(
        pvw.source, "fixtures", "refused-overlap.cbor")), REFUSED, "PVW-ROLE-0007")
    layout = pvw.json("pvw.map/1", "map", "--fixture", pvw.fixture)
    vtl2 = next(m for m in layout["memory"] if m["role"] == "MEMORY_ROLE_VTL2_RAM")
    ends(pvw("explain", vtl2["start"], "--fixture", pvw.fixture), DONE, "not shown to VTL0")


@test
def explain_knows_every_setting(pvw):
    lines = pvw("explain", "settings").stdout.decode().splitlines()
    assert len(lines) > 50
    listed = pvw.json("pvw.explain/1", "explain", "settings")["settings"]
    assert [row["setting"] for row in listed] == [line.split()[0] for line in lines]
    for row in listed:
        ends(pvw("explain", row["setting"]), DONE, "isolated guests: ")
    ends(pvw("explain", "settings.uefi.secure_boot"), DONE, "default: ")
    answer = pvw.json("pvw.explain/1", "explain", "uefi.secure_boot", "--fixture", pvw.fixture)
    assert answer["asked"] in ("true", "false") and answer["used"] == answer["asked"], answer


# ---------------------------------------------------------------- doctor, version, completion

@test
def doctor_finds_what_there_is(pvw):
    report = pvw.json("pvw.doctor/1", "doctor")["findings"]
    names = [row["name"] for row in report]
    assert {"kernel", "landlock", "seccomp", "vsock", "libraries", "descriptors", "user"} <= \
        set(names), names
    assert all(isinstance(row["ok"], bool) and row["text"] for row in report)
    text = pvw("doctor").stdout.decode().splitlines()
    assert [line.split()[1] for line in text] == names
    ends(pvw("doctor", env={"PATH": "/nonexistent"}), DONE, "no iasl")


@test
def version_says_which(pvw):
    document = pvw.json("pvw.version/1", "version")
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["version"]), document
    assert document["service"]["major"] == 1
    assert "uefi" in document["features"], document
    ends(pvw("version"), DONE, document["version"])


def complete(pvw, line):
    """What bash would offer for the last word of @line."""
    script = pvw("completion", "bash").stdout.decode()
    words = line.split(" ")
    driver = script + f"""
COMP_WORDS=({" ".join("'" + w + "'" for w in words)})
COMP_CWORD={len(words) - 1}
_pvw
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", driver], capture_output=True, timeout=60,
                          check=True)
    assert done.stderr == b"", done.stderr
    return set(done.stdout.decode().split())


@test
def bash_completes_commands_and_options(pvw):
    if not shutil.which("bash"):
        raise Skip("no bash")
    assert set(COMMANDS) <= complete(pvw, "pvw ")
    assert complete(pvw, "pvw ver") == {"version"}
    assert {"--explain", "--output", "--fixture", "--format"} <= complete(pvw, "pvw plan --")
    assert complete(pvw, "pvw -v map --wi") == {"--width"}
    assert "--fixture" not in complete(pvw, "pvw doctor --")


@test
def zsh_and_fish_scripts_name_every_option(pvw):
    for shell in ("zsh", "fish"):
        script = pvw("completion", shell).stdout.decode()
        for command in COMMANDS:
            assert command in script, (shell, command)
        for option in ("explain", "exit-code-warnings", "guest-memory", "fixture", "format"):
            assert option in script, (shell, option)
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=script.encode(), check=True, timeout=60)


# ---------------------------------------------------------------- call, and a worker

@test
def call_lists_the_methods_of_the_contract(pvw):
    with open(os.path.join(pvw.source, "proto", "worker.proto"), encoding="utf-8") as file:
        methods = re.findall(r"^  rpc (\w+)\((\w+)\) returns \((\w+)\);", file.read(), re.M)
    lines = [line.split() for line in pvw("call", "--list").stdout.decode().splitlines()]
    assert lines == [[name, request, "->", response] for name, request, response in methods]
    listed = pvw.json("pvw.methods/1", "call", "--list")["methods"]
    assert listed[0] == {"name": "Hello", "request": "pvw.v1.HelloRequest",
                         "response": "pvw.v1.HelloResponse"}


@test
def call_judges_its_request_before_it_connects(pvw):
    nobody = ["--socket", "unix:" + pvw.path("nobody")]
    ends(pvw("call", *nobody, "Hello", '{"major": 1}'), MALFORMED, "PVW-JSON-0005")
    ends(pvw("call", *nobody, "Hello", '{"major_min": "x"}'), MALFORMED, "request.major_min")
    ends(pvw("call", *nobody, "Hello", "-", stdin=b"[1"), MALFORMED, "PVW-JSON-0001")
    ends(pvw("call", *nobody, "Hello"), UNREACHABLE, "PVW-CLIENT-0001")
    ends(pvw("call", "Hello"), USAGE, "PVW-INPUT-0001")
    ends(pvw("call", "--socket", "carrier-pigeon", "Hello"), REFUSED, "PVW-RPC")


class Worker:
    """A worker of our own, for as long as the with statement lasts."""

    def __init__(self, pvw):
        self.pvw = pvw
        self.path = pvw.path("w.sock")
        self.address = "unix:" + self.path

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.pvw.program, "serve", "--listen", self.address, "--sandbox", "off"],
            stderr=subprocess.PIPE)
        for _ in range(500):
            if os.path.exists(self.path):
                return self
            if self.process.poll() is not None:
                raise AssertionError(self.process.stderr.read().decode())
            time.sleep(0.01)
        raise AssertionError("the worker does not listen")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        assert self.process.returncode == 0, self.process.returncode

    def call(self, method, request=None, status=DONE):
        done = self.pvw("call", "--socket", self.address, method, "-",
                        stdin=json.dumps(request or {}).encode())
        ends(done, status)
        return json.loads(done.stdout) if status == DONE else done.stderr.decode()


@test
def a_worker_is_called_planned_and_drawn(pvw):
    with open(tree_of(pvw), "rb") as file:
        tree = base64.b64encode(file.read()).decode()
    with Worker(pvw) as worker:
        hello = worker.call("Hello", {"major_min": 1, "major_max": 1})
        assert hello["features"] == pvw.json("pvw.version/1", "version")["features"], hello
        health = worker.call("Health")
        assert health["schema"] == "pvw.v1.HealthResponse", health
        assert health["state"] == "WORKER_STATE_EMPTY"
        text = worker.call("GetLayout", status=REFUSED)
        assert "PVW-SESSION-0001" in text, text
        ends(pvw("map", "--socket", worker.address), REFUSED, "PVW-SESSION-0001")

        worker.call("LoadBootInfo", {"arch": "ARCH_X86_64", "dtb": tree,
                                     "host_caps": {"physical_address_bits": 46, "x2apic": True}})
        worker.call("Configure", {"settings": {"firmware": "FIRMWARE_UEFI"}})

        out = pvw.path("remote")
        ends(pvw("plan", "--socket", worker.address, "-o", out, "--mtrr", "hyperv"), DONE)
        with open(os.path.join(out, "plan.json"), encoding="utf-8") as file:
            plan = json.load(file)
        assert plan["mtrr"] == "MTRR_POLICY_HYPERV"
        for artifact in plan["artifacts"]:
            with open(os.path.join(out, artifact["name"] + ".bin"), "rb") as file:
                digest = hashlib.sha256(file.read()).digest()
            assert digest == base64.b64decode(artifact["sha256"]), artifact["name"]

        picture = pvw("map", env={"PVW_SOCKET": worker.address})
        ends(picture, DONE, "VTL0 RAM")
        layout = pvw.json("pvw.map/1", "map", "--socket", worker.address)
        assert layout["end_of_ram"] == plan["layout"]["end_of_ram"]

        tables = pvw.json("pvw.acpi/1", "acpi", "--socket", worker.address)["tables"]
        assert {"APIC", "SRAT"} == {table["signature"] for table in tables}, tables

        ends(pvw("plan", "--socket", worker.address, "--seed", "1"), USAGE, "PVW-INPUT-0002")
        ends(pvw("plan", "--socket", worker.address, "--explain"), USAGE, "PVW-INPUT-0002")
        ends(pvw("check", "--socket", worker.address), REFUSED, "PVW-INPUT-0003")
        ends(pvw("explain", "0x1000", "--socket", worker.address), REFUSED, "PVW-INPUT-0003")
        assert "PVW-" in worker.call("Save", status=REFUSED)


# ---------------------------------------------------------------- run

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pvw")
    parser.add_argument("source")
    parser.add_argument("--filter", default="")
    arguments = parser.parse_args()
    passed = failed = skipped = 0
    for function in tests:
        if arguments.filter not in function.__name__:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Pvw(os.path.abspath(arguments.pvw), arguments.source, folder))
                passed += 1
            except Skip as why:
                skipped += 1
                print(f"skipped: {function.__name__}: {why}")
            except Exception as why:  # whatever it is, the other tests still run
                failed += 1
                print(f"not ok: {function.__name__}: {type(why).__name__}: {why}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
