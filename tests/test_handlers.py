# SPDX-License-Identifier: MIT
"""Handlers that do wrong: the server goes on, and its log says which method does what."""

import contextlib
import pathlib
import re
import signal
import time

import grpc
import hyperframe.frame as frames
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from tls import pki, tls_options  # noqa: F401 (fixture)
from wire import Wire, message, request_fields

MIB = 1 << 20
MODES = {"plain": [], "rings": ["--rings", 2], "offloaded": ["--offload-all"], "loop": ["--loop"]}


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", *MODES[request.param], "--limit", "peer_log_lines_per_second=1000")


@pytest.fixture
def stub(calls, server, connect):
    return calls.Stub(connect(server))


def outcome(call):
    """The status that @call() ends in, and its text."""
    try:
        return grpc.StatusCode.OK, call().text
    except grpc.RpcError as error:
        return error.code(), error.details()


def stop_twice(server):
    """Signals that come at once would be one."""
    server.signal()
    time.sleep(0.2)
    server.signal()


def lines(server, part):
    """Of all that it says: this ends it."""
    return [line for line in server.whole_log() if part in line]


# ---- threads ----


def functions(root):
    """All public functions of a call."""
    text = "".join(header.read_text() for header in sorted((root / "include/quoit").glob("*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"(\w+)\(\s*(?:const )?quoit_call \*call\b", text)) & set(
        re.findall(r"\bquoit_call_\w+", text)
    )


def test_functions_on_a_thread_that_has_not_got_the_call(calls, root, server, stub):
    """Each of them does nothing, returns what it does where it fails, and is told of once for a method."""
    for _ in range(3):
        assert outcome(lambda: stub.Misuse(calls.MisuseRequest(way="thread"), timeout=PATIENCE)) == (
            grpc.StatusCode.OK,
            "",
        )
    # any thread may call the first two; the third is made of others
    expected = functions(root) - {"quoit_call_post", "quoit_call_cancelled", "quoit_call_trace"}
    assert len(expected) >= 40
    told = [re.search(r"/calls.Calls/Misuse: (\w+)\(\) was called on a thread", line) for line in server.whole_log()]
    told = [match[1] for match in told if match]
    assert sorted(told) == sorted(expected)


# ---- behind the end ----

ABORTED = grpc.StatusCode.ABORTED, "first"
OK = grpc.StatusCode.OK


@pytest.mark.parametrize(
    "way, expected, told",
    [
        ("reply, reply", (OK, "second"), "answered a call that was finished before"),
        ("reply, finish", (OK, "second"), "finished the call, which was finished before"),
        ("reply, details", (OK, "second"), "finished the call, which was finished before"),
        ("reply, send", (OK, "second"), "sent a message after the call was finished"),
        ("reply, hold", (OK, "second"), "held the call, which was finished before"),
        ("finish, reply", ABORTED, "answered a call that was finished before"),
        ("finish, finish", ABORTED, "finished the call, which was finished before"),
        ("later, reply twice", (OK, "first"), "answered a call that was finished before"),
    ],
)
def test_what_comes_behind_the_end_is_told(calls, server, stub, way, expected, told):
    assert outcome(lambda: stub.Misuse(calls.MisuseRequest(way=way), timeout=PATIENCE)) == expected
    line = server.logged(told)
    assert "error: /calls.Calls/Misuse: a mistake of the handler" in line
    assert stub.Echo(calls.Payload(text="on")).text == "on"
    assert len(lines(server, "a mistake of the handler")) == 1


@pytest.mark.parametrize("way, number", [("finish 77", 77), ("details -1", -1)])
def test_a_status_that_grpc_has_not(calls, server, stub, way, number):
    assert outcome(lambda: stub.Misuse(calls.MisuseRequest(way=way), timeout=PATIENCE)) == (grpc.StatusCode.UNKNOWN, "first")
    line = server.logged("a mistake of the handler")
    assert f"error: /calls.Calls/Misuse: a mistake of the handler: it finished with the status {number}, which gRPC has not; sent as UNKNOWN" in line


def test_right_handlers_are_not_told_of(calls, start, connect):
    """Nor those whose call an interceptor has finished: they do not know."""
    server = start("test-server", "--intercept")
    stub = calls.Stub(connect(server))
    stub.Echo(calls.Payload(text="a"))
    assert len(list(stub.Count(calls.CountRequest(count=100)))) == 100
    outcome(lambda: stub.Status(calls.StatusRequest(code=5)))
    for gate, status in (("veto", grpc.StatusCode.FAILED_PRECONDITION), ("mute", grpc.StatusCode.ABORTED)):
        request = calls.Payload(text="longer than ten bytes")
        options = {"metadata": [("gate", gate)], "timeout": PATIENCE}
        assert outcome(lambda: stub.Echo(request, **options))[0] == status
        assert outcome(lambda: list(stub.Chat(iter([request] * 3), **options)))[0] == status
    assert outcome(lambda: list(stub.Count(calls.CountRequest(count=3), **options)))[0] == status
    server.stop()
    assert not lines(server, "mistake")


# ---- handlers that take long ----


def test_a_handler_that_keeps_its_ring(calls, start, connect):
    server = start("test-server", "--limit", "slow_handler_ms=200")
    stub = calls.Stub(connect(server))
    stub.Misuse(calls.MisuseRequest(way="block", amount=1), timeout=PATIENCE)
    stub.Misuse(calls.MisuseRequest(way="block", amount=400), timeout=PATIENCE)
    line = server.logged("kept the ring")
    ms = int(re.search(r"warning: /calls.Calls/Misuse: its handler kept the ring.*for (\d+) ms", line)[1])
    assert 390 <= ms < 10_000


@pytest.mark.parametrize("engine", ["io_uring", "epoll"])
def test_who_is_not_to_blame(start, engine):
    """Header blocks of other connections take the time of a turn, in which a quick handler runs too."""
    server = start("test-server", "--engine", engine, "--limit", "slow_handler_ms=100")
    fields = [*request_fields("/calls.Calls/Echo"), ("x", "v" * 200)]
    with contextlib.ExitStack() as stack:
        quick, *others = [stack.enter_context(Wire(server)) for _ in range(60)]
        assert all(wire.ping() for wire in [quick, *others])
        block, again = (others[0].encoder.encode(part) for part in (fields, fields[-1:] * 15_000))
        server.signal(signal.SIGSTOP)
        for wire in others:
            for part in (block + again, again, again):
                wire.frame(frames.HeadersFrame(wire.new_id(), part, flags=["END_HEADERS"]))
        stream = quick.request("/calls.Calls/Echo")
        server.signal(signal.SIGCONT)
        assert quick.answer(stream).status == 0
    server.stop()
    assert not lines(server, "kept the ring")


@pytest.mark.parametrize("options", [["--offload-all"], ["--limit", "slow_handler_ms=4294967295"]])
def test_where_it_may(calls, start, connect, options):
    server = start("test-server", *options)
    stub = calls.Stub(connect(server))
    stub.Misuse(calls.MisuseRequest(way="block", amount=300), timeout=PATIENCE)
    server.stop()
    assert not lines(server, "kept the ring")


# ---- handlers that do not ask for room ----


@pytest.mark.parametrize("options", [[], ["--limit", "call_queue_bytes_hard_max=1048576"]])
def test_a_loop_that_does_not_ask_for_room_is_ended(calls, start, options, sanitized):
    server = start("test-server", *options)
    limit = MIB if options else 32 * MIB
    request = calls.MisuseRequest(amount=20_000).SerializeToString()  # 312 MiB
    with Wire(server, window=1000) as wire:
        before = server.rss()
        stream = wire.request("/calls.Calls/MisuseStream", request)
        line = server.logged("/calls.Calls/MisuseStream: a mistake of the handler")
        assert "quoit_call_writable()" in line and "call_queue_bytes_hard_max" in line
        stats = calls.StatsReply.FromString(bytes(wire.call("/calls.Calls/Stats").data[5:]))
        assert limit - (16 << 10) <= stats.sent * (16 << 10) <= limit + (64 << 10)
        assert sanitized or server.rss() - before < limit + 16 * MIB
        wire.open_window(stream, 20_000)
        assert wire.answer(stream).status == 8


def test_what_fits_is_sent(calls, start, connect):
    server = start("test-server")
    stub = calls.Stub(connect(server))
    assert sum(len(part.data) for part in stub.MisuseStream(calls.MisuseRequest(amount=1900))) == 1900 << 14
    # one message of any size does
    assert len(stub.Big(calls.Number(value=40 * MIB), timeout=PATIENCE).data) == 40 * MIB


# ---- holds that are forgotten ----

HOLD = ["--limit", "handler_end_ms=300"]


def test_a_forgotten_hold_is_told_when_its_client_has_gone(calls, start, connect):
    server = start("test-server", *HOLD, "--limit", "stop_hold_ms=100", "--limit", "drain_ms=300")
    with channel(server.target) as opened:
        future = calls.Stub(opened).Misuse.future(calls.MisuseRequest(way="hold"))
        stub = calls.Stub(connect(server))
        eventually(lambda: stub.Stats(calls.Empty()).running == 1, "it is held")
        time.sleep(0.5)
        assert not any("handler_end_ms" in line for line in server.log)  # it has a client, and may be right
        future.cancel()
        line = server.logged("handler_end_ms")
    assert "error: /calls.Calls/Misuse: it was cancelled " in line and "quoit_call_finish()" in line
    server.signal()
    server.logged(", held)")  # it has seen this signal: two at once would be one
    server.signal()


def test_a_blocked_worker_is_told(calls, start, connect):
    server = start("test-server", "--offload-all", *HOLD)
    stub = calls.Stub(connect(server))
    error = outcome(lambda: stub.Misuse(calls.MisuseRequest(way="block", amount=1500), timeout=0.1))
    assert error[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "still keeps a worker thread" in server.logged("/calls.Calls/Misuse: it was cancelled")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("has_client", [True, False])
def test_a_second_stop_ends_held_calls(calls, build, start, mode, has_client):
    """What is held by mistake is named, and then the process ends; a post that comes yet later is refused."""
    server = start("test-server", *MODES[mode], "--limit", "drain_ms=60000", "--limit", "stop_hold_ms=300")
    with channel(server.target) as opened, channel(server.target) as other:
        stub = calls.Stub(opened)
        futures = [
            stub.Misuse.future(calls.MisuseRequest(way="hold")),
            stub.Misuse.future(calls.MisuseRequest(way="hold")),
            stub.Misuse.future(calls.MisuseRequest(way="keep", amount=60_000)),
        ]
        stats = calls.Stub(other).Stats
        eventually(lambda: stats(calls.Empty()).running == 3, "they are held")
        if not has_client:
            for future in futures:
                future.cancel()
            eventually(lambda: stats(calls.Empty()).calls_open == 4, "they have no client")
        server.signal()
        time.sleep(0.2)
        assert server.process.poll() is None
        began = time.monotonic()
        server.signal()
        assert server.wait() == 0
        assert 0.25 < time.monotonic() - began < 10
    assert "such as /calls.Calls/Misuse (3, held)" in server.logged("calls that still run")
    assert len(lines(server, "/calls.Calls/Misuse: given up, as the server ends")) == 3


def test_who_finishes_in_time_is_waited_for(calls, start, connect):
    server = start("test-server", "--limit", "drain_ms=60000", "--limit", "stop_hold_ms=20000")
    stub = calls.Stub(connect(server))
    future = stub.Misuse.future(calls.MisuseRequest(way="keep", amount=1000))
    eventually(lambda: stub.Stats(calls.Empty()).running == 1, "it is held")
    stop_twice(server)
    assert server.wait() == 0
    assert future.done() and "stopped, 0 running" in server.log[-1]
    assert not lines(server, "given up")


@pytest.mark.parametrize("mode", MODES)
def test_a_post_behind_the_end(calls, start, mode):
    """The thread that has the call does not know that it was given up. Its memory is there until the server is freed."""
    server = start("test-server", *MODES[mode], "--limit", "stop_hold_ms=10", "--linger-ms", 1500)
    with channel(server.target) as opened:
        stub = calls.Stub(opened)
        futures = [stub.Misuse.future(calls.MisuseRequest(way="keep", amount=ms)) for ms in (600, 700, 900)]
        eventually(lambda: stub.Stats(calls.Empty()).running == 3, "they are held")
        stop_twice(server)
        server.logged("stopped, ")
        assert server.wait() == 0
        assert all(future.done() for future in futures)
    assert lines(server, "given up")
    assert len(lines(server, "a late post: -108")) == 3


def test_a_held_call_of_a_tls_connection(calls, start, pki):
    """It is given up, and what its connection has for TLS is freed with it: a build with a sanitizer sees that."""
    limits = ["--limit", "drain_ms=60000", "--limit", "stop_hold_ms=10"]
    server = start("test-server", *tls_options(pki.server), *limits)
    with Wire(server, tls={"context": pki.context()}) as wire:
        wire.request("/calls.Calls/Misuse", calls.MisuseRequest(way="hold").SerializeToString())
        assert wire.ping()
        stop_twice(server)
        assert server.wait() == 0
    assert lines(server, "given up")


# ---- deadlines ----


def deadline_in_the_midst(server, calls, window, opens, deadline="300m"):
    with Wire(server, window=window) as wire:
        request = calls.CountRequest(count=10**9).SerializeToString()
        stream = wire.request("/calls.Calls/Count", request, grpc_timeout=deadline)
        answer = wire.streams[stream]
        assert wire.read(lambda: len(answer.data) == window, "a window's worth")
        time.sleep(0.6)
        assert wire.ping()
        if opens:
            wire.open_window(stream, opens)
        assert wire.answer(stream)
        return answer


@pytest.mark.parametrize("mode", ["plain", "offloaded"])
@pytest.mark.parametrize("window", [999, 1000, 1001, 1002, 1003, 5000])
def test_a_deadline_ends_a_stream_by_trailers(calls, start, mode, window):
    """Wherever among and within its messages the window has shut: whole ones come, and then the status."""
    server = start("test-server", *MODES[mode])
    answer = deadline_in_the_midst(server, calls, window, opens=1000)
    assert answer.reset in (None, 0) and answer.status == 4
    at = 0
    while at < len(answer.data):
        at += 5 + int.from_bytes(answer.data[at + 1 : at + 5], "big")
    assert at == len(answer.data)
    assert len(answer.data) < window + 10  # what was not begun was dropped


def test_a_deadline_within_a_message_that_is_not_taken(calls, start):
    """The rest has some seconds' time."""
    answer = deadline_in_the_midst(start("test-server"), calls, 1003, opens=None)
    assert answer.reset == 8 and answer.status is None


def test_a_deadline_within_a_large_message(calls, start):
    server = start("test-server")
    with Wire(server, window=100_000) as wire:
        request = calls.Number(value=3 * MIB).SerializeToString()
        stream = wire.request("/calls.Calls/BlockingParts", calls.Number(value=100).SerializeToString(), grpc_timeout="300m")
        big = wire.request("/calls.Calls/Big", request)
        answer = wire.streams[stream]
        assert wire.read(lambda: len(answer.data) == 100_000, "a window's worth")
        time.sleep(0.5)
        wire.open_window(stream, 1 << 20)
        wire.open_window(big, 4 << 20)
        assert wire.answer(stream).status == 4
        part = len(message(calls.Payload(data=bytes(16 << 10)).SerializeToString()))
        assert len(answer.data) == -(-100_000 // part) * part
        assert wire.answer(big).status == 0  # no deadline of its own


# ---- threads' names ----


def test_threads_have_names(start):
    server = start("test-server", "--rings", 3)

    def names():
        return sorted(path.read_text().strip() for path in pathlib.Path(f"/proc/{server.pid}/task").glob("*/comm"))

    # of the two that have the program's name one is its log's writer
    expected = ["ring 1", "ring 2", "test-server", "test-server", *(f"worker {i}" for i in range(10))]
    eventually(lambda: names() == sorted(expected), f"named: {names()}")
