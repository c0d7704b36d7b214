# SPDX-License-Identifier: MIT
"""What a fault that slips through can be made of: how programs are linked, and what --sandbox leaves them."""

import json
import re
import signal
import ssl
import subprocess
import urllib.request

import pytest

from certificates import Certificate
from servers import Server

# It stops threads by ptrace() at the end, which the sandbox refuses.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}
PROGRAMS = ["quoit", "quoit-api", "quoit-web"]
ANY = ssl._create_unverified_context()  # noqa: S323 who it is, is not the matter here


def is_hardened(build):
    """As meson.build has it: an optimized build, without sanitizers."""
    options = {o["name"]: o["value"] for o in json.loads((build / "meson-info/intro-buildoptions.json").read_text())}
    return options["optimization"] not in "0g" and options["b_sanitize"] == "none" and options["hardening"] != "disabled"


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_hardened(build, name):
    if not is_hardened(build):
        pytest.skip("this build is not optimized, or has a sanitizer")
    text = subprocess.check_output(["readelf", "-Whld", "--dyn-syms", build / "bin" / name], text=True)
    assert re.search(r"FLAGS_1.*NOW.*PIE", text), "neither PIE nor bound at the start"
    assert "GNU_RELRO" in text
    assert re.search(r"GNU_STACK.*RW +0x", text), "the stack can be run as code"
    assert not re.search(r"LOAD.*RWE", text)
    assert re.search(r"__\w+_chk@", text), "without _FORTIFY_SOURCE"


def greet(server, scheme="http"):
    request = urllib.request.Request(
        f"{scheme}://{server.target}/api.Api/sayHello", b'{"name":"Ann"}', {"content-type": "application/json"}
    )
    return json.load(urllib.request.urlopen(request, timeout=30, context=ANY))["message"]


def test_a_server_in_a_sandbox(build, tmp_path):
    """It serves, reads its certificate again, begins a new log, and is not replaced."""
    own = Certificate(tmp_path, "server", names=["localhost"])
    log = tmp_path / "logs" / "access.log"
    log.parent.mkdir()
    options = ["--tls-cert", own.file, "--tls-key", own.key_file, "--access-log", log, "--workers", 2]
    server = Server(build / "bin" / "quoit-api", "--sandbox", "--host", "127.0.0.1", "--port", 0, *options, env=NO_LEAK_CHECK)
    try:
        assert "Seccomp:\t2" in (open(f"/proc/{server.pid}/status").read())
        assert greet(server, "https") == "Hello Ann!"
        log.rename(tmp_path / "logs" / "old")
        server.signal(signal.SIGHUP)
        server.logged("TLS files were read again")
        assert greet(server, "https") == "Hello Ann!"
        server.signal(signal.SIGUSR2)
        server.logged("--sandbox permits no new program")
        assert greet(server, "https") == "Hello Ann!"
    finally:
        server.stop()
    assert log.read_text().count("sayHello") == 2


def test_a_front_end_in_a_sandbox(build, tmp_path):
    """It finds its backend by name, which takes DNS, and serves the page."""
    socket = tmp_path / "web"
    api = Server(build / "bin" / "quoit-api", "--sandbox", "--listen", "127.0.0.1:0", env=NO_LEAK_CHECK)
    web = Server(
        build / "bin" / "quoit-web", "--sandbox", "--listen", "127.0.0.1:0", "--listen", f"unix:{socket}",
        env={**NO_LEAK_CHECK, "BACKEND_HOST": "localhost", "BACKEND_PORT": str(api.port)},
    )  # fmt: skip
    try:
        web.logged(f"unix:{socket}")
        assert socket.is_socket()
        assert b"<html" in urllib.request.urlopen(f"http://{web.target}/", timeout=30).read()
        assert greet(web) == "Hello Ann!"
    finally:
        web.stop()
        api.stop()
