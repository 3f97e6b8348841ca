"""A prepared guest, started by hand: for those whose files were changed, and for its registers."""

import os
import pathlib
import shutil
import subprocess
import time

PANIC = "Kernel panic"


def replaced(command, folder):
    """The same command with the memory and the ROM of another folder."""
    words = []
    for word in command:
        if word.startswith("memory-backend-file"):
            parts = [f"mem-path={folder}/ram.img" if part.startswith("mem-path=") else part
                     for part in word.split(",")]
            word = ",".join(parts)
        words.append(word)
    words[words.index("-bios") + 1] = f"{folder}/rom.bin"
    return words


def copy_files(source, target):
    """Memory, with its holes, and ROM."""
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--sparse=always", f"{source}/ram.img", f"{target}/ram.img"],
                   check=True)
    shutil.copy(f"{source}/rom.bin", f"{target}/rom.bin")


def remove_files(folder):
    shutil.rmtree(folder, ignore_errors=True)


class Outcome:
    def __init__(self, text, status, why):
        self.text = text
        self.status = status  # of QEMU, None if it was killed
        self.why = why        # "ended", "timeout", "panic", "stuck", "seen"


def run(command, folder, timeout, until=None, grace=8):
    """Start QEMU with its console in a file; end it on a panic, when it is stuck behind @@DONE, or
    once @until was said."""
    log = pathlib.Path(folder) / "console.log"
    log.write_bytes(b"")
    with open(os.devnull) as nothing:
        child = subprocess.Popen(command + ["-serial", f"file:{log}"], stdin=nothing,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begin = time.monotonic()
    ends = begin + timeout
    why = "ended"
    marks = set()
    while child.poll() is None:
        text = log.read_text(errors="replace")
        if until and until in text:
            why = "seen"
            ends = 0
        for mark, words, seconds in (("panic", PANIC, 1), ("stuck", "@@DONE", grace)):
            if mark not in marks and words in text:
                marks.add(mark)
                if time.monotonic() + seconds < ends:
                    ends, why = time.monotonic() + seconds, mark
        if time.monotonic() >= ends:
            if why == "ended":
                why = "timeout"
            child.kill()
            child.wait()
            return Outcome(log.read_text(errors="replace"), None, why)
        time.sleep(0.05)
    return Outcome(log.read_text(errors="replace"), child.returncode, "ended")
