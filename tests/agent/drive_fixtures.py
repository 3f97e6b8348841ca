#!/usr/bin/env python3
"""Drive a worker through every fixture.

    drive_fixtures.py PVW-AGENT PVW FIXTURES SANDBOX

A fixture that verifies must end with "guest memory matches the plan"; one that must be refused is
refused by the worker with the diagnostic that its own file names.
"""

import json
import pathlib
import subprocess
import sys


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=120)


def judge(agent, pvw, path, sandbox):
    """What is wrong with driving one fixture, or None."""
    shown = run(pvw, "--format", "json", "fixture", "show", path)
    if shown.returncode != 0:
        return f"pvw fixture show: {shown.stderr.strip()}"
    fields = json.loads(shown.stdout)["fields"]
    drive = run(agent, "drive", "--worker", pvw, "--sandbox", sandbox, "--fixture", path)
    if fields["expect.ok"] == "true":
        if drive.returncode == 0 and "\nguest memory matches the plan\n" in drive.stdout:
            return None
        return f"status {drive.returncode}: {drive.stderr.strip()}"
    wanted = fields["expect.diagnostic"]
    if drive.returncode == 0:
        return f"prepared, expected {wanted}"
    if wanted not in drive.stderr:
        return f"expected {wanted}: {drive.stderr.strip()}"
    return None


def main():
    agent, pvw, folder, sandbox = sys.argv[1:]
    paths = sorted(pathlib.Path(folder).glob("*.cbor"))
    failed = 0
    for path in paths:
        wrong = judge(agent, pvw, path, sandbox)
        if wrong:
            failed += 1
            print(f"FAILED {path.name}: {wrong}")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
