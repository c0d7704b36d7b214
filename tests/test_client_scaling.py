# SPDX-License-Identifier: MIT
"""Quoit's client and servers that allow few streams: more connections, or calls that do not wait."""

import json
import threading

import pytest

from grpcio_server import grpcio_server
from servers import PATIENCE

STREAMS = 5


@pytest.fixture
def slow_server(calls, stubs):
    """Its target, and the peers that it has seen. It answers when as many calls are there as `wanted` says."""

    class Calls(stubs("calls_pb2_grpc").CallsServicer):
        peers = set()
        wanted = 1
        here = 0
        met = threading.Condition()

        def Echo(self, request, context):
            with self.met:
                self.peers.add(context.peer())
                Calls.here += 1
                self.met.notify_all()
                assert self.met.wait_for(lambda: self.here >= self.wanted, PATIENCE)
            return request

    add = stubs("calls_pb2_grpc").add_CallsServicer_to_server
    with grpcio_server(add, Calls(), threads=8 * STREAMS, max_concurrent_streams=STREAMS) as target:
        yield Calls, target


@pytest.mark.parametrize(
    ("options", "connections"),
    [
        ({"connections": 3}, 3),
        ({"service_config": json.dumps({"connectionScaling": {"maxConnectionsPerSubchannel": 2}})}, 2),
    ],
)
def test_connections(client, calls, slow_server, options, connections):
    """All of them are full before the first call is answered. No call waits for that: this server, at its limit, resets streams
    that follow an answer too soon."""
    seen, target = slow_server
    seen.wanted = connections * STREAMS
    results = client.run(target, "Echo", calls.Payload(text="x"), parallel=seen.wanted, **options)
    assert {call.text for call in results} == {"OK"}
    assert len(seen.peers) == connections


@pytest.mark.parametrize("connections", [1, 3])
def test_fail_when_full(client, calls, slow_server, connections):
    seen, target = slow_server
    seen.wanted = connections * STREAMS
    results = client.run(
        target, "Echo", calls.Payload(text="x"), parallel=100, connections=connections, fail_when_full=True
    )
    good = [call for call in results if call.status == "OK"]
    assert len(good) >= connections * STREAMS
    assert len(results) == 100
    assert {call.text for call in results if call not in good} == {
        "RESOURCE_EXHAUSTED: all connections have as many calls as they can (fails_when_full)"
    }
