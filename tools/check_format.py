#!/usr/bin/env python3
"""Is every C file laid out as .clang-format says?

    check_format.py [ROOT]

Skipped, visibly, where clang-format is missing.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

import check_files


def check(root, file):
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", str(root / file)],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return None
    lines = [l for l in run.stderr.splitlines() if "error" in l]
    first = lines[0].split(":")[1] if lines and lines[0].count(":") > 1 else "?"
    return f"line {first}: run clang-format -i"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = check_files.c_files(root)
    if not shutil.which("clang-format"):
        check_files.skip("clang-format is not installed", len(files))
    failures = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, text in zip(files, pool.map(lambda f: check(root, f), files)):
            if text:
                failures[file.as_posix()] = [text]
    return check_files.finish(len(files), failures)


if __name__ == "__main__":
    sys.exit(main())
