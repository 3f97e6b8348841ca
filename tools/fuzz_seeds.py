#!/usr/bin/env python3
"""The first inputs of the fuzz targets, made from what the tree holds already.

    fuzz_seeds.py [TARGET...]

Trees are compiled from fixtures/src by dtc, fixtures are taken as they are. Existing files of
fuzz/corpus stay; what a fuzzer found and is worth keeping is added there by hand, with a telling name.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
MOST = 16 * 1024  # bytes of a seed: larger ones only make the fuzzer slow


def put(target, name, data):
    if len(data) <= MOST:
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def compile_tree(source):
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", source], capture_output=True,
                          check=True).stdout


def trees():
    for source in sorted((ROOT / "fixtures" / "src").glob("*.dts")):
        target = "host_tree" if source.name.endswith(".host.dts") else "boot_tree"
        arm = source.name.startswith(("a64", "arm"))
        put(target, source.name.split(".")[0], bytes([arm]) + compile_tree(source))


def fixtures():
    for source in sorted((ROOT / "fixtures").glob("*.cbor")):
        put("fixture", source.stem, source.read_bytes())


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def frame(stream, method, payload):
    request = field(1, b"pvw.v1.Worker") + field(2, method) + field(3, payload)
    return len(request).to_bytes(4, "big") + stream.to_bytes(4, "big") + b"\x01\x00" + request


def calls():
    hello = b"\x08\x01\x10\x01" + field(3, b"fuzz")
    tree = b"\x08\x01" + field(3, b"\xd0\x0d\xfe\xed")
    put("frames", "hello", b"\x00" + frame(1, b"Hello", hello))
    put("frames", "two-calls", b"\x07" + frame(1, b"Hello", hello) + frame(3, b"Health", b""))
    put("frames", "unknown-method", b"\x01" + frame(1, b"Nothing", b""))
    put("frames", "even-stream", b"\x01" + frame(2, b"Health", b""))
    put("frames", "cut", b"\x03" + frame(1, b"Hello", hello)[:20])
    put("frames", "too-long", b"\x03" + b"\x00\xff\xff\xff\x00\x00\x00\x01\x01\x00" + b"x" * 64)
    put("messages", "hello", b"\x00" + hello)
    put("messages", "load-boot-info", b"\x02" + tree)
    put("messages", "settings", b"\x03" + field(1, b"\x08\x01" + field(3, b"\x08\x01\x18\x02")))
    put("messages", "deep", b"\x03" + field(1, field(3, field(16, b"\x0a\x10" + b"g" * 16))))


def settings():
    for source in sorted(ROOT.glob("fixtures/src/*.json")) + sorted(ROOT.glob("tests/**/*settings*.json")):
        put("settings", source.stem, source.read_bytes())
    put("settings", "empty", b"{}")
    put("settings", "pvw", b'{"Pvw": {"Firmware": "uefi", "Mtrr": "exact", "Layout": 1}}')


MAKERS = {"trees": trees, "fixtures": fixtures, "calls": calls, "settings": settings}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
