# SPDX-License-Identifier: MIT
"""Who is measured: Quoit, its peers (folders of bench/peers/), and limits, which are programs of
bench/micro/ that do less than a gRPC server has to, and Quoit itself on epoll."""

import dataclasses
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "bench" / "peers"
OWN = "quoit"
RAW = ("raw-epoll", "raw-uring")  # TCP echoes
ON_EPOLL = "quoit-epoll"  # the same binary as Quoit's: what io_uring is worth
LIMITS = ("floor", *RAW, ON_EPOLL)
THREADED = (OWN, "grpc-go", "tonic-multi-thread", "grpc-cpp")  # whose serve does with THREADS
CANNOT = 77  # build's exit status where a toolchain or a package is missing


class Missing(Exception):
    """This one cannot be measured here, and why."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    name: str
    role: str  # "own", "peer" or "limit"
    program: tuple  # its command up to the port
    version: str = ""
    binary: str = ""
    client: str = ""  # its client's program; "": it has none

    def command(self, port, threads=None):
        return [*self.program, str(port), *([str(threads)] if threads else [])]


def peer_names():
    """Those of bench/peers, Quoit first."""
    names = sorted(path.parent.name for path in PEERS.glob("*/build"))
    return sorted(names, key=lambda name: name != OWN)


def build(name, folder, log):
    """Builds one into @folder and says what build said; a second time this is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [PEERS / name / "build", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log.write_text(done.stderr)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        reason = lines[-1].removeprefix(f"{name}: ")
        raise Missing(reason if done.returncode == CANNOT else f"its build failed: {reason}")
    (folder / "about").write_text(done.stdout)


def load(name, folder):
    """The peer that was built into @folder."""
    if not (folder / "serve").exists() or not (folder / "about").exists():
        raise Missing("it was not built yet")
    about = dict(
        line.split("=", 1) for line in (folder / "about").read_text().splitlines() if "=" in line
    )
    role = "own" if name == OWN else "peer"
    program = (str(folder / "serve"),)
    client = str(folder / "call") if (folder / "call").exists() else ""
    return Contestant(name, role, program, about.get("version", ""), about.get("binary", ""), client)


def limit(name, programs):
    """A limit, or Quoit on epoll, from the folder of Quoit's build with bench/'s programs."""
    words = {
        "floor": [programs / "micro" / "floor-server"],
        "raw-epoll": [programs / "micro" / "micro-echo", "--serve", "epoll"],
        "raw-uring": [programs / "micro" / "micro-echo", "--serve", "uring"],
        ON_EPOLL: [programs / "server" / "quoit-bench-server", "--engine", "epoll", "--port"],
    }[name]
    if not words[0].exists():
        raise Missing(f"{words[0].name} was not built")
    return Contestant(name, "limit", tuple(map(str, words)))


def file_bytes(path):
    """Of a file, or of all files below a folder."""
    path = pathlib.Path(path)
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


def libraries(binary):
    """The shared libraries a program needs beside those every C program has."""
    everywhere = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libpthread", "libdl", "librt")
    done = subprocess.run(["ldd", binary], capture_output=True, text=True)
    found = []
    for line in done.stdout.splitlines() if done.returncode == 0 else []:
        path = line.split("=>")[-1].strip().split(" (")[0]
        if os.path.isfile(path) and not os.path.basename(path).startswith(everywhere):
            found.append(os.path.realpath(path))
    return found
