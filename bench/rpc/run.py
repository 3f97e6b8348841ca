#!/usr/bin/env python3
"""pvw's server beside Go's, by Go's client, in one run: run.py BUILD [-n ROUNDS] [-d SECONDS]

BUILD is a build directory with pvw and bench/pvw-bench-rpc. Both servers take the same calls in
turns, shape by shape; the medians of the rounds are printed. Absolute figures depend on what else
the machine does: only ratios of one run count. Needs golang-go and
golang-github-containerd-ttrpc-dev.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

# Name, connections, calls in flight on each, requests per second as a multiple of Go's.
SHAPES = [
    ("1 connection, 1 in flight", 1, 1, 2.0),
    ("4 connections, 1 in flight each", 4, 1, None),
    ("64 connections, 1 in flight each", 64, 1, 1.4),
    ("1 connection, 64 in flight", 1, 64, 1.8),
]

ECHO = ["-service", "bench.v1.Echo", "-method", "Echo", "-payload", "64"]
HEALTH = ["-service", "pvw.v1.Worker", "-method", "Health", "-payload", "0", "-echo=false"]
WORKER_CONNECTIONS = 4  # of one user
# One read of the PCAT device's data port: kind 1, address 0x2c, width 4. One connection drives.
INTERCEPT = ["-service", "pvw.v1.Worker", "-method", "HandleIntercepts", "-echo=false", "-hex",
             "0a0d0801192c000000000000002004"]
FIXTURE = HERE.parent.parent / "fixtures/x64-pcat-2vp.cbor"


def build_go(folder):
    environment = dict(
        os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=f"{folder}/cache",
        GOFLAGS="",
    )
    for name in ("client", "server"):
        command = ["go", "build", "-o", f"{folder}/{name}", "."]
        subprocess.run(command, cwd=HERE / name, env=environment, check=True)


def start(command, socket):
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(500):
        if os.path.exists(socket):
            return server
        time.sleep(0.01)
    sys.exit(f"{command[0]} does not listen")


def load(folder, socket, call, connections, in_flight, seconds):
    command = [
        f"{folder}/client", "-addr", socket, "-conns", str(connections),
        "-inflight", str(in_flight), "-d", f"{seconds}s",
    ]
    out = subprocess.run(command + call, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in out.split()]


def peak_kib(server):
    for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def measure(folder, servers, options):
    """Shape -> server -> medians of requests a second, p50 and p99."""
    results = {}
    for shape, connections, in_flight, _ in SHAPES:
        rounds = {name: [] for name in servers}
        for _ in range(options.n):
            for name, (_, socket, call, most) in servers.items():
                if connections <= most:
                    rounds[name].append(
                        load(folder, socket, call, connections, in_flight, options.d))
        results[shape] = {
            name: [statistics.median(column) for column in zip(*runs)]
            for name, runs in rounds.items() if runs
        }
    return results


def report(results, servers):
    print("| shape | server | req/s | p50 µs | p99 µs | req/s of Go's | goal |\n"
          "|---|---|---|---|---|---|---|")
    for shape, _, _, goal in SHAPES:
        go = results[shape]["Go"]
        for name, (rate, p50, p99) in results[shape].items():
            wanted = f"{goal:.1f}" if goal and name != "Go" else "–"
            print(f"| {shape} | {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | "
                  f"{rate / go[0]:.2f} | {wanted} |")
    for shape, by_server in results.items():
        if "pvw serve, HandleIntercepts" in by_server:
            echo, intercept = by_server["pvw, Echo"], by_server["pvw serve, HandleIntercepts"]
            print(f"{shape}: an intercept takes {echo[0] / intercept[0]:.2f} times an echo")
    for name, (server, _, _, _) in servers.items():
        print(f"{name}: at most {peak_kib(server)} KiB resident")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("-n", type=int, default=5, help="rounds")
    parser.add_argument("-d", type=float, default=1, help="seconds a round")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    with tempfile.TemporaryDirectory() as folder:
        build_go(folder)
        go, echo, worker = (f"{folder}/{name}.sock" for name in ("go", "echo", "worker"))
        servers = {}
        try:
            servers["Go"] = (start([f"{folder}/server", go], go), go, ECHO, 64)
            command = [str(build / "bench/pvw-bench-rpc"), f"unix:{echo}"]
            servers["pvw, Echo"] = (start(command, echo), echo, ECHO, 64)
            command = [str(build / "pvw"), "serve", "--listen", f"unix:{worker}",
                       "--sandbox", "best-effort"]
            servers["pvw serve, Health"] = (
                start(command, worker), worker, HEALTH, WORKER_CONNECTIONS)
            pcat = f"{folder}/pcat.sock"
            command = [str(build / "pvw"), "serve", "--listen", f"unix:{pcat}",
                       "--sandbox", "best-effort", "--log", "off"]
            servers["pvw serve, HandleIntercepts"] = (start(command, pcat), pcat, INTERCEPT, 1)
            subprocess.run([str(build / "pvw-agent"), "drive", "--fixture", str(FIXTURE),
                            "--socket", f"unix:{pcat}"], check=True, capture_output=True)
            report(measure(folder, servers, options), servers)
        finally:
            for server, _, _, _ in servers.values():
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
