# SPDX-License-Identifier: MIT
"""Calls that are tried again by a service config's policy, by what their servers do."""

import contextlib
import json

import grpc
import pytest

from grpcio_server import grpcio_server
from misbehaving import Acts, hang_up, http, reset_at_once, trailers_only, whole
from strict_server import StrictServer
from wire import message

UNAVAILABLE = ("grpc-status", "14")


def policy(attempts=4, initial="0.01s", longest="1s", multiplier=2, codes=("UNAVAILABLE",), **whole):
    """A service config as JSON."""
    retry = {
        "maxAttempts": attempts,
        "initialBackoff": initial,
        "maxBackoff": longest,
        "backoffMultiplier": multiplier,
        "retryableStatusCodes": list(codes),
    }
    return json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": retry}], **whole})


def call(client, calls, acts, config, **options):
    with StrictServer(window=65535, answer=acts) as server:
        result = client(
            server.target, "Echo", calls.Payload(text="hello"), service_config=config, **options
        )
    assert not server.faults
    return result


fail = trailers_only(UNAVAILABLE, ("grpc-message", "try again"))
TRIED_AGAIN = {
    "trailers-only": fail,
    "http-503": http(503),
    "http-503-at-once": lambda peer: peer.headers([(":status", "503")], end=True),
    "reset": reset_at_once(2),
    "calm": reset_at_once(11),
    "hang-up": hang_up,
    "no-status": trailers_only(),
    "another-content-type": http(200),
}


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("name", TRIED_AGAIN)
def test_what_is_tried_again(client, calls, name, blocking):
    """What comes in place of the response's headers is; also with something that never was gRPC's."""
    acts = Acts(TRIED_AGAIN[name], TRIED_AGAIN[name])
    config = policy(codes=["unavailable", 13, "Unknown", 8])
    options = {"blocking": True} if blocking else {}
    # where two connections in a row are lost no attempt fails for want of one
    result = call(client, calls, acts, config, backoff=10, wait_for_ready=True, **options)
    assert result.text == "OK"
    assert acts.attempts == [None, "1", "2"]
    assert len(set(acts.bodies)) == 1
    assert len(acts.bodies[0]) > 5


FINAL = {
    "headers": whole(b"", UNAVAILABLE),
    "another-code": trailers_only(("grpc-status", "5")),
    "pushback-negative": trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "-1")),
    "pushback-unreadable": trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "soon")),
    "pushback-fraction": trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "1.5")),
    "pushback-huge": trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "9" * 30)),
}


@pytest.mark.parametrize("name", FINAL)
def test_what_is_final(client, calls, name):
    acts = Acts(FINAL[name])
    result = call(client, calls, acts, policy())
    assert result.status in ("UNAVAILABLE", "NOT_FOUND")
    assert len(acts.times) == 1


def test_the_last_attempt_is_what_the_caller_hears(client, calls):
    act = trailers_only(UNAVAILABLE, ("grpc-message", "no"), ("x-last", "yes"))
    acts = Acts(fail, fail, act, fail)
    result = call(client, calls, acts, policy(attempts=3))
    assert result.text == "UNAVAILABLE: no"
    assert result.headers == []
    assert result.trailers == [("x-last", b"yes")]
    assert acts.attempts == [None, "1", "2"]


def test_no_more_than_five(client, calls):
    acts = Acts(*[fail] * 9)
    result = call(client, calls, acts, policy(attempts=100, initial="0.001s"))
    assert result.text == "UNAVAILABLE: try again"
    assert acts.attempts == [None, "1", "2", "3", "4"]


def test_backoff(client, calls):
    acts = Acts(*[fail] * 9)
    call(client, calls, acts, policy(attempts=5, initial="0.1s", longest="0.3s"))
    for pause, expected in zip(acts.pauses, [0.1, 0.2, 0.3, 0.3], strict=True):
        assert 0.8 * expected <= pause + 0.002
        assert pause < 1.2 * expected + 2


def test_pushback(client, calls):
    """Exact, without jitter; behind it the policy's pauses begin anew."""
    push = trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "400"))
    now = trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "0"))
    acts = Acts(fail, push, now, fail)
    config = policy(attempts=5, initial="0.1s", longest="100s", multiplier=100)
    result = call(client, calls, acts, config)
    assert result.text == "OK"
    first, pushed, at_once, anew = acts.pauses
    assert 0.08 <= first + 0.002
    assert 0.4 <= pushed + 0.002
    assert at_once < 0.4
    assert 0.08 <= anew + 0.002
    assert anew < 8


def test_the_caller_may_count_too(client, calls):
    """But of two numbers servers get ours; and it sees a pushback."""
    acts = Acts(fail, trailers_only(UNAVAILABLE, ("grpc-retry-pushback-ms", "-1")))
    metadata = [("grpc-previous-rpc-attempts", b"7")]
    result = call(client, calls, acts, policy(), metadata=metadata)
    assert acts.attempts == ["7", "1"]
    assert result.trailers == [("grpc-retry-pushback-ms", b"-1")]


def test_transparent_ones_are_not_counted(client, calls):
    refuse = reset_at_once(7)
    acts = Acts(refuse, fail, fail)
    result = call(client, calls, acts, policy(attempts=3))
    assert result.text == "OK"
    assert acts.attempts == [None, None, "1", "2"]


def test_refused_again_it_is_the_policys(client, calls):
    refuse = reset_at_once(7)
    acts = Acts(refuse, refuse, refuse)
    result = call(client, calls, acts, policy(attempts=3))
    assert result.text == "OK"
    assert acts.attempts == [None, None, "1", "2"]


def test_without_a_policy(client, calls):
    acts = Acts(fail)
    result = call(client, calls, acts, "{}")
    assert result.text == "UNAVAILABLE: try again"
    assert len(acts.times) == 1


def test_encoding_of_a_failed_attempt_is_forgotten(client, calls):
    """Its headers announced a compression; those of the next one do not."""
    bad = http(503)

    def compressed(peer):
        peer.headers([(":status", "503"), ("grpc-encoding", "gzip")], end=True)

    def flagged(peer):
        whole(message(b"x", 1), ("grpc-status", "0"))(peer)

    acts = Acts(bad, compressed, flagged)
    result = call(client, calls, acts, policy())
    assert result.status == "INTERNAL"
    assert "without grpc-encoding" in result.text


def test_large_bodies_are_sent_again(client, calls):
    """While the windows are small, and the connection is lost."""
    acts = Acts(hang_up, fail)
    payload = calls.Payload(text="x" * 200_000)
    with StrictServer(window=1000, answer=acts) as server:
        result = client(server.target, "Echo", payload, service_config=policy(), backoff=10)
    assert result.text == "OK"
    assert result.messages == [payload.SerializeToString()]
    assert len(acts.bodies) == 3
    assert len(set(acts.bodies)) == 1


def test_too_large_to_be_kept(client, calls):
    acts = Acts(fail)
    payload = calls.Payload(text="x" * 300_000)
    with StrictServer(window=65535, answer=acts) as server:
        result = client(server.target, "Echo", payload, service_config=policy())
    assert result.text == "UNAVAILABLE: try again"


# ---- grpcio's server ----


def failing(calls, stubs, times):
    """A part of calls.Calls that fails so often first."""

    class Failing(stubs("calls_pb2_grpc").CallsServicer):
        def __init__(self):
            self.left = times
            self.attempts = []

        def _fail(self, context):
            metadata = dict(context.invocation_metadata())
            self.attempts.append(metadata.get("grpc-previous-rpc-attempts"))
            self.left -= 1
            if self.left >= 0:
                context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")

        def Echo(self, request, context):
            self._fail(context)
            return request

        def Count(self, request, context):
            self._fail(context)
            for number in range(request.count):
                yield calls.Number(value=number)

        def Sum(self, requests, context):
            total = sum(request.value for request in requests)
            self._fail(context)
            return calls.Number(value=total)

        def Chat(self, requests, context):
            first = next(requests)
            self._fail(context)
            yield first
            yield from requests

    return Failing()


@contextlib.contextmanager
def failing_server(calls, stubs, times):
    servicer = failing(calls, stubs, times)
    with grpcio_server(stubs("calls_pb2_grpc").add_CallsServicer_to_server, servicer) as target:
        yield servicer, target


@pytest.mark.parametrize("method", ["Echo", "Count", "Sum", "Chat"])
def test_grpcio(client, calls, stubs, method):
    numbers = [calls.Number(value=n) for n in range(20)]
    parts = [calls.Payload(text="x" * n) for n in range(20)]
    requests = {
        "Echo": parts[-1:],
        "Count": [calls.CountRequest(count=20)],
        "Sum": numbers,
        "Chat": parts,
    }[method]
    replies = {
        "Echo": parts[-1:],
        "Count": numbers,
        "Sum": [calls.Number(value=190)],
        "Chat": parts,
    }[method]
    with failing_server(calls, stubs, 2) as (servicer, target):
        result = client(target, method, *requests, service_config=policy())
    assert result.text == "OK"
    assert result.messages == [reply.SerializeToString() for reply in replies]
    assert servicer.attempts == [None, "1", "2"]


def test_grpcio_to_the_end(client, calls, stubs):
    with failing_server(calls, stubs, 9) as (servicer, target):
        result = client(target, "Echo", calls.Payload(text="x"), service_config=policy(attempts=3))
    assert result.text == "UNAVAILABLE: not yet"
    assert servicer.attempts == [None, "1", "2"]
