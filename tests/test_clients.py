# SPDX-License-Identifier: MIT
"""Clients in other languages, of tests/clients/, against quoit-interop-server: each runs once, and
tells of every check in a line. grpcio, Python's, is the client of all other tests."""

import subprocess

import pytest

import toolchains
from certificates import Certificate
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
    "compression",
    "error_details",
    "thousand_streams",
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA, .server and .client."""
    folder = tmp_path_factory.mktemp("pki")
    ca = Certificate(folder, "ca")
    ca.server = Certificate(folder, "server", ca, names=["localhost"])
    ca.client = Certificate(folder, "client", ca)
    return ca


@pytest.fixture(scope="module", params=["plain", "mTLS"])
def served(request, build, pki):
    """A server, and the files that its clients need."""
    files = {"cert": pki.server.file, "key": pki.server.key_file, "client_ca": pki.file}
    options = [f"--tls_{name}_file={path}" for name, path in files.items()] + ["--use_tls"]
    has_tls = request.param == "mTLS"
    server = Server(
        build / "bin" / "quoit-interop-server", "--port=0", *(options if has_tls else [])
    )
    yield server, [pki.file, pki.client.file, pki.client.key_file] if has_tls else []
    server.stop()


@pytest.fixture(scope="module")
def test_server(build):
    server = Server(build / "tests/services/test-server")
    yield server
    server.stop()


@pytest.fixture(scope="module", params=LANGUAGES)
def said(request, root, served, test_server):
    """What the client of one language said: for each check "ok", or how it failed."""
    command = getattr(toolchains, f"{request.param}_client")()
    server, files = served
    command += [f"localhost:{server.port}", root / "proto", test_server.target, *files]
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
