# SPDX-License-Identifier: MIT
"""Runs protoc with our plugin, and compiles what comes out of it."""

import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys

import grpc
import grpc_tools
import pytest

from python_stubs import python_stubs

PROTOS = pathlib.Path(__file__).resolve().parent / "protos"
GOOGLE = pathlib.Path(grpc_tools.__file__).resolve().parent / "_proto"
WELL_KNOWN = [
    f"google/protobuf/{name}.proto"
    for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
]
KITCHEN = sorted(f"kitchen/{path.name}" for path in (PROTOS / "kitchen").iterdir())
OTHERS = sorted(path.name for path in PROTOS.glob("*.proto"))
ALL = KITCHEN + OTHERS + WELL_KNOWN + ["google/protobuf/descriptor.proto"]

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wundef"]
C_WARNINGS = WARNINGS + ["-Wstrict-prototypes", "-Wmissing-prototypes"]


# For a program of a test: @server, and what makes it serve until SIGTERM.
SERVE = r"""
#include <signal.h>
#include <stdio.h>
#include <quoit/quoit.h>

static quoit_server *server;

static void stop(int number)
{
        (void)number;
        quoit_server_stop(server);
}

static int serve(void)
{
        uint16_t port;

        if (quoit_server_listen(server, "127.0.0.1:0", &port) < 0)
                return 1;
        signal(SIGTERM, stop);
        printf("%d\n", port);
        fflush(stdout);
        quoit_server_run(server);
        quoit_server_free(server);
        return 0;
}
"""


@contextlib.contextmanager
def serving(program, *arguments, stderr=None):
    """A channel to such a program, which ends well behind it."""
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        port = process.stdout.readline().strip()
        assert port
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def kit(root, build):
    return Kit(root, build)


@pytest.fixture(scope="module")
def pb(tmp_path_factory):
    """The Python modules of kinds.proto: messages, stubs."""
    return python_stubs(PROTOS, "kinds", tmp_path_factory.mktemp("python"))


class Kit:
    """One build of Quoit, and the compilers that may be asked to use it."""

    def __init__(self, root, build):
        self.root = root
        self.plugin = build / "bin" / "protoc-gen-quoit"
        self.archive = build / "libquoit" / "libquoit.a"
        self.json_archive = build / "libquoit" / "libquoit-json.a"
        self.internal = build / "libquoit_internal.a"
        info = build / "meson-info"
        options = json.loads((info / "intro-buildoptions.json").read_text())
        options = {o["name"]: o["value"] for o in options}
        self.sanitize = options.get("b_sanitize", "none")
        self.counters = [flag for flag in options.get("c_link_args", []) if flag.startswith("-f")]  # ./dev coverage
        targets = json.loads((info / "intro-targets.json").read_text())
        (plugin,) = (t for t in targets if t["name"] == "protoc-gen-quoit")
        self.compiler = plugin["target_sources"][0]["compiler"]
        self.includes = [
            f"-I{root / 'include'}",
            f"-I{build / 'include'}",
            f"-I{build / 'include' / 'quoit'}",
            f"-I{root / 'subprojects' / 'upb-35.1'}",
            f"-I{build / 'proto' / 'well-known'}",
        ]

    @property
    def inside(self):
        """For what looks into libquoit: the flags that the tree itself is compiled with. Public functions are there twice."""
        names = self.root / "include" / "quoit" / "upb_names.h"
        return ["-w", "-Wl,-z,muldefs", "-D_GNU_SOURCE", "-include", str(names), f"-I{self.root}", f"-I{self.root / 'subprojects/upb-35.1/utf8_range'}"]

    @functools.cached_property
    def libraries(self):
        """What libquoit.a stands on, by its own word for that."""
        done = subprocess.run(
            ["pkg-config", "--static", "--libs", "quoit"],
            env={**os.environ, "PKG_CONFIG_PATH": str(self.archive.parent)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return [word for word in done.stdout.split() if "quoit" not in word]

    def protoc(self, out, files, *arguments, paths=(PROTOS, GOOGLE), check=True):
        out.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-quoit={self.plugin}"]
            + [f"-I{path}" for path in paths]
            + [f"--quoit_out={out}", *arguments, *files],
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def compile(self, compiler, source, output, *arguments):
        """@compiler: a list, as is self.compiler."""
        done = subprocess.run(
            [*compiler, *self.includes, *arguments, "-c", str(source), "-o", str(output)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{' '.join(compiler)} {source}:\n{done.stderr}"

    def program(self, folder, sources, output, compiler=None, shared=False, warnings=C_WARNINGS):
        """A program from C files in @folder: by default as libquoit itself was compiled."""
        flags = ["-std=gnu11", "-O1", "-g1", *warnings, f"-I{folder}"]
        if self.sanitize != "none":
            flags += [f"-fsanitize={self.sanitize}", "-fno-sanitize-recover=all"]
        libraries = [*self.counters, str(self.archive), *self.libraries]
        if shared:
            libraries = [*self.counters, f"-L{self.archive.parent}", f"-Wl,-rpath,{self.archive.parent}"]
            libraries += ["-l:libquoit.so"]
        done = subprocess.run(
            [*(compiler or self.compiler), *flags, *self.includes, *map(str, sources), "-o", str(output)]
            + libraries,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def compilers(language):
    """Those of @language ("c" or "c++") that this machine has."""
    wanted = {"c": ["gcc", "clang-19"], "c++": ["g++", "clang++-19"]}[language]
    folders = os.environ["PATH"].split(os.pathsep)
    return [c for c in wanted if any((pathlib.Path(f) / c).exists() for f in folders)]
