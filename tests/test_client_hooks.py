# SPDX-License-Identifier: MIT
"""What a channel's interceptors and metrics say of its calls, with servers of ours, of grpcio and misbehaving ones."""

import json

import grpc
import pytest

from grpcio_server import grpcio_server
from misbehaving import Acts, reset_at_once, trailers_only, whole
from strict_server import StrictServer
from wire import message

ECHO = "calls.Calls/Echo"


class Observed:
    """A client whose calls are observed: .lines is what was seen, by words; .metrics what was counted, {(name, method, ...): numbers}."""

    def __init__(self, client, path):
        self.client, self.path = client, path

    def __call__(self, *arguments, **options):
        result = self.client(*arguments, observe=self.path, **options)
        lines = [line.split() for line in self.path.read_text().splitlines()]
        self.lines = [line for line in lines if line[0] != "metric"]
        self.metrics = {}
        for _, name, *rest in (line for line in lines if line[0] == "metric"):
            labels = tuple(word for word in rest if not word.isdigit())
            assert (name, *labels) not in self.metrics
            self.metrics[name, *labels] = tuple(int(word) for word in rest if word.isdigit())
        return result

    def of(self, *names):
        return [line for line in self.lines if line[0] in names]


@pytest.fixture
def observed(client, tmp_path):
    return Observed(client, tmp_path / "observed")


def retrying(codes):
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.01s",
        "maxBackoff": "1s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": codes,
    }
    return json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": retry}]})


@pytest.mark.parametrize("blocking", [False, True])
def test_ours(observed, calls, start, blocking):
    server = start("test-server")
    request = calls.Payload(text="x" * 500)
    size = str(request.ByteSize())
    options = {"blocking": True} if blocking else {}
    assert observed(server.target, "Echo", request, **options).text == "OK"
    seen = [line for line in observed.lines if line[0] not in ("attempt", "over")]
    assert seen == [
        ["start", f"/{ECHO}"],
        ["sent", size],
        ["headers"],
        ["received", size],
        ["end", "OK", "1", size, "1", size],
        ["repeats", "0", "0", "0"],
    ]
    assert observed.of("attempt") == [["attempt", "first"]]
    (over,) = observed.of("over")
    assert over[1:3] == ["first", "OK"] and over[4:] == [size, size]
    assert server.target in over[3]
    assert observed.metrics == {
        ("started", f"dns:///{server.target}", ECHO): (1,),
        ("attempts", ECHO, "OK"): (1, int(size), int(size)),
        ("calls", ECHO, "OK"): (1,),
    }


def test_compressed_sizes_are_those_of_the_wire(observed, calls):
    acts = Acts(whole(message(b""), ("grpc-status", "0")))
    request = calls.Payload(text="x" * 5000)
    with StrictServer(window=65535, answer=acts) as server:
        observed(server.target, "Echo", request, compression="gzip")
    assert not server.faults
    (body,) = acts.bodies
    assert len(body) < 500
    assert observed.of("sent") == [["sent", str(request.ByteSize())]]
    assert observed.metrics["attempts", ECHO, "OK"][:2] == (1, len(body) - 5)


def test_an_attempt_that_no_server_has_processed(observed, calls):
    acts = Acts(reset_at_once(7))
    with StrictServer(window=65535, answer=acts) as server:
        assert observed(server.target, "Echo", calls.Payload(text="hello")).text == "OK"
    assert [line[1] for line in observed.of("attempt")] == ["first", "transparent"]
    assert [line[1:3] for line in observed.of("over")] == [["first", "UNAVAILABLE"], ["transparent", "OK"]]
    assert len(observed.of("start")) == len(observed.of("sent")) == len(observed.of("end")) == 1
    assert observed.metrics["repeats", ECHO] == (0, 1, 0)


def test_attempts_of_a_policy(observed, calls):
    fail = trailers_only(("grpc-status", "14"))
    acts = Acts(fail, fail)
    with StrictServer(window=65535, answer=acts) as server:
        request = calls.Payload(text="hello")
        assert observed(server.target, "Echo", request, service_config=retrying([14])).text == "OK"
    assert [line[1:3] for line in observed.of("over")] == [
        ["first", "UNAVAILABLE"],
        ["retry", "UNAVAILABLE"],
        ["retry", "OK"],
    ]
    assert {line[4] for line in observed.of("over")} == {str(request.ByteSize())}
    assert observed.lines.index(["headers"]) > observed.lines.index(["attempt", "retry"])
    assert observed.metrics["attempts", ECHO, "UNAVAILABLE"] == (2, 2 * request.ByteSize(), 0)
    assert observed.metrics["calls", ECHO, "OK"] == (1,)
    assert ("calls", ECHO, "UNAVAILABLE") not in observed.metrics
    assert observed.metrics["repeats", ECHO] == (2, 0, 0)


@pytest.fixture
def marked(calls, stubs):
    """A grpcio server that wants what the interceptor adds; its target."""

    class Servicer(stubs("calls_pb2_grpc").CallsServicer):
        def _check(self, context):
            if ("x-observed", "yes") not in context.invocation_metadata():
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "not observed")

        def Echo(self, request, context):
            self._check(context)
            return request

        def Count(self, request, context):
            self._check(context)
            yield from (calls.Number(value=n) for n in range(request.count))

        def Sum(self, requests, context):
            self._check(context)
            return calls.Number(value=sum(request.value for request in requests))

        def Chat(self, requests, context):
            self._check(context)
            yield from requests

    with grpcio_server(stubs("calls_pb2_grpc").add_CallsServicer_to_server, Servicer()) as target:
        yield target


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("method", ["Echo", "Count", "Sum", "Chat"])
def test_grpcio(observed, calls, marked, method, blocking):
    numbers = [calls.Number(value=n) for n in range(1, 21)]
    requests = {
        "Echo": [calls.Payload(text="x")],
        "Count": [calls.CountRequest(count=20)],
        "Sum": numbers,
        "Chat": [calls.Payload(text="x" * n) for n in range(20)],
    }[method]
    result = observed(marked, method, *requests, **({"blocking": True} if blocking else {}))
    assert result.text == "OK"
    assert [int(size) for _, size in observed.of("sent")] == [request.ByteSize() for request in requests]
    assert [int(size) for _, size in observed.of("received")] == [len(reply) for reply in result.messages]
    sent, received = sum(request.ByteSize() for request in requests), sum(map(len, result.messages))
    (end,) = observed.of("end")
    assert end[1:] == ["OK", *map(str, (len(requests), sent, len(result.messages), received))]
    assert observed.metrics["attempts", f"calls.Calls/{method}", "OK"] == (1, sent, received)


def test_nobody_there(observed, calls, tmp_path):
    result = observed(f"unix:{tmp_path}/nobody", "Echo", calls.Payload(text="x"))
    assert result.status == "UNAVAILABLE"
    assert observed.of("over") == [["over", "first", "UNAVAILABLE", "-", "0", "0"]]
    assert observed.of("end")[0][:2] == ["end", "UNAVAILABLE"]
