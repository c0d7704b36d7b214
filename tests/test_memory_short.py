# SPDX-License-Identifier: MIT
"""What becomes of those who hold much while memory is short, and of those who wait for it."""

import pytest

from hostile import MIB, OK
from hostile import kept  # noqa: F401 (fixture)
from servers import eventually
from test_hostile_memory import Peak
from test_memory_budget import BUDGET, MARGIN, big, many, refused, serves, settled
from wire import Wire, message, request_fields


def test_who_moves_nothing_gives_way(start, calls):
    """Not after the ten minutes that a window may be shut: others want it."""
    server = start(
        "test-server",
        *("--limit", f"memory_bytes_max={BUDGET}", "--limit", "memory_stall_ms=500"),
        *("--limit", "ping_strikes_max=4294967295"),
    )
    with many(server, 40) as wires, Wire(server) as honest_one:
        for _ in range(8):
            for wire in wires:
                big(calls, wire, 300_000)
                wire.data(wire.request("/calls.Calls/Echo", None, end=False), message(b"x" * 60_000)[:-1])
        settled(wires)
        size = 3 * MIB

        def is_served():
            answer = honest_one.answer(big(calls, honest_one, size))
            return answer.status == OK and len(answer.data) > size

        assert not is_served()
        eventually(is_served, "there is room again")
        assert not any(wire.closed or wire.goaways for wire in wires)
        settled(wires)
        texts = {answer.text for wire in wires for answer in wire.streams.values() if answer.status}
        assert "the peer moves nothing while memory is short (memory_stall_ms, memory_bytes_max)" in texts


def test_the_connection_that_waited_for_room_goes_on(start, calls):
    """Its own answers are still left waiting; what others held is there again."""
    server = start("test-server", "--limit", f"memory_bytes_max={BUDGET}")
    with Wire(server, window=0) as left:
        big(calls, left, 6 * MIB)
        left.ping()
        with many(server, 4) as wires:
            for wire in wires:
                for _ in range(6):
                    big(calls, wire, 2 * MIB)
            settled(wires)
            stream = left.request("/calls.Calls/Echo", b"\x12\x01x")
            left.open_window(stream, 1000)
            left.ping()
            assert not left.streams[stream].is_over
        assert left.answer(stream).status == OK


def test_without_a_limit(start, calls):
    server = start("test-server", "--limit", f"memory_bytes_max={2**64 - 1}")
    with many(server, 10) as wires:
        for wire in wires:
            for _ in range(6):
                big(calls, wire, 2 * MIB)
        settled(wires)
        assert refused(wires) == 0


def test_rings_have_equal_parts(start, calls):
    server = start("test-server", "--rings", 4, "--limit", f"memory_bytes_max={4 * BUDGET}")
    peak = Peak(server)
    with many(server, 100) as wires:
        for _ in range(6):
            for wire in wires:
                big(calls, wire, 1 * MIB)
            settled(wires)
        assert peak.growth() < 4 * BUDGET + 2 * MARGIN
        assert refused(wires) > 0


def open_requests(calls, wires):
    """Without an end, and of 60 KB, which a connection may hold in any case where it has few neighbours."""
    for wire in wires:
        wire.data(wire.request("/calls.Calls/Echo", None, end=False), message(b"x" * 60_000)[:-1])


def untaken_answers(calls, wires):
    for wire in wires:
        big(calls, wire, 60_000)


@pytest.mark.parametrize("mode", [[], ["--offload-all", "--workers", 3]], ids=["plain", "offloaded"])
@pytest.mark.parametrize(
    "holds",
    [[open_requests], [untaken_answers], [open_requests, untaken_answers]],
    ids=["requests", "answers", "both"],
)
def test_what_is_held_in_any_case(start, calls, kept, mode, holds):
    """Little for each, but of so many connections that all of it would be several times the budget."""
    budget, peers = 8 * MIB, 500
    own = peers * 24 * 1024  # connections, streams and calls that hold nothing
    server = start(
        "test-server",
        *mode,
        *("--limit", f"memory_bytes_max={budget}", "--limit", "memory_stall_ms=4294967295"),
        *("--limit", "ping_strikes_max=4294967295"),
    )
    peak = Peak(server)
    with many(server, peers) as wires:
        for hold in holds:
            hold(calls, wires)
            settled(wires)
        print(f"RSS grew by {peak.growth() / MIB:.1f} MiB")
        assert peak.growth() < budget + own + (3 * MARGIN + kept * MIB if kept else 0)
        assert refused(wires) > 0
        serves(server)


def metadata(path="/calls.Calls/Echo"):
    """7 KB, in fields of which each needs a larger block of memory than the one before: 15 KB in all."""
    return request_fields(path, **{f"x{i}": "~" * 1000 for i in range(7)})


def calls_without_data(wire):
    for path in ("/calls.Calls/Echo", "/calls.Calls/Chat") * 4:
        wire.headers(metadata(path), huffman=False)


def half_a_block(wire):
    """Of a call that is not known to be one yet."""
    wire.headers(metadata(), huffman=False, whole=False)


def test_metadata_is_within_the_limit(start, kept):
    """Two calls for each, which may be held in any case where they are small, would be four times the budget."""
    budget, peers = 8 * MIB, 1000
    own = peers * 16 * 1024  # connections, streams and calls that hold nothing
    server = start(
        "test-server",
        *("--limit", f"memory_bytes_max={budget}", "--limit", "memory_stall_ms=4294967295"),
        *("--limit", "ping_strikes_max=4294967295"),
    )
    peak = Peak(server)
    with many(server, peers) as wires:
        for wire in wires:
            calls_without_data(wire)
        settled(wires)
        print(f"RSS grew by {peak.growth() / MIB:.1f} MiB")
        assert peak.growth() < budget + own + (3 * MARGIN + kept * MIB if kept else 0)
        assert refused(wires) > 0
        serves(server)


@pytest.mark.parametrize("hold", [calls_without_data, half_a_block])
def test_who_holds_metadata_gives_way(start, calls, hold):
    server = start(
        "test-server",
        *("--limit", f"memory_bytes_max={8 * MIB}", "--limit", "memory_stall_ms=1000"),
        *("--limit", "ping_strikes_max=4294967295"),
    )
    with many(server, 400) as wires, Wire(server) as honest_one:
        for wire in wires:
            hold(wire)

        def is_served():
            return honest_one.answer(big(calls, honest_one, MIB)).status == OK

        eventually(lambda: not is_served(), "memory is short")
        eventually(is_served, "there is room again")
