#!/usr/bin/env python3
"""Put the bytes of compiled device trees into a header.

    embed_trees.py DTC TEMPLATE.h.in OUTPUT.h SOURCE.dts ...

@NAME@ in the template becomes the bytes of the compiled NAME.dts; each source is used.
"""

import pathlib
import re
import subprocess
import sys


def main():
    dtc, template, output = sys.argv[1:4]
    sources = {path.stem: path for path in map(pathlib.Path, sys.argv[4:])}

    def compiled(match):
        source = sources.pop(match[1])
        blob = subprocess.run([dtc, "-q", "-I", "dts", "-O", "dtb", source],
                              check=True, capture_output=True).stdout
        lines = [" ".join(f"0x{byte:02x}," for byte in blob[at:at + 12])
                 for at in range(0, len(blob), 12)]
        return "\n\t" + "\n\t".join(lines) + "\n"

    text = re.sub(r"@([\w.-]+)@", compiled, pathlib.Path(template).read_text())
    if sources:
        sys.exit(f"{template} names none of: {' '.join(sources)}")
    pathlib.Path(output).write_text(text)


main()
