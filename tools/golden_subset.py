#!/usr/bin/env python3
"""Choose the reference cases that live in the tree, from the full set.

    golden_subset.py FULL-SET tests/golden/cases [tests/golden/deviations.md]

Every area gets the same share of 2 MiB; what a small one leaves is shared by the larger ones. First the cases listed as deviations, then one case of
each family (its name without the trailing number) after another, smaller ones first, until the
share is used up. Files are copied as they are.
"""

import pathlib
import re
import shutil
import sys

LIMIT = 2 * 1024 * 1024


def family(name):
    return re.sub(r"_?[0-9a-fx]*\d+$", "", name)


def choose(cases, share, listed):
    by_size = sorted(cases, key=lambda path: (path.stat().st_size, path.name))
    families = {}
    for path in by_size:
        families.setdefault(family(path.stem), []).append(path)
    order = [path for path in by_size if path.stem in listed]
    while any(families.values()):
        order += [members.pop(0) for members in families.values() if members]
    chosen = []
    for path in order:
        size = path.stat().st_size
        if path not in chosen and size <= share:
            chosen.append(path)
            share -= size
    return chosen


def main():
    full, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    listed = set()
    if len(sys.argv) > 3:
        listed = set(re.findall(r"^\| *`?[a-z0-9_]+/([\w.-]+)", pathlib.Path(sys.argv[3]).read_text(),
                                re.MULTILINE))
    areas = sorted((path for path in full.iterdir() if path.is_dir()),
                   key=lambda area: (sum(f.stat().st_size for f in area.glob("*.json")), area.name))
    if target.exists():
        shutil.rmtree(target)
    total = count = 0
    for index, area in enumerate(areas):
        share = (LIMIT - total) // (len(areas) - index)
        for path in choose(list(area.glob("*.json")), share, listed):
            (target / area.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / area.name / path.name)
            total += path.stat().st_size
            count += 1
    print(f"{count} cases of {len(areas)} areas, {total} bytes")


if __name__ == "__main__":
    main()
