#!/usr/bin/env python3
"""Judge what pvw and pvw-agent make of kernels and initrds.

usage: images_test.py PVW PVW-AGENT SOURCE SANDBOX [--filter WORD]

Small kernels are written here, by number. Where a real one for x86-64 is at hand (PVW_KERNEL names
it, or it lies in /boot) it is planned and loaded, too; otherwise that is skipped and said. Ends with
one line "N passed, N failed, N skipped".
"""

import argparse
import base64
import glob
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

DONE = 0
tests = []


class Skip(Exception):
    """What the test needs is not on this machine."""


def test(function):
    tests.append(function)
    return function


def bzimage(payload, init_size=0x400000, command_line=2047, version=0x020F):
    """A file that says what a bzImage says: 4 setup sectors, then the payload."""
    assert len(payload) % 16 == 0
    setup = bytearray(5 * 512)
    struct.pack_into("<B", setup, 0x1F1, 4)
    struct.pack_into("<I", setup, 0x1F4, len(payload) // 16)
    struct.pack_into("<HH4sH", setup, 0x1FE, 0xAA55, 0x66EB, b"HdrS", version)
    struct.pack_into("<B", setup, 0x211, 1)
    struct.pack_into("<I", setup, 0x214, 0x100000)
    struct.pack_into("<IIBBHI", setup, 0x22C, 0x7FFFFFFF, 0x200000, 1, 21, 3, command_line)
    struct.pack_into("<II", setup, 0x248, 0x200, 0x100)
    struct.pack_into("<QI", setup, 0x258, 0x1000000, init_size)
    return bytes(setup) + payload


def elf(text, data, memory):
    """Two segments, at 16 MiB and 32 MiB; the second ends in zeros."""
    header = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 62, 1, 0x1000000, 64, 0,
                         0, 64, 56, 2, 0, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0, 0x1000000, len(text), len(text), 0x1000)
    segments += struct.pack("<IIQQQQQQ", 1, 6, 0x1000 + len(text), 0, 0x2000000, len(data), memory,
                            0x1000)
    return (header + segments).ljust(0x1000, b"\0") + text + data


class Programs:
    def __init__(self, arguments, folder):
        self.pvw_path = os.path.abspath(arguments.pvw)
        self.agent_path = os.path.abspath(arguments.agent)
        self.sandbox = arguments.sandbox
        self.folder = folder
        self.fixtures = os.path.join(arguments.source, "fixtures")

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def fixture(self, name="x64-linux-2vp"):
        return os.path.join(self.fixtures, name + ".cbor")

    def pvw(self, *words):
        environment = {k: v for k, v in os.environ.items() if k not in ("PVW_SOCKET", "PVW_LOG")}
        return subprocess.run([self.pvw_path, *words], capture_output=True, timeout=120,
                              env=environment)

    def plan(self, *words, fixture="x64-linux-2vp"):
        """The plan as JSON, and the bytes of its artifacts."""
        folder = os.path.join(self.folder, "out")
        done = self.pvw("plan", "--fixture", self.fixture(fixture), "-o", folder, *words)
        assert done.returncode == DONE, done.stderr.decode()
        with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
            return json.load(file), lambda name: open(
                os.path.join(folder, name + ".bin"), "rb").read()

    def drive(self, *words, fixture="x64-linux-2vp"):
        return subprocess.run(
            [self.agent_path, "drive", "--worker", self.pvw_path, "--sandbox", self.sandbox,
             "--fixture", self.fixture(fixture), *words], capture_output=True, timeout=300)


def refused(done, diagnostic, *words):
    text = done.stderr.decode()
    assert done.returncode != DONE, f"status {done.returncode}: {text}"
    for word in (diagnostic, *words):
        assert word in text, f"no '{word}' in: {text}"


def artifact(plan, name):
    return next(item for item in plan["artifacts"] if item["name"] == name)


PAYLOAD = bytes(i % 251 for i in range(0x3000))


# ---------------------------------------------------------------- pvw plan

@test
def a_bzimage_and_an_initrd_are_planned(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    initrd = programs.file("initrd", b"070701" * 1000)
    plan, read = programs.plan("--kernel", kernel, "--initrd", initrd, "--append", "quiet")

    placed = artifact(plan, "linux.kernel")
    assert int(placed["gpa"], 16) == 0x100000
    assert base64.b64decode(placed["sha256"]) == hashlib.sha256(PAYLOAD).digest()
    assert read("linux.kernel") == PAYLOAD
    assert read("linux.initrd") == b"070701" * 1000
    assert read("linux.command-line").endswith(b" quiet\0")
    page = read("linux.zero-page")
    gpa, = struct.unpack_from("<I", page, 0x218)
    assert gpa == int(artifact(plan, "linux.initrd")["gpa"], 16)
    assert gpa % 4096 == 0 and gpa >= 0x1400000
    assert struct.unpack_from("<I", page, 0x21C)[0] == 6000
    assert page[0x202:0x206] == b"HdrS"


@test
def an_elf_kernel_is_planned(programs):
    kernel = programs.file("vmlinux", elf(PAYLOAD, b"data" * 100, 0x2345))
    plan, read = programs.plan("--kernel", kernel, "--initrd", programs.file("initrd", b""))
    names = [item["name"] for item in plan["artifacts"] if item["name"].startswith("linux.kernel")]

    assert names == ["linux.kernel", "linux.kernel.1.end", "linux.kernel.1.zeros"], names
    assert read("linux.kernel") == PAYLOAD
    assert read("linux.kernel.1.end") == (b"data" * 100).ljust(0x1000, b"\0")
    assert read("linux.kernel.1.zeros") == bytes(0x1345)


@test
def a_kernel_makes_the_firmware_linux(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    plan, _ = programs.plan("--kernel", kernel, fixture="x64-uefi-4vp")
    artifact(plan, "linux.kernel")
    done = programs.pvw("plan", "--fixture", programs.fixture("x64-uefi-4vp"), "--kernel", kernel,
                        "--firmware", "uefi")
    assert b"linux.kernel" not in done.stdout and done.returncode == DONE


@test
def a_command_line_is_replaced_and_appended_to(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    for words, line in (
            (["--command-line", "a b"], b"a b\0"), (["--append", "c", "--command-line", ""], b"c\0"),
            (["--command-line", "a", "--append", "b"], b"a b\0")):
        _, read = programs.plan("--kernel", kernel, *words)
        assert read("linux.command-line") == line, words


@test
def images_of_a_settings_document_are_named(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    settings = programs.file("settings.json", json.dumps({"Pvw": {
        "Firmware": "linux", "Linux": {"Kernel": {"Blob": "mine"}, "CommandLine": "x"}}}).encode())
    words = ["--settings", settings]
    _, read = programs.plan(*words, "--blob", "mine=" + kernel)
    assert read("linux.kernel") == PAYLOAD
    refused(programs.pvw("plan", "--fixture", programs.fixture(), *words), "PVW-BLOB-0005", "mine",
            "settings.linux_direct.kernel")


@test
def options_that_name_no_image_are_refused(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    plan = ["plan", "--fixture", programs.fixture()]
    for words, diagnostic, word in (
            (["--kernel", "1:x"], "PVW-INPUT-0004", "--kernel"),
            (["--initrd", "0x1:"], "PVW-INPUT-0004", "GPA:SIZE"),
            (["--blob", "x"], "PVW-INPUT-0004", "NAME=FILE"),
            (["--blob", "=x"], "PVW-INPUT-0004", "NAME=FILE"),
            (["--blob", "x="], "PVW-INPUT-0004", "NAME=FILE"),
            (["--kernel", kernel, "--blob", "kernel=" + kernel], "PVW-INPUT-0006", "twice"),
            ([w for i in range(17) for w in ("--blob", f"b{i}={kernel}")], "PVW-INPUT-0006", "16"),
            (["--kernel", kernel + "x"], "PVW-CLI-0002", "vmlinuzx")):
        refused(programs.pvw(*plan, *words), diagnostic, word)


# What is wrong with a file, and what is said of it.
BAD_KERNELS = [
    (b"", "PVW-LINUX-0024", "0 bytes"),
    (b"hello", "PVW-LINUX-0024", "neither"),
    (b"\x1f\x8b" + bytes(100), "PVW-LINUX-0015", "gzip"),
    (bytes(56) + b"ARM\x64" + bytes(100), "PVW-LINUX-0015", "aarch64"),
    (bzimage(PAYLOAD)[:-16], "PVW-BZIMAGE-0005", "syssize"),
    (bzimage(PAYLOAD, version=0x0204), "PVW-BZIMAGE-0002", "0x0204"),
    (bzimage(PAYLOAD, init_size=0xFFFFFFFF), "PVW-LINUX-0023", "0xffffffff"),
    (bzimage(PAYLOAD, command_line=3), "PVW-LINUX-0025", "at most the 3"),
    (elf(PAYLOAD, b"", 0x10)[:0x1200], "PVW-ELF-0003", "segment 0"),
    (elf(PAYLOAD, b"x" * 32, 31), "PVW-ELF-0004", "segment 1"),
]


@test
def files_that_are_no_kernels_are_refused(programs):
    for content, diagnostic, word in BAD_KERNELS:
        kernel = programs.file("kernel", content)
        refused(programs.pvw("plan", "--fixture", programs.fixture(), "--kernel", kernel),
                diagnostic, word, "settings.linux_direct")


@test
def isolated_guests_get_no_bytes(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    refused(programs.pvw("plan", "--fixture", programs.fixture("x64-uefi-vbs"), "--kernel", kernel),
            "PVW-SETTINGS-0001", "kernel", "uploaded")


# ---------------------------------------------------------------- pvw-agent drive

def drives(programs, *words, **more):
    done = programs.drive(*words, **more)
    assert done.returncode == DONE, done.stderr.decode()
    assert b"\nguest memory matches the plan\n" in done.stdout, done.stdout.decode()
    return done.stdout.decode()


@test
def images_are_uploaded_and_loaded(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD * 300))  # several chunks
    initrd = programs.file("initrd", os.urandom((1 << 20) + 1))
    memory = os.path.join(programs.folder, "ram")
    drives(programs, "--kernel", kernel, "--initrd", initrd, "--append", "quiet", "--guest-memory",
           memory)
    with open(memory, "rb") as file:
        file.seek(0x100000)
        assert file.read(len(PAYLOAD) * 300) == PAYLOAD * 300
        file.seek(0x2218)
        gpa, size = struct.unpack("<II", file.read(8))
        file.seek(gpa)
        with open(initrd, "rb") as original:
            assert file.read(size) == original.read()


@test
def agent_and_command_line_plan_the_same(programs):
    kernel = programs.file("vmlinuz", bzimage(PAYLOAD))
    initrd = programs.file("initrd", b"")
    words = ["--kernel", kernel, "--initrd", initrd, "--append", "x"]
    plan, _ = programs.plan(*words)
    drives(programs, *words)
    digest = base64.b64decode(plan["plan_digest"]).hex()
    assert digest in programs.drive(*words).stderr.decode()


@test
def a_worker_refuses_files_that_are_no_kernels(programs):
    for content, diagnostic, word in BAD_KERNELS[::3]:
        kernel = programs.file("kernel", content)
        memory = os.path.join(programs.folder, "ram")
        refused(programs.drive("--kernel", kernel, "--guest-memory", memory), diagnostic, word)
        with open(memory, "rb") as file:
            assert not file.read(0x200000).strip(b"\0"), "guest memory is not touched"
        os.unlink(memory)


@test
def an_agent_wants_files(programs):
    for words, word in ((["--kernel", programs.folder], "not a file"),
                        (["--initrd", programs.folder + "/none"], "No such file")):
        refused(programs.drive(*words), "PVW-CLI-0002", word)


# ---------------------------------------------------------------- a kernel that people boot

def real_kernel():
    candidates = [os.environ["PVW_KERNEL"]] if "PVW_KERNEL" in os.environ else sorted(
        glob.glob("/boot/vmlinuz-*"))
    for path in candidates:
        with open(path, "rb") as file:
            start = file.read(0x300)
        if start[0x202:0x206] == b"HdrS":
            return path
    raise Skip("no kernel for x86-64: PVW_KERNEL names none and /boot has none")


@test
def a_real_kernel_is_planned_and_loaded(programs):
    kernel = real_kernel()
    initrd = programs.file("initrd", os.urandom(3000001))
    with open(kernel, "rb") as file:
        content = file.read()
    start = ((content[0x1F1] or 4) + 1) * 512
    plan, read = programs.plan("--kernel", kernel, "--initrd", initrd)

    body = read("linux.kernel")
    assert body == content[start:start + len(body)] and len(content) - start - len(body) < 1 << 20
    page = read("linux.zero-page")
    pref, init_size = struct.unpack_from("<QI", page, 0x258)
    initrd_gpa = int(artifact(plan, "linux.initrd")["gpa"], 16)
    assert initrd_gpa >= pref + init_size
    drives(programs, "--kernel", kernel, "--initrd", initrd)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pvw")
    parser.add_argument("agent")
    parser.add_argument("source")
    parser.add_argument("sandbox")
    parser.add_argument("--filter", default="")
    arguments = parser.parse_args()
    passed = failed = skipped = 0
    for function in tests:
        if arguments.filter not in function.__name__:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Programs(arguments, folder))
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
