# SPDX-License-Identifier: MIT
"""PROTOCOL-HTTP2's "Requests" and "Responses", field by field: what a handler is shown, and what goes out."""

import base64

import grpc
import pytest
from hyperframe import frame as frames

from conftest import channel
from servers import PATIENCE
from wire import Wire, message, request_fields

OK, UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL = 0, 2, 4, 12, 13
METADATA, ECHO, WAIT = (f"/calls.Calls/{name}" for name in ("Metadata", "Echo", "Wait"))


@pytest.fixture
def wire(calls_server):
    with Wire(calls_server) as opened:
        yield opened


def send(wire, path, fields, body=b""):
    """A request with @fields behind those that it needs, of which content-type and te are the last."""
    stream = wire.headers(request_fields(path) + fields)
    wire.data(stream, message(body), end=True)
    return wire.answer(stream)


@pytest.fixture
def received(wire, calls):
    """received(fields): what the handler was shown of them."""

    def ask(fields):
        answer = send(wire, METADATA, fields)
        assert answer.status == OK, answer.text
        reply = calls.MetadataReply.FromString(bytes(answer.data[5:]))
        return [(field.name, field.value) for field in reply.received]

    return ask


# ---- what a handler is shown ----


def test_authority_and_user_agent(calls, calls_server):
    with channel(calls_server.target, primary_user_agent="tests/1") as opened:
        reply = calls.Stub(opened).Metadata(calls.MetadataRequest(), timeout=PATIENCE)
    assert reply.authority == calls_server.target
    agents = [field.value for field in reply.received if field.name == "user-agent"]
    assert len(agents) == 1 and agents[0].startswith(b"tests/1 grpc-python/")


def test_names_of_the_protocol_are_not_shown(received):
    hidden = ["grpc-accept-encoding", "grpc-message-type", "grpc-status", "grpc-whatever", "grpc-trace"]
    shown = [
        ("grpc-previous-rpc-attempts", b"2"),
        ("grpc-trace-bin", b"\0trace"),
        ("grpc-tags-bin", b"\1tags"),
        ("x-grpc-status", b"mine"),
    ]
    fields = [(name, "1") for name in hidden]
    for name, value in shown:
        text = base64.b64encode(value).decode().rstrip("=") if name.endswith("-bin") else value.decode()
        fields.append((name, text))
    assert received(fields) == shown


@pytest.mark.parametrize(
    "text, values",
    [
        ("AAEC", [b"\0\1\2"]),
        ("YQ", [b"a"]),
        ("YQ==", [b"a"]),
        ("", [b""]),
        ("YQ,YmM,", [b"a", b"bc", b""]),
        ("YQ==,YmM= ,\tZGVm", [b"a", b"bc", b"def"]),
        ("YQ,?,YmM", [b"a", b"bc"]),  # the one that is no base64 is dropped
        ("YQ=", []),
        ("Y", []),
    ],
)
def test_binary_values_are_split_before_they_are_decoded(received, text, values):
    assert received([("x-bin", text), ("x-next", "1")]) == [
        *(("x-bin", value) for value in values),
        ("x-next", b"1"),
    ]


@pytest.mark.parametrize("value", ["é".encode(), b"\xff", b"a\x80b", b"long enough to be \xc3 looked at"])
def test_values_that_are_not_ascii_are_dropped(received, value):
    assert received([("x-odd", value), ("x-next", "1")]) == [("x-next", b"1")]


def test_duplicates_keep_their_order(received):
    fields = [("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("x-a", "1")]
    assert received(fields) == [(name, value.encode()) for name, value in fields]


def test_a_hundred_fields(received):
    fields = [(f"x-{i}", str(i)) for i in range(100)]
    assert received(fields) == [(name, value.encode()) for name, value in fields]


# ---- the protocol's own fields ----


def test_without_te_the_answer_is_that_of_grpc_core(wire):
    assert wire.call(ECHO, te=None).status == UNKNOWN


@pytest.mark.parametrize(
    "fields, status",
    [
        ([("content-type", "application/grpc+proto")], OK),
        ([("grpc-timeout", "1n"), ("grpc-timeout", "1M")], OK),
        ([("grpc-timeout", "1M"), ("grpc-timeout", "1n")], DEADLINE_EXCEEDED),
        ([("grpc-timeout", "1M"), ("grpc-timeout", "soon")], INTERNAL),
        ([("grpc-encoding", "br"), ("grpc-encoding", "gzip")], OK),
        ([("grpc-encoding", "gzip"), ("grpc-encoding", "br")], UNIMPLEMENTED),
    ],
)
def test_of_the_protocols_own_fields_the_last_counts(wire, fields, status):
    path = WAIT if status == DEADLINE_EXCEEDED else ECHO
    assert send(wire, path, fields).status == status


def test_of_two_content_types_the_last_counts(wire):
    assert send(wire, ECHO, [("content-type", "text/html")]).http_status == "415"


def test_trailers_of_a_request_are_tolerated(wire, calls):
    body = calls.MetadataRequest().SerializeToString()
    stream = wire.headers(request_fields(METADATA) + [("x-first", "1")])
    wire.data(stream, message(body))
    block = wire.encoder.encode([("x-trailer", "1"), ("grpc-status", "0")])
    wire.frame(frames.HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]))
    answer = wire.answer(stream)
    assert answer.status == OK
    reply = calls.MetadataReply.FromString(bytes(answer.data[5:]))
    assert [(field.name, field.value) for field in reply.received] == [("x-first", b"1")]


# ---- what goes out ----


def test_the_order_of_an_answers_fields(wire, calls):
    request = calls.MetadataRequest(
        headers=[calls.Field(name="x-h", value=b"1")], trailers=[calls.Field(name="x-t", value=b"2")]
    )
    answer = wire.call(METADATA, request.SerializeToString())
    assert list(answer.headers.items()) == [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("x-h", "1"),
    ]
    assert list(answer.trailers.items()) == [("grpc-status", "0"), ("x-t", "2")]


def test_trailers_only(wire):
    answer = wire.call("/calls.Calls/Absent")
    assert list(answer.headers)[:3] == [":status", "content-type", "grpc-status"]
    assert answer.headers[":status"] == "200" and answer.headers["content-type"] == "application/grpc"
    assert answer.ended and not answer.trailers and not answer.data


@pytest.mark.parametrize(
    "text, field",
    [
        ("plain ~text!", "plain ~text!"),
        ("100 %", "100 %25"),
        ("é\n", "%C3%A9%0A"),
        ("😀\x7f", "%F0%9F%98%80%7F"),
    ],
)
@pytest.mark.parametrize("headers_first", [False, True])
def test_the_message_is_percent_encoded(wire, calls, text, field, headers_first):
    request = calls.StatusRequest(code=5, message=text, headers_first=headers_first)
    answer = wire.call("/calls.Calls/Status", request.SerializeToString())
    assert answer.text == field


@pytest.mark.parametrize("code", [*range(17), 17, 99, -1])
def test_the_status_is_a_plain_number(wire, calls, code):
    request = calls.StatusRequest(code=code, headers_first=True)
    answer = wire.call("/calls.Calls/Status", request.SerializeToString())
    expected = code if 0 <= code <= 16 else UNKNOWN
    if code == 0:
        expected = INTERNAL  # OK without the answer that is due
    assert answer.trailers["grpc-status"] == str(expected)


def test_a_handler_may_push_back_retries(wire, calls):
    request = calls.MetadataRequest(
        trailers=[
            calls.Field(name="grpc-retry-pushback-ms", value=b"1500"),
            calls.Field(name="grpc-status", value=b"1"),
        ]
    )
    answer = wire.call(METADATA, request.SerializeToString())
    assert answer.trailers["grpc-retry-pushback-ms"] == "1500" and answer.status == OK
    results = calls.MetadataReply.FromString(bytes(answer.data[5:])).results
    assert results[0] == 0 and results[1] < 0


def test_trailers_of_many_values(calls, calls_server):
    trailers = [calls.Field(name=f"x-{i % 10}", value=b"v" * 50) for i in range(100)]
    with channel(calls_server.target) as opened:
        _, call = calls.Stub(opened).Metadata.with_call(
            calls.MetadataRequest(trailers=trailers), timeout=PATIENCE
        )
    assert call.code() == grpc.StatusCode.OK
    got = [value for name, value in call.trailing_metadata() if name.startswith("x-")]
    assert got == ["v" * 50] * 100
