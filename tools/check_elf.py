#!/usr/bin/env python3
"""Is what we ship hardened?

    check_elf.py PROGRAM...

Looks at the ELF file itself: position independent, everything bound at start, read-only
relocations, no executable stack, no segment that is writable and executable, no text relocations,
no search path of its own, stack protector in use. A program that was not built is skipped.
"""

import pathlib
import struct
import sys

import check_files

ET_DYN = 3
PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO = 2, 3, 0x6474E551, 0x6474E552
PF_X, PF_W = 1, 2
DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = (
    15, 22, 24, 29, 30, 0x6FFFFFFB)
DF_TEXTREL, DF_BIND_NOW = 4, 8
DF_1_NOW, DF_1_PIE = 1, 0x08000000


class Elf:
    """The parts of a 64-bit little-endian ELF file that say how it is loaded."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        self.data = data
        self.type = struct.unpack_from("<H", data, 16)[0]
        offset = struct.unpack_from("<Q", data, 32)[0]
        size, count = struct.unpack_from("<HH", data, 54)
        # type, flags, offset, vaddr, paddr, filesz, memsz, align
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size)
                         for i in range(count)]
        self.dynamic = {}
        for kind, _, start, _, _, length, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                for at in range(start, start + length, 16):
                    tag, value = struct.unpack_from("<QQ", data, at)
                    if tag == 0:
                        break
                    self.dynamic[tag] = value

    def has_segment(self, kind):
        return any(s[0] == kind for s in self.segments)

    def flag(self, tag, bit):
        return bool(self.dynamic.get(tag, 0) & bit)


def is_pie(elf):
    return elf.type == ET_DYN and elf.has_segment(PT_INTERP) and elf.flag(DT_FLAGS_1, DF_1_PIE)


def binds_now(elf):
    return DT_BIND_NOW in elf.dynamic or elf.flag(DT_FLAGS, DF_BIND_NOW) or \
        elf.flag(DT_FLAGS_1, DF_1_NOW)


def stack_is_data(elf):
    stacks = [s for s in elf.segments if s[0] == PT_GNU_STACK]
    return bool(stacks) and not any(s[1] & PF_X for s in stacks)


def no_writable_code(elf):
    return not any(s[1] & PF_X and s[1] & PF_W for s in elf.segments)


def no_text_relocations(elf):
    return DT_TEXTREL not in elf.dynamic and not elf.flag(DT_FLAGS, DF_TEXTREL)


CHECKS = [
    ("position independent", is_pie),
    ("bound at start", binds_now),
    ("read-only relocations", lambda elf: elf.has_segment(PT_GNU_RELRO)),
    ("no executable stack", stack_is_data),
    ("no segment both writable and executable", no_writable_code),
    ("no text relocations", no_text_relocations),
    ("no search path of its own",
     lambda elf: DT_RPATH not in elf.dynamic and DT_RUNPATH not in elf.dynamic),
    ("stack protector in use", lambda elf: b"__stack_chk_fail" in elf.data),
]


def judge(data):
    """The names of the checks that fail."""
    elf = Elf(data)
    return [name for name, holds in CHECKS if not holds(elf)]


def main():
    failures = {}
    checked = skipped = 0
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        if not path.is_file():
            print(f"{path.name}: not built, skipped")
            skipped += len(CHECKS)
            continue
        checked += len(CHECKS)
        try:
            for text in judge(path.read_bytes()):
                failures[f"{path.name}, {text}"] = ["it is not so"]
        except (ValueError, struct.error) as error:
            failures[path.name] = [str(error)]
    if checked == 0:
        check_files.skip("no program was built", skipped or 1)
    return check_files.finish(checked, failures, skipped)


if __name__ == "__main__":
    sys.exit(main())
