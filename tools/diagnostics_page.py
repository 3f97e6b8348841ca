#!/usr/bin/env python3
"""Write pvw-diagnostics(7), in scdoc's language, from the table of diagnostics.

    diagnostics_page.py DIAGNOSTICS.def >pvw-diagnostics.7.scd
"""

import re
import sys

HEAD = """pvw-diagnostics(7)

# NAME

pvw-diagnostics - what can be wrong, and what to do

# DESCRIPTION

Every failure and every finding of *pvw*(1) has a name, *PVW-*_AREA_*-*_NNNN_, which never changes
its meaning and is never used again. *pvw explain* _NAME_ prints what stands here. Loading stops at
the first error; *pvw check* lists all.

"""
TAIL = """# SEE ALSO

*pvw*(1), *pvw-serve*(8)
"""

STRING = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(
    r"^DIAGNOSTIC\((\w+), (\d{4}), (\w+), (\w+), " + STRING + r",\s*" + STRING + r"\)$", re.M)
AREA = re.compile(r"^/\* (\w+): (.*) \*/$", re.M)


def escape(text):
    """Text of a C string, as scdoc takes it: nothing in it is markup."""
    text = text.replace('\\"', '"').replace("\\\\", "\\")
    return re.sub(r"([\\*_#`\[\]|<>~-])", r"\\\1", text)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        table = file.read()
    rows = ROW.findall(table)
    begun = len(re.findall(r"^DIAGNOSTIC\(", table, re.M))
    if len(rows) != begun:
        sys.exit(f"{sys.argv[1]}: {len(rows)} rows were understood, expected {begun}")
    titles = dict(AREA.findall(table))
    out = [HEAD]
    area = None
    for name, number, code, severity, title, hint in rows:
        if name != area:
            area = name
            out.append(f"# {name}\n\n")
            if name in titles:
                out.append(f"{escape(titles[name])[0].upper()}{escape(titles[name])[1:]}.\n\n")
        out.append(f"*PVW-{name}-{number}* ({severity.lower()}, {escape(code)})\n")
        out.append(f"\t{escape(title)}\n\n\t{escape(hint)}\n\n" if hint else
                   f"\t{escape(title)}\n\n")
    out.append(TAIL)
    sys.stdout.write("".join(out))


if __name__ == "__main__":
    main()
