# SPDX-License-Identifier: MIT
"""Requests that are wrong: each gets its answer, the others notice nothing."""

import contextlib
import os
import time

import hyperframe.frame as frames
import pytest

from hostile import CHAT, ECHO, INTERNAL, MIB, OK, RESOURCE_EXHAUSTED, SUM, UNIMPLEMENTED, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import eventually
from wire import PREFACE, Wire, message, request_fields

# ---- not HTTP/2 ----


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        os.urandom(4096),
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + os.urandom(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
        PREFACE + b"\0\0\x04\0\0\0\0\0\0abcd",
        PREFACE + b"\xff" * 200,
    ],
    ids=["zeros", "random", "no-host", "tls", "nearly", "data-first", "huge-frame"],
)
def test_garbage_is_closed(server, data):
    with Wire(server, start=False) as wire:
        wire.send(data)
        wire.read_to_end()


def test_the_log_says_what_is_no_http2(start):
    server = start("test-server", "--http2-only")
    with Wire(server, start=False) as wire:
        wire.send(b"GET /\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.read_to_end()
    server.logged('it begins with "GET /\\x1b[31m HTTP/1.1": it speaks HTTP/1, and gRPC needs HTTP/2; answered 426 and closed')


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


def test_silence_is_closed_after_the_handshake_time(server):
    """Behind nothing, a letter, half a preface, and so on: however far it has come."""
    settings = PREFACE + b"\0\0\x06\x04\0\0\0\0\0\0\x04\0"
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        wires = {}
        for size in (0, 1, 20, len(PREFACE), len(PREFACE) + 6, len(settings)):
            wires[size] = stack.enter_context(Wire(server, start=False))
            wires[size].send(settings[:size])
        peers = ["%s:%d: no HTTP/2 preface" % wire.socket.getsockname() for wire in wires.values()]
        for wire in wires.values():
            wire.read_to_end()
            assert time.monotonic() - began > 1.4
    for peer in peers:
        server.logged(peer)


@pytest.mark.parametrize("kind", ["no-continuation", "half-a-frame", "byte-by-byte"])
def test_a_header_block_has_a_time(start, kind):
    """Other blocks that come in pieces, one behind the other, each have it anew."""
    server = start("test-server", "--limit", "header_block_ms=1000")
    with Wire(server) as wire:
        assert wire.ping()  # so that no answer of ours gets into the block
        stream = wire.new_id()
        block = wire.encoder.encode(request_fields(ECHO))
        whole = frames.HeadersFrame(stream, block, flags=["END_HEADERS"]).serialize()
        if kind == "no-continuation":
            whole = frames.HeadersFrame(stream, block).serialize()
        sent = len(whole) if kind == "no-continuation" else 12
        wire.send(whole[:sent])
        began = time.monotonic()
        while kind == "byte-by-byte" and sent < len(whole) - 1 and time.monotonic() < began + 0.8:
            wire.send(whole[sent : sent + 1])
            sent += 1
            time.sleep(0.1)
        wire.read_to_end()
        assert time.monotonic() - began > 0.9
    server.logged("its header block was not complete in time (header_block_ms); closed")


def test_header_blocks_in_pieces_are_no_fault(start):
    server = start("test-server", "--limit", "header_block_ms=3000")
    with Wire(server) as wire:
        for _ in range(8):
            stream = wire.new_id()
            block = wire.encoder.encode(request_fields(ECHO))
            wire.send(frames.HeadersFrame(stream, block[:10]).serialize())
            time.sleep(0.5)
            rest = frames.ContinuationFrame(stream, block[10:], flags=["END_HEADERS"]).serialize()
            body = frames.DataFrame(stream, message(b""), flags=["END_STREAM"]).serialize()
            wire.send(rest + body)
            assert wire.answer(stream).status == OK


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
    "type_", [None, "text/html", "application/jsonx", "application/grpcx", "application/grpc-webs", "application/grpc+xml", ""]
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


@pytest.mark.parametrize("timeout", ["0n", "0S", "00000000H"])
def test_no_handler_begins_where_there_is_no_time(wire, timeout):
    assert wire.call(ECHO, grpc_timeout=timeout).status == 4
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


# ---- what the log says of them ----

PSEUDO = {":method": "POST", ":scheme": "http", ":path": ECHO, ":authority": "localhost"}
GRPC = [("te", "trailers"), ("content-type", "application/grpc")]


def without(name):
    return [field for field in PSEUDO.items() if field[0] != name] + GRPC


def behind(*fields):
    return [*PSEUDO.items(), *GRPC, *fields]


MALFORMED = {
    'field "X-Upper": its name has capital letters': behind(("X-Upper", "1")),
    'field "connection": it belongs to HTTP/1': behind(("connection", "close")),
    'field "upgrade": it belongs to HTTP/1': behind(("upgrade", "h2c")),
    'field ":unknown": HTTP/2 has no such pseudo field': [*PSEUDO.items(), (":unknown", "1"), *GRPC],
    'field ":path": it is there twice, or behind other fields': behind((":path", "/")),
    'field ":authority": it is there twice': [(":authority", "a"), *PSEUDO.items(), *GRPC],
    'field ":method": it is there twice, or behind other fields, or has a value': [
        *without(":method")[:3], (":method", "P T"), *GRPC],
    'field "content-length": it is there twice, or is no number': behind(("content-length", "x")),
    'field "te": its value is not "trailers"': behind(("te", "gzip")),
    'field "host": it is there twice': behind(("host", "a"), ("host", "b")),
    'field "x\\x00y": its name has bytes that HTTP does not allow': behind(("x\0y", "1")),
    'field "x\\xff\\x1b[31m': behind((b"x\xff\x1b[31m", "1")),
    'field "' + "x " * 20 + '": its name has bytes': behind(("x " * 200, "1")),
    'field "x-value": its value has bytes that HTTP does not allow': behind(("x-value", "a\nb")),
    "malformed request: a header block over header_bytes_hard_max": behind(("x-large", "x" * 20000)),
    "malformed request: a header block over header_bytes_hard_max;": behind(("x-large", "x" * 100000)),
    "malformed request: no :method; stream": without(":method"),
    "malformed request: no :scheme; stream": without(":scheme"),
    'malformed request: no :path, or one without "/" in front; stream': without(":path"),
    'malformed request: no :path, or one without "/" in front;': [
        *without(":path")[:3], (":path", "calls.Calls/Echo"), *GRPC],
    "malformed request: content-length is not the length of its body; stream": behind(("content-length", "77")),
    "malformed request: content-length is not the length of its body;": behind(("content-length", "1")),
}


@pytest.mark.parametrize("line", MALFORMED)
def test_the_log_says_what_is_malformed(start, line):
    """Where the client sees PROTOCOL_ERROR, the operator sees who it was, and which rule: one line."""
    server = start("test-server")
    lines = len(server.log)
    with Wire(server) as wire:
        address = "ipv4:%s:%d: " % wire.socket.getsockname()
        stream = wire.headers(MALFORMED[line], step=16000)
        wire.data(stream, message(b""), end=True)
        assert wire.answer(stream).reset is not None
        assert works(wire)
    server.logged(line)
    assert len(server.log) == lines + 1 and address in server.log[lines]
    assert server.log[lines].endswith(f"stream {stream} reset"), server.log[lines]
    assert all(" " <= c < "\x7f" for c in server.log[lines])


def test_the_log_says_what_is_malformed_at_its_end(start):
    server = start("test-server")
    lines = len(server.log)
    with Wire(server) as wire:
        stream = wire.headers(request_fields(ECHO))
        block = wire.encoder.encode([("x-trailer", "1")])
        wire.frame(frames.HeadersFrame(stream, block, flags=["END_HEADERS"]))
        assert wire.answer(stream).reset is not None
        server.logged("malformed request: trailers that do not end the stream; stream 1 reset")
        stream = wire.headers(request_fields(ECHO))
        block = wire.encoder.encode([(":path", "/x")])
        wire.frame(frames.HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]))
        assert wire.answer(stream).reset is not None
        server.logged('field ":path": a pseudo field among the trailers; stream 3 reset')
        assert works(wire)
    assert len(server.log) == lines + 2


def test_such_lines_have_a_rate(start):
    server = start("test-server")
    with Wire(server) as wire:
        for _ in range(300):
            wire.headers(behind(("connection", "close")), end=True)
        assert wire.ping()
    with Wire(server) as wire:
        assert works(wire)
    assert len([line for line in server.log if "malformed" in line]) < 200


@pytest.mark.parametrize("fields", [{"method": "GET"}, {"content_type": "text/html"}], ids=str)
@pytest.mark.parametrize("end", [True, False], ids=["ended", "open"])
def test_what_is_no_grpc_has_no_deadline_in_the_access_log(start, tmp_path, fields, end):
    log = tmp_path / "access.log"
    server = start("quoit-api", "--port", 0, "--access-log", log)
    with Wire(server) as wire:
        wire.answer(wire.request("/api.Api/sayHello", b"", end=end, **fields))
    eventually(lambda: log.exists() and log.read_text().endswith("\n"), "a line")
    assert "http_status=4" in log.read_text() and "timeout_ms" not in log.read_text()
