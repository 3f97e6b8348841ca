#!/usr/bin/env python3
"""Compile device tree sources and write them as one C header of byte arrays.

    embed_trees.py DTC OUTPUT.h SOURCE.dts ...

x64-low-only.host.dts becomes `static const unsigned char x64_low_only_host_dtb[]`.
"""

import pathlib
import re
import subprocess
import sys


def main():
    dtc, output, sources = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    lines = ["/* Written by embed_trees.py. */"]
    for source in map(pathlib.Path, sources):
        blob = subprocess.run([dtc, "-q", "-I", "dts", "-O", "dtb", source],
                              check=True, capture_output=True).stdout
        name = re.sub(r"\W", "_", source.stem) + "_dtb"
        lines.append(f"static const unsigned char {name}[] __attribute__((unused)) = {{")
        lines += ["\t" + " ".join(f"0x{byte:02x}," for byte in blob[at:at + 12])
                  for at in range(0, len(blob), 12)]
        lines.append("};")
    output.write_text("\n".join(lines) + "\n")


main()
