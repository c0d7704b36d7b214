# SPDX-License-Identifier: MIT
"""Compression in gRPC: what a client may send, and what it gets, message by message."""

import contextlib
import struct
import threading
import zlib

import grpc
import pytest
import zstandard

from conftest import channel
from servers import PATIENCE
from wire import Wire, message, messages

OK, UNIMPLEMENTED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL = 0, 12, 8, 10, 13
IDENTITY, DEFLATE, GZIP, ZSTD = range(4)
EINVAL, EALREADY, ENOTSUP = -22, -114, -95
ECHO, CHAT, WAIT, STATUS = (f"/calls.Calls/{name}" for name in ("Echo", "Chat", "Wait", "Status"))
MIB = 1 << 20
LIMIT = 4 * MIB
ALL = "identity,deflate,gzip,zstd"


def gzip(data, level=6):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def gunzip(data):
    return zlib.decompress(data, 31)


PACK = {"deflate": zlib.compress, "gzip": gzip, "zstd": zstandard.ZstdCompressor().compress}
UNPACK = {
    "deflate": zlib.decompress,
    "gzip": gunzip,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.fixture
def wire(calls_server):
    with Wire(calls_server) as opened:
        assert opened.ping()  # the server's windows are in force
        yield opened


def ask(wire, path, *parts, **fields):
    """One call; @parts are (payload, flag)."""
    stream = wire.request(path, None, **fields)
    wire.data(stream, b"".join(message(*part) for part in parts), end=True)
    return wire.answer(stream)


# ---- requests ----


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_every_kind_of_call_by_a_stock_client(calls, calls_server, algorithm):
    payload = calls.Payload(data=b"so it goes " * 9000)
    with channel(calls_server.target) as opened:
        stub = calls.Stub(opened)
        options = {"compression": algorithm, "timeout": PATIENCE}
        assert stub.Echo(payload, **options) == payload
        assert stub.Echo(calls.Payload(), **options) == calls.Payload()
        assert list(stub.Chat(iter([payload] * 20), **options)) == [payload] * 20
        assert stub.First(iter([payload] * 3), **options) == payload
        count = calls.CountRequest(count=100, message="m" * 2000)
        assert len(list(stub.Count(count, **options))) == 100


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("size", [0, 1, 100, 16384, LIMIT - 16])
def test_each_algorithm(wire, calls, name, size):
    payload = calls.Payload(data=b"0123456789abcdef" * (size // 16) + b"x" * (size % 16))
    body = payload.SerializeToString()
    answer = ask(wire, ECHO, (PACK[name](body), 1), grpc_encoding=name)
    assert answer.status == OK, answer.text
    assert messages(answer.data) == [(0, body)]
    assert answer.headers["grpc-accept-encoding"] == ALL


def test_messages_of_both_sorts_in_one_call(wire, calls):
    """Not compressed under a grpc-encoding, empty and flagged, of several members."""
    first, second = (calls.Payload(text=text).SerializeToString() for text in ("one", "two"))
    parts = [(first, 0), (gzip(second), 1), (b"", 1), (gzip(b""), 1), (b"", 0)]
    parts.append((gzip(first[:2]) + gzip(b"") + gzip(first[2:]), 1))
    answer = ask(wire, CHAT, *parts, grpc_encoding="gzip")
    assert answer.status == OK, answer.text
    assert [body for _, body in messages(answer.data)] == [first, second, b"", b"", b"", first]


@pytest.mark.parametrize("fields", [{}, {"grpc_encoding": "identity"}])
@pytest.mark.parametrize("path", [ECHO, CHAT])
def test_a_flag_without_an_encoding(wire, path, fields):
    assert ask(wire, path, (gzip(b""), 1), **fields).status == INTERNAL
    assert ask(wire, path, (b"", 0), **fields).status == OK


@pytest.mark.parametrize("name", ["br", "GZIP", "gzip,zstd", "x-gzip", "stream/gzip", ""])
def test_an_unknown_encoding_names_those_that_are_known(wire, name):
    for path in (ECHO, CHAT):
        answer = ask(wire, path, (b"", 0), grpc_encoding=name)
        assert answer.status == UNIMPLEMENTED
        assert answer.headers["grpc-accept-encoding"] == ALL


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("spoil", ["cut", "garbage", "trailing", "other"])
@pytest.mark.parametrize("path", [ECHO, CHAT])
def test_data_that_is_corrupt(wire, calls, name, spoil, path):
    good = PACK[name](calls.Payload(text="hello " * 50).SerializeToString())
    bad = {
        "cut": good[:-1],
        "garbage": b"\xff" * 40,
        "trailing": good + b"!",
        "other": PACK["deflate" if name == "gzip" else "gzip"](b""),
    }[spoil]
    answer = ask(wire, path, (bad, 1), grpc_encoding=name)
    assert answer.status == INTERNAL
    assert "decompress" in answer.text
    assert ask(wire, path, (good, 1), grpc_encoding=name).status == OK


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("path", [ECHO, CHAT])
def test_the_limit_holds_for_what_comes_out(wire, calls, name, path):
    overhead = len(calls.Payload(data=bytes(LIMIT - 16)).SerializeToString()) - (LIMIT - 16)
    for excess, status in ((0, OK), (1, RESOURCE_EXHAUSTED), (8 * MIB, RESOURCE_EXHAUSTED)):
        body = calls.Payload(data=bytes(LIMIT - overhead + excess)).SerializeToString()
        assert ask(wire, path, (PACK[name](body), 1), grpc_encoding=name).status == status


def test_bombs_take_bounded_memory(calls_server, calls, sanitized):
    """100 MiB of nothing, again and again; then what fits the limit of a message, but not all at once."""
    huge = gzip(bytes(100 * MIB))
    fits = gzip(calls.Payload(data=bytes(LIMIT - 64)).SerializeToString())
    with Wire(calls_server) as wire:
        assert wire.ping()
        before = calls_server.rss()
        for _ in range(10):
            assert ask(wire, ECHO, (huge, 1), grpc_encoding="gzip").status == RESOURCE_EXHAUSTED
        assert calls_server.rss() - before < (200 if sanitized else 64) * MIB  # a limit's worth for each thread
        streams = [wire.request(WAIT, None, grpc_encoding="gzip") for _ in range(60)]
        for stream in streams:
            wire.data(stream, message(fits, 1), end=True)
        assert wire.read(
            lambda: sum(wire.streams[stream].status == RESOURCE_EXHAUSTED for stream in streams) > 40,
            "what does not fit is refused",
        )
        assert calls_server.rss() - before < (600 if sanitized else 150) * MIB


# A field that is known, and one that is not, in turn: an object for each of the latter.
DENSE = b"\x0a\x00\xa0\x06\x01" * (LIMIT // 5)


def test_what_grows_when_it_is_parsed_is_bounded(start, sanitized):
    """Four megabytes that become ten times as much, on calls that stay."""
    server = start("test-server")
    bomb = gzip(DENSE)
    with Wire(server) as wire:
        assert wire.ping()
        before = server.rss()
        streams = [wire.request(WAIT, None, grpc_encoding="gzip") for _ in range(40)]
        for stream in streams:
            wire.data(stream, message(bomb, 1), end=True)
        assert wire.read(
            lambda: sum(wire.streams[stream].status == RESOURCE_EXHAUSTED for stream in streams) > 30,
            "what does not fit is refused",
        )
        assert server.rss() - before < (600 if sanitized else 150) * MIB


def test_bombs_of_many_connections_leave_others_their_turn(start, calls):
    server = start("test-server")
    bomb = message(gzip(DENSE[:-5] + calls.StatusRequest(code=ABORTED).SerializeToString()), 1)
    with contextlib.ExitStack() as stack:
        honest = stack.enter_context(Wire(server))
        wires = [stack.enter_context(Wire(server)) for _ in range(32)]
        assert honest.call(ECHO).status == OK and all(wire.ping() for wire in wires)
        for wire in wires:
            wire.data(wire.request(STATUS, None, grpc_encoding="gzip"), bomb, end=True)
        assert honest.call(ECHO).status == OK
        for wire in wires:
            wire.poll()
        assert not all(wire.streams[1].is_over for wire in wires)
        assert all(wire.answer(1).status == ABORTED for wire in wires)


# Eight blocks of deflate, each with tables for 257 codes of which one is used: to say that it has ended.
EMPTY_BLOCKS = bytes.fromhex(
    "04c081000000000010ffd524000e040000000080f8af260170200000000000c47f35098003010000000020fe"
    "ab49001c080000000000f15f4d02e040000000000088ff6a120007020000000040fc57930038100000000000"
    "e2bf9a"
)


def empty_blocks(count):
    """Nothing, as gzip may have it: a microsecond of work for each eleven bytes."""
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    return head + EMPTY_BLOCKS * (count // 8) + b"\x03\x00" + bytes(8)


@pytest.mark.parametrize("options", [[], ["--offload-all"]])
def test_blocks_that_hold_nothing(start, options):
    server = start("test-server", *options, "--limit", "message_receive_bytes_max=65536")
    with Wire(server) as wire:
        assert ask(wire, ECHO, (empty_blocks(1400), 1), grpc_encoding="gzip").status == OK
        answer = ask(wire, ECHO, (empty_blocks(1600), 1), grpc_encoding="gzip")
        assert answer.status == RESOURCE_EXHAUSTED and "blocks for the limit of its size (message_receive_bytes_max)" in answer.text


def test_blocks_that_hold_nothing_leave_others_their_turn(start):
    """Half a second of work that comes to no bytes at all."""
    server = start("test-server")
    bomb = message(empty_blocks(5_000), 1)
    with contextlib.ExitStack() as stack:
        honest = stack.enter_context(Wire(server))
        wires = [stack.enter_context(Wire(server)) for _ in range(64)]
        assert honest.call(ECHO).status == OK and all(wire.ping() for wire in wires)
        for wire in wires:
            wire.data(wire.request(ECHO, None, grpc_encoding="gzip"), bomb[:-1])
        assert all(wire.ping() for wire in wires)
        for wire in wires:
            wire.data(1, bomb[-1:], end=True)
        assert honest.call(ECHO).status == OK
        for wire in wires:
            wire.poll()
        assert not all(wire.streams[1].is_over for wire in wires)
        assert all(wire.answer(1).status == OK for wire in wires)


def test_bombs_leave_others_their_turn(start, calls):
    """One ring: an honest call does not wait until all of another connection's bombs have gone off."""
    server = start("test-server")
    asked = calls.StatusRequest(code=ABORTED).SerializeToString()
    bomb = gzip(calls.Payload(data=bytes(LIMIT - 64)).SerializeToString() + asked)
    with Wire(server) as wire, Wire(server) as honest:
        assert wire.ping() and honest.call(ECHO).status == OK
        streams = [wire.request(STATUS, None, grpc_encoding="gzip") for _ in range(100)]
        order = []
        for stream in streams:
            wire.data(stream, message(bomb, 1), end=True)

        def call():
            order.append(honest.call(ECHO).status)

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        wire.poll()
        done = sum(wire.streams[stream].is_over for stream in streams)
        assert order == [OK] and done < len(streams)
        assert all(wire.answer(stream).status == ABORTED for stream in streams)


# ---- answers ----


def compressed(wire, calls, algorithms, parts, **fields):
    request = calls.CompressionRequest(
        algorithms=algorithms,
        parts=[calls.CompressionRequest.Part(size=size, plain=plain) for size, plain in parts],
    )
    return wire.call("/calls.Calls/Compressed", request.SerializeToString(), **fields)


@pytest.mark.parametrize("algorithm, name", [(DEFLATE, "deflate"), (GZIP, "gzip"), (ZSTD, "zstd")])
def test_answers_are_compressed_one_by_one(wire, calls, algorithm, name):
    sizes = [0, 10, 100_000, 100_000, 1000, 700_000, 3000]
    plain = [False, False, False, True, False, False, False]
    answer = compressed(
        wire, calls, [algorithm], zip(sizes, plain), grpc_accept_encoding=f"identity, {name}"
    )
    assert answer.status == OK, answer.text
    assert answer.headers["grpc-encoding"] == name
    assert (answer.trailers["results"], answer.trailers["late"]) == ("0", str(EALREADY))
    got = messages(answer.data)
    assert [flag for flag, _ in got] == [0, 0, 1, 0, 1, 1, 1]
    for (flag, payload), size in zip(got, sizes, strict=True):
        body = UNPACK[name](payload) if flag else payload
        assert len(calls.Payload.FromString(body).data) == size
        assert not flag or len(payload) < len(body)


@pytest.mark.parametrize("fields", [{}, {"grpc_accept_encoding": "br,deflate"}, {"grpc_encoding": "gzip"}])
def test_only_what_the_client_takes(wire, calls, fields):
    answer = compressed(wire, calls, [GZIP, ZSTD, IDENTITY, 4, -1], [(5000, False)], **fields)
    assert answer.status == OK
    assert "grpc-encoding" not in answer.headers
    assert [flag for flag, _ in messages(answer.data)] == [0]


def test_the_first_of_several_that_the_client_takes(calls, calls_server):
    with channel(calls_server.target) as opened:
        stub = calls.Stub(opened)
        request = calls.CompressionRequest(
            algorithms=[ZSTD, 9, DEFLATE], parts=[calls.CompressionRequest.Part(size=5000)] * 2
        )
        call = stub.Compressed(request, timeout=PATIENCE)
        assert [len(reply.data) for reply in call] == [5000, 5000]
        results = [int(value) for name, value in call.trailing_metadata() if name == "results"]
        assert results == [ENOTSUP, EINVAL, 0]


def test_a_server_that_compresses_all_answers(start, calls):
    server = start("test-server", "--compression", GZIP, "--limit", "compress_bytes_min=1000")
    body = calls.Payload(text="so it goes " * 200).SerializeToString()
    small = calls.Payload(text="so it goes").SerializeToString()
    with Wire(server) as wire:
        answer = wire.call(ECHO, body, grpc_accept_encoding="gzip")
        assert answer.headers["grpc-encoding"] == "gzip"
        assert [gunzip(payload) for _, payload in messages(answer.data)] == [body]
        assert messages(wire.call(ECHO, small, grpc_accept_encoding="gzip").data) == [(0, small)]
        answer = wire.call(ECHO, body)
        assert "grpc-encoding" not in answer.headers and messages(answer.data) == [(0, body)]
        plain = compressed(wire, calls, [IDENTITY], [(5000, False)], grpc_accept_encoding="gzip")
        assert "grpc-encoding" not in plain.headers


def test_a_large_answer_is_compressed_where_nobody_waits(calls, calls_server):
    """On a worker; on a ring it goes as it is."""
    with Wire(calls_server) as wire:
        answer = compressed(wire, calls, [GZIP], [(1_500_000, False)], grpc_accept_encoding="gzip")
    [(flag, payload)] = messages(answer.data)
    assert flag == (calls_server.mode == "offloaded")
    assert len(calls.Payload.FromString(gunzip(payload) if flag else payload).data) == 1_500_000


def test_what_does_not_become_shorter_goes_as_it_is(start, calls):
    server = start("test-server", "--compression", ZSTD)
    noise = calls.Payload(data=PACK["zstd"](bytes(range(256)) * 3)[:200] * 1).data
    noise = b"".join(zlib.crc32(struct.pack(">I", i)).to_bytes(4, "big") for i in range(1000)) + noise
    body = calls.Payload(data=noise).SerializeToString()
    with Wire(server) as wire:
        answer = wire.call(ECHO, body, grpc_accept_encoding="zstd")
        assert messages(answer.data) == [(0, body)]


def test_a_compressing_stream_shares_the_ring(start, calls):
    """What travels is small, so the queue never fills; the work counts all the same."""
    server = start("test-server", "--compression", GZIP)
    payload = calls.Payload(data=bytes(500_000)).SerializeToString()
    with Wire(server) as wire, Wire(server) as honest:
        assert wire.ping()
        stream = wire.headers(
            [(":method", "POST"), (":scheme", "http"), (":path", CHAT), (":authority", "x")]
            + [("te", "trailers"), ("content-type", "application/grpc")]
            + [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")]
        )
        wire.data(stream, message(gzip(payload), 1) * 200, end=True)
        assert honest.call(ECHO).status == OK
        wire.poll()
        assert not wire.streams[stream].is_over
        answer = wire.answer(stream)
        assert answer.status == OK
        assert [gunzip(data) for _, data in messages(answer.data)] == [payload] * 200
