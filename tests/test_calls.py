# SPDX-License-Identifier: MIT
"""All four kinds of calls, and every way in which one can go and end, with the stock client.

Each test runs with the handlers on a ring, on two rings, and on worker threads.
"""

import asyncio
import threading
import time

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from wire import NO_ERROR, Wire, message

MIB = 1 << 20


@pytest.fixture(scope="module")
def stub(calls, calls_server):
    with channel(calls_server.target) as opened:
        yield calls.Stub(opened)


@pytest.fixture
def stats(calls, stub):
    """The server's counters, since the test began where they only grow."""
    before = stub.Stats(calls.Empty())

    def since(name):
        return getattr(stub.Stats(calls.Empty()), name) - getattr(before, name)

    return since


def error_of(call):
    """How @call(), which must fail, fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def numbers(calls, values):
    return (calls.Number(value=value) for value in values)


# ---- unary ----


@pytest.mark.parametrize("size", [0, 1, 16384, MIB, 3 * MIB])
def test_echo(calls, stub, size):
    payload = calls.Payload(data=bytes(range(256)) * (size // 256) + b"x" * (size % 256), text="é😀")
    assert stub.Echo(payload, timeout=PATIENCE) == payload


def test_an_empty_message_is_an_answer(calls, stub):
    assert stub.Echo(calls.Payload(), timeout=PATIENCE) == calls.Payload()


def test_a_held_call_is_answered_from_another_thread(calls, stub):
    futures = [stub.Later.future(calls.Delay(ms=i % 20), timeout=PATIENCE) for i in range(50)]
    assert {future.result().text for future in futures} == {"later"}


def test_a_timer_answers(calls, stub):
    began = time.monotonic()
    futures = [stub.After.future(calls.Delay(ms=ms), timeout=PATIENCE) for ms in (0, 1, 50, 200)]
    assert {future.result().text for future in futures} == {"in time"}
    assert time.monotonic() - began >= 0.2


def test_a_cancelled_call_does_not_wait_for_its_timer(calls, stub, stats):
    future = stub.After.future(calls.Delay(ms=3_600_000))
    eventually(lambda: stats("running") == 1, "it has started")
    future.cancel()
    eventually(lambda: stats("stopped") == 1 and stats("done") == 1, "the timer ran at once")
    assert stats("running") == 0


def test_blocking_handlers_do_not_hold_up_others(calls, stub):
    sleepers = [stub.Sleep.future(calls.Delay(ms=300), timeout=PATIENCE) for _ in range(4)]
    assert stub.Echo(calls.Payload(text="now"), timeout=PATIENCE).text == "now"
    assert not all(sleeper.done() for sleeper in sleepers)
    assert {sleeper.result().text for sleeper in sleepers} == {"slept"}


def test_methods_without_a_handler(calls, stub):
    error = error_of(lambda: stub.Absent(calls.Empty(), timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED
    assert error.details() == "unknown method: /calls.Calls/Absent"
    error = error_of(lambda: list(stub.AbsentStream(iter([calls.Empty()]), timeout=PATIENCE)))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_handler_that_forgets_is_answered_for(calls, stub, calls_server):
    error = error_of(lambda: stub.Forget(calls.Empty(), timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "error: /calls.Calls/Forget" in calls_server.logged("/calls.Calls/Forget:")
    error = error_of(lambda: stub.ForgetStream(iter([calls.Empty()] * 3), timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.INTERNAL


# ---- messages ----


def test_a_request_over_the_limit(calls, stub):
    limit = 4 * MIB
    overhead = calls.Payload(data=b"x" * limit).ByteSize() - limit
    fits = calls.Payload(data=b"x" * (limit - overhead))
    assert stub.Echo(fits, timeout=PATIENCE) == fits
    over = calls.Payload(data=b"x" * (limit - overhead + 1))
    error = error_of(lambda: stub.Echo(over, timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "limit" in error.details()
    error = error_of(lambda: stub.Sum(iter([calls.Number(value=1), over]), timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_large_answers(calls, stub):
    assert len(stub.Big(calls.Number(value=20 * MIB), timeout=PATIENCE).data) == 20 * MIB


def test_an_answer_over_the_limit(calls, start, connect):
    server = start("test-server", "--limit", "message_send_bytes_max=1000")
    stub = calls.Stub(connect(server))
    assert len(stub.Big(calls.Number(value=900), timeout=PATIENCE).data) == 900
    error = error_of(lambda: stub.Big(calls.Number(value=1000), timeout=PATIENCE))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "limit" in error.details()


def nested(depth):
    """Bytes of a calls.Nest with @depth levels below it."""
    body = b""
    for _ in range(depth):
        size, groups = len(body), bytearray()
        while size >= 128:
            groups.append(size & 127 | 128)
            size >>= 7
        body = b"\x0a" + bytes(groups) + bytes([size]) + body
    return body


def test_deep_nesting_is_bounded(calls_server):
    with Wire(calls_server) as wire:
        assert wire.call("/calls.Calls/Deep", nested(100)).status == 0
        assert wire.call("/calls.Calls/Deep", nested(101)).status == 13
        assert wire.call("/calls.Calls/Deep", nested(20_000)).status == 13


# ---- status and metadata ----


@pytest.mark.parametrize("headers_first", [False, True])
def test_every_status(calls, stub, headers_first):
    for code in grpc.StatusCode:
        number = code.value[0]
        request = calls.StatusRequest(code=number, message="why", headers_first=headers_first)
        if number == 0:
            continue
        error = error_of(lambda: stub.Status(request, timeout=PATIENCE))
        assert (error.code(), error.details()) == (code, "why")


@pytest.mark.parametrize(
    "text",
    ["", "plain", "100% sure", "é 漢字 😀", "line\nfeed\ttab", "%41", "x" * 2000],
    ids=["empty", "plain", "percent", "unicode", "control", "escaped", "long"],
)
def test_status_text(calls, stub, text):
    error = error_of(lambda: stub.Status(calls.StatusRequest(code=5, message=text), timeout=PATIENCE))
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, text)


def test_status_behind_messages(calls, stub):
    stream = stub.Count(calls.CountRequest(count=3, code=9, message="stop"), timeout=PATIENCE)
    received = []
    error = error_of(lambda: received.extend(number.value for number in stream))
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "stop")
    assert stream.trailing_metadata() is not None


def test_metadata_of_the_request(calls, stub, calls_server):
    sent = [
        ("x-first", "one"),
        ("x-first", "two"),
        ("x-empty", ""),
        ("x-odd", "a, b; c=\"d\""),
        ("x-data-bin", bytes(range(256))),
        ("x-data-bin", b""),
    ]
    reply = stub.Metadata(calls.MetadataRequest(), metadata=sent, timeout=PATIENCE)
    received = [(field.name, field.value) for field in reply.received if field.name.startswith("x-")]
    expected = [(name, value.encode() if isinstance(value, str) else value) for name, value in sent]
    assert received == expected
    assert reply.first == b"one"
    names = {field.name for field in reply.received}
    assert not [n for n in names if n.startswith((":", "grpc-"))] and not names & {"te", "content-type"}
    assert reply.path == "/calls.Calls/Metadata"
    assert reply.peer.startswith("ipv4:127.0.0.1:")


@pytest.mark.parametrize("headers_first", [False, True])
def test_metadata_of_the_answer(calls, stub, headers_first):
    headers = [("x-a", "1"), ("x-a", "2"), ("x-empty", ""), ("x-b-bin", bytes(range(256)))]
    trailers = [("x-c", "3"), ("x-c", "4"), ("x-d-bin", b"\0")]

    def fields(pairs):
        return [
            calls.Field(name=n, value=v.encode() if isinstance(v, str) else v) for n, v in pairs
        ]

    request = calls.MetadataRequest(
        headers=fields(headers), trailers=fields(trailers), headers_first=headers_first
    )
    reply, call = stub.Metadata.with_call(request, timeout=PATIENCE)
    results = list(reply.results)
    if headers_first:
        assert results.pop(len(headers)) < 0
    assert results == [0] * (len(headers) + len(trailers))
    assert [pair for pair in map(tuple, call.initial_metadata()) if pair[0].startswith("x-")] == headers
    assert [pair for pair in map(tuple, call.trailing_metadata()) if pair[0].startswith("x-")] == trailers


@pytest.mark.parametrize(
    "name, value",
    [
        ("Upper", b"1"),
        ("", b"1"),
        ("sp ace", b"1"),
        (":status", b"500"),
        ("grpc-status", b"0"),
        ("x", b"line\nfeed"),
        ("x", b"nul\0"),
        ("x", "é".encode()),
        ("x", b"y" * 20_000),
    ],
)
def test_metadata_that_a_handler_may_not_send(calls, stub, name, value):
    request = calls.MetadataRequest(headers=[calls.Field(name=name, value=value)])
    reply, call = stub.Metadata.with_call(request, timeout=PATIENCE)
    assert reply.results[0] < 0
    assert name not in dict(call.initial_metadata())


# ---- deadlines and cancellation ----


def test_the_handler_sees_the_deadline(calls, stub):
    assert not stub.Deadline(calls.Empty()).is_set
    reply = stub.Deadline(calls.Empty(), timeout=PATIENCE)
    # grpcio rounds up
    assert reply.is_set and 0 < reply.left_ns <= 1.1 * PATIENCE * 1e9


def test_the_server_keeps_the_deadline(calls_server, stats):
    """The client does not: it only says so."""
    with Wire(calls_server) as wire:
        began = time.monotonic()
        answer = wire.call("/calls.Calls/Wait", grpc_timeout="200m")
        took = time.monotonic() - began
    assert answer.status == 4
    assert took >= 0.2
    eventually(lambda: stats("cancelled") == 1 and stats("running") == 0, "the handler was told")


def test_cancelling_tells_the_handler(calls, stub, stats):
    futures = [stub.Wait.future(calls.Empty()) for _ in range(5)]
    eventually(lambda: stats("running") == 5, "calls have started")
    for future in futures:
        future.cancel()
    eventually(lambda: stats("cancelled") == 5 and stats("done") == 5, "handlers were told")
    assert stats("running") == 0


def test_a_lost_connection_tells_the_handlers(calls_server, stats):
    wire = Wire(calls_server)
    for _ in range(5):
        wire.request("/calls.Calls/Wait", b"")
    wire.request("/calls.Calls/Later", b"\x08\x64")
    wire.request("/calls.Calls/Chat", b"", end=False)
    assert wire.ping()
    eventually(lambda: stats("running") == 7, "calls have started")
    wire.socket.close()
    eventually(lambda: stats("done") == 7 and stats("running") == 0, "all have ended")


def test_a_blocking_handler_sees_its_cancellation(calls, stub, stats):
    future = stub.Sleep.future(calls.Delay(ms=60_000))
    eventually(lambda: stats("running") == 1, "it sleeps")
    future.cancel()
    eventually(lambda: stats("stopped") == 1 and stats("running") == 0, "it stopped")


def test_a_blocking_stream_stops_when_it_is_cancelled(calls, stub, stats):
    """Also where it waits for room, as nobody reads."""
    stream = stub.BlockingCount(calls.CountRequest(count=10**9))
    assert next(stream).value == 1
    stream.cancel()
    eventually(lambda: stats("stopped") == 1 and stats("running") == 0, "it stopped")


# ---- streams ----


@pytest.mark.parametrize("method", ["Count", "BlockingCount"])
@pytest.mark.parametrize("count", [0, 1, 10_000])
def test_server_streaming(calls, stub, method, count):
    stream = getattr(stub, method)(calls.CountRequest(count=count), timeout=2 * PATIENCE)
    assert [number.value for number in stream] == list(range(1, count + 1))


def test_a_stream_runs_no_further_ahead_than_its_reader(calls_server, calls, stats):
    """With a window of 1000 bytes a pump's messages wait in a queue of 64 KiB; then the pump waits."""
    for method in ("Count", "BlockingCount"):
        before = stats("sent")
        with Wire(calls_server, window=1000) as wire:
            request = calls.CountRequest(count=10**9).SerializeToString()
            stream = wire.request(f"/calls.Calls/{method}", request)
            answer = wire.streams[stream]
            assert wire.read(lambda: len(answer.data) == 1000, "a window's worth")
            sent = settled(lambda: stats("sent") - before)
            assert sent * 7 < 100_000, f"{method}: {sent} messages"
            wire.open_window(stream, 2000)
            assert wire.read(lambda: len(answer.data) == 3000, "what the window let through")
        eventually(lambda: stats("running") == 0, "it has ended")


def test_a_worker_has_room_as_soon_as_its_messages_are_sent(calls, start):
    """And not only when other traffic happens to wake the ring, or after stall_ms."""
    server = start("test-server", "--limit", "call_queue_bytes_max=8192")
    parts, part_bytes = 10, len(message(calls.Payload(data=bytes(16 << 10)).SerializeToString()))
    with Wire(server) as wire:
        begin = time.monotonic()
        request = calls.Number(value=parts).SerializeToString()
        answer = wire.call("/calls.Calls/BlockingParts", request)
        assert time.monotonic() - begin < 3
    assert answer.status == 0 and len(answer.data) == parts * part_bytes


def settled(value):
    """What @value() is once it has been the same for a while."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 0.3:
        now = value()
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.01)
    return last


def test_client_streaming(calls, stub):
    for count in (0, 1, 5000):
        assert stub.Sum(numbers(calls, range(count)), timeout=PATIENCE).value == sum(range(count))


def test_an_answer_before_the_client_is_through(calls, stub):
    endless = iter(lambda: calls.Payload(text="first"), None)
    assert stub.First(endless, timeout=PATIENCE).text == "first"


def test_an_early_answer_ends_in_a_reset_without_error(calls, calls_server):
    with Wire(calls_server) as wire:
        body = calls.Payload(text="first").SerializeToString()
        stream = wire.request("/calls.Calls/First", body, end=False)
        answer = wire.answer(stream)
        assert answer.data == message(body) and answer.status == 0
        assert wire.read(lambda: answer.reset is not None, "RST_STREAM")
        assert answer.reset == NO_ERROR
        assert wire.ping()


def test_bidi_echo_in_step(calls, stub):
    turn = threading.Semaphore(1)

    def requests():
        for i in range(100):
            assert turn.acquire(timeout=PATIENCE)
            yield calls.Payload(text=str(i))

    received = []
    for reply in stub.Chat(requests(), timeout=PATIENCE):
        received.append(reply.text)
        turn.release()
    assert received == [str(i) for i in range(100)]


def test_bidi_echo_of_large_and_empty_messages(calls, stub):
    sent = [calls.Payload(data=b"x" * size) for size in (0, 1, 70_000, 0, MIB, 5, 3 * MIB, 0)]
    assert list(stub.Chat(iter(sent), timeout=PATIENCE)) == sent


def test_bidi_backpressure(calls_server, calls, stub, stats, sanitized):
    """An echo that is not read stops reading: the client has to wait, and memory stays."""
    stub.Echo(calls.Payload(data=b"x" * MIB), timeout=PATIENCE)
    body = calls.Payload(data=b"x" * 10_000).SerializeToString()
    before = calls_server.rss()
    with Wire(calls_server, window=0) as wire:
        stream = wire.request("/calls.Calls/Chat", body, end=False)
        assert wire.read(lambda: wire.settings, "SETTINGS")
        window = wire.settings[4]
        sent = 5 + len(body)
        while sent + len(body) + 5 <= window + wire.windows[stream]:
            wire.data(stream, message(body))
            sent += len(body) + 5
            assert wire.ping()
        assert sent < 2 * MIB, "the stream's window closes"
        assert calls_server.rss() - before < (100 if sanitized else 8) * MIB
        count = sent // (len(body) + 5)
        wire.open_window(stream, sent)
        assert wire.read(lambda: len(wire.streams[stream].data) == sent, "all echoes")
        assert wire.streams[stream].data == message(body) * count
        wire.data(stream, end=True)
        assert wire.answer(stream).status == 0


def test_read_credits(calls_server, calls, stats):
    """With three credits three messages are taken, and no more."""
    with Wire(calls_server) as wire:
        stream = wire.request("/calls.Calls/Chat", b"", end=False, credits="3")
        for _ in range(9):
            wire.data(stream, message(b""))
        answer = wire.streams[stream]
        assert wire.read(lambda: len(answer.data) == 15, "three echoes")
        assert wire.ping()
        assert settled(lambda: stats("sent")) == 3
        assert answer.data == message(b"") * 3 and not answer.is_over


def test_what_comes_after_the_finish_is_dropped(calls, stub):
    stream = stub.Late(calls.Empty(), timeout=PATIENCE)
    assert [number.value for number in stream] == [1]
    assert stream.code() == grpc.StatusCode.OK
    assert "x-late" not in dict(stream.trailing_metadata())


def test_many_streams_of_all_kinds_at_once(calls, calls_server):
    async def chat(stub, count):
        sent = [calls.Payload(text=str(i)) for i in range(count)]
        return [reply async for reply in stub.Chat(iter(sent))] == sent

    async def one(stub, i):
        if i % 4 == 0:
            return (await stub.Sum(numbers(calls, range(i)))).value == sum(range(i))
        if i % 4 == 1:
            stream = stub.Count(calls.CountRequest(count=i))
            return [number.value async for number in stream] == list(range(1, i + 1))
        if i % 4 == 2:
            return await chat(stub, i)
        return (await stub.Later(calls.Delay(ms=i))).text == "later"

    async def run():
        async with grpc.aio.insecure_channel(calls_server.target) as opened:
            stub = calls.Stub(opened)
            assert all(await asyncio.gather(*(one(stub, i) for i in range(120))))

    asyncio.run(asyncio.wait_for(run(), 2 * PATIENCE))


def test_nothing_is_left_running(stats, stub, calls):
    """Comes last in this file: whatever the others did, all their handlers are done."""
    eventually(lambda: stub.Stats(calls.Empty()).running == 0, "handlers are done")
    eventually(lambda: stub.Stats(calls.Empty()).calls_open == 1, "calls are freed, but this one")
