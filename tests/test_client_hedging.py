# SPDX-License-Identifier: MIT
"""Hedged calls: what their servers get, and what the caller hears."""

import json
import threading
import time

import hyperframe.frame as frames
import pytest

from grpcio_server import grpcio_server
from misbehaving import ANSWER, GRPC, Acts, Peer, hang_up, http, reset_at_once, trailers_only
from strict_server import StrictServer

UNAVAILABLE = ("grpc-status", "14")
CANCEL = 8
LONG = "1000s"


def hedging(attempts=3, delay="0.05s", codes=("UNAVAILABLE",), **others):
    """A service config as JSON."""
    policy = {"maxAttempts": attempts, "hedgingDelay": delay, "nonFatalStatusCodes": list(codes)}
    return json.dumps({"methodConfig": [{"name": [{}], "hedgingPolicy": policy}], **others})


class Server(StrictServer):
    """Notes as well which requests were reset."""

    def __init__(self, *acts):
        self.acts = Acts(*acts)
        self.resets = {}
        super().__init__(streams=100, window=65535, answer=self.acts)

    def _take(self, frame):
        if isinstance(frame, frames.RstStreamFrame):
            self.resets[frame.stream_id] = frame.error_code
        super()._take(frame)


def silent(peer):
    pass


fail = trailers_only(UNAVAILABLE, ("grpc-message", "no"))


def call(client, calls, server, config, **options):
    with server:
        result = client(
            server.target, "Echo", calls.Payload(text="hello"), service_config=config, **options
        )
    assert not server.faults
    return result


@pytest.mark.parametrize("blocking", [False, True])
def test_the_second_is_faster(client, calls, blocking):
    options = {"blocking": True} if blocking else {}
    server = Server(silent)
    began = time.monotonic()
    result = call(client, calls, server, hedging(attempts=5), **options)
    assert result.text == "OK"
    assert result.messages == [calls.Payload(text="hello").SerializeToString()]
    assert server.acts.attempts == [None, "1"]
    assert server.acts.bodies[0] == server.acts.bodies[1]
    assert server.acts.times[1] - began >= 0.05
    assert server.resets == {1: CANCEL}


def test_headers_win(client, calls):
    """Whatever comes behind them; and no further attempt is begun."""

    def headers(peer):
        peer.headers([*GRPC, ("x-mine", "1")])
        time.sleep(0.3)
        peer.headers([UNAVAILABLE, ("grpc-message", "late")], end=True)

    server = Server(headers)
    result = call(client, calls, server, hedging())
    assert result.text == "UNAVAILABLE: late"
    assert result.headers == [("x-mine", b"1")]
    assert server.acts.attempts == [None]


def test_no_delay_is_all_at_once(client, calls):
    server = Server(silent, silent)
    result = call(client, calls, server, hedging(attempts=3, delay="0s"))
    assert result.text == "OK"
    assert server.acts.attempts == [None, "1", "2"]
    assert server.resets == {1: CANCEL, 3: CANCEL}


def test_one_is_enough(client, calls):
    server = Server()
    result = call(client, calls, server, hedging(delay=LONG))
    assert result.text == "OK"
    assert server.acts.attempts == [None]
    assert server.resets == {}


NOT_FATAL = {
    "trailers-only": fail,
    "http-503": http(503),
    "reset": reset_at_once(11),
}


@pytest.mark.parametrize("name", NOT_FATAL)
def test_a_failure_begins_the_next_at_once(client, calls, name):
    server = Server(NOT_FATAL[name])
    result = call(client, calls, server, hedging(delay=LONG, codes=[14, 8]))
    assert result.text == "OK"
    assert server.acts.attempts == [None, "1"]


def test_a_lost_connection(client, calls):
    """All attempts on it fail, the first one and those behind it."""
    server = Server(silent, hang_up)
    result = call(
        client, calls, server, hedging(attempts=5), wait_for_ready=True, backoff=10, timeout=20_000
    )
    assert result.text == "OK"


def test_a_fatal_one_ends_all(client, calls):
    server = Server(silent, trailers_only(("grpc-status", "5"), ("grpc-message", "none")))
    result = call(client, calls, server, hedging())
    assert result.text == "NOT_FOUND: none"
    assert server.acts.attempts == [None, "1"]
    assert server.resets == {1: CANCEL}


def test_the_last_failure_is_the_calls(client, calls):
    last = trailers_only(UNAVAILABLE, ("grpc-message", "last"), ("x-last", "yes"))
    server = Server(fail, fail, last, fail)
    result = call(client, calls, server, hedging(delay=LONG))
    assert result.text == "UNAVAILABLE: last"
    assert result.trailers == [("x-last", b"yes")]
    assert server.acts.attempts == [None, "1", "2"]


def test_pushback_delays_the_next(client, calls):
    push = trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "300"))
    server = Server(push)
    result = call(client, calls, server, hedging(delay="0.05s"))
    assert result.text == "OK"
    assert server.acts.attempts == [None, "1"]
    assert server.acts.pauses[0] + 0.002 >= 0.3


def test_pushback_stops(client, calls):
    """No further attempt; the one that runs goes on."""
    stop = trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "-1"))

    def answer_the_first(peer):
        stop(peer)
        time.sleep(0.3)
        first = Peer(peer.server, 1)
        first.headers(GRPC)
        first.data(ANSWER)
        first.ok()

    server = Server(silent, answer_the_first)
    result = call(client, calls, server, hedging(attempts=5))
    assert result.text == "OK"
    assert server.acts.attempts == [None, "1"]
    assert server.resets == {}


def test_ok_without_headers_wins(client, calls):
    server = Server(silent, trailers_only(("grpc-status", "0")))
    with server:
        result = client(
            server.target, "Count", calls.CountRequest(count=0), service_config=hedging()
        )
    assert (result.text, result.messages) == ("OK", [])
    assert server.acts.attempts == [None, "1"]


def test_deadline(client, calls):
    server = Server(*[silent] * 3)
    result = call(client, calls, server, hedging(delay="0.02s"), timeout=300)
    assert result.text == "DEADLINE_EXCEEDED: deadline exceeded"
    assert server.acts.attempts == [None, "1", "2"]
    assert server.resets == {1: CANCEL, 3: CANCEL, 5: CANCEL}


def test_refused_streams_begin_again(client, calls):
    """Transparently: the attempt keeps its number."""
    server = Server(reset_at_once(7), silent)
    result = call(client, calls, server, hedging())
    assert result.text == "OK"
    assert server.acts.attempts == [None, None, "1"]


def test_nobody_to_call(client, calls):
    result = client(
        "unix:/nonexistent/socket", "Echo", calls.Payload(text="x"), service_config=hedging()
    )
    assert result.status == "UNAVAILABLE"
    assert "/nonexistent/socket" in result.text


def test_throttling(client, calls):
    """Two tokens: behind a failure one is left, and no further attempt is begun."""
    config = hedging(attempts=5, delay=LONG, retryThrottling={"maxTokens": 2, "tokenRatio": 1})
    server = Server(fail)
    result = call(client, calls, server, config)
    assert result.text == "UNAVAILABLE: no"
    assert server.acts.attempts == [None]


@pytest.mark.parametrize("size", [200_000, 300_000])
def test_large_bodies(client, calls, size):
    """What is more than is kept goes out once."""
    payload = calls.Payload(text="x" * size)
    with Server(silent) as server:
        result = client(
            server.target, "Echo", payload, service_config=hedging(delay="0.3s"), timeout=2_000
        )
    if size > 256 << 10:
        assert result.status == "DEADLINE_EXCEEDED"
        assert len(server.acts.bodies) == 1
    else:
        assert result.messages == [payload.SerializeToString()]
        assert server.acts.bodies[0] == server.acts.bodies[1]


# ---- grpcio's server ----


def sleepy_server(calls, stubs, period, seconds):
    """Each @period'th call of a method takes so long to begin."""

    class Sleepy(stubs("calls_pb2_grpc").CallsServicer):
        def __init__(self):
            self.count = 0
            self.lock = threading.Lock()

        def _sleep(self):
            with self.lock:
                self.count += 1
                sleeps = (self.count - 1) % period == 0
            if sleeps:
                time.sleep(seconds)

        def Echo(self, request, context):
            self._sleep()
            return request

        def Count(self, request, context):
            self._sleep()
            for number in range(request.count):
                yield calls.Number(value=number)

        def Sum(self, requests, context):
            self._sleep()
            return calls.Number(value=sum(request.value for request in requests))

        def Chat(self, requests, context):
            self._sleep()
            yield from requests

    return grpcio_server(stubs("calls_pb2_grpc").add_CallsServicer_to_server, Sleepy())


@pytest.mark.parametrize("method", ["Echo", "Count", "Sum", "Chat"])
def test_grpcio(client, calls, stubs, method):
    numbers = [calls.Number(value=n) for n in range(200)]
    parts = [calls.Payload(text="x" * n * 10) for n in range(100)]
    requests = {
        "Echo": parts[-1:],
        "Count": [calls.CountRequest(count=200)],
        "Sum": numbers,
        "Chat": parts,
    }[method]
    replies = {
        "Echo": parts[-1:],
        "Count": numbers,
        "Sum": [calls.Number(value=sum(range(200)))],
        "Chat": parts,
    }[method]
    with sleepy_server(calls, stubs, 2, 1) as target:
        results = client.run(target, method, *requests, calls=3, service_config=hedging())
    assert [result.text for result in results] == ["OK"] * 3
    for result in results:
        assert result.messages == [reply.SerializeToString() for reply in replies]


def test_many_at_once(client, calls, stubs):
    with sleepy_server(calls, stubs, 10, 0.2) as target:
        results = client.run(
            target,
            "Echo",
            calls.Payload(text="x"),
            parallel=200,
            service_config=hedging(attempts=4, delay="0.005s"),
        )
    assert {result.text for result in results} == {"OK"}
    assert len(results) == 200


@pytest.mark.alone
def test_slow_calls_are_rare(client, calls, stubs):
    """One call in fifty takes four seconds, but for its hedge."""
    took = {}
    for config in ("{}", hedging(delay="0.02s")):
        with sleepy_server(calls, stubs, 50, 4) as target:
            began = time.monotonic()
            results = client.run(
                target, "Echo", calls.Payload(text="x"), calls=99, service_config=config
            )
            took[config] = time.monotonic() - began
        assert {result.text for result in results} == {"OK"}
    plain, hedged = took.values()
    assert plain > 8
    assert hedged < plain / 5
