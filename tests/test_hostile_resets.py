# SPDX-License-Identifier: MIT
"""Calls that are begun only to be reset, by their client or by the server for what it sends."""

import struct

import pytest

from conftest import channel
from hostile import CHAT, DEADLINE_EXCEEDED, LATER, MIB, OK, SUM, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import eventually
from wire import ENHANCE_YOUR_CALM, NO_ERROR, REFUSED_STREAM, Wire, request_fields


def provoke(wire, how):
    """A call whose stream is reset, by its client or, for what that sends, by the server."""
    if how == "reset by the client":
        wire.reset(wire.request(WAIT, b""))
    elif how == "content-length":
        stream = wire.headers(request_fields(CHAT) + [("content-length", "1")])
        wire.data(stream, b"more than one")
    elif how == "bad field":
        wire.headers(request_fields(CHAT) + [("x", "a\nb")])
    elif how == "huge field":
        wire.headers(request_fields(CHAT) + [("x", "y" * 3000)] * 6)
    else:
        stream = wire.request(SUM, b"\x08\x01", end=False)
        trailers = {
            "trailers without an end": ([("x", "y")], False),
            "trailers with a bad field": ([("x", "a\nb")], True),
            "trailers with a path": ([(":path", "/")], True),
            "huge trailers": ([("x", "y" * 3000)] * 6, True),
        }
        fields, end = trailers[how]
        wire.headers(fields, end=end, stream=stream)


@pytest.mark.parametrize(
    "how",
    ["reset by the client", "content-length", "bad field", "huge field"]
    + ["trailers without an end", "trailers with a bad field", "trailers with a path", "huge trailers"],
)
def test_rapid_reset(start, calls, how):
    """CVE-2023-44487 and CVE-2025-8671, MadeYouReset: calls are begun and reset, in all ways that there are."""
    bounds = ["--limit", "resets_burst_max=200", "--limit", "resets_per_second=1"]
    server = start("test-server", *bounds, "--limit", f"ping_strikes_max={2**32 - 1}")
    with Wire(server) as wire, channel(server.target) as opened:
        for _ in range(20):  # below the limit they cost their streams only
            provoke(wire, how)
        assert works(wire)
        for count in range(20, 1000):
            provoke(wire, how)
            # so that the server is not ahead of us: it may have 128 streams open, and reads many frames at once
            if not wire.ping():
                break
        assert 200 <= count < 210
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and b"too_many_resets (resets_burst_max, resets_per_second)" in wire.goaway_texts
        wire.read_to_end()
        assert server.logged("too many resets of streams (resets_burst_max, resets_per_second); closed")
        stub = calls.Stub(opened)
        eventually(lambda: stub.Stats(calls.Empty()).running == 0, "handlers were told")


def test_answers_before_the_end_are_no_resets(start):
    """The server resets these too, with NO_ERROR behind its answer: nobody's fault."""
    server = start("test-server", "--limit", "resets_burst_max=20", "--limit", "resets_per_second=1")
    with Wire(server) as wire:
        for _ in range(100):
            answer = wire.answer(wire.request("/calls.Calls/First", b"\x12\x01x", end=False))
            wire.read(lambda answer=answer: answer.reset is not None, "the stream's reset")
            assert answer.status == OK and answer.reset == NO_ERROR


def test_a_flood_of_resets(server, calls):
    """By the limits that a server has by itself."""
    with Wire(server) as wire:
        for _ in range(10_000):
            provoke(wire, "reset by the client")
            wire.poll()
            if wire.goaways or wire.closed:
                break
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
        wire.read_to_end()
    with channel(server.target) as opened:
        stub = calls.Stub(opened)
        eventually(lambda: stub.Stats(calls.Empty()).running <= 1, "handlers were told")


@pytest.mark.parametrize("how", ["reset", "deadline"])
def test_calls_that_are_over_count_until_their_handlers_are_done(server, calls, how):
    """Handlers that sleep on, though their streams are over: twice as many as streams, and no more."""
    changes = {"grpc_timeout": "250m"} if how == "deadline" else {}
    delay = calls.Delay(ms=1500).SerializeToString()
    most = 0
    with Wire(server) as wire, channel(server.target) as opened:
        stub = calls.Stub(opened)
        for batch in range(12):
            streams = [wire.request(LATER, delay, **changes) for _ in range(64)]
            assert wire.ping()
            if batch == 0:
                eventually(lambda: stub.Stats(calls.Empty()).running >= 32, "they run")
            for stream in streams:
                if how == "deadline":
                    answer = wire.answer(stream)
                    assert answer.status == DEADLINE_EXCEEDED or answer.reset == REFUSED_STREAM
                else:
                    wire.reset(stream)
            assert wire.ping()
            most = max(most, stub.Stats(calls.Empty()).running)
        assert 32 <= most <= 2 * 128 + 2  # two are the honest client's
        eventually(lambda: stub.Stats(calls.Empty()).running <= 2, "they are done")
        assert works(wire)


def test_resets_that_the_server_is_made_to_send(server, calls, kept):
    """CVE-2025-8671, and CVE-2019-9514: a window update of 0 makes the server reset; nobody reads."""
    before = server.rss()
    with Wire(server) as wire:
        for _ in range(20_000):
            stream = wire.request(WAIT, b"")
            wire.send(b"\0\0\4\x08\0" + struct.pack(">II", stream, 0))
            if wire.closed:
                break
        assert server.rss() - before < (10 + kept) * MIB


def test_resets_for_requests_that_contradict_themselves(server, calls, kept):
    """CVE-2025-8671 again: the server resets a stream whose handler runs, for a content-length that is wrong."""
    before = server.rss()
    with Wire(server) as wire, channel(server.target) as opened:
        stub = calls.Stub(opened)
        for _ in range(5_000):
            stream = wire.headers(request_fields(CHAT) + [("content-length", "1")])
            wire.data(stream, b"more than one")
            if wire.closed:
                break
            wire.poll()
        assert stub.Stats(calls.Empty()).running <= 2 * 128 + 2
        assert server.rss() - before < (10 + kept) * MIB
        eventually(lambda: stub.Stats(calls.Empty()).running <= 2, "they are done")
