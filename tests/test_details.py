# SPDX-License-Identifier: MIT
"""Rich errors, as grpcio-status unpacks them: it refuses those whose code or message are not the call's."""

import base64

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from conftest import channel
from servers import PATIENCE
from wire import Wire


@pytest.fixture(scope="module")
def stub(calls, calls_server):
    with channel(calls_server.target) as opened:
        yield calls.Stub(opened)


def fail(stub, request):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Details(request, timeout=PATIENCE)
    return caught.value


@pytest.mark.parametrize("code", range(1, 17))
def test_details_of_every_status(calls, stub, code):
    request = calls.DetailsRequest(
        code=code, message="der Wähler 😀 100 %", violations={"colour": "no such", "größe": ""}, payload=10
    )
    error = fail(stub, request)
    status = rpc_status.from_call(error)
    assert error.code().value[0] == status.code == code
    assert error.details() == status.message == request.message
    bad, payload = error_details_pb2.BadRequest(), calls.Payload()
    assert status.details[0].type_url == "type.googleapis.com/google.rpc.BadRequest"
    assert status.details[0].Unpack(bad)
    assert {one.field: one.description for one in bad.field_violations} == request.violations
    assert status.details[1].type_url == "example.org/calls.Payload"
    assert status.details[1].Unpack(payload) and payload.data == bytes(10)


@pytest.mark.parametrize("code", [-1, 17, 2**31 - 1])
def test_an_unknown_status_is_unknown_in_both_places(calls, stub, code):
    error = fail(stub, calls.DetailsRequest(code=code, message="?", violations={"a": "b"}))
    assert error.code() == grpc.StatusCode.UNKNOWN
    assert rpc_status.from_call(error).code == grpc.StatusCode.UNKNOWN.value[0]


def test_a_long_message_is_cut_alike_in_both_places(calls, stub):
    error = fail(stub, calls.DetailsRequest(code=3, message="é" * 2500, violations={"a": "b"}))
    status = rpc_status.from_call(error)
    assert status.message == error.details() == "é" * 2048
    assert len(status.details) == 1


@pytest.mark.parametrize("size, there", [(11_000, True), (13_000, False)])
def test_details_over_the_limit_of_metadata_are_left_out(calls, calls_server, size, there):
    with channel(calls_server.target) as opened:
        error = fail(calls.Stub(opened), calls.DetailsRequest(code=3, message="no", payload=size))
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "no")
    assert (rpc_status.from_call(error) is not None) == there


def test_they_go_in_trailers_without_padding(calls, calls_server):
    request = calls.DetailsRequest(code=9, message="m", violations={"a": "b"})
    with Wire(calls_server) as wire:
        for _ in range(3):  # of three lengths, two of which would be padded
            answer = wire.call("/calls.Calls/Details", request.SerializeToString())
            field = answer.headers["grpc-status-details-bin"]
            assert "=" not in field
            status = status_pb2.Status.FromString(base64.b64decode(field + "=" * (-len(field) % 4)))
            assert (status.code, status.message) == (9, request.message)
            request.message += "m"
