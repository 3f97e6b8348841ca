"""What the lints look at: the files of this tree, and how a lint ends."""

import pathlib
import subprocess
import sys

SKIPPED_FOLDERS = {".git", "__pycache__", "build", "out"}


def tree_files(root):
    """Files of the tree, relative to @root: what git knows or would add, else everything."""
    root = pathlib.Path(root)
    try:
        run = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True, check=True)
        names = [pathlib.PurePosixPath(n) for n in run.stdout.decode().split("\0") if n]
        files = sorted({n for n in names if (root / n).is_file()})
        if files:
            return files
    except (OSError, subprocess.CalledProcessError):
        pass
    files = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and not any(
                part in SKIPPED_FOLDERS or part.startswith("build-") for part in name.parts):
            files.append(pathlib.PurePosixPath(name.as_posix()))
    return files


def c_files(root):
    return [f for f in tree_files(root) if f.suffix in (".c", ".h")]


def finish(checked, failures, skipped=0):
    """One line a failure, the closing count, and the exit status. @failures: {name: [text]}"""
    for name in sorted(failures):
        for text in failures[name]:
            print(f"{name}: {text}" if name else text)
    failed = len(failures)
    print(f"{checked - failed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def skip(why, count=1):
    """Nothing could be judged; meson shows status 77 as a skipped test."""
    print(why)
    print(f"0 passed, 0 failed, {count} skipped")
    sys.exit(77)
