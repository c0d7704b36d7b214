# SPDX-License-Identifier: MIT
"""Requests that are wrong: each gets its answer, the others notice nothing."""

import os
import time

import hyperframe.frame as frames
import pytest

from hostile import CHAT, ECHO, INTERNAL, MIB, OK, RESOURCE_EXHAUSTED, SUM, UNIMPLEMENTED, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from wire import PREFACE, Wire, message, request_fields

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


@pytest.mark.parametrize("at", [16, 17, 19, 23])
@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
def test_the_log_says_that_a_preface_is_damaged(start, at, in_pieces):
    server = start("test-server")
    with Wire(server, start=False) as wire:
        wire.send(PREFACE[:at])
        if in_pieces:
            time.sleep(0.05)
        wire.send(b"X" + PREFACE[at + 1 :])
        wire.read_to_end()
    server.logged("its HTTP/2 preface is damaged; closed")


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


@pytest.mark.parametrize(
    "fields, status", [({"method": "GET"}, "405"), ({"content_type": "text/html"}, "415")], ids=str
)
def test_what_is_no_grpc_is_answered_though_it_does_not_end(wire, fields, status):
    assert wire.answer(wire.request(CHAT, None, end=False, **fields)).http_status == status
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


@pytest.mark.parametrize("timeout", ["", "1", "S", "-1S", "123456789S", "1x", "1.5S", "1 S", " "])
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
def test_a_declared_length_is_refused_before_it_comes(wire, server, path, length, kept):
    before = server.rss()
    stream = wire.request(path, None, end=False)
    wire.data(stream, message(b"", length=length))
    assert wire.answer(stream).status == RESOURCE_EXHAUSTED
    assert works(wire)
    assert server.rss() - before < (4 + kept) * MIB


def test_a_declared_length_within_the_limit_costs_nothing_ahead(server, kept):
    before = server.rss()
    with Wire(server) as wire:
        for _ in range(100):
            stream = wire.request(ECHO, None, end=False)
            wire.data(stream, message(b"x", length=4 * MIB))
        assert wire.ping()
        assert server.rss() - before < (8 + kept) * MIB


def test_unfinished_messages_of_a_connection_are_bounded(server, kept):
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
        assert server.rss() - before < (4 * 32 + 16 + kept) * MIB


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
