# SPDX-License-Identifier: MIT
"""More of something than anybody needs: headers, frames, streams, answers that nobody reads."""

import struct
import time

import hyperframe.frame as frames
import pytest

from hostile import BIG, ECHO, MIB, OK, RESOURCE_EXHAUSTED, SUM, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import PATIENCE, eventually
from wire import ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, NO_ERROR, REFUSED_STREAM, Wire, message, request_fields

# ---- header floods ----


def test_many_fields(wire):
    fields = [(f"x-{i}", "") for i in range(150)]
    stream = wire.headers(request_fields(ECHO) + fields)
    wire.data(stream, message(b""), end=True)
    assert wire.answer(stream).status == RESOURCE_EXHAUSTED
    assert works(wire)


def test_large_fields(wire):
    stream = wire.headers(request_fields(ECHO) + [("x", "y" * 9000)])
    wire.data(stream, message(b""), end=True)
    assert wire.answer(stream).status == RESOURCE_EXHAUSTED
    assert works(wire)


def test_hpack_bomb(server, wire, kept):
    """One large entry in the table, then thousands of references of a byte each."""
    before = server.rss()
    for _ in range(20):
        block = wire.encoder.encode(request_fields(ECHO) + [("x", "y" * 3000)])
        reference = wire.encoder.encode([("x", "y" * 3000)])
        assert len(reference) == 1
        stream = wire.new_id()
        wire.frame(frames.HeadersFrame(stream, block + reference * 12_000, flags=["END_HEADERS"]))
        assert wire.answer(stream).reset is not None
    assert works(wire)
    assert server.rss() - before < (8 + kept) * MIB


@pytest.mark.parametrize("size", [0, 3000])
@pytest.mark.parametrize("refused", [False, True])
def test_references_can_not_be_repeated_for_ever(server, size, refused):
    """Each of them takes as much time as a longer field, also in a block that is of no use any more."""
    with Wire(server) as wire:
        assert wire.ping()
        for _ in range(128 if refused else 0):
            wire.request(WAIT, b"")
        block = wire.encoder.encode(request_fields(ECHO) + [("x", "y" * size)])
        reference = wire.encoder.encode([("x", "y" * size)])
        blocks = 0
        while blocks < 200 and not wire.closed and not wire.goaways:
            wire.frame(frames.HeadersFrame(wire.new_id(), block + reference * 12_000, flags=["END_HEADERS"]))
            block = b""
            wire.poll()
            blocks += 1
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and blocks > 20
    server.logged("HTTP/2: ENHANCE_YOUR_CALM: too many useless frames (glitches_burst_max, glitches_per_second); closed")


def test_continuation_flood(server):
    with Wire(server) as wire:
        stream = wire.new_id()
        wire.frame(frames.HeadersFrame(stream, wire.encoder.encode(request_fields(ECHO))))
        piece = wire.encoder.encode([("x-small", "1")])
        for _ in range(2000):
            if wire.closed:
                break
            wire.frame(frames.ContinuationFrame(stream, piece))
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
        assert b"too many CONTINUATION frames (continuation_frames_max)" in wire.goaway_texts
    server.logged("HTTP/2: ENHANCE_YOUR_CALM: too many CONTINUATION frames (continuation_frames_max); closed")


FLOODS = {
    "settings": (frames.SettingsFrame().serialize() * 3000, "too many answers to its frames wait"),
    "pings": (frames.PingFrame(0, b"12345678").serialize() * 3000, "too many answers to its frames wait"),
    "empty": (frames.DataFrame(1, b"").serialize() * 20_000, "too many empty DATA frames"),
    "priorities": (frames.PriorityFrame(1, 0).serialize() * 30_000, "too many useless frames"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_who_floods_is_named_with_the_reason(server, flood):
    """More to be acknowledged than is kept, in one go; and what nghttp2 counts."""
    data, reason = FLOODS[flood]
    with Wire(server) as wire:
        address = f"127.0.0.1:{wire.socket.getsockname()[1]}"
        wire.request(SUM, b"\x08\x01", end=False)
        wire.send(data)
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
        assert f"HTTP/2: ENHANCE_YOUR_CALM: {reason}" in server.logged(address)


def test_who_floods_is_named_though_it_does_not_read(server):
    """Its GOAWAY waits behind an answer that it leaves in the socket."""
    with Wire(server, receive_buffer=4096) as wire:
        address = f"127.0.0.1:{wire.socket.getsockname()[1]}"
        wire.request(BIG, b"\x08\x80\x80\x80\x08")
        time.sleep(0.3)  # the socket is full
        wire.send(frames.SettingsFrame().serialize() * 3000)
        assert "HTTP/2: ENHANCE_YOUR_CALM: too many answers to its frames wait" in server.logged(address)


def test_trailers_of_a_request_are_bounded_too(server, wire, kept):
    before = server.rss()
    stream = wire.request(SUM, b"\x08\x01", end=False)
    fields = [(f"x-{i}", "y" * 50) for i in range(300)]
    wire.headers(fields, end=True, stream=stream)
    assert wire.answer(stream).is_over
    assert works(wire)
    eventually(lambda: server.rss() - before < (4 + kept) * MIB, "what the tests before it took is returned")


# ---- frame floods ----


def flood(wire, frame, count):
    """@count times, as fast as it goes, and until the server closes."""
    data = frame.serialize() * 1000
    for _ in range(count // 1000):
        if wire.closed:
            return
        wire.send(data)


def test_priority_flood(server, wire):
    """CVE-2019-9513: some are no matter, a flood ends the connection."""
    frame = b"\0\0\5\2\0" + struct.pack(">IIB", 1001, 0, 16)
    wire.send(frame * 100)
    assert works(wire)
    for _ in range(200):
        wire.send(frame * 500)
    assert not wire.ping()
    assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
    server.logged("too many useless frames (glitches_burst_max, glitches_per_second); closed")


def test_names_without_length(server, kept):
    """CVE-2019-9516: fields of no name and no value, which leaked elsewhere."""
    before = server.rss()
    for _ in range(20):
        with Wire(server) as wire:
            for _ in range(100):
                stream = wire.new_id()
                block = wire.encoder.encode(request_fields(ECHO)) + b"\0\0\0" * 100
                wire.frame(frames.HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]))
                wire.poll()
                if wire.closed:
                    break
    assert server.rss() - before < (10 + kept) * MIB


def test_data_dribble(server, calls, kept):
    """CVE-2019-9511: large answers, asked for a byte at a time on many streams."""
    before = server.rss()
    body = calls.Number(value=256 * 1024).SerializeToString()
    with Wire(server, window=0) as wire:
        streams = [wire.request("/calls.Calls/Big", body) for _ in range(100)]
        for _ in range(100):
            wire.send(b"".join(b"\0\0\4\x08\0" + struct.pack(">II", s, 1) for s in streams))
            wire.poll()
        assert not wire.closed
        assert server.rss() - before < (60 + kept) * MIB
        assert wire.ping()


def test_header_bombs_behind_closed_windows(server, kept):
    """CVE-2026-49975: small blocks that decode to large ones, for answers that nobody reads."""
    before = server.rss()
    with Wire(server, window=0) as wire:
        fields = request_fields(ECHO) + [("x-large", "v" * 3500)]
        for _ in range(500):
            stream = wire.headers(fields + [("x-large", "v" * 3500)])
            wire.data(stream, message(b""), end=True)
            wire.poll()
            if wire.closed:
                break
        assert server.rss() - before < (10 + kept) * MIB


def test_streams_over_the_limit_are_refused(server, calls):
    with Wire(server) as wire:
        assert wire.ping()
        limit = wire.settings[3]
        assert limit == 128
        streams = [wire.request(WAIT, b"") for _ in range(limit)]
        assert wire.ping()
        assert not any(wire.streams[stream].is_over for stream in streams)
        wire.reset(streams[0])
        assert wire.ping()  # a place is free when the handler is done, not before
        eventually(lambda: works(wire), "it has room again")
    with Wire(server) as wire:
        # one too many, the server's SETTINGS not acknowledged: nothing that a client has to know
        wire.answers_settings = False
        streams = [wire.request(WAIT, b"") for _ in range(limit)]
        over = wire.request(WAIT, b"")
        assert wire.answer(over).reset == REFUSED_STREAM
        wire.reset(streams[0])
        assert wire.ping()  # a place is free when the handler is done, not before
        eventually(lambda: works(wire), "it has room again")


def test_refused_streams_that_nobody_reads_of_take_bounded_memory(server, kept):
    before = server.rss()
    with Wire(server, receive_buffer=4096) as wire:
        for _ in range(128):
            wire.request(WAIT, b"")
        fields = wire.encoder.encode(request_fields(WAIT))
        for _ in range(300):
            if wire.closed:
                break
            wire.send(
                b"".join(
                    frames.HeadersFrame(wire.new_id(), fields, flags=["END_HEADERS"]).serialize()
                    for _ in range(1000)
                )
            )
        assert server.rss() - before < (16 + kept) * MIB


def test_answers_that_nobody_reads_end_the_connection(server, kept):
    """CVE-2019-9512, -9515."""
    before = server.rss()
    data = [frames.PingFrame(0, b"12345678"), frames.SettingsFrame(settings={4: 65535})]
    data = [frame.serialize() * 1000 for frame in data]
    with Wire(server, receive_buffer=4096) as pings, Wire(server, receive_buffer=4096) as settings:
        end = time.monotonic() + PATIENCE
        while not (pings.closed and settings.closed):
            assert time.monotonic() < end
            for wire, piece in zip((pings, settings), data):
                if not wire.closed:
                    wire.send(piece)
    assert server.rss() - before < (16 + kept) * MIB


def test_empty_data_frames(server, wire):
    """CVE-2019-9518."""
    stream = wire.request(SUM, b"\x08\x01", end=False)
    flood(wire, frames.DataFrame(stream, b""), 20_000)
    wire.read_to_end()
    assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
    server.logged("HTTP/2: ENHANCE_YOUR_CALM: too many empty DATA frames (empty_frames_max); closed")


def test_some_empty_data_frames_are_honest(wire):
    stream = wire.request(SUM, b"\x08\x01", end=False)
    for _ in range(500):
        wire.data(stream, b"")
        wire.data(stream, b"")
        wire.data(stream, message(b"\x08\x01"))
    wire.data(stream, b"", end=True)
    answer = wire.answer(stream)
    assert answer.status == OK and answer.data == message(b"\x08\xf5\x03")


@pytest.mark.parametrize("of", ["a stream", "the connection"])
def test_window_updates_past_the_maximum(start, of):
    server = start("test-server")
    with Wire(server) as wire:
        port = wire.socket.getsockname()[1]
        stream = wire.request(WAIT, b"")
        for _ in range(2):
            wire.open_window(stream if of == "a stream" else 0, 2**31 - 1)
        wire.read_to_end()
        assert wire.goaways[-1][1] == FLOW_CONTROL_ERROR
    assert f"127.0.0.1:{port}: HTTP/2: FLOW_CONTROL_ERROR" in server.logged("FLOW_CONTROL_ERROR")


def test_more_data_than_the_window(server):
    with Wire(server) as wire:
        assert wire.ping()
        stream = wire.request("/calls.Calls/Chat", None, credits="0")
        wire.data(stream, b"".join(message(b"\x0a\x64" + b"x" * 100) for _ in range(10_000)))
        wire.read(lambda: wire.streams[stream].is_over, "it is over")
        if not wire.closed:
            assert wire.streams[stream].reset == FLOW_CONTROL_ERROR
            assert works(wire)


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0\0\0\0\0\0",  # DATA on stream 0
        b"\0\0\4\3\0\0\0\0\0\0\0\0\0",  # RST_STREAM on stream 0
        b"\0\0\5\6\0\0\0\0\0abcde",  # PING of 5 bytes
        b"\0\0\5\4\0\0\0\0\0abcde",  # SETTINGS of 5 bytes
        b"\0\0\6\4\0\0\0\0\0\0\4\xff\xff\xff\xff",  # a window over 2^31 - 1
        b"\0\0\4\x05\0\0\0\0\1\0\0\0\2",  # PUSH_PROMISE
        b"\0\0\1\x09\4\0\0\0\1x",  # CONTINUATION of nothing
        b"\0\0\4\1\4\0\0\0\2\x82\x84\x86\x41",  # HEADERS on an even stream
        b"\0\0\5\1\4\0\0\0\1\xff\xff\xff\xff\x7f",  # HPACK: an index beyond all
        b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",  # WINDOW_UPDATE by 0 on the connection
    ],
)
def test_frames_that_end_the_connection(server, data):
    with Wire(server) as wire:
        assert wire.ping()
        wire.send(data)
        wire.read_to_end()
        assert wire.goaways and wire.goaways[-1][1] != NO_ERROR


def test_unknown_frames_are_ignored(wire):
    for kind in (10, 77, 250):
        wire.send(b"\0\0\3" + bytes([kind]) + b"\xff\0\0\0\0abc")
    wire.frame(frames.PriorityFrame(3, depends_on=1, stream_weight=5))
    assert works(wire)
