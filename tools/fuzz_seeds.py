#!/usr/bin/env python3
"""The first inputs of the fuzz targets, made from what the tree holds already.

    fuzz_seeds.py PVW [MAKER...]

Trees are compiled from fixtures/src by dtc, fixtures are taken as they are, tables and descriptions
come from PVW. Other files of fuzz/corpus stay: what a fuzzer found is added there by hand, with a
telling name.
"""

import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

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


def kernels():
    header = bytearray(0x800)
    header[0x1F1] = 1  # setup sectors
    struct.pack_into("<I", header, 0x1F4, (len(header) - 0x400) // 16)
    header[0x1FE:0x200] = b"\x55\xaa"
    header[0x200:0x206] = b"\xeb\x66HdrS"
    struct.pack_into("<H", header, 0x206, 0x20F)
    header[0x211] = 1  # loaded high
    struct.pack_into("<IIIB", header, 0x22C, 0x7FFFFFFF, 0x200000, 1, 21)
    struct.pack_into("<H", header, 0x236, 0x3F)
    struct.pack_into("<I", header, 0x238, 2047)
    struct.pack_into("<QI", header, 0x258, 0x1000000, 0x2000000)
    put("bzimage", "bzimage", bytes(header))

    elf = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, 0x1000000, 64, 0, 0,
                      64, 56, 2, 0, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0, 0x1000000, 0x200, 0x3000, 0x1000)
    elf += struct.pack("<IIQQQQQQ", 1, 6, 0x1200, 0, 0x1004000, 0x100, 0x1000, 0x1000)
    put("elf", "two-segments", elf.ljust(0x1300, b"\x90"))

    put("arm64_image", "image", struct.pack("<IIQQQ24x4sI", 0, 0, 0, 0x2000, 0xA, b"ARM\x64", 0)
        .ljust(4096, b"\0"))
    put("arm64_image", "short", b"\0" * 32)


def igvm_file(version, arch, headers, data):
    fixed = 32 if version == 2 else 24
    body = b"".join(struct.pack("<II", kind, len(raw)) + raw.ljust(-(-len(raw) // 8) * 8, b"\0")
                    for kind, raw in headers(fixed))
    first = struct.pack("<IIIII", 0x4D564749, version, fixed, len(body), fixed + len(body) + len(data))
    rest = struct.pack("<II", arch, 4096) if version == 2 else b""
    sum_ = zlib.crc32(first + b"\0\0\0\0" + rest + body)
    return first + struct.pack("<I", sum_) + rest + body + data


def context(registers):
    return struct.pack("<I", len(registers)) + b"".join(
        struct.pack("<BI11xQQ", vtl, name, low, high) for vtl, name, low, high in registers)


# Offsets count from the data, which begins behind the headers: made twice, the second time right.
def igvm():
    platform = (0x001, struct.pack("<IBBHQ", 1, 2, 1, 1, 0))
    region, tables = 0x8000000, 0x8400000
    pages = [struct.pack("<512Q", *entries) for entries in (
        [tables + 0x1000 | 0x23] + [0] * 511, [tables + 0x2000 | 0x23] + [0] * 511,
        [0] * 64 + [region + 0x200000 * i | 0xE3 for i in range(3)] + [0] * 445)]
    registers = context([(2, 0x20010, region, 0), (2, 0x40000, 0x80000001, 0), (2, 0x40002, tables, 0)])
    data = b"none    " + b"".join(pages) + registers

    def headers(base):
        rows = [platform,
                (0x102, struct.pack("<IHBBQQQQQ", 1, 0, 2, 7, 0x200000, region, 0x400000, region, 1 << 31)),
                (0x103, struct.pack("<IHBBQQQ", 1, 0, 2, 0, tables, 0x8000, 0x3000)),
                (0x305, struct.pack("<QIIII", region, 1, 0x400000, 1, 0)),
                (0x301, struct.pack("<QII", 0x1000, 3, 0)),
                (0x301, struct.pack("<QII", 0x40000, 4, 0))]
        rows += [(kind, struct.pack("<II", 3, 64 * i)) for i, kind in enumerate(
            (0x307, 0x30A, 0x30C, 0x30E, 0x30F, 0x310, 0x313, 0x308, 0x309))]
        rows += [(0x312, struct.pack("<II", 4, 0)), (0x80000777, b"optional"),
                 (0x303, struct.pack("<QII", region + 0x10000, 1, 3)),
                 (0x303, struct.pack("<QII", region + 0x20000, 1, 4)),
                 (0x302, struct.pack("<QIIIHH", region, 1, 0, 0, 0, 0)),
                 (0x30D, struct.pack("<QII", region + 0x1000, 1, 0x1000))]
        start = base + sum(8 + -(-len(raw) // 8) * 8 for _, raw in rows) + 4 * 32
        rows += [(0x302, struct.pack("<QIIIHH", tables + 4096 * i, 1, start + 8 + 4096 * i, 0, 0, 0))
                 for i in range(3)]
        return rows + [(0x304, struct.pack("<QIIHH", 0, 1, start + 8 + 3 * 4096, 0, 0))]

    for name, flags in (("stays", 0), ("moves", 2)):
        put("igvm", name, bytes([flags]) + igvm_file(1, 0, headers, data))
    put("igvm", "format-2", b"\x03" + igvm_file(2, 1, headers, data))
    put("igvm", "least", b"\0" + igvm_file(1, 0, lambda base: [platform], b"data"))

    words = (0x4F48434C56544C30, 7, 0x100, 0x709, 1, 1, 0x10000, 0x800, 0x10000100, 0x20000, 0x100,
             0xFF123, 2, 1)
    page = struct.pack("<14Q", *words).ljust(4096, b"\0") + registers.ljust(4096, b"\0")
    put("measured", "vtl0", b"\0" + page + b"ro\0".ljust(4096, b"\0"))
    put("measured", "context", b"\0" + registers)
    put("measured", "vtl2", b"\x02" + struct.pack("<QB7xIxxxx", 0x4F48434C56544C32, 46, 0))
    put("measured", "aarch64", b"\1" + struct.pack(
        "<14Q", words[0], 1, 0, 0x824, 0x1001, 1, *[0] * 8).ljust(4096, b"\0") +
        context([(0, 0x20022, 0x1000, 0)]).ljust(4096, b"\0"))


def from_pvw(pvw):
    for arch in ("x86_64", "aarch64"):
        done = subprocess.run([pvw, "layout", "--template", "--arch", arch], capture_output=True,
                              check=True)
        put("vm", f"template-{arch}", done.stdout)
    put("vm", "least", b'{"schema": "pvw.vm/1", "arch": "x86_64", "memory": "1GiB"}')
    for name in ("x64-uefi-4vp", "x64-linux-2vp", "a64-uefi-8vp-2node"):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([pvw, "acpi", "--fixture", ROOT / "fixtures" / f"{name}.cbor", "-o", folder],
                           capture_output=True, check=False)
            for table in pathlib.Path(folder).glob("*.aml"):
                put("acpi_table", f"{name}-{table.stem}", table.read_bytes())


MAKERS = {"trees": trees, "fixtures": fixtures, "calls": calls, "settings": settings,
          "kernels": kernels, "igvm": igvm}

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or [*MAKERS, "pvw"]:
        MAKERS[name]() if name in MAKERS else from_pvw(sys.argv[1])
