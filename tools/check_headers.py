#!/usr/bin/env python3
"""Does every header compile alone, twice in a row, without a warning?

    check_headers.py ROOT BUILD [COMPILER...]

Flags are those of the build's own sources (compile_commands.json); those that a compiler does
not know are left out for it. Compilers that are missing are skipped, visibly.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import check_files

# Headers outside the ladder and where their neighbours are found.
BESIDE = {"tools/golden": ["tools/golden"], "tests": ["tests"], "bench": ["bench"],
          "fuzz": ["fuzz"]}


def project_flags(build):
    """Warnings, dialect and definitions, as the build gives them to its first own source."""
    commands = json.loads((build / "compile_commands.json").read_text())
    for command in commands:
        words = shlex.split(command["command"])
        if any(w.startswith("-Wshadow") for w in words) and "support/" in command["file"]:
            return [w for w in words if re.match(r"-(W(?!inv)|std=|D)", w)]
    sys.exit(f"{build}/compile_commands.json: no source of support/")


def accepts(compiler, flags):
    return subprocess.run([compiler, "-Werror", *flags, "-fsyntax-only", "-x", "c", os.devnull],
                          capture_output=True, check=False).returncode == 0


def known_flags(compiler, flags):
    return flags if accepts(compiler, flags) else [f for f in flags if accepts(compiler, [f])]


def guard_of(header):
    return re.sub(r"[^A-Z0-9]", "_", header.as_posix().upper())


def check(root, build, compiler, flags, header):
    """What the compiler says about this header and nothing else, or None."""
    paths = [str(root), str(build)]
    for folder, more in BESIDE.items():
        if header.as_posix().startswith(folder + "/"):
            paths += [str(root / m) for m in more]
    source = f'#include "{header}"\n#include "{header}"\nextern int alone;\n'
    run = subprocess.run(
        [compiler, *flags, "-Werror", "-c", "-o", os.devnull, "-x", "c", "-",
         *[w for p in paths for w in ("-I", p)]],
        input=source, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return None
    lines = [l for l in run.stderr.splitlines() if "error" in l or "warning" in l]
    return f"{compiler}: {lines[0] if lines else run.stderr[:200]}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve()
    compilers = sys.argv[3:] or ["gcc", "clang"]
    flags = project_flags(build)
    headers = [h for h in check_files.c_files(root) if h.suffix == ".h"]
    failures = {}
    checked = skipped = 0

    for compiler in compilers:
        if not shutil.which(compiler):
            print(f"{compiler} is not installed: {len(headers)} headers not judged by it")
            skipped += len(headers)
            continue
        known = known_flags(compiler, flags)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            texts = pool.map(lambda h, c=compiler, k=known: check(root, build, c, k, h), headers)
            for header, text in zip(headers, texts):
                checked += 1
                if text:
                    failures[f"{header} ({compiler})"] = [text]

    for header in headers:
        # "folder/file.h" is guarded by FOLDER_FILE_H; below tools/ and tests/ the first folders
        # may be left out.
        text = (root / header).read_text()
        ends = range(len(header.parts)) if header.parts[0] in ("tools", "tests") else [0]
        guards = {guard_of(pathlib.PurePosixPath(*header.parts[i:])) for i in ends}
        found = re.search(r"^#ifndef (\w+)\n#define \1\n", text, re.MULTILINE)
        checked += 1
        if not found or found.group(1) not in guards:
            failures[f"{header} (guard)"] = [f"expected {guard_of(header)}"]
    return check_files.finish(checked, failures, skipped)


if __name__ == "__main__":
    sys.exit(main())
