# SPDX-License-Identifier: MIT
"""Frames for streams that are not there."""

import struct

import pytest

from conftest import channel
from hostile import WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import eventually
from wire import CANCEL, ENHANCE_YOUR_CALM, PROTOCOL_ERROR, REFUSED_STREAM, Wire


def raw(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def reset_frame(stream):
    return raw(3, 0, stream, struct.pack(">I", CANCEL))


# ---- streams that were never opened ----


@pytest.mark.parametrize("stream", [1, 7, 2, 2**31 - 1, 2**31 - 2])
def test_a_reset_of_a_stream_that_was_never_opened_is_ignored(wire, stream):
    """gRPC C++ sends it for a call that is cancelled before its HEADERS."""
    wire.next_id = 3
    running = wire.request(WAIT, b"")
    wire.send(reset_frame(stream))
    assert works(wire)
    if stream == 7:  # its number is as good as before
        assert wire.next_id == 7
        assert works(wire) and wire.next_id == 9
    assert not wire.streams[running].is_over and not wire.goaways


def test_such_resets_count_as_resets(start):
    server = start("test-server", "--limit", "resets_burst_max=200", "--limit", "resets_per_second=1")
    with Wire(server) as wire:
        wire.send(b"".join(reset_frame(1001 + 2 * i) for i in range(190)))
        assert works(wire)
        wire.send(b"".join(reset_frame(2001 + 2 * i) for i in range(50)))
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and b"too_many_resets" in wire.goaway_texts


def test_a_stock_client_that_cancels_at_once_keeps_its_connection(start, calls):
    server = start("test-server")
    ports = set()
    with channel(server.target) as opened:
        stub = calls.Stub(opened)
        for _ in range(10):
            for _ in range(100):
                stub.Wait.future(calls.Empty()).cancel()
            ports.add(stub.Peer(calls.Empty(), timeout=30).address)
    assert len(ports) == 1


@pytest.mark.parametrize("stream", [9, 10])
@pytest.mark.parametrize("kind, payload", [(0, b"data"), (0, b""), (8, b"\0\0\0\1"), (9, b"\x82")])
def test_other_frames_of_such_streams_end_the_connection(server, stream, kind, payload):
    with Wire(server) as wire:
        assert works(wire)
        wire.send(raw(kind, 0, stream, payload))
        wire.read_to_end()
        assert wire.goaways[-1][1] == PROTOCOL_ERROR


@pytest.mark.parametrize("kind", ["skipped", "closed"])
def test_frames_of_streams_that_are_over_are_ignored(wire, kind):
    wire.next_id = 5 if kind == "skipped" else 1
    assert works(wire)
    stream = 1
    wire.send(reset_frame(stream) + raw(8, 0, stream, b"\0\0\0\1") + raw(0, 0, stream, b"data"))
    wire.send(raw(2, 0, stream, b"\0\0\0\0\1"))
    assert works(wire)


def test_more_streams_than_allowed_are_refused(wire):
    """Also once the limit was acknowledged: RFC 9113, section 5.1.2."""
    assert wire.ping() and wire.settings[3] == 128
    running = [wire.request(WAIT, b"") for _ in range(128)]
    over = [wire.request(WAIT, b"") for _ in range(5)]
    for stream in over:
        assert wire.answer(stream).reset == REFUSED_STREAM
    assert not any(wire.streams[stream].is_over for stream in running)
    wire.reset(running[0])
    eventually(lambda: wire.ping() and works(wire), "it has room again")
