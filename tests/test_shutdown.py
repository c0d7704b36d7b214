# SPDX-License-Identifier: MIT
"""SIGTERM: what runs may finish, what is new is turned away, and the server ends with 0."""

import contextlib
import signal
import socket
import threading
import time

import grpc
import hyperframe.frame as frames
import pytest

from servers import PATIENCE, eventually
from tls import client_hello, pki, tls_options  # noqa: F401 (fixture)
from wire import NO_ERROR, PREFACE, WINDOW_MAX, Wire

MODES = {
    "plain": [],
    "rings": ["--rings", 3],
    "offloaded": ["--offload-all"],
    "loop": ["--loop", "--rings", 2],
}


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", *MODES[request.param], "--limit", "drain_ms=60000")


# grpcio's windows stay at 64 KiB: else it takes a million items that a test does not read yet
UNPROBED = {"http2.bdp_probe": 0}


def is_refused(server):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) != 0


@pytest.mark.parametrize("program", ["quoit-api", "test-server"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle(start, program, number):
    if program == "test-server" and number == signal.SIGINT:
        pytest.skip("test-server does not catch SIGINT")
    server = start(program, *(["--port", 0] if program == "quoit-api" else []))
    server.signal(number)
    assert server.wait() == 0
    assert "stopped" in server.log[-1]


@pytest.mark.parametrize("options", [[], ["--workers", 4], ["--rings", 2]])
def test_a_long_stream_finishes(api, start, connect, options):
    server = start("quoit-api", "--port", 0, *options)
    stub = api.Stub(connect(server, **UNPROBED))
    stream = stub.getStream(api.ApiRequest(length=15_000))
    assert next(stream).id == 1
    server.signal()
    eventually(lambda: is_refused(server), "the listener is closed")
    assert [item.id for item in stream] == list(range(2, 15_001))
    assert server.wait() == 0


def test_calls_of_all_kinds_finish(calls, server, connect):
    stub = calls.Stub(connect(server, **UNPROBED))
    before = calls.Stub(connect(server))
    assert before.Echo(calls.Payload(text="here")).text == "here"
    futures = [stub.Later.future(calls.Delay(ms=2000)), stub.Sleep.future(calls.Delay(ms=2000))]
    stream = stub.BlockingCount(calls.CountRequest(count=25_000))  # more than windows and queues hold
    assert next(stream).value == 1
    eventually(lambda: before.Stats(calls.Empty()).running >= 3, "they run")
    server.signal()
    assert sum(1 for _ in stream) == 24_999
    assert [future.result(PATIENCE).text for future in futures] == ["later", "slept"]
    assert server.wait() == 0
    assert "stopped, 0 running" in server.log[-1]


def test_goaway_in_two_steps(calls, server):
    with Wire(server) as wire:
        delay = calls.Delay(ms=1500).SerializeToString()
        first = wire.request("/calls.Calls/Later", delay)
        assert wire.ping()
        server.signal()
        assert wire.read(lambda: wire.goaways, "the first GOAWAY")
        assert wire.goaways[0] == (WINDOW_MAX, NO_ERROR)
        assert wire.read(lambda: len(wire.goaways) == 2, "the second GOAWAY")
        assert wire.goaways[1] == (first, NO_ERROR)
        assert not wire.streams[first].is_over
        assert wire.answer(first).status == 0
        wire.read_to_end()
        assert len(wire.goaways) == 2
    assert server.wait() == 0


def test_a_call_between_the_two_steps_is_served(calls, server):
    """It was on its way when the GOAWAY was: the client cannot know."""
    with Wire(server) as wire:
        assert wire.ping()
        wire.answers_pings = False
        server.signal()
        assert wire.read(lambda: wire.goaways, "the first GOAWAY")
        stream = wire.request("/calls.Calls/Echo", b"")
        assert wire.answer(stream).status == 0
        assert wire.read(lambda: len(wire.goaways) == 2, "the second GOAWAY, without an answer to the PING")
        assert wire.goaways[1][0] == stream
        wire.read_to_end()
    assert server.wait() == 0


SOON = 4  # seconds: far less than handshake_ms


def stops_soon(server):
    began = time.monotonic()
    server.signal()
    assert server.wait() == 0
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("mode", ["plain", "rings"])
@pytest.mark.parametrize("count", [1, 100])
def test_connections_without_settings_do_not_hold_it_up(start, pki, tls, mode, count):
    """However far they have come: silent, in the midst of a handshake, of the preface, of the SETTINGS."""
    options = tls_options(pki.server) if tls else []
    server = start("test-server", *MODES[mode], *options)
    hello = client_hello(pki)
    if tls:
        begun = [b"", hello[:1], hello[:5], hello[:-1], hello]
    else:
        begun = [b"", PREFACE[:1], PREFACE[:-1], PREFACE, PREFACE + b"\0\0\x06\4"]
    with contextlib.ExitStack() as stack:
        for sent in begun * count:
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            sock.sendall(sent)
        if tls:  # over with TLS, and then silent
            stack.enter_context(Wire(server, start=False, tls={"context": pki.context()}))
        with Wire(server, tls={"context": pki.context()} if tls else None) as wire:
            assert wire.ping()
        stops_soon(server)


def test_nor_do_those_that_go_on_byte_by_byte(server):
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        over = threading.Event()

        def dribble():
            for byte in PREFACE + b"\0\0\x06\4\0\0\0\0\0" + bytes(1000):
                with contextlib.suppress(OSError):
                    sock.sendall(bytes([byte]))
                if over.wait(0.1):
                    return

        thread = threading.Thread(target=dribble)
        thread.start()
        time.sleep(0.3)
        try:
            stops_soon(server)
        finally:
            over.set()
            thread.join()


def test_one_that_has_just_come_is_served(calls, start):
    """As clients do while a server restarts."""

    def is_served():
        server = start("test-server")
        with Wire(server, start=False) as wire:
            server.signal()
            wire.answers_settings = True
            wire.send(PREFACE)
            wire.frame(frames.SettingsFrame())
            stream = wire.request("/calls.Calls/Echo")
            wire.read(lambda: wire.streams[stream].is_over, "an answer, or the end")
            return wire.streams[stream].status == 0

    eventually(is_served, "once the machine was quick enough")


def test_a_peer_that_reads_nothing_and_has_no_calls(calls, start):
    """Not even the GOAWAY can be sent."""
    server = start("test-server", "--limit", "drain_ms=60000")
    with Wire(server, receive_buffer=4096) as wire, Wire(server) as other:
        stream = wire.request("/calls.Calls/Count", calls.CountRequest(count=10**9).SerializeToString())
        stats = lambda: calls.StatsReply.FromString(bytes(other.call("/calls.Calls/Stats").data[5:]))
        sent = lambda: stats().sent

        def is_stuck():
            before = sent()
            time.sleep(0.1)
            return before > 10_000 and sent() == before

        eventually(is_stuck, "its socket is full")
        wire.reset(stream)
        eventually(lambda: stats().running == 0, "it has no call")
        other.socket.close()
        began = time.monotonic()
        server.signal()
        assert server.wait() == 0
        assert time.monotonic() - began < 12  # the last words' time, not stall_ms or drain_ms


def test_a_peer_that_answers_nothing_and_has_no_calls(server):
    with Wire(server) as wire:
        assert wire.ping()
        wire.answers_pings = False
        stops_soon(server)


def test_clients_retry_elsewhere(calls, start, connect):
    """A channel whose server stops goes on with the next one on the same port."""
    server = start("test-server")
    stub = calls.Stub(connect(server, initial_reconnect_backoff_ms=50, min_reconnect_backoff_ms=50, max_reconnect_backoff_ms=100))
    assert stub.Echo(calls.Payload(text="1")).text == "1"
    server.stop()
    start("test-server", "--address", server.target)
    assert stub.Echo(calls.Payload(text="2"), wait_for_ready=True, timeout=PATIENCE).text == "2"


def test_a_second_signal_cancels(calls, server, connect):
    stub = calls.Stub(connect(server))
    futures = [stub.Wait.future(calls.Empty()), stub.Sleep.future(calls.Delay(ms=60_000))]
    stream = stub.Count(calls.CountRequest(count=10**9))
    assert next(stream).value == 1
    other = calls.Stub(connect(server))
    eventually(lambda: other.Stats(calls.Empty()).running == 3, "they run")
    server.signal()
    eventually(lambda: is_refused(server), "it is stopping")
    assert not any(future.done() for future in futures)
    server.signal()
    for future in futures:
        assert future.exception(PATIENCE).code() == grpc.StatusCode.UNAVAILABLE
    assert server.wait() == 0
    assert "stopped, 0 running" in server.log[-1]


@pytest.mark.parametrize("engine", ["epoll", "io_uring"])
def test_who_is_accepted_behind_the_end_of_the_drain_time(start, engine):
    """More connections than a turn accepts wait when the server is stopped twice at once: the rest come when all others are cancelled."""
    server = start("quoit-api", "--port", 0, "--engine", engine)
    with contextlib.ExitStack() as stack:
        server.signal(signal.SIGSTOP)
        for _ in range(150):
            wire = stack.enter_context(Wire(server, window=1))
            wire.request("/api.Api/getStream", b"\x08\xa0\x8d\x06")
        server.signal(signal.SIGINT)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        assert server.wait() == 0


@pytest.mark.parametrize("mode", MODES)
def test_the_drain_time_ends(calls, start, connect, mode):
    server = start("test-server", *MODES[mode], "--limit", "drain_ms=500")
    stub = calls.Stub(connect(server))
    future = stub.Wait.future(calls.Empty())
    eventually(lambda: stub.Stats(calls.Empty()).running == 1, "it runs")
    server.signal()
    assert future.exception(PATIENCE).code() == grpc.StatusCode.UNAVAILABLE
    assert server.wait() == 0
    assert server.logged("calls that still run are cancelled: 1, such as /calls.Calls/Wait")


NEVER = 2**32 - 1


def drained(calls, start, connect, mode, drain_ms, own_ms, call_ms=None):
    """A server that was told to drain for @drain_ms, and a call of @call_ms on it, or one that waits to be cancelled."""
    server = start("test-server", *MODES[mode], "--drain-ms", drain_ms, "--limit", f"drain_ms={own_ms}")
    stub = calls.Stub(connect(server))
    future = stub.Later.future(calls.Delay(ms=call_ms)) if call_ms else stub.Wait.future(calls.Empty())
    eventually(lambda: stub.Stats(calls.Empty()).running == 1, "it runs")
    server.signal(signal.SIGUSR2)
    eventually(lambda: is_refused(server), "it is stopping")
    return server, future


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("drain_ms", [60_000, NEVER])
def test_a_drain_is_as_long_as_was_said(calls, start, connect, mode, drain_ms):
    server, future = drained(calls, start, connect, mode, drain_ms, 100, 1000)
    assert future.result(PATIENCE).text == "later"
    assert server.wait() == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("drain_ms", [0, 300])
def test_a_drain_ends(calls, start, connect, mode, drain_ms):
    server, future = drained(calls, start, connect, mode, drain_ms, NEVER)
    assert future.exception(PATIENCE).code() == grpc.StatusCode.UNAVAILABLE
    assert server.wait() == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_stop_behind_a_drain_is_the_first_one(calls, start, connect, mode):
    """It begins drain_ms; one more cancels."""
    server, future = drained(calls, start, connect, mode, NEVER, 60_000, 1500)
    server.signal()
    assert future.result(PATIENCE).text == "later"
    assert server.wait() == 0


@pytest.mark.parametrize("stops, own_ms", [(1, 500), (2, NEVER)])
def test_a_stop_ends_a_drain(calls, start, connect, stops, own_ms):
    server, future = drained(calls, start, connect, "rings", NEVER, own_ms)
    for _ in range(stops):
        time.sleep(0.2)  # else they are one signal
        assert not future.done()
        server.signal()
    assert future.exception(PATIENCE).code() == grpc.StatusCode.UNAVAILABLE
    assert server.wait() == 0


def test_a_drain_may_be_made_longer_and_shorter(calls, start, connect):
    """The last one counts."""
    server, future = drained(calls, start, connect, "plain", 1500, NEVER, 2000)
    for _ in range(2):
        time.sleep(0.6)
        server.signal(signal.SIGUSR2)
    assert future.result(PATIENCE).text == "later"
    assert server.wait() == 0


@pytest.mark.parametrize("mode", ["plain"])
def test_a_peer_that_takes_nothing_does_not_hold_it_up(calls, start, mode):
    """Its socket is full, so not even a GOAWAY gets through."""
    server = start("test-server", *MODES[mode], "--limit", "drain_ms=500")
    with Wire(server, receive_buffer=4096) as wire, Wire(server) as other:
        wire.request("/calls.Calls/Count", calls.CountRequest(count=10**9).SerializeToString())
        stats = lambda: calls.StatsReply.FromString(bytes(other.call("/calls.Calls/Stats").data[5:]))
        eventually(lambda: stats().sent > 10_000, "it streams")
        other.socket.close()
        began = time.monotonic()
        server.signal()
        server.signal()
        assert server.wait() == 0
        assert time.monotonic() - began < 15


# ---- quoit-api's options ----


def watched(start, connect, *options):
    """A quoit-api, its calls' stub, and a stream of its health that says SERVING."""
    server = start("quoit-api", "--port", 0, *options)
    channel = connect(server, **UNPROBED)
    request = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
    assert next(request) == b"\x08\x01"
    return server, channel, request


def test_lame_duck(api, start, connect):
    """Health says so first; calls and connections go on; then it is a stop as any."""
    server, channel, health = watched(start, connect, "--lame-duck", "3s")
    began = time.monotonic()
    server.signal()
    assert next(health) == b"\x08\x02"
    for _ in range(3):
        for one in (channel, connect(server)):
            assert api.Stub(one).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE).message
    assert server.process.poll() is None
    assert server.wait() == 0
    assert time.monotonic() - began > 2.9


def test_a_second_signal_ends_the_lame_duck_time(api, start, connect):
    """And is no cancellation; a third one is."""
    server, channel, health = watched(start, connect, "--lame-duck", "1h", "--drain", "1h")
    stream = api.Stub(channel).getStream(api.ApiRequest(length=10**7))
    assert next(stream).id == 1
    server.signal()
    assert next(health) == b"\x08\x02"
    assert not is_refused(server)
    server.signal()
    eventually(lambda: is_refused(server), "it is stopping")
    time.sleep(0.2)
    assert server.process.poll() is None
    server.signal()
    assert server.wait() == 0
    with pytest.raises(grpc.RpcError):
        list(stream)


def test_lame_duck_without_health(start):
    server = start("quoit-api", "--port", 0, "--no-health", "--lame-duck", "500ms")
    began = time.monotonic()
    server.signal()
    assert server.wait() == 0
    assert time.monotonic() - began > 0.4


def is_closed_after(server, **options):
    """Seconds until the server ends a connection that makes a call and then nothing."""
    with Wire(server, **options) as wire:
        assert wire.ping()
        began = time.monotonic()
        wire.read(lambda: wire.goaways, "a GOAWAY")
        return time.monotonic() - began


@pytest.mark.parametrize("option", ["--max-connection-idle", "--max-connection-age"])
def test_a_connection_has_a_time(start, option):
    server = start("quoit-api", "--port", 0, option, "1s", "--max-connection-age-grace", "1s")
    assert 0.5 < is_closed_after(server) < 10


def test_ping_strikes(start):
    server = start("quoit-api", "--port", 0, "--ping-strikes", "4", "--ping-interval", "1h", "--ping-interval-idle", "1h")
    with Wire(server) as wire:
        assert wire.read(lambda: wire.windows[0], "the connection's window, which makes one PING fair")
        assert wire.ping()
        for _ in range(4):
            assert wire.ping()
        assert not wire.goaways
        wire.ping()
        wire.read(lambda: wire.goaways, "too many pings")


def test_keepalive(start):
    """Who does not answer a PING is closed."""
    server = start("quoit-api", "--port", 0, "--keepalive", "500ms", "--keepalive-timeout", "500ms")
    with Wire(server) as wire:
        assert wire.ping()
        wire.answers_pings = False
        began = time.monotonic()
        wire.read_to_end()
        assert 0.8 < time.monotonic() - began < 10
