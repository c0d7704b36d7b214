# SPDX-License-Identifier: MIT
"""npm's clients for browsers, of tests/clients/web, from Node against quoit-api and test-server: they run
once, plain and by TLS, and tell of every check in a line."""

import os
import subprocess
import sys

import pytest

import toolchains
from servers import PATIENCE, Server
from tls import pki, tls_options  # noqa: F401

CHECKS = {"unary", "large", "server_stream", "status", "details", "metadata", "deadline", "cancellation"}
STREAMS = {"client_stream", "half_duplex", "compression"}
GRPC_WEB = {"unary", "server_stream", "status", "metadata", "deadline", "cancellation"}
GZIP = 2

# What each transport is to have passed: by its package, protocol, HTTP version and codec.
TRANSPORTS = {"grpc-web text": GRPC_WEB, "grpc-web binary": GRPC_WEB}
for codec in ("json", "binary"):
    TRANSPORTS |= {
        f"node connect 1.1 {codec}": CHECKS | STREAMS | {"get"},
        f"node connect 2 {codec}": CHECKS | STREAMS | {"get", "bidi"},
        f"node grpc-web 1.1 {codec}": CHECKS | STREAMS,
        f"node grpc-web 2 {codec}": CHECKS | STREAMS | {"bidi"},
        f"node grpc 2 {codec}": CHECKS | STREAMS | {"bidi"},
        f"web connect 1.1 {codec}": CHECKS | {"get"},
        f"web grpc-web 1.1 {codec}": CHECKS,
    }


def described(folder, path, name):
    """A file with the descriptors of the .proto @name, which is below @path."""
    file = folder / name
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{path}", "--include_imports"]
    subprocess.run([*command, f"--descriptor_set_out={file}", name], check=True)
    return file


@pytest.fixture(scope="module", params=["plain", "TLS"])
def said(request, root, build, pki, tmp_path_factory):  # noqa: F811
    """What was said of each transport: the checks that passed, and how others failed."""
    command = toolchains.web_client()
    folder = tmp_path_factory.mktemp("described")
    has_tls = request.param == "TLS"
    options = tls_options(pki.server) if has_tls else []
    scheme = "https" if has_tls else "http"
    servers = [
        Server(build / "tests/services/test-server", "--compression", GZIP, *options),
        Server(build / "bin/quoit-api", "--host", "127.0.0.1", "--port", 0, *options),
    ]
    files = [
        described(folder, root / "tests/protos", "calls.proto"),
        described(folder, root / "proto", "api.proto"),
    ]
    for server, file in zip(servers, files):
        command += [f"{scheme}://localhost:{server.port}", file]
    try:
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=6 * PATIENCE,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(pki.ca.file)},
        )
    finally:
        for server in servers:
            server.stop()
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    passed, failed = {}, {}
    for line in done.stdout.splitlines():
        verdict, _, rest = line.partition(" ")
        name, _, check = rest.partition(": ")
        if verdict == "ok":
            passed.setdefault(name, set()).add(check)
        else:
            failed.setdefault(name, []).append(check)
    return passed, failed


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_transport(said, transport):
    passed, failed = said
    assert failed.get(transport, []) == []
    assert passed.get(transport) == TRANSPORTS[transport]
