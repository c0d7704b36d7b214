# SPDX-License-Identifier: MIT
"""Peers that are wrong, or mean it: each gets its answer, the others notice nothing.

Sockets and frames by hand, since no client library lets one misbehave so. PROTOCOL.md's figures.
"""

import itertools
import os
import random
import socket
import struct
import threading
import time

import hpack
import hyperframe.frame as frames
import pytest

from conftest import channel
from servers import PATIENCE, Server, eventually
from wire import (
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    NO_ERROR,
    PREFACE,
    REFUSED_STREAM,
    Wire,
    message,
    request_fields,
)

MIB = 1 << 20
ECHO, BIG = "/calls.Calls/Echo", "/calls.Calls/Big"
WAIT = "/calls.Calls/Wait"
CHAT = "/calls.Calls/Chat"
LATER = "/calls.Calls/Later"
SUM = "/calls.Calls/Sum"
OK, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 2, 4, 8, 12, 13


@pytest.fixture(scope="module", params=["plain", "offloaded"])
def server(request, build):
    options = ["--offload-all"] if request.param == "offloaded" else []
    limits = ["--limit", "handshake_ms=700", "--limit", "stall_ms=60000"]
    # the tests ask with PINGs how far the server has read; test_keepalive.py has the limit on them
    limits += ["--limit", "ping_strikes_max=4294967295"]
    started = Server(build / "tests/services/test-server", *options, *limits)
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def honest(server, calls):
    """An honest client on the same server: it calls all the time, and no call of it fails or waits."""
    over = threading.Event()
    slowest = [0.0]
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
                slowest[0] = max(slowest[0], time.monotonic() - began)
                if over.wait(0.01):
                    return

    thread = threading.Thread(target=call_on)
    thread.start()
    yield
    over.set()
    thread.join()
    assert not failures
    # a noisy machine takes its time too; what hangs takes longer
    assert slowest[0] < 5


@pytest.fixture
def wire(server):
    with Wire(server) as opened:
        yield opened


def works(wire):
    """The connection goes on as if nothing had been."""
    answer = wire.call(ECHO, b"\x12\x01x")
    return answer.status == OK and answer.data == message(b"\x12\x01x")


# ---- not HTTP/2 ----


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        os.urandom(4096),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + os.urandom(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
        PREFACE + b"\0\0\x04\0\0\0\0\0\0abcd",
        PREFACE + b"\xff" * 200,
    ],
    ids=["zeros", "random", "http1", "tls", "nearly", "data-first", "huge-frame"],
)
def test_garbage_is_closed(server, data):
    with Wire(server, start=False) as wire:
        wire.send(data)
        wire.read_to_end()


def test_the_log_says_what_is_no_http2(start):
    server = start("test-server")
    with Wire(server, start=False) as wire:
        wire.send(b"GET /\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.read_to_end()
    server.logged('it begins with "GET /.[31m HTTP/1.1", which is no HTTP/2; closed')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P",
        PREFACE[:20],
        PREFACE,
        PREFACE + b"\0\0\x06\x04\0\0",
        PREFACE + b"\0\0\x06\x04\0\0\0\0\0\0\x04\0",
    ],
    ids=["nothing", "a-letter", "half-a-preface", "no-settings", "half-a-header", "half-a-settings"],
)
def test_silence_is_closed_after_the_handshake_time(server, data):
    with Wire(server, start=False) as wire:
        began = time.monotonic()
        wire.send(data)
        wire.read_to_end()
        assert time.monotonic() - began > 0.5
    assert server.logged("no HTTP/2 preface")


def test_preface_and_frames_in_single_bytes(server):
    with Wire(server, start=False) as wire:
        stream = wire.new_id()
        everything = b"".join(
            [
                PREFACE,
                frames.SettingsFrame().serialize(),
                frames.HeadersFrame(
                    stream, wire.encoder.encode(request_fields(ECHO)), flags=["END_HEADERS"]
                ).serialize(),
                frames.DataFrame(stream, message(b"\x12\x01x"), flags=["END_STREAM"]).serialize(),
            ]
        )
        for i in range(len(everything)):
            wire.send(everything[i : i + 1])
        answer = wire.answer(stream)
    assert answer.status == OK and answer.data == message(b"\x12\x01x")


def test_a_message_in_frames_of_one_byte(wire):
    """Allowed, if wasteful: an answer, not a reset."""
    body = b"\x12\x7f" + b"x" * 127
    stream = wire.request(ECHO, None)
    data = message(body)
    for i in range(len(data)):
        wire.data(stream, data[i : i + 1], end=i == len(data) - 1)
    answer = wire.answer(stream)
    assert answer.status == OK and answer.data == data


# ---- HTTP/2, but not gRPC ----


@pytest.mark.parametrize(
    "type_", [None, "text/html", "application/json", "application/grpcx", "application/grpc-web", "application/grpc+json", ""]
)
def test_other_content_types(wire, type_):
    answer = wire.call(ECHO, content_type=type_)
    assert answer.http_status == "415" and answer.status is None
    assert works(wire)


@pytest.mark.parametrize("type_", ["application/grpc+proto", "application/grpc;charset=utf-8", "Application/gRPC", "application/grpc ; x=y"])
def test_content_types_of_grpc(wire, type_):
    assert wire.call(ECHO, content_type=type_).status == OK


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"])
def test_other_http_methods(wire, method):
    answer = wire.call(ECHO, method=method)
    assert (answer.http_status, answer.headers["allow"]) == ("405", "POST")
    assert works(wire)


def test_te_is_missing(wire):
    assert wire.call(ECHO, te=None).status not in (None, OK)
    assert works(wire)


@pytest.mark.parametrize("path", ["", "calls.Calls/Echo", "*"])
def test_paths_without_a_slash_never_reach_a_handler(wire, path):
    answer = wire.call(path)
    assert answer.reset is not None or answer.status == UNIMPLEMENTED
    assert works(wire)


@pytest.mark.parametrize(
    "path", ["/", "//", "/calls.Calls", "/calls.Calls/", ECHO + "/", ECHO.lower(), "/" + "x" * 5000]
)
def test_unknown_paths(wire, path):
    answer = wire.call(path)
    assert answer.status == UNIMPLEMENTED and answer.http_status == "200"
    assert works(wire)


@pytest.mark.parametrize("timeout", ["", "1", "S", "-1S", "123456789S", "1x", "1.5S", " 1S", "1S "])
def test_bad_timeouts(wire, timeout):
    answer = wire.call(ECHO, grpc_timeout=timeout)
    assert answer.status == INTERNAL or answer.http_status == "400" or answer.reset is not None
    assert works(wire)


@pytest.mark.parametrize("timeout", ["1H", "99999999H", "99999999S", "60000000u"])
def test_long_timeouts(wire, timeout):
    assert wire.call(ECHO, grpc_timeout=timeout).status == OK


@pytest.mark.parametrize("timeout", ["0S", "1n"])
def test_timeouts_that_are_over_at_once(wire, timeout):
    assert wire.call(WAIT, grpc_timeout=timeout).status == 4
    assert works(wire)


@pytest.mark.parametrize(
    "fields",
    [
        [("x-upper", "1"), ("X-Upper", "2")],
        [("connection", "close")],
        [("transfer-encoding", "chunked")],
        [(":unknown", "1")],
        [("x-after", "1"), (":path", "/")],
        [("content-length", "1")],
        [("x\0y", "1")],
        [("x", "a\nb")],
    ],
)
def test_malformed_fields_end_their_stream_at_most(wire, fields):
    stream = wire.headers(request_fields(ECHO) + fields)
    wire.data(stream, message(b""), end=True)
    answer = wire.answer(stream)
    assert answer.reset is not None or answer.http_status == "400"
    assert works(wire)


@pytest.mark.parametrize("value", ["not base64!", "=", "QQ=Q", "QQ==,,", "\x80\xff"])
def test_bad_binary_metadata_does_not_end_the_connection(wire, value):
    stream = wire.headers(request_fields(ECHO) + [("x-data-bin", value)])
    wire.data(stream, message(b""), end=True)
    assert wire.answer(stream).is_over
    assert works(wire)


# ---- gRPC, but not its messages ----


@pytest.mark.parametrize(
    "body",
    [b"\x0a\x05abc", b"\xff", b"\x12\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f", b"\x13", b"\x00"],
    ids=["short", "tag", "utf8", "length", "group", "field-0"],
)
def test_messages_that_do_not_parse(wire, body):
    assert wire.call(ECHO, body).status == INTERNAL
    assert works(wire)


def test_a_message_of_a_stream_that_does_not_parse(wire):
    stream = wire.request(SUM, b"\x08\x01", end=False)
    wire.data(stream, message(b"\xff"))
    assert wire.answer(stream).status == INTERNAL
    assert works(wire)


@pytest.mark.parametrize("length", [4 * MIB + 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("path", [ECHO, SUM])
def test_a_declared_length_is_refused_before_it_comes(wire, server, path, length, sanitized):
    before = server.rss()
    stream = wire.request(path, None, end=False)
    wire.data(stream, message(b"", length=length))
    assert wire.answer(stream).status == RESOURCE_EXHAUSTED
    assert works(wire)
    assert server.rss() - before < (64 if sanitized else 4) * MIB


def test_a_declared_length_within_the_limit_costs_nothing_ahead(server, sanitized):
    before = server.rss()
    with Wire(server) as wire:
        for _ in range(100):
            stream = wire.request(ECHO, None, end=False)
            wire.data(stream, message(b"x", length=4 * MIB))
        assert wire.ping()
        assert server.rss() - before < (64 if sanitized else 8) * MIB


def test_unfinished_messages_of_a_connection_are_bounded(server, sanitized):
    """100 streams of nearly 4 MiB each: all but the first few are refused."""
    before = server.rss()
    with Wire(server) as wire:
        wire.read(lambda: wire.settings, "SETTINGS")
        window = wire.settings[4]
        streams = [wire.request(ECHO, None, end=False) for _ in range(100)]
        for stream in streams:
            wire.data(stream, message(b"", length=4 * MIB))
        piece = b"x" * 96_000  # four of them fit in half a connection's window, whose updates come late
        assert len(piece) < window // 2
        for _ in range(4 * MIB // len(piece)):
            for i, stream in enumerate(streams):
                if not wire.streams[stream].is_over:
                    wire.data(stream, piece)
                if i % 4 == 3:
                    assert wire.ping()
        refused = [stream for stream in streams if wire.streams[stream].status == RESOURCE_EXHAUSTED]
        assert len(refused) > 80
        # 32 MiB of messages; a buffer that grows by doubling and leaves the old ones to its arena: four times that
        assert server.rss() - before < (600 if sanitized else 4 * 32 + 16) * MIB


@pytest.mark.parametrize("flag, status", [(1, INTERNAL), (2, INTERNAL), (255, INTERNAL)])
@pytest.mark.parametrize("path", [ECHO, SUM])
def test_flags(wire, path, flag, status):
    stream = wire.request(path, None, end=False)
    wire.data(stream, message(b"x", flag), end=True)
    assert wire.answer(stream).status == status
    assert works(wire)


def test_an_encoding_that_is_not_known(wire):
    answer = wire.call(ECHO, grpc_encoding="snappy")
    assert answer.status == UNIMPLEMENTED
    assert "identity" in answer.headers["grpc-accept-encoding"]
    assert wire.call(ECHO, grpc_encoding="identity").status == OK


@pytest.mark.parametrize("part", [b"\0", b"\0\0\0\0", b"\0\0\0\0\5", b"\0\0\0\0\5abcd"])
@pytest.mark.parametrize("path", [ECHO, SUM])
def test_the_end_within_a_message(wire, path, part):
    stream = wire.request(path, None)
    wire.data(stream, part, end=True)
    assert wire.answer(stream).status == INTERNAL
    assert works(wire)


def test_a_unary_call_without_a_message(wire):
    assert wire.answer(wire.headers(request_fields(ECHO), end=True)).status == UNIMPLEMENTED
    stream = wire.request(ECHO, None)
    wire.data(stream, b"", end=True)
    assert wire.answer(stream).status == UNIMPLEMENTED
    assert works(wire)


def test_a_unary_call_with_two_messages(wire):
    stream = wire.request(ECHO, None)
    wire.data(stream, message(b"") + message(b""), end=True)
    assert wire.answer(stream).status == UNIMPLEMENTED
    stream = wire.request(ECHO, b"", end=False)
    wire.data(stream, message(b""), end=True)
    assert wire.answer(stream).status in (OK, UNIMPLEMENTED)
    assert works(wire)


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


def test_hpack_bomb(server, wire, sanitized):
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
    assert server.rss() - before < (64 if sanitized else 8) * MIB


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
        assert wire.goaways or wire.closed


def test_trailers_of_a_request_are_bounded_too(server, wire, sanitized):
    before = server.rss()
    stream = wire.request(SUM, b"\x08\x01", end=False)
    fields = [(f"x-{i}", "y" * 50) for i in range(300)]
    wire.headers(fields, end=True, stream=stream)
    assert wire.answer(stream).is_over
    assert works(wire)
    assert server.rss() - before < (64 if sanitized else 4) * MIB


# ---- frame floods ----


def flood(wire, frame, count):
    """@count times, as fast as it goes, and until the server closes."""
    data = frame.serialize() * 1000
    for _ in range(count // 1000):
        if wire.closed:
            return
        wire.send(data)


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
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and b"too_many_resets" in wire.goaway_texts
        wire.read_to_end()
        assert server.logged("too many resets of streams")
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
    changes = {"grpc_timeout": "50m"} if how == "deadline" else {}
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


def test_resets_that_the_server_is_made_to_send(server, calls, sanitized):
    """CVE-2025-8671, and CVE-2019-9514: a window update of 0 makes the server reset; nobody reads."""
    before = server.rss()
    with Wire(server) as wire:
        for _ in range(20_000):
            stream = wire.request(WAIT, b"")
            wire.send(b"\0\0\4\x08\0" + struct.pack(">II", stream, 0))
            if wire.closed:
                break
        assert server.rss() - before < (100 if sanitized else 10) * MIB


def test_resets_for_requests_that_contradict_themselves(server, calls, sanitized):
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
        assert server.rss() - before < (100 if sanitized else 10) * MIB
        eventually(lambda: stub.Stats(calls.Empty()).running <= 2, "they are done")


def test_priority_flood(server, wire):
    """CVE-2019-9513: some are no matter, a flood ends the connection."""
    frame = b"\0\0\5\2\0" + struct.pack(">IIB", 1001, 0, 16)
    wire.send(frame * 100)
    assert works(wire)
    for _ in range(200):
        wire.send(frame * 500)
    assert not wire.ping()
    assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM


def test_names_without_length(server, sanitized):
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
    assert server.rss() - before < (100 if sanitized else 10) * MIB


def test_data_dribble(server, calls, sanitized):
    """CVE-2019-9511: large answers, asked for a byte at a time on many streams."""
    before = server.rss()
    body = calls.Number(value=256 * 1024).SerializeToString()
    with Wire(server, window=0) as wire:
        streams = [wire.request("/calls.Calls/Big", body) for _ in range(100)]
        for _ in range(100):
            wire.send(b"".join(b"\0\0\4\x08\0" + struct.pack(">II", s, 1) for s in streams))
            wire.poll()
        assert not wire.closed
        assert server.rss() - before < (250 if sanitized else 60) * MIB
        assert wire.ping()


def test_header_bombs_behind_closed_windows(server, sanitized):
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
        assert server.rss() - before < (100 if sanitized else 10) * MIB


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


def test_refused_streams_that_nobody_reads_of_take_bounded_memory(server, sanitized):
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
        assert server.rss() - before < (150 if sanitized else 16) * MIB


def test_answers_that_nobody_reads_end_the_connection(server, sanitized):
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
    assert server.rss() - before < (150 if sanitized else 16) * MIB


def test_empty_data_frames(server, wire):
    """CVE-2019-9518."""
    stream = wire.request(SUM, b"\x08\x01", end=False)
    flood(wire, frames.DataFrame(stream, b""), 20_000)
    wire.read_to_end()
    assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM


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
def test_window_updates_past_the_maximum(wire, of):
    stream = wire.request(WAIT, b"")
    for _ in range(2):
        wire.open_window(stream if of == "a stream" else 0, 2**31 - 1)
    wire.read_to_end()
    assert wire.goaways[-1][1] == FLOW_CONTROL_ERROR


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
        b"\0\0\4\3\0\0\0\0\x07\0\0\0\0",  # RST_STREAM on an idle stream
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


# ---- slow peers ----

QUICK = ["--limit", "handshake_ms=1000"]  # the first look at a connection comes then


def test_a_slow_reader_stops_its_own_stream_only(server, calls):
    with Wire(server, window=100) as wire:
        slow = wire.request("/calls.Calls/Count", calls.CountRequest(count=10**6).SerializeToString())
        assert wire.read(lambda: len(wire.streams[slow].data) == 100, "its window's worth")
        for _ in range(20):
            assert works(wire)
        assert len(wire.streams[slow].data) == 100


def test_a_peer_that_opens_no_window_is_closed(start, calls):
    server = start("test-server", "--limit", "window_stall_ms=600", "--limit", "stall_ms=400", *QUICK)
    with Wire(server, window=0) as wire:
        wire.request(ECHO, b"\x12\x01x")
        wire.read_to_end()
    assert server.logged("takes nothing")


def test_a_peer_that_reads_nothing_is_closed(start, calls):
    server = start("test-server", "--limit", "stall_ms=600", *QUICK)
    with Wire(server, receive_buffer=4096) as wire:
        wire.request("/calls.Calls/Count", calls.CountRequest(count=10**9).SerializeToString())
        assert server.logged("takes nothing")
        with channel(server.target) as opened:
            stub = calls.Stub(opened)
            eventually(lambda: stub.Stats(calls.Empty()).running == 0, "its handler was told")


def test_what_waits_for_room_goes_on_when_there_is_room_again(start, calls):
    """Frames are made in the midst of a turn's calls too, and take what others waited for: nothing else comes to wake them."""
    server = start("test-server", "--limit", "connection_send_bytes_max=200", "--limit", "stall_ms=60000")
    with Wire(server) as wire:
        held = [wire.request(WAIT) for _ in range(8)]
        assert works(wire)
        # all at once: frames after the 8th call; the 9th has too much to say for the others; frames amid the ends of those held
        sent = bytearray()
        wire.send = sent.extend
        sizes = [1] * 8 + [300] + [1] * 7
        streams = [wire.request(BIG, calls.Number(value=size).SerializeToString()) for size in sizes]
        for stream in held:
            wire.reset(stream)
        del wire.send
        wire.send(sent)
        assert all(wire.answer(stream).status == OK for stream in streams)


def test_an_idle_connection_is_no_stalled_one(start, calls):
    server = start("test-server", "--limit", "window_stall_ms=300", "--limit", "stall_ms=300", *QUICK)
    with Wire(server) as wire:
        assert works(wire)
        waiting = wire.request(LATER, calls.Delay(ms=1500).SerializeToString())
        assert wire.answer(waiting).status == OK
        assert works(wire)


def test_connections_over_the_limit_are_closed(start, calls):
    server = start("test-server", "--limit", "connections_max=3")
    wires = [Wire(server) for _ in range(3)]
    assert all(works(wire) for wire in wires)
    with Wire(server) as over:
        over.read_to_end()
    wires[0].socket.close()

    def one_fits():
        with Wire(server) as wire:
            return wire.ping()

    eventually(one_fits, "a place is free again")
    for wire in wires:
        wire.socket.close()


# ---- many of them ----


class Script(Wire):
    """Records what it would send, to be sent ten thousand times."""

    def __init__(self, *, preface=True):
        self.encoder = hpack.Encoder()
        self.next_id = 1
        self.bytes = bytearray()
        if preface:
            self.send(PREFACE)
            self.frame(frames.SettingsFrame())

    def send(self, data):
        self.bytes += data


def record(*steps, preface=True):
    script = Script(preface=preface)
    for step in steps:
        step(script)
    return bytes(script.bytes)


SCRIPTS = [
    record(lambda w: w.send(os.urandom(200)), preface=False),
    record(lambda w: w.send(PREFACE + b"\0\0\x06\x04"), preface=False),
    record(
        lambda w: w.request(ECHO, None),
        lambda w: w.send(b"\0\x40\0\0\0\0\0\0\1" + b"\0\0\x30\0\0half a message"),
    ),
    record(lambda w: w.request(ECHO, b"\xff\xff")),
    record(lambda w: w.request(SUM, b"\xff\xff", end=False)),
    record(lambda w: w.data(w.request(ECHO, None), message(b"", length=2**32 - 1))),
    record(*[lambda w: w.request(WAIT, b"")] * 5),
    record(*[lambda w: w.reset(w.request("/calls.Calls/Chat", b"\x0a\x01x", end=False))] * 5),
    record(lambda w: w.headers(request_fields(ECHO) + [("x", "y" * 9000)])),
    record(lambda w: w.request("/calls.Calls/Count", b"\x08\x80\x89\x7a")),
    record(lambda w: w.request("/nothing/here")),
    record(lambda w: w.request(LATER, b"\x08\x05"), lambda w: w.request("/calls.Calls/Sleep", b"\x08\x64")),
    record(lambda w: w.request("/calls.Calls/BlockingCount", b"\x08\x80\x89\x7a")),
]


def test_ten_thousand_hostile_connections_leave_nothing_behind(server, calls, sanitized):
    rng = random.Random(7)
    with channel(server.target) as opened:
        stub = calls.Stub(opened)

        def is_quiet():
            stats = stub.Stats(calls.Empty())
            return stats.running <= 1 and stats.connections_open <= 2

        def connect_badly():
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
                sock.sendall(rng.choice(SCRIPTS))
                if rng.random() < 0.3:
                    sock.recv(65536)

        def rounds(count):
            for _ in range(count // 500):
                for _ in range(500):
                    connect_badly()
                eventually(is_quiet, "all of them are gone")

        rounds(3000)
        descriptors, memory = server.descriptors(), server.rss()
        rounds(7000)
        assert server.descriptors() <= descriptors + 2
        assert server.rss() - memory < (64 if sanitized else 4) * MIB
        assert stub.Echo(calls.Payload(text="still here")).text == "still here"
