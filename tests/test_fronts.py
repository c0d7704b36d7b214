# SPDX-License-Identifier: MIT
"""gRPC-Web, Connect and JSON beside gRPC on one port: what the Connect conformance suite does not ask, and what hostile bodies cost."""

import base64
import gzip
import json
import time
import zlib
from urllib.parse import quote

import pytest

from servers import PATIENCE
from test_http import get
from wire import Wire, message, messages, request_fields

ECHO, STATUS, WAIT, COUNT = (f"/calls.Calls/{name}" for name in ("Echo", "Status", "Wait", "Count"))
BIG, CHAT, FORGET = (f"/calls.Calls/{name}" for name in ("Big", "Chat", "Forget"))
SUM, BLOCKING_COUNT = "/calls.Calls/Sum", "/calls.Calls/BlockingCount"
JSON, PROTO = "application/json", "application/proto"
OK, INVALID_ARGUMENT, INTERNAL, UNIMPLEMENTED = 0, 3, 13, 12


@pytest.fixture(scope="module", params=[[], ["--offload-all"]], ids=["ring", "offloaded"])
def arguments(request):
    return request.param


@pytest.fixture
def server(arguments, start):
    return start("test-server", *arguments)


@pytest.fixture
def wire(server):
    with Wire(server) as opened:
        yield opened


def send_body(wire, stream, body, step):
    """As the server's windows let it; an answer that comes before its end is enough."""
    already = wire.sent_bytes
    for at in range(0, len(body), step):
        piece = body[at : at + step]

        def fits(piece=piece, at=at):
            after = at + len(piece)
            return wire.streams[stream].is_over or (
                after <= wire.settings.get(4, 65535) + wire.windows[stream]
                and already + after <= 65535 + wire.windows[0]
            )

        wire.read(fits, "room in a window")
        if wire.streams[stream].is_over:
            return
        wire.data(stream, piece)
        wire.sent_bytes += len(piece)
    wire.data(stream, b"", end=True)


def ask(wire, path, body, kind=JSON, pieces=16384, **fields):
    """A request whose body is not framed, in DATA frames of @pieces bytes."""
    wire.read(lambda: wire.settings, "the server's SETTINGS")
    stream = wire.headers(request_fields(path, te=None, content_type=kind, **fields))
    wire.sent_bytes = getattr(wire, "sent_bytes", 0)
    send_body(wire, stream, body, pieces)
    return wire.answer(stream)


def fault(answer):
    """The HTTP status and the code of Connect's error."""
    assert answer.headers["content-type"] == JSON and not answer.trailers
    return answer.http_status, json.loads(bytes(answer.data))["code"]


# ---- gRPC-Web ----


def web_trailers(payload):
    return dict(line.split(": ", 1) for line in payload.decode().split("\r\n") if line)


def test_grpc_web(wire, calls):
    body = message(calls.Payload(text="hi").SerializeToString())
    answer = ask(wire, ECHO, body, "application/grpc-web+proto")
    assert answer.headers["content-type"] == "application/grpc-web+proto" and not answer.trailers
    assert "grpc-status" not in answer.headers
    (flag, payload), (last, trailers) = messages(answer.data)
    assert (flag, last) == (0, 0x80) and calls.Payload.FromString(payload).text == "hi"
    assert web_trailers(trailers) == {"grpc-status": "0"}


def test_grpc_web_says_what_went_wrong(wire, calls):
    body = message(calls.StatusRequest(code=5, message="none\r\nx: y \u00fc").SerializeToString())
    (only,) = messages(ask(wire, STATUS, body, "application/grpc-web").data)
    assert only[0] == 0x80
    assert web_trailers(only[1]) == {"grpc-status": "5", "grpc-message": "none%0D%0Ax: y %C3%BC"}


def decoded_text(data):
    """Groups of four, each of which may be padded."""
    assert len(data) % 4 == 0
    return b"".join(base64.b64decode(bytes(data[i : i + 4]), validate=True) for i in range(0, len(data), 4))


@pytest.mark.parametrize("pieces", [1, 3, 7, 5000])
@pytest.mark.parametrize("size", [0, 1, 2, 3000])
def test_grpc_web_as_text(wire, calls, pieces, size):
    """Base64 that is padded in its middle, cut anywhere."""
    sent = calls.Payload(data=b"\xff" * size).SerializeToString()
    framed = message(sent)
    body = base64.b64encode(framed[:5]) + base64.b64encode(framed[5:])
    answer = ask(wire, ECHO, body, "application/grpc-web-text", pieces)
    assert answer.headers["content-type"] == "application/grpc-web-text"
    (flag, payload), (last, trailers) = messages(decoded_text(answer.data))
    assert (flag, last, payload) == (0, 0x80, sent)
    assert web_trailers(trailers)["grpc-status"] == "0"


def test_a_stream_as_text(wire, calls):
    body = base64.b64encode(message(calls.CountRequest(count=500).SerializeToString()))
    found = messages(decoded_text(ask(wire, COUNT, body, "application/grpc-web-text+proto").data))
    assert [calls.Number.FromString(payload).value for flag, payload in found[:-1]] == list(range(1, 501))
    assert found[-1][0] == 0x80


@pytest.mark.parametrize("body", [b"AAAA*AAA", b"AAAAA", b"=AAA", b"A===", b"AA=A"])
def test_what_is_not_base64(wire, body):
    found = messages(decoded_text(ask(wire, ECHO, body, "application/grpc-web-text").data))
    assert web_trailers(found[-1][1])["grpc-status"] == str(INTERNAL)


# ---- Connect: calls of one message ----


def test_json(wire):
    answer = ask(wire, ECHO, b'{"text": "hi", "unknown": [1]}', "Application/JSON; charset=utf-8")
    assert (answer.http_status, json.loads(bytes(answer.data))) == ("200", {"text": "hi"})
    assert answer.headers["content-type"] == JSON and not answer.trailers
    assert int(answer.headers["content-length"]) == len(answer.data)


@pytest.mark.parametrize("size", [0, 1, 1000, 2_000_000])
@pytest.mark.parametrize("pieces", [100, 16384])
@pytest.mark.parametrize("told", [True, False])
def test_bodies_of_all_sizes(wire, calls, size, pieces, told):
    sent = calls.Payload(data=b"x" * size).SerializeToString()
    if size > 100_000 and pieces < 1000:
        pieces = 9999
    length = {"content_length": str(len(sent))} if told else {}
    answer = ask(wire, ECHO, sent, PROTO, pieces, **length)
    assert (answer.http_status, bytes(answer.data)) == ("200", sent)
    assert answer.headers["content-type"] == PROTO


def test_large_answers(wire, calls):
    answer = ask(wire, BIG, calls.Number(value=3_000_000).SerializeToString(), PROTO)
    assert len(calls.Payload.FromString(bytes(answer.data)).data) == 3_000_000


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"nonsense", b'{"text": 1}', b'{"text": "\xff"}', b'{"data": "*"}', b"{}{}", b"\0", b"[" * 100_000],
)
def test_malformed_json(wire, body):
    answer = ask(wire, ECHO, body)
    assert fault(answer) == ("400", "invalid_argument")
    assert "not valid JSON" in json.loads(bytes(answer.data))["message"]
    assert ask(wire, ECHO, b"{}").http_status == "200"


def test_malformed_protobuf(wire):
    assert fault(ask(wire, ECHO, b"\xff\xff", PROTO)) == ("400", "invalid_argument")


def test_texts_are_escaped(wire):
    hostile = '</script><b>&"\\\n\x01\u2028\u00fc\U0001f600'
    answer = ask(wire, STATUS, json.dumps({"code": 5, "message": hostile}).encode())
    assert fault(answer) == ("404", "not_found")
    assert json.loads(bytes(answer.data))["message"] == hostile
    assert not set(b'<>&\n\x01') & set(bytes(answer.data)) and b"\xe2\x80\xa8" not in answer.data


@pytest.mark.parametrize(
    "code, http, name",
    [
        (1, "499", "canceled"),
        (2, "500", "unknown"),
        (3, "400", "invalid_argument"),
        (4, "504", "deadline_exceeded"),
        (6, "409", "already_exists"),
        (7, "403", "permission_denied"),
        (8, "429", "resource_exhausted"),
        (9, "400", "failed_precondition"),
        (10, "409", "aborted"),
        (11, "400", "out_of_range"),
        (12, "501", "unimplemented"),
        (13, "500", "internal"),
        (14, "503", "unavailable"),
        (15, "500", "data_loss"),
        (16, "401", "unauthenticated"),
        (99, "500", "unknown"),
    ],
)
def test_statuses(wire, code, http, name):
    assert fault(ask(wire, STATUS, json.dumps({"code": code}).encode())) == (http, name)


def test_headers_and_trailers(wire):
    field = {"name": "x-a", "value": base64.b64encode(b"1").decode()}
    binary = {"name": "y-bin", "value": base64.b64encode(b"\xff\xfe").decode()}
    body = json.dumps({"headers": [field, binary], "trailers": [field, binary], "headersFirst": True})
    answer = ask(wire, "/calls.Calls/Metadata", body.encode())
    assert answer.http_status == "200" and not answer.trailers
    assert (answer.headers["x-a"], answer.headers["y-bin"]) == ("1", "//4")
    assert (answer.headers["trailer-x-a"], answer.headers["trailer-y-bin"]) == ("1", "//4")


def test_details(wire):
    answer = ask(wire, "/calls.Calls/Details", b'{"code": 3, "message": "no", "violations": {"a": "b"}, "payload": "3"}')
    assert fault(answer) == ("400", "invalid_argument")
    details = json.loads(bytes(answer.data))["details"]
    assert [detail["type"] for detail in details] == ["google.rpc.BadRequest", "calls.Payload"]
    assert all("=" not in detail["value"] for detail in details)
    assert details[0]["debug"] == {"fieldViolations": [{"field": "a", "description": "b"}]}
    assert not any("details" in name for name in answer.headers)


def test_compressed_bodies(wire, calls):
    sent = b'{"text": "%s"}' % (b"x" * 5000)
    answer = ask(wire, ECHO, gzip.compress(sent), content_encoding="gzip")
    assert json.loads(bytes(answer.data))["text"] == "x" * 5000
    assert json.loads(bytes(ask(wire, ECHO, b"{}", content_encoding="identity").data)) == {}
    assert bytes(ask(wire, ECHO, b"", PROTO, content_encoding="gzip").data) == b""
    assert fault(ask(wire, ECHO, b"{}", content_encoding="gzip")) == ("400", "invalid_argument")
    answer = ask(wire, ECHO, b"{}", content_encoding="br")
    assert fault(answer) == ("501", "unimplemented") and "gzip" in json.loads(bytes(answer.data))["message"]


def test_answers_are_compressed(arguments, start, calls):
    server = start("test-server", *arguments, "--compression", 2)
    with Wire(server) as wire:
        answer = ask(wire, ECHO, b'{"text": "%s"}' % (b"x" * 5000), accept_encoding="br, gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(bytes(answer.data)))["text"] == "x" * 5000
        assert "content-encoding" not in ask(wire, ECHO, b"{}").headers


def test_weights_of_encodings(arguments, start):
    """RFC 9110, section 12.5.3."""
    large, small = (b'{"text": "%s"}' % (b"x" * size) for size in (5000, 1))
    with Wire(start("test-server", *arguments, "--compression", 2)) as wire:
        for accepted in "gzip;q=0", "gzip;q=0.5, identity", "*, gzip;q=0", "br", "":
            assert "content-encoding" not in ask(wire, ECHO, large, accept_encoding=accepted).headers, accepted
        for accepted in "gzip;q=0.001", "GZIP ; q=0.5, identity;q=0.4", "*":
            assert ask(wire, ECHO, large, accept_encoding=accepted).headers["content-encoding"] == "gzip", accepted
        # who takes nothing plain: not even where it would be shorter
        for accepted, encoding, unpack in ("identity;q=0, gzip", "gzip", gzip.decompress), ("*;q=0, deflate", "deflate", zlib.decompress):
            for body in large, small:
                answer = ask(wire, ECHO, body, accept_encoding=accepted)
                assert answer.headers["content-encoding"] == encoding
                assert json.loads(unpack(bytes(answer.data)))["text"] == json.loads(body)["text"]
        for accepted in "identity;q=0", "identity;q=0, br", "*;q=0":
            answer = ask(wire, ECHO, large, accept_encoding=accepted)
            assert fault(answer) == ("501", "unimplemented") and "gzip" in json.loads(bytes(answer.data))["message"], accepted


def test_limits(arguments, start):
    """They apply to what comes and to what becomes of it."""
    server = start("test-server", *arguments, "--limit", "message_receive_bytes_max=100000")
    with Wire(server) as wire:
        large = b'{"text": "%s"}' % (b"x" * 200_000)
        assert fault(ask(wire, ECHO, large)) == ("429", "resource_exhausted")
        assert fault(ask(wire, ECHO, large, content_length=str(len(large)))) == ("429", "resource_exhausted")
        assert fault(ask(wire, ECHO, gzip.compress(large), content_encoding="gzip")) == ("429", "resource_exhausted")
        assert ask(wire, ECHO, b'{"text": "%s"}' % (b"x" * 90_000)).http_status == "200"


def test_a_document_that_would_grow(wire):
    """Each "{}" is a message of its own: some sixty bytes for three."""
    body = b'{"parts": [%s{}]}' % (b"{}," * 1_000_000)
    answer = ask(wire, "/calls.Calls/Compressed", message(body), "application/connect+json")
    error = json.loads(messages(answer.data)[-1][1])["error"]
    assert error["code"] == "resource_exhausted"


def test_timeouts(wire):
    begin = time.monotonic()
    assert fault(ask(wire, WAIT, b"{}", connect_timeout_ms="50")) == ("504", "deadline_exceeded")
    assert time.monotonic() - begin >= 0.05
    for bad in "x", "", "-1", "12345678901", "1.5":
        assert fault(ask(wire, ECHO, b"{}", connect_timeout_ms=bad)) == ("400", "invalid_argument"), bad
    assert ask(wire, ECHO, b"{}", connect_timeout_ms="9999999999").http_status == "200"
    assert fault(ask(wire, ECHO, b"{}", connect_timeout_ms="0")) == ("504", "deadline_exceeded")


def test_what_is_no_call(wire):
    assert fault(ask(wire, "/calls.Calls/Nothing", b"{}")) == ("404", "unimplemented")
    assert fault(ask(wire, "/calls.Calls/Absent", b"{}")) == ("404", "unimplemented")
    assert fault(ask(wire, ECHO, b"{}", connect_protocol_version="2")) == ("400", "invalid_argument")
    for path, kind in (COUNT, JSON), (ECHO, "application/connect+json"), (ECHO, "application/xml"):
        assert ask(wire, path, b"{}", kind).http_status == "415"
    assert ask(wire, ECHO, b"{}", method="PUT").http_status == "405"
    assert fault(ask(wire, FORGET, b"{}")) == ("500", "internal")


def test_a_client_that_goes(wire):
    """In the middle of its body, and before its answer."""
    for _ in range(20):
        stream = wire.headers(request_fields(ECHO, te=None, content_type=JSON, content_length="1000000"))
        wire.data(stream, b"{" * 5000)
        wire.reset(stream)
        stream = wire.headers(request_fields(WAIT, te=None, content_type=JSON))
        wire.data(stream, b"{}", end=True)
        wire.reset(stream)
    assert ask(wire, ECHO, b"{}").http_status == "200"


# ---- GET ----


def test_get(wire, calls):
    answer = get(wire, f"{ECHO}?encoding=json&message={quote(json.dumps({'text': 'a b+c'}))}&connect=v1")
    assert (answer.http_status, json.loads(bytes(answer.data))) == ("200", {"text": "a b+c"})
    assert answer.headers["vary"] == "accept-encoding"
    sent = calls.Payload(data=bytes(range(200, 256))).SerializeToString()
    for text in base64.urlsafe_b64encode(sent).decode(), base64.urlsafe_b64encode(sent).decode().rstrip("="):
        answer = get(wire, f"{ECHO}?base64=1&message={quote(text)}&encoding=proto")
        assert (answer.http_status, bytes(answer.data)) == ("200", sent)
    packed = base64.urlsafe_b64encode(gzip.compress(b'{"text":"z"}')).decode()
    assert get(wire, f"{ECHO}?encoding=json&compression=gzip&base64=1&message={packed}").http_status == "200"


@pytest.mark.parametrize(
    "query",
    ["encoding=json", "encoding=json&message=%7b%7", "encoding=json&message=%zz", "encoding=json&message=*&base64=1"]
    + ["encoding=json&message={}&connect=v2", "encoding=proto&message=%ff"],
)
def test_bad_queries(wire, query):
    assert fault(get(wire, f"{ECHO}?{query}")) == ("400", "invalid_argument")


def test_get_is_for_what_changes_nothing(wire):
    for path in STATUS, COUNT:
        assert get(wire, f"{path}?encoding=json&message=%7B%7D").http_status == "405"
    for query in "", "?", "?encoding=xml&message=x", "?message=x":
        assert get(wire, ECHO + query).http_status == "405"


def test_a_query_means_nothing_to_grpc(wire, calls):
    sent = calls.Payload(text="q").SerializeToString()
    answer = wire.call(f"{ECHO}?a=b", sent)
    assert (answer.status, bytes(answer.data)) == (OK, message(sent))


# ---- streams ----


def test_a_stream_of_answers(wire):
    answer = ask(wire, COUNT, message(b'{"count": "3"}'), "application/connect+json")
    assert (answer.http_status, answer.trailers) == ("200", {})
    found = [(flag, json.loads(payload)) for flag, payload in messages(answer.data)]
    assert found == [(0, {"value": "1"}), (0, {"value": "2"}), (0, {"value": "3"}), (2, {})]


def test_a_stream_of_requests(wire):
    body = message(b'{"value": 1}') + message(b'{"value": "41"}')
    answer = ask(wire, SUM, body, "application/connect+json")
    assert [json.loads(payload) for flag, payload in messages(answer.data)] == [{"value": "42"}, {}]


def test_errors_of_streams(wire):
    answer = ask(wire, COUNT, message(b'{"count": 1, "code": 5, "message": "<x>"}'), "application/connect+json")
    assert answer.http_status == "200"
    flag, payload = messages(answer.data)[-1]
    assert (flag, json.loads(payload)) == (2, {"error": {"code": "not_found", "message": "<x>"}})
    for body in message(b"{"), b"\x05\0\0\0\0", b"\0\0\0\0\x09{}":
        answer = ask(wire, SUM, body, "application/connect+json")
        assert answer.http_status == "200" and "error" in json.loads(messages(answer.data)[-1][1])


def test_a_deadline_within_a_stream(wire):
    """The frames before the last one are whole, and that one says why there are no more."""
    body = message(b'{"count": 1000000000}')
    for path in COUNT, BLOCKING_COUNT:
        answer = ask(wire, path, body, "application/connect+json", connect_timeout_ms="100")
        flag, payload = messages(answer.data)[-1]
        assert (flag, json.loads(payload)["error"]["code"]) == (2, "deadline_exceeded")


def test_the_same_of_grpc_web(wire, calls):
    body = message(calls.CountRequest(count=10**9).SerializeToString())
    for kind in "application/grpc-web", "application/grpc-web-text":
        answer = ask(wire, COUNT, base64.b64encode(body) if "text" in kind else body, kind, grpc_timeout="100m")
        data = decoded_text(answer.data) if "text" in kind else answer.data
        flag, payload = messages(data)[-1]
        assert (flag, web_trailers(payload)["grpc-status"]) == (0x80, "4")


def test_grpc_with_json(wire):
    answer = ask(wire, ECHO, message(b'{"text": "j"}'), "application/grpc+json")
    assert answer.status == OK and answer.headers["content-type"] == "application/grpc+json"
    assert messages(answer.data) == [(0, b'{"text":"j"}')]
    assert ask(wire, ECHO, message(b"{\n%%"), "application/grpc+json").status == INTERNAL


# ---- which protocols ----


def test_protocols_of_a_method(arguments, start, calls):
    only = "--method", f"{ECHO},protocols=1", "--method", f"{STATUS},protocols=4"
    with Wire(start("test-server", *arguments, *only)) as wire:
        assert ask(wire, ECHO, b"{}").http_status == "415"
        assert get(wire, f"{ECHO}?encoding=json&message=%7B%7D").http_status == "405"
        assert ask(wire, ECHO, message(b""), "application/grpc-web").http_status == "415"
        assert wire.call(ECHO, b"").status == OK
        assert ask(wire, STATUS, b'{"code": 5}').http_status == "404"
        assert wire.call(STATUS, b"").status == UNIMPLEMENTED
        assert ask(wire, WAIT, b"{}", connect_timeout_ms="1").http_status == "504"


def test_the_log_says_which(start, tmp_path):
    log = tmp_path / "log"
    server = start("quoit-api", "--port", 0, "--access-log", log)
    with Wire(server) as wire:
        assert ask(wire, "/api.Api/sayHello", b'{"name": "x"}').http_status == "200"
        assert ask(wire, "/api.Api/sayHello", b"{").http_status == "400"
        assert ask(wire, "/api.Api/sayHello", message(b""), "application/grpc-web").http_status == "200"
        assert wire.call("/api.Api/sayHello", b"").status == OK
    server.stop()
    said = log.read_text().splitlines()
    assert [line.split("protocol=")[1].split(" duration")[0] for line in said] == [
        "connect status=OK",
        "connect status=INVALID_ARGUMENT http_status=400",
        "grpc-web status=OK",
        "grpc status=OK",
    ]


def test_any_interleaving(wire, calls):
    """Calls of all protocols on one connection at once."""
    sent = calls.Payload(text="m").SerializeToString()
    streams = []
    for _ in range(20):
        streams.append(wire.request(ECHO, sent))
        for kind, body in (JSON, b'{"text":"m"}'), (PROTO, sent), ("application/grpc-web", message(sent)):
            stream = wire.headers(request_fields(ECHO, te=None, content_type=kind))
            wire.data(stream, body, end=True)
            streams.append(stream)
    answers = [wire.answer(stream, PATIENCE) for stream in streams]
    assert {answer.http_status for answer in answers} == {"200"}
    assert all(b"m" in answer.data for answer in answers)
