# SPDX-License-Identifier: MIT
"""On what a run was made."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from .contestants import ROOT

BUNDLED_NGHTTP2 = ROOT / "subprojects/packagefiles/nghttp2/meson.build"


def _first(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    return found[1] if found else "unknown"


def _says(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def describe():
    """Everything that a reader would ask for, name to text."""
    cpuinfo = "/proc/cpuinfo"
    virtual = (
        " (virtual)" if re.search(r"\bhypervisor\b", pathlib.Path(cpuinfo).read_text()) else ""
    )
    memory_kib = int(_first("/proc/meminfo", r"^MemTotal:\s+(\d+)"))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _first(cpuinfo, r"^model name\s*:\s*(.*)") + virtual,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kib / (1 << 20):.1f} GiB",
        "kernel": platform.release(),
        "system": _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "quoit": _says("git", "describe", "--always", "--dirty"),
        "nghttp2": _first(BUNDLED_NGHTTP2, r"^\s*version: '([^']+)'"),
        "liburing": _says("pkg-config", "--modversion", "liburing"),
    }


def busy_seconds(cores):
    """For how long these were not idle since the machine started; what its host took counts."""
    ticks = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in {f"cpu{core}" for core in cores}:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def cores():
    """The server's, and the load's: no two threads of one core, where there is a choice."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise ValueError("the bench needs two cores: one for the server, one for the load")
    server = usable[0]
    topology = pathlib.Path(f"/sys/devices/system/cpu/cpu{server}/topology/thread_siblings_list")
    siblings = topology.read_text().strip() if topology.exists() else str(server)
    shared = set()
    for part in siblings.split(","):
        first, _, last = part.partition("-")
        shared |= set(range(int(first), int(last or first) + 1))
    apart = [core for core in usable if core not in shared]
    return server, (apart or usable[1:])[0]
