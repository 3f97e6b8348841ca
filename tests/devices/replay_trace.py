#!/usr/bin/env python3
"""pvw-agent replay: replay_trace.py AGENT PVW FIXTURE TRACE SANDBOX

The trace of our BIOS gives the answers that it gave; one that was changed gives a difference that
names line, access and both answers; what is no trace is refused by line.
"""

import pathlib
import subprocess
import sys
import tempfile

AGENT, PVW, FIXTURE, TRACE, SANDBOX = sys.argv[1:6]

MALFORMED = [
    ("out.4 0x28", "value"),
    ("out.4 0x28 0x1ffffffff", "of that width"),
    ("out.4 port 1", "address"),
    ("out 0x28 1", "in.N"),
    ("inn.4 0x28", "in.N"),
    ("in.9 0x28", "width"),
    ("in.4 0x28 7", "xCOUNT"),
    ("in.4 0x28 x5000", "4096"),
    ("out.4 0x28 1 x2", "count"),
    ("in.4 0x28 @-1", "processor"),
    ("in.4 0x28 =", "answer"),
    ("= 0x1", "access"),
    ("id 0011", "32"),
    ("id 00112233445566778899aabbccddeeff 1", "end of the line"),
    ("in.4 0x28 \0", "text"),
    ("out.8 0x28 " + "1 " * 513, "4096 bytes"),
]


def replay(text, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".trace") as file:
        file.write(text)
        file.flush()
        return subprocess.run(
            [AGENT, "replay", file.name, "--fixture", FIXTURE, "--worker", PVW, "--sandbox",
             SANDBOX, "--log", "off", *options], capture_output=True, text=True)


def check(condition, run, what):
    if not condition:
        sys.exit(f"{what}: status {run.returncode}\n{run.stdout}{run.stderr}")


def main():
    text = pathlib.Path(TRACE).read_text()
    count = sum(not line.startswith("#") for line in text.splitlines())
    run = replay(text)
    check(run.returncode == 0 and f"{count} accesses, {count} answers compared, 0 differences"
          in run.stderr, run, "the trace")

    run = replay(text, "--answers")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    check(len(run.stdout.splitlines()) == len(lines), run, "answers")
    again = replay(run.stdout)
    check(again.returncode == 0 and f"{count} answers compared" in again.stderr, again,
          "what --answers prints is a trace")

    changed = text.replace("in.1 0x279 = 0xff", "in.1 0x279 = 0xfe  # not so")
    run = replay(changed)
    check(run.returncode == 10 and "in.1 0x279: answered 0xff, expected 0xfe" in run.stderr
          and "1 differences" in run.stderr, run, "a changed trace")

    run = replay("out.4 0x28 0x16\nin.4 0x2c x3 @1 = 1 01 0\nin.2 0x2c = bad-width\n"
                 "in.4 0x2a = error\nin.1 0x60 = unclaimed\n"
                 "id 00112233445566778899aabbccddeeff = pulse\n"
                 "out.4 0x28 0x18 = defer 1000000\nout.4 0x28 0x1a\nout.4 0x2c 0 = set 14\n"
                 "rd.4 0xfffc0000 = 0xffffffff\nwr.1 0xf5bea 7 = done\nout.1 0x80 1 2 3\n"
                 "in.1 0x80 = 3\n")
    check(run.returncode == 0 and "13 accesses, 10 answers" in run.stderr, run, "every word")

    run = replay("in.4 0x2c @2\n")
    check(run.returncode == 1 and "PVW-INTERCEPT-0002" in run.stderr, run, "a third processor")
    for bad, word in MALFORMED:
        run = replay("# first\n" + bad + "\n")
        check(run.returncode == 3 and "PVW-AGENT-0007" in run.stderr and "line 2" in run.stderr
              and word in run.stderr, run, repr(bad))
    run = subprocess.run([AGENT, "replay", TRACE], capture_output=True, text=True)
    check(run.returncode != 0 and "PVW-AGENT-0008" in run.stderr, run, "no guest")


if __name__ == "__main__":
    main()
