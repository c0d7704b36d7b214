# SPDX-License-Identifier: MIT
"""What the tests of hostile peers share: a server, an honest client on it, and a peer of frames by hand.

All is in terms of sockets and frames, since no client library lets one misbehave so. PROTOCOL.md's figures.
"""

import itertools
import os
import threading
import time

import pytest

from conftest import channel
from servers import PATIENCE, Server
from wire import Wire, message

MIB = 1 << 20
QUARANTINE = 16  # MiB
ECHO, BIG = "/calls.Calls/Echo", "/calls.Calls/Big"
WAIT = "/calls.Calls/Wait"
CHAT = "/calls.Calls/Chat"
LATER = "/calls.Calls/Later"
SUM = "/calls.Calls/Sum"
OK, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 2, 4, 8, 12, 13


@pytest.fixture(scope="module", params=["plain", "offloaded"])
def server(request, build):
    options = ["--offload-all"] if request.param == "offloaded" else []
    limits = ["--limit", "handshake_ms=1500", "--limit", "stall_ms=60000"]
    limits += ["--limit", "resets_burst_max=2000", "--limit", "resets_per_second=1000"]
    # the tests ask with PINGs how far the server has read; test_keepalive.py has the limit on them
    limits += ["--limit", "ping_strikes_max=4294967295"]
    # what was freed is soon gone in ASan's build too: tests look at what is resident
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + f":quarantine_size_mb={QUARANTINE}"
    started = Server(
        build / "tests/services/test-server", *options, *limits, env={"ASAN_OPTIONS": sanitizer}
    )
    yield started
    started.stop()


@pytest.fixture
def kept(sanitized):
    """MiB that stay resident though the server has freed them."""
    return QUARANTINE + 8 if sanitized else 0


@pytest.fixture(autouse=True)
def honest(request, calls, record_property):
    """An honest client on the same server, for tests that do not start one of their own: it calls all the time, and no call of it fails or waits. The p99 of its latency goes
    into the report of the run (junit.xml, honest_p99_ms): on a quiet machine that is 50 ms at most."""
    if "server" not in request.fixturenames:
        yield
        return
    server = request.getfixturevalue("server")
    over = threading.Event()
    latencies = []
    failures = []

    def call_on():
        with channel(server.target) as opened:
            stub = calls.Stub(opened)
            for number in itertools.count():
                began = time.monotonic()
                try:
                    reply = stub.Echo(calls.Payload(text=str(number)), timeout=PATIENCE)
                    assert reply.text == str(number)
                except Exception as error:  # whatever it is, the test tells it
                    failures.append(error)
                    return
                latencies.append(time.monotonic() - began)
                if over.wait(0.01):
                    return

    thread = threading.Thread(target=call_on)
    thread.start()
    yield
    over.set()
    thread.join()
    assert not failures
    latencies.sort()
    record_property("honest_p99_ms", round(1000 * latencies[len(latencies) * 99 // 100], 1))
    # a noisy machine takes its time too; what hangs takes longer
    assert latencies[-1] < 5


@pytest.fixture
def wire(server):
    with Wire(server) as opened:
        yield opened


def works(wire):
    """The connection goes on as if nothing had been."""
    answer = wire.call(ECHO, b"\x12\x01x")
    return answer.status == OK and answer.data == message(b"\x12\x01x")
