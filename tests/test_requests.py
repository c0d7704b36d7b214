# SPDX-License-Identifier: MIT
"""PROTOCOL-HTTP2's "Requests" and "Responses", field by field: what a handler is shown, and what goes out."""

import base64
from urllib.parse import quote

import grpc
import pytest
from hyperframe import frame as frames

from conftest import channel
from servers import PATIENCE
from wire import PROTOCOL_ERROR, Wire, message, request_fields

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


@pytest.mark.parametrize("te", [None, "trailers", "Trailers", " trailers", "trailers\t "])
def test_te_may_be_lost_on_the_way(wire, te):
    """It is hop by hop: proxies and load balancers drop it, and nothing here hangs on it."""
    assert wire.call(ECHO, te=te).status == OK


@pytest.mark.parametrize("te", ["gzip", "trailers, deflate", "trailers;q=1", "trailersx"])
def test_te_says_nothing_else(wire, te):
    """RFC 9113, section 8.2.2."""
    assert wire.call(ECHO, te=te).reset == PROTOCOL_ERROR


# ---- white space around values ----


@pytest.mark.parametrize("before, behind", [("", " "), (" ", ""), ("\t", " \t"), ("  ", "  "), (" \t \t", "")])
def test_white_space_around_a_value_is_no_part_of_it(received, before, behind):
    plain = [
        ("authorization", b"Bearer abc"),
        ("x-a", b"a  b"),
        ("x-empty", b""),
        ("x-long", b"v" * 2000),
        ("user-agent", b"tests/1 (x y)"),
        ("priority", b"u=1"),
    ]
    fields = [(name, before + value.decode() + behind) for name, value in plain]
    assert received(fields) == plain
    assert received([("x-bin", before + "YQ==" + behind)]) == [("x-bin", b"a")]
    assert received([("x-bin", before + "YQ==,YmM" + behind)]) == [("x-bin", b"a"), ("x-bin", b"bc")]


@pytest.mark.parametrize("before, behind", [("", " "), (" ", ""), ("\t", " \t")])
@pytest.mark.parametrize(
    "name, value",
    [
        ("content-type", "application/grpc"),
        ("content-type", "application/grpc+proto"),
        ("content-length", "5"),
        ("te", "trailers"),
        ("grpc-timeout", "1M"),
        ("grpc-encoding", "identity"),
        ("grpc-encoding", "gzip"),
        ("grpc-accept-encoding", "identity,gzip"),
        ("grpc-accept-encoding", "gzip , identity"),
        ("host", "localhost"),
        (":authority", "localhost"),
    ],
)
def test_nor_of_the_protocols_own(wire, name, value, before, behind):
    change = {name.strip(":").replace("-", "_"): before + value + behind}
    assert wire.call(ECHO, **change).status == OK


def test_a_deadline_behind_white_space_is_kept(wire):
    assert wire.call(WAIT, grpc_timeout=" 1m ").status == DEADLINE_EXCEEDED


def test_by_a_stock_client(calls, calls_server):
    with channel(calls_server.target) as opened:
        metadata = [("authorization", "Bearer abc "), ("x-b", " b")]
        reply = calls.Stub(opened).Metadata(calls.MetadataRequest(), metadata=metadata, timeout=PATIENCE)
    values = [field.value for field in reply.received if field.name in ("authorization", "x-b")]
    assert values == [b"Bearer abc", b"b"]


# ---- who was asked for ----


@pytest.fixture
def authority(wire, calls):
    """authority(fields): what the handler was told, and what is shown beside it."""

    def ask(*fields):
        rest = [field for field in request_fields(METADATA, authority=None) if field[0] != ":authority"]
        pseudo = [field for field in fields if field[0].startswith(":")]
        regular = [field for field in fields if not field[0].startswith(":")]
        stream = wire.headers(rest[:3] + pseudo + rest[3:] + regular)
        wire.data(stream, message(b""), end=True)
        answer = wire.answer(stream)
        if answer.reset is not None:
            return answer.reset
        assert answer.status == OK, answer.text
        reply = calls.MetadataReply.FromString(bytes(answer.data[5:]))
        return reply.authority, [(field.name, field.value) for field in reply.received]

    return ask


@pytest.mark.parametrize(
    "name",
    [
        "/var/lib/kubelet/plugins/csi.sock",
        "var/run/a.sock",
        "%2Frun%2Fa%20b.sock",
        "unix:/run/a.sock",
        "user@host:1",
        "[fe80::1%25eth0]:50051",
        "[fe80::1%eth0]:50051",
        "a b",
        '"quoted" <x> {y} \\ ^ ` |',
        "host,other?query#part",
        "grüße",
        "/" + "long/" * 400,
        "",
    ],
)
@pytest.mark.parametrize("field", [":authority", "host"])
def test_an_authority_need_not_be_one_of_the_network(authority, field, name):
    assert authority((field, name.encode())) == (name, [])


def test_none_at_all(authority):
    assert authority() == ("", [])


def test_host_is_not_shown_beside_an_authority(authority):
    """gRPC's proposal A41: what interceptors decide by is one."""
    assert authority((":authority", "a"), ("host", "b"), ("x", "1")) == ("a", [("x", b"1")])
    assert authority((":authority", "a"), ("host", "a")) == ("a", [])
    assert authority((":authority", ""), ("host", "b")) == ("", [])
    assert authority(("host", "b"), ("x", "1")) == ("b", [("x", b"1")])


@pytest.mark.parametrize("twice", [("a", "a"), ("a", "b"), ("", "b"), ("a", ""), ("", "")])
@pytest.mark.parametrize("field", [":authority", "host"])
def test_two_of_them_are_none(authority, field, twice):
    assert authority(*((field, value) for value in twice)) == PROTOCOL_ERROR


@pytest.mark.parametrize("value", [b"a\0b", b"a\r\nb", b"\x7f"])
@pytest.mark.parametrize("field", [":authority", "host"])
def test_bytes_that_no_field_has(authority, field, value):
    assert authority((field, value)) == PROTOCOL_ERROR


@pytest.mark.parametrize("options", [[], [("grpc.default_authority", "/run/a.sock")]], ids=["own", "path"])
def test_over_a_unix_socket(calls, start, tmp_path, options):
    path = tmp_path / "s.sock"
    start("test-server", "--address", f"unix:{path}")
    with grpc.insecure_channel(f"unix:{path}", options=options) as opened:
        reply = calls.Stub(opened).Metadata(calls.MetadataRequest(), timeout=PATIENCE)
    assert reply.authority == (options[0][1] if options else quote(str(path).lstrip("/"), safe=""))


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
