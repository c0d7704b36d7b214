# SPDX-License-Identifier: MIT
"""Quoit's client against grpcio's server, and against ours."""

import concurrent.futures
import socket
import threading
import time

import grpc
import pytest

from grpcio_server import grpcio_server
from servers import free_port


def servicer(calls, stubs):
    """A part of calls.Calls in Python."""

    class Calls(stubs("calls_pb2_grpc").CallsServicer):
        def Echo(self, request, context):
            seen = {name: value for name, value in context.invocation_metadata()}
            if "x-compress" in seen:
                context.set_compression(grpc.Compression.Gzip)
            context.send_initial_metadata([("x-header", seen.get("x-ascii", "none"))])
            context.set_trailing_metadata([("x-trailer-bin", seen.get("x-data-bin", b""))])
            return request

        def Status(self, request, context):
            context.abort(grpc.StatusCode(grpc_code(request.code)), request.message)

        def Wait(self, request, context):
            while context.is_active():
                time.sleep(0.01)
            return calls.Empty()

        def Count(self, request, context):
            for number in range(request.count):
                yield calls.Number(value=number)

        def Sum(self, requests, context):
            return calls.Number(value=sum(request.value for request in requests))

        def Chat(self, requests, context):
            yield from requests

    return Calls()


def grpc_code(number):
    return next(code.value for code in grpc.StatusCode if code.value[0] == number)


def python_server(calls, stubs, **options):
    add = stubs("calls_pb2_grpc").add_CallsServicer_to_server
    return grpcio_server(add, servicer(calls, stubs), **options)


@pytest.fixture(params=["grpcio", "quoit"])
def server(request, calls, stubs, start):
    """The target of either server."""
    if request.param == "quoit":
        yield start("test-server").target
    else:
        with python_server(calls, stubs) as target:
            yield target


@pytest.fixture
def grpcio(calls, stubs):
    with python_server(calls, stubs) as target:
        yield target


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("size", [0, 1, 100, 20_000, 3_000_000])
def test_unary(client, calls, server, size, blocking):
    payload = calls.Payload(text="x" * size)
    options = {"blocking": True} if blocking else {}
    call = client(server, "Echo", payload, **options)
    assert (call.status, call.text) == ("OK", "OK")
    assert call.messages == [payload.SerializeToString()]


@pytest.mark.parametrize("blocking", [False, True])
def test_streams(client, calls, server, blocking):
    options = {"blocking": True} if blocking else {}
    call = client(server, "Count", calls.CountRequest(count=1000), **options)
    assert call.status == "OK", call.text
    assert len(call.messages) == 1000
    call = client(server, "Sum", *(calls.Number(value=n) for n in range(100)), **options)
    assert calls.Number.FromString(call.messages[0]).value == 4950
    parts = [calls.Payload(text="x" * n * 100) for n in range(100)]
    call = client(server, "Chat", *parts, **options)
    assert call.messages == [part.SerializeToString() for part in parts]


@pytest.mark.parametrize("parallel", [1, 200])
def test_many_calls(client, calls, server, parallel):
    results = client.run(server, "Echo", calls.Payload(text="hello"), calls=1000)
    results += client.run(server, "Echo", calls.Payload(text="hello"), parallel=parallel)
    assert {call.status for call in results} == {"OK"}
    assert len(results) == 1000 + parallel


def test_metadata(client, calls, grpcio):
    fields = [("x-ascii", b"a value"), ("x-data-bin", bytes(range(256)))]
    call = client(grpcio, "Echo", calls.Payload(text="x"), metadata=fields)
    assert ("x-header", b"a value") in call.headers
    assert ("x-trailer-bin", bytes(range(256))) in call.trailers


def test_status(client, calls, grpcio):
    for number in range(1, 17):
        call = client(
            grpcio, "Status", calls.StatusRequest(code=number, message="no, 100 % \u00e4\u20ac")
        )
        assert call.status == grpc.StatusCode(grpc_code(number)).name
        assert call.text == f"{call.status}: no, 100 % \u00e4\u20ac"
        assert call.messages == []


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_compression(client, calls, grpcio, compression):
    payload = calls.Payload(text="x" * 10_000)
    call = client(
        grpcio, "Echo", payload, compression=compression, metadata=[("x-compress", b"yes")]
    )
    assert call.status == "OK", call.text
    assert call.messages == [payload.SerializeToString()]


def test_deadline(client, calls, server):
    began = time.monotonic()
    call = client(server, "Wait", calls.Empty(), timeout=200)
    assert call.text == "DEADLINE_EXCEEDED: deadline exceeded"
    assert 0.2 <= time.monotonic() - began < 10


def test_cancel(client, calls, server):
    call = client(server, "Count", calls.CountRequest(count=10**6), cancel_after=3)
    assert call.text == "CANCELLED: cancelled by the caller"
    assert len(call.messages) == 3


def test_name(client, calls, server):
    target = server.replace("127.0.0.1", "localhost")
    assert client(target, "Echo", calls.Payload(text="x")).text == "OK"
    assert client(f"dns:///{target}", "Echo", calls.Payload(text="x"), blocking=True).text == "OK"


def test_unix_socket(client, calls, start, tmp_path):
    path = tmp_path / "a socket"
    server = start("test-server", "--address", f"unix:{str(path).replace(' ', '%20')}")
    assert client(server.target, "Echo", calls.Payload(text="x")).status == "OK"


def test_server_that_comes_late(client, calls, stubs):
    """The port answers ECONNREFUSED for a while, and the call waits."""
    port = free_port()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    stubs("calls_pb2_grpc").add_CallsServicer_to_server(servicer(calls, stubs), server)

    def begin():
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()

    timer = threading.Timer(0.5, begin)
    timer.start()
    call = client(
        f"127.0.0.1:{port}",
        "Echo",
        calls.Payload(text="x"),
        wait_for_ready=True,
        backoff=50,
        timeout=20_000,
    )
    assert call.status == "OK", call.text
    timer.join()
    server.stop(None).wait()


def test_nobody_listens(client, calls):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        call = client(f"127.0.0.1:{port}", "Echo", calls.Payload(text="x"), blocking=True)
    assert call.status == "UNAVAILABLE"
    assert f"ipv4:127.0.0.1:{port}: connect: Connection refused (ECONNREFUSED)" in call.text
    assert "the next attempt is in " in call.text


def test_connections_that_live_for_a_moment(client, calls, stubs):
    """grpcio's server ends them with GOAWAY; no call fails for that."""
    with python_server(calls, stubs, max_connection_age_ms=100, max_connection_age_grace_ms=5000) as target:
        results = client.run(target, "Echo", calls.Payload(text="x"), calls=5000)
    assert {call.text for call in results} == {"OK"}
