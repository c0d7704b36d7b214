# SPDX-License-Identifier: MIT
"""Many connections that hold what one may: together they hold no more than `memory_bytes_max`, and who asks for little is served."""

import contextlib
import os

import pytest

from hostile import BIG, MIB, QUARANTINE, RESOURCE_EXHAUSTED, works
from hostile import honest, kept  # noqa: F401 (fixtures)
from servers import Server
from test_hostile_memory import HOLD, PLANT, Peak, field, gzip, send
from wire import Wire, message, request_fields

BUDGET = 32 * MIB
MARGIN = 48 * MIB  # what is kept for reuse, buffers, connections, and answers that threads make or have just made
PEERS = 100
CHAT = "/calls.Calls/Chat"


@pytest.fixture(params=["plain", "offloaded", "intercepted"])
def server(request, build):
    mode = {"plain": [], "offloaded": ["--offload-all", "--workers", 3], "intercepted": ["--intercept"]}[request.param]
    limits = [f"memory_bytes_max={BUDGET}", "memory_stall_ms=4294967295", "ping_strikes_max=4294967295"]
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + f":quarantine_size_mb={QUARANTINE}"
    started = Server(
        build / "tests/services/test-server",
        *mode,
        *[part for limit in limits for part in ("--limit", limit)],
        env={"ASAN_OPTIONS": sanitizer},
    )
    yield started
    started.stop()


@pytest.fixture
def growth_max(kept):
    return BUDGET + MARGIN + (3 * MARGIN + kept * MIB if kept else 0)


def big(calls, wire, size):
    return wire.request(BIG, calls.Number(value=size).SerializeToString())


@contextlib.contextmanager
def many(server, count=PEERS, window=0):
    """They take nothing on any stream."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server, window=window)) for _ in range(count)]
        settled(wires)  # and the server's windows are known
        yield wires


def settled(wires):
    """All that was sent has been looked at."""
    for wire in wires:
        assert wire.ping()


def serves(server):
    """Workers too have come to the end of what was asked before."""
    with Wire(server) as wire:
        assert works(wire)


def refused(wires):
    return sum(answer.status == RESOURCE_EXHAUSTED for wire in wires for answer in wire.streams.values())


@pytest.mark.parametrize("size", [100_000, 700_000, 3_000_000])
def test_answers_that_nobody_takes(server, calls, growth_max, size):
    peak = Peak(server)
    with many(server) as wires:
        for _ in range(3_000_000 // size):
            for wire in wires:
                big(calls, wire, size)
            settled(wires)
        serves(server)
        assert peak.growth() < growth_max
        server.logged("memory is short")


@pytest.mark.parametrize("size", [30_000, 200_000])
@pytest.mark.parametrize("path", ["/calls.Calls/Echo", CHAT], ids=["unary", "stream"])
def test_requests_that_never_end(server, growth_max, size, path):
    peak = Peak(server)
    with many(server) as wires:
        for _ in range(1_000_000 // size):
            for wire in wires:
                stream = wire.request(path, None, end=False)
                wire.data(stream, message(b"x" * size)[:-1])
            settled(wires)
        serves(server)
        assert peak.growth() < growth_max
        assert refused(wires) > 0


@pytest.mark.parametrize("path", [PLANT, HOLD], ids=["answered", "held"])
def test_bombs(server, growth_max, path):
    """120 bytes that become 10 MiB."""
    peak = Peak(server)
    with many(server, 30) as wires:
        for _ in range(3):
            for wire in wires:
                send(wire, path, field(1, b"") * 6000)
            settled(wires)
        serves(server)
        assert peak.growth() < growth_max


def test_calls_that_are_held(server, growth_max):
    """With metadata, and no message at all."""
    peak = Peak(server)
    with many(server) as wires:
        fields = request_fields("/calls.Calls/Wait", x_large="~" * 7000)
        for _ in range(100):
            for wire in wires:
                wire.data(wire.headers(fields, huffman=False), message(b""), end=True)
        settled(wires)
        serves(server)
        assert peak.growth() < growth_max


def test_small_messages_count_with_what_they_take(start, calls, growth_max):
    """A stream on a worker has a queue, too; of messages of a few bytes each takes a block of memory."""
    server = start("test-server", "--offload-all", "--workers", 3, "--limit", f"memory_bytes_max={BUDGET}")
    peak = Peak(server)
    endless = calls.Number(value=2**62).SerializeToString()
    with many(server, 40) as wires:
        for wire in wires:
            for _ in range(50):
                wire.request("/calls.Calls/Count", endless)
        with Wire(server) as honest_one:
            for _ in range(50):
                assert works(honest_one)
        assert peak.growth() < growth_max


def test_metadata_has_the_limit_of_its_connection(start):
    """Though no message of these calls has begun."""
    server = start("test-server", "--limit", f"connection_receive_bytes_max={128 << 10}")
    with Wire(server) as wire:
        padding = [(f"x-{i}", "v" * 1500) for i in range(4)]
        for _ in range(60):
            wire.headers(request_fields(CHAT) + padding, huffman=False)
        assert wire.ping()
        texts = {answer.text for answer in wire.streams.values() if answer.status == RESOURCE_EXHAUSTED}
        assert texts == {"the connection's requests are over the limit (connection_receive_bytes_max)"}
        assert 30 < refused([wire]) < 50
