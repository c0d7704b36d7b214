# SPDX-License-Identifier: MIT
"""The generic handler: methods that the server does not know, as bytes."""

import json

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from wire import Wire, message, messages, request_fields

MIB = 1 << 20
MODES = {
    "plain": [],
    "offloaded": ["--offload-all", "--rings", 2],
    "intercepted": ["--intercept", "--metrics"],
    "compressed": ["--compression", 2],
}


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", "--generic", *MODES[request.param])


def method(opened, kind, path):
    return getattr(opened, kind)(path, request_serializer=bytes, response_deserializer=bytes)


def post(wire, path, body, kind):
    stream = wire.headers(request_fields(path, te=None, content_type=kind))
    wire.data(stream, body, end=True)
    return wire.answer(stream)


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip])
@pytest.mark.parametrize("path", ["/a.b.C/D", "/calls.Calls/Absent", "/calls.Calls/Nothing", "/x/", "//", "/a/b/c"])
def test_all_kinds(server, path, compression):
    """Of services that the server has and that it has not."""
    sent = [b"one", b"", bytes(range(256)) * 1000, b"last"]
    options = {"timeout": PATIENCE, "compression": compression}
    with channel(server.target) as opened:
        reply, call = method(opened, "unary_unary", path).with_call(sent[2], **options)
        assert reply == sent[2]
        assert ("path", path) in call.initial_metadata()
        assert list(method(opened, "unary_stream", path)(sent[0], **options)) == [sent[0]]
        assert method(opened, "stream_unary", path)(iter(sent[:1]), **options) == sent[0]
        assert list(method(opened, "stream_stream", path)(iter(sent), **options)) == sent


@pytest.mark.parametrize("path", ["/a.b.C/D", "/calls.Calls/Absent"])
def test_connect(server, path):
    """Its messages are bytes: one without frames, or a stream of them. JSON would need types."""
    with Wire(server) as wire:
        sent = bytes(range(256)) * 100
        answer = post(wire, path, sent, "application/proto")
        assert (answer.http_status, bytes(answer.data)) == ("200", sent)
        assert (answer.headers["path"], answer.headers["content-type"]) == (path, "application/proto")
        answer = post(wire, path, b"fail", "application/proto")
        assert json.loads(bytes(answer.data)) == {"code": "data_loss", "message": "as told"}
        answer = post(wire, path, message(b"one") + message(b"two"), "application/connect+proto")
        *sent, (flag, _) = messages(answer.data)
        assert (sent, flag) == ([(0, b"one"), (0, b"two")], 2)
        for kind in ("application/json", "application/connect+json", "application/grpc-web+json"):
            answer = post(wire, path, b"{}", kind)
            assert answer.http_status == "415" and b"application/proto" in bytes(answer.data)


def test_known_methods_are_not_its(calls, server, connect):
    stub = calls.Stub(connect(server))
    assert stub.Sum(iter([calls.Number(value=2)] * 3), timeout=PATIENCE).value == 6
    assert stub.Misuse(calls.MisuseRequest(way="bytes"), timeout=PATIENCE).text == "refused"


@pytest.mark.parametrize("path", ["/", "/x", "/calls.Calls"])
def test_paths_without_a_method_stay_unknown(server, path):
    with Wire(server) as wire:
        answer = wire.call(path)
        assert answer.status == 12 and "path" not in answer.headers


@pytest.mark.parametrize("size", [0, 1, 2042, 2043, 2044, 4090, 4096, 65_536, 3 * MIB])
def test_sizes(server, size):
    """Those that fit a buffer, a block, or need their own; one and many."""
    body = bytes(i * 7 & 255 for i in range(size))
    with channel(server.target) as opened:
        call = method(opened, "stream_stream", "/a/b")
        for count in (1, 20 if size <= 65_536 else 3):
            assert list(call(iter([body] * count), timeout=PATIENCE)) == [body] * count


def test_errors(server):
    with channel(server.target) as opened, pytest.raises(grpc.RpcError) as caught:
        list(method(opened, "stream_stream", "/a/b")(iter([b"x", b"fail"]), timeout=PATIENCE))
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "as told")


@pytest.mark.parametrize("mode", ["plain", "offloaded"])
def test_limits(start, mode):
    server = start("test-server", "--generic", *MODES[mode], "--limit", "message_receive_bytes_max=3000", "--limit", "message_send_bytes_max=2000")
    with channel(server.target) as opened:
        call = method(opened, "unary_unary", "/a/b")
        assert len(call(bytes(2000), timeout=PATIENCE)) == 2000
        for size in (2001, 3000, 3001):
            for compression in (None, grpc.Compression.Gzip):
                with pytest.raises(grpc.RpcError) as caught:
                    call(bytes(size), timeout=PATIENCE, compression=compression)
                assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_its_options_hold(start):
    """live_calls_max of 20."""
    server = start("test-server", "--generic")
    with Wire(server) as wire:
        streams = [wire.request("/a/b", b"hello", end=False) for _ in range(25)]
        answers = [wire.streams[stream] for stream in streams]
        assert wire.read(lambda: all(answer.data or answer.is_over for answer in answers), "answers")
        assert [answer.status for answer in answers] == [None] * 20 + [8] * 5


def test_backpressure(start, sanitized):
    """Who does not read its echo can send no more."""
    server = start("test-server", "--generic", "--limit", "ping_strikes_max=4294967295")
    body = bytes(10_000)
    with Wire(server, window=0) as wire:
        stream = wire.request("/a/b", body, end=False)
        assert wire.read(lambda: wire.settings, "SETTINGS")
        before, sent = server.rss(), 1
        while (sent + 1) * 10_005 <= wire.settings[4] + wire.windows[stream]:
            wire.data(stream, message(body))
            sent += 1
            assert wire.ping()
            assert sent < 500, "the stream's window closes"
        assert sanitized or server.rss() - before < 8 * MIB
        wire.open_window(stream, sent * 10_005)
        assert wire.read(lambda: len(wire.streams[stream].data) == sent * 10_005, "all echoes")
        wire.data(stream, end=True)
        assert wire.answer(stream).status == 0


def test_interceptors_see_the_bytes(calls, start, connect):
    """Their sizes, and refuse by them, both ways."""
    server = start("test-server", "--generic", "--intercept")
    with channel(server.target) as opened:
        call = method(opened, "stream_stream", "/a/b")
        for gate, code in (("veto", grpc.StatusCode.FAILED_PRECONDITION), ("mute", grpc.StatusCode.ABORTED)):
            with pytest.raises(grpc.RpcError) as caught:
                list(call(iter([b"more than ten bytes"]), metadata=[("gate", gate)], timeout=PATIENCE))
            assert caught.value.code() == code
        assert list(call(iter([b"few"]), metadata=[("gate", "veto")], timeout=PATIENCE)) == [b"few"]
    stub = calls.Stub(connect(server))
    eventually(lambda: stub.Stats(calls.Empty()).running == 0, "all are done")
