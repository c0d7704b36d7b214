# SPDX-License-Identifier: MIT
"""Clients in other languages, of tests/clients/, against quoit-interop-server: each runs once, and
tells of every check in a line. grpcio, Python's, is the client of all other tests."""

import subprocess

import pytest

import toolchains
from servers import PATIENCE, Server

LANGUAGES = ["go", "java", "node"]
CHECKS = [
    "unary",
    "server_streaming",
    "client_streaming",
    "bidi",
    "metadata",
    "large_messages",
    "status",
    "unimplemented",
    "deadline",
    "cancellation",
    "thousand_streams",
]


@pytest.fixture(scope="module")
def server(build):
    server = Server(build / "bin" / "quoit-interop-server", "--port=0")
    yield server
    server.stop()


@pytest.fixture(scope="module", params=LANGUAGES)
def said(request, root, server):
    """What the client of one language said: for each check "ok", or how it failed."""
    command = getattr(toolchains, f"{request.param}_client")()
    command += [f"localhost:{server.port}", root / "proto"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=6 * PATIENCE
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    lines = {}
    for line in done.stdout.splitlines():
        verdict, _, rest = line.partition(" ")
        name, _, why = rest.partition(": ")
        lines[name] = verdict if verdict == "ok" else f"{verdict}: {why}"
    return lines


@pytest.mark.parametrize("check", CHECKS)
def test_client(said, check):
    assert said.get(check, "not run") == "ok"
