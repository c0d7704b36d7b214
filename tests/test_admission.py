# SPDX-License-Identifier: MIT
"""Who is let in: connections by address, calls by their number, by their method, by the time that is left."""

import json
import time

import pytest

import wire as wires
from conftest import channel
from servers import PATIENCE, eventually
from wire import Wire

WAIT, ECHO, SLEEP = "/calls.Calls/Wait", "/calls.Calls/Echo", "/calls.Calls/Sleep"
PUSHBACK = "grpc-retry-pushback-ms"


def sleep_ms(ms):
    """A Delay message."""
    assert 128 <= ms < 1 << 14
    return bytes([8, ms & 127 | 128, ms >> 7])


def statistics(calls, wire):
    answer = wire.call("/calls.Calls/Stats")
    return calls.StatsReply.FromString(bytes(answer.data[5:]))


@pytest.fixture
def source(monkeypatch):
    """source(address): where connections come from, from then on."""
    connect = wires.socket.socket.connect

    def set_source(address):
        def bound(sock, target):
            sock.bind((address, 0))
            connect(sock, target)

        monkeypatch.setattr(wires.socket.socket, "connect", bound)

    return set_source


# ---- connections ----


@pytest.mark.parametrize("rings", [1, 3])
def test_connections_of_an_address(start, calls, source, rings):
    server = start("test-server", "--rings", rings, "--limit", "connections_per_address_max=3")
    source("127.0.0.2")
    held = [Wire(server) for _ in range(3)]
    assert all(wire.call(ECHO).status == 0 for wire in held)
    with Wire(server) as fourth:
        fourth.read_to_end()
        assert fourth.settings == {}
    assert "127.0.0.2:" in server.logged("its address has connections_per_address_max connections")
    source("127.0.0.3")
    with Wire(server) as other:
        assert other.call(ECHO).status == 0
        assert statistics(calls, other).connections_refused == 1
    source("127.0.0.2")
    held.pop().__exit__()

    def free_again():
        with Wire(server) as wire:
            wire.request(ECHO)
            return wire.read(lambda: wire.streams[1].is_over, "an answer")

    eventually(free_again, "a place that was given up is free")
    for wire in held:
        wire.__exit__()


def test_unix_sockets_have_no_address(start, calls, connect, tmp_path):
    address = f"unix:{tmp_path}/socket"
    server = start(
        "test-server", "--address", address, "--limit", "connections_per_address_max=1"
    )
    first, second = calls.Stub(connect(server)), calls.Stub(connect(server))
    for stub in first, second:
        assert stub.Echo(calls.Payload(text="in"), timeout=PATIENCE).text == "in"


def test_a_flood_does_not_fill_the_log(start):
    limits = ["--limit", "connections_max=1", "--limit", "peer_log_lines_per_second=1"]
    server = start("test-server", *limits)
    with Wire(server) as held:
        assert held.call(ECHO).status == 0
        for _ in range(200):
            with Wire(server, start=False) as wire:
                wire.read_to_end()

        def lines():
            return sum("closed at once" in line for line in server.log)

        eventually(lambda: lines() >= 10, "the first of them are in the log")
        assert lines() < 100
        time.sleep(1.1)  # a line may be written again, and says how many were not
        with Wire(server, start=False) as wire:
            wire.read_to_end()
        server.logged("lines about peers were left out")


def test_nor_do_mistakes_of_a_handler(start):
    """It is the peer that says how often they happen."""
    server = start("test-server", "--limit", "peer_log_lines_per_second=1")
    with Wire(server) as wire:
        for _ in range(200):
            wire.call("/calls.Calls/Forget")
    server.logged("/calls.Calls/Forget: a mistake of the handler")
    assert sum("a mistake of the handler" in line for line in server.log) < 100


# ---- calls ----


def assert_pushed_back(answer, middle_ms=1000):
    assert answer.status == 8
    assert 0.8 * middle_ms <= int(answer.headers[PUSHBACK]) <= 1.2 * middle_ms


@pytest.mark.parametrize("mode", [[], ["--offload-all"], ["--intercept"]], ids=str)
def test_live_calls_of_a_method(start, calls, mode):
    server = start("test-server", "--rings", 2, "--method", f"{WAIT},live_calls_max=2", *mode)
    with Wire(server) as one, Wire(server) as two:
        held = one.request(WAIT), two.request(WAIT)
        assert one.ping() and two.ping()
        for wire in one, two:
            answer = wire.call(WAIT)
            assert_pushed_back(answer)
            assert answer.text == "the method has too many calls (live_calls_max)"
            assert wire.call(ECHO).status == 0
        assert statistics(calls, one).calls_refused == 2
        two.reset(held[1])

        def is_taken():
            stream = one.request(WAIT)
            assert one.ping()
            return not one.streams[stream].is_over

        eventually(is_taken, "a place that was given up is free")


def test_calls_of_the_server(start, calls):
    limits = ["--limit", "calls_max=3", "--limit", "retry_pushback_ms=50"]
    with Wire(start("test-server", *limits)) as wire:
        held = [wire.request(WAIT) for _ in range(3)]
        for _ in range(20):
            answer = wire.call(ECHO)
            assert_pushed_back(answer, 50)
            assert answer.text == "the server has too many calls (calls_max)"
        wire.reset(held[0])
        assert wire.ping()
        assert wire.call(ECHO).status == 0
        assert statistics(calls, wire).calls_refused == 20


def test_a_client_comes_back_when_it_was_told_to(start, calls):
    """gRPC's own retries, of which the server's word overrules the policy's."""
    limits = ["--method", "/calls.Calls/Later,live_calls_max=1", "--limit", "retry_pushback_ms=500"]
    server = start("test-server", *limits)
    policy = {
        "maxAttempts": 3,
        "initialBackoff": "0.001s",
        "maxBackoff": "0.001s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": ["RESOURCE_EXHAUSTED"],
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    with channel(server.target, service_config=json.dumps(config)) as opened:
        stub = calls.Stub(opened)
        first = stub.Later.future(calls.Delay(ms=700), timeout=PATIENCE)
        with Wire(server) as wire:
            eventually(lambda: statistics(calls, wire).running > 0, "the first call runs")
        began = time.monotonic()
        assert stub.Later(calls.Delay(ms=1), timeout=PATIENCE).text == "later"
        assert time.monotonic() - began >= 0.4
        assert first.result().text == "later"


def test_the_applications_options(start):
    limits = ["--max-connections", 2, "--max-calls", 1, "--max-connections-per-address", 1]
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0, *limits)
    with Wire(server) as held, Wire(server) as over:
        half = held.headers(wires.request_fields("/api.Api/sayHello"))
        assert_pushed_back(held.call("/api.Api/sayHello"))
        over.read_to_end()
        assert over.settings == {}
        held.data(half, wires.message(b""), end=True)
        assert held.answer(half).status == 0


# ---- time ----


def test_work_that_would_be_too_late_is_refused_at_once(start, calls):
    server = start("test-server", "--workers", 1, "--limit", "offloaded_max=3")
    opened = [Wire(server) for _ in range(5)]
    running = lambda: statistics(calls, opened[3]).running
    assert opened[0].call(SLEEP, sleep_ms(400)).status == 0  # so long it takes
    eventually(lambda: running() == 0, "its handler is through")
    streams = [opened[0].request(SLEEP, sleep_ms(400))]
    eventually(lambda: running() == 1, "the worker is busy")
    for wire in opened[1:3]:  # these wait: one of a connection at a time
        streams.append(wire.request(SLEEP, sleep_ms(400)))
        assert wire.ping()
    answer = opened[3].call(SLEEP, sleep_ms(400), grpc_timeout="200m")
    assert (answer.status, PUSHBACK in answer.headers) == (14, False)
    assert answer.text == "no worker thread would be free before the deadline"
    # who has time waits, until the queue is full
    streams.append(opened[3].request(SLEEP, sleep_ms(400), grpc_timeout="1M"))
    assert opened[3].ping()
    answer = opened[4].call(SLEEP, sleep_ms(400))
    assert_pushed_back(answer)
    assert answer.text == "too much work waits for the worker threads (offloaded_max)"
    assert opened[3].answer(streams[3]).status == 0
    for wire in opened:
        wire.__exit__()


def test_what_is_late_in_the_queue_does_not_start(start, calls):
    server = start("test-server", "--workers", 1)
    with Wire(server) as busy, Wire(server) as late:
        busy.request(SLEEP, sleep_ms(500))
        assert busy.ping()
        eventually(lambda: statistics(calls, busy).running == 1, "the worker is busy")
        # nothing is known of how long work takes: it waits, and gets its answer at the deadline
        assert late.call("/calls.Calls/BlockingCount", b"\x08\x64", grpc_timeout="50m").status == 4
        assert busy.answer(1).status == 0
        assert busy.call(SLEEP, sleep_ms(128)).status == 0  # behind the other in the queue
        eventually(lambda: statistics(calls, busy).running == 0, "all handlers are through")
        assert statistics(calls, busy).sent == 0
