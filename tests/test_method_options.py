# SPDX-License-Identifier: MIT
"""What quoit_server_set_method() sets holds for its methods, and for no others."""

import time

import grpc
import pytest

from servers import PATIENCE, Server

LIMITED = ["--method", "/calls.Calls/Echo,message_receive_bytes_max=100,message_send_bytes_max=50"]
MIB = 1 << 20


@pytest.fixture(params=[[], ["--offload-all"]], ids=["ring", "offloaded"])
def serve(request, start, connect, calls):
    def serve_it(*arguments):
        return calls.Stub(connect(start("test-server", *request.param, *arguments)))

    return serve_it


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code()


def test_a_deadline_where_the_client_has_none(calls, serve):
    stub = serve("--method", "/calls.Calls/*,deadline_max_ms=60000")
    for timeout in None, 3000:
        assert 30e9 < stub.Deadline(calls.Empty(), timeout=timeout).left_ns <= 60e9
    assert stub.Deadline(calls.Empty(), timeout=20).left_ns < 30e9  # grpcio rounds up


def test_the_deadline_is_kept(calls, serve):
    stub = serve("--method", "/calls.Calls/Wait,deadline_max_ms=50")
    start = time.monotonic()
    with pytest.raises(grpc.RpcError) as error:
        stub.Wait(calls.Empty())
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "deadline exceeded (deadline_max_ms)")
    assert time.monotonic() - start >= 0.05
    assert not stub.Deadline(calls.Empty()).is_set


def test_message_limits(calls, serve):
    stub = serve(*LIMITED)
    fits = calls.Payload(data=b"x" * 40)
    assert stub.Echo(fits, timeout=PATIENCE) == fits
    for size in 60, 120:  # an answer that is too long, then a request
        too_long = calls.Payload(data=b"x" * size)
        code = code_of(lambda sent=too_long: stub.Echo(sent, timeout=PATIENCE))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(stub.Big(calls.Number(value=MIB), timeout=PATIENCE).data) == MIB


def test_a_larger_limit_than_the_servers(calls, serve):
    stub = serve("--method", f"/calls.Calls/Echo,message_receive_bytes_max={16 * MIB}")
    large = calls.Payload(data=b"x" * (8 * MIB))
    assert stub.Echo(large, timeout=PATIENCE) == large
    code = code_of(lambda: stub.First(iter([large]), timeout=PATIENCE))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_unknown_method_is_refused(build):
    with pytest.raises(AssertionError, match="no method /calls.Calls/Ech: give /package.Service/Method"):
        Server(build / "tests/services/test-server", "--method", "/calls.Calls/Ech,offload=1")
