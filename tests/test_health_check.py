# SPDX-License-Identifier: MIT
"""quoit-api --health-check: what probes are told."""

import os
import re
import signal
import socket
import subprocess

import pytest

from servers import PATIENCE, eventually, free_port
from tls import Pki


@pytest.fixture
def check(build):
    """check(*arguments) -> (exit status, what it says)."""

    def check_it(*arguments, env=None):
        done = subprocess.run(
            [build / "bin" / "quoit-api", "--health-check", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **(env or {})},
        )
        assert done.stdout == "" and len(done.stderr.splitlines()) == (done.returncode != 0), done.stderr
        return done.returncode, done.stderr

    return check_it


def test_a_server_that_serves(check, start):
    """It is found by the options with which it was started, and asked without a proxy."""
    server = start("quoit-api", "--host", "", "--port", 0)
    proxy = {"http_proxy": "http://192.0.2.1:1", "https_proxy": "http://192.0.2.1:1"}
    assert check("--port", server.port, env=proxy) == (0, "")
    assert check("--listen", f"[::]:{server.port}") == (0, "")
    assert check(env={"BACKEND_PORT": str(server.port), "BACKEND_HOST": "0.0.0.0"}) == (0, "")
    assert check("--health-target", f"localhost:{server.port}", "--health-service", "api.Api") == (0, "")


def test_a_service_that_is_not_known(check, start):
    server = start("quoit-api", "--port", 0)
    status, told = check("--port", server.port, "--health-service", "api.Nothing")
    assert status == 1 and re.search(r"error: health check of 127\.0\.0\.1:\d+: NOT_FOUND: ", told)


def test_a_server_without_health(check, start):
    server = start("quoit-api", "--port", 0, "--no-health")
    status, told = check("--port", server.port)
    assert status == 1 and "UNIMPLEMENTED" in told


def test_a_unix_socket_of_a_file(check, start, tmp_path):
    file = tmp_path / "config"
    file.write_text(f"listen unix:{tmp_path}/socket\nhealth-service = api.Api\n")
    start("quoit-api", "--config", file)
    assert check("--config", file) == (0, "")


def test_a_lame_duck(check, start):
    """It serves still, and wants no more."""
    server = start("quoit-api", "--port", 0, "--lame-duck", "1h")
    server.signal()
    eventually(lambda: check("--port", server.port)[0] == 1, "NOT_SERVING")
    assert check("--port", server.port)[1].endswith(": NOT_SERVING\n")
    server.signal(signal.SIGINT)


def test_nobody_there(check):
    status, told = check("--host", "127.0.0.1", "--port", free_port())
    assert status == 1 and "Connection refused" in told


def test_a_server_that_does_not_answer(check):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        status, told = check("--port", silent.getsockname()[1], "--health-timeout", "50ms")
    assert status == 1 and "DEADLINE_EXCEEDED" in told


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--port", 0], "give --health-target"),
        (["--listen", "systemd"], "give --health-target"),
        (["--listen", "fd:3"], "give --health-target"),
        (["--health-target", "http://x"], "there is no such scheme"),
        (["--health-tls-ca", "/no/such/file"], "/no/such/file"),
    ],
    ids=str,
)
def test_what_cannot_be_asked(check, arguments, problem):
    status, told = check(*arguments)
    assert status != 0 and problem in told


def test_only_the_command_line_asks(start):
    """Or no server would start."""
    start("quoit-api", "--port", 0, env={"QUOIT_API_HEALTH_CHECK": "true"})


def test_tls(check, start, tmp_path):
    """By the name of the certificate, which the loopback address needs not be."""
    pki = Pki(tmp_path)
    own, other = pki.server, pki.make("example", names=["api.example"])
    server = start("quoit-api", "--port", 0, "--tls-cert", own.file, "--tls-key", own.key_file)
    options = ["--port", server.port, "--tls-cert", own.file, "--tls-key", own.key_file]
    assert check(*options, "--health-tls-ca", pki.ca.file) == (0, "")
    assert check("--health-target", server.target, "--health-tls-ca", pki.ca.file) == (0, "")
    status, told = check(*options)  # by TLS, and the system does not trust it
    assert status == 1 and "certificate" in told
    server = start("quoit-api", "--port", 0, "--tls-cert", other.file, "--tls-key", other.key_file)
    trusting = ["--health-target", server.target, "--health-tls-ca", pki.ca.file]
    assert check(*trusting)[0] == 1
    assert check(*trusting, "--health-tls-name", "api.example") == (0, "")


def test_a_certificate_of_the_client(check, start, tmp_path):
    pki = Pki(tmp_path)
    files = ["--tls-cert", pki.server.file, "--tls-key", pki.server.key_file, "--tls-client-ca", pki.ca.file]
    server = start("quoit-api", "--port", 0, *files)
    trusting = ["--port", server.port, *files, "--health-tls-ca", pki.ca.file]
    assert check(*trusting)[0] == 1
    assert check(*trusting, "--health-tls-cert", pki.client.file, "--health-tls-key", pki.client.key_file) == (0, "")


def test_a_port_beside_that_of_tls(check, start, tmp_path):
    """Is asked in the clear."""
    pki = Pki(tmp_path)
    options = ["--tls-port", free_port(), "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file]
    server = start("quoit-api", "--port", 0, *options)
    port = server.logged("quoit-api: listening on ").rpartition(":")[2]
    assert check(*options, "--port", port) == (0, "")
