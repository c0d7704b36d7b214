# SPDX-License-Identifier: MIT
"""google.api.http: quoit-api's methods by paths and JSON. How a URL becomes a message is in tests/unit/front."""

import http.client
import json

import pytest

from servers import PATIENCE
from test_http import get
from wire import Wire, message

JSON, LINES, EVENTS = "application/json", "application/x-ndjson", "text/event-stream"
ITEMS = [{"id": n, "name": f"name {n}"} for n in (1, 2, 3)]


class Answer:
    def __init__(self, status, headers, body):
        self.status = int(status)
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body.decode()

    def json(self):
        assert self.headers["content-type"] == JSON
        assert self.headers["content-length"] == str(len(self.body.encode()))
        return json.loads(self.body)


def ask_http2(server, method, path, body, fields):
    with Wire(server) as wire:
        answer = get(wire, path, method, None if body is None else body.encode(), **fields)
        assert not answer.trailers
        return Answer(answer.http_status, answer.headers, answer.data)


def ask_http1(server, method, path, body, fields):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {name.replace("_", "-"): value for name, value in fields.items() if value}
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    said = Answer(answer.status, dict(answer.getheaders()), answer.read())
    connection.close()
    return said


@pytest.fixture(scope="module", params=[ask_http2, ask_http1], ids=["http2", "http1"])
def ask(request, api_server):
    """ask(path, method, body, **fields)."""

    def ask_one(path, method="GET", body=None, **fields):
        return request.param(api_server, method, path, body, fields)

    return ask_one


@pytest.mark.parametrize(
    "path, name",
    [
        ("/v1/hello/x", "x"),
        ("/v1/hello/a%2Fb%20c", "a/b c"),
        ("/v1/hello/a+b", "a+b"),
        ("/v1/hello/x:y", "x:y"),
        ("/v1/hello/%E4%BD%A0", "你"),
        ("/v1/h%65llo/x?", "x"),
    ],
)
def test_the_path_has_a_field(ask, path, name):
    answer = ask(path)
    assert (answer.status, answer.json()) == (200, {"message": f"Hello {name}!"})


def test_the_body_is_the_message(ask):
    answer = ask("/v1/hello", "POST", '{"name":"x"}', content_type=JSON)
    assert (answer.status, answer.json()) == (200, {"message": "Hello x!"})
    answer = ask("/v1/hello", "POST", '{"name":"x"}', content_type="Application/JSON; charset=utf-8")
    assert answer.status == 200
    answer = ask("/v1/hello", "POST", "", content_type=JSON)
    assert (answer.status, answer.json()) == (200, {"message": "Hello !"})


def test_the_query_has_fields(ask):
    answer = ask("/v1/items?length=3")
    assert (answer.status, answer.json()) == (200, {"items": ITEMS})
    assert ask("/v1/items?length=1&&length=2").json() == {"items": ITEMS[:2]}
    assert ask("/v1/items?l%65ngth=%31").json() == {"items": ITEMS[:1]}
    assert ask("/v1/items").status == 200


def test_a_stream_is_lines(ask):
    answer = ask("/v1/items:stream?length=3")
    assert (answer.status, answer.headers["content-type"]) == (200, LINES)
    assert answer.body.endswith("}\n")
    assert [json.loads(line) for line in answer.body.splitlines()] == [{"result": item} for item in ITEMS]


def test_a_stream_is_events_for_those_who_want_them(ask):
    answer = ask("/v1/items:stream?length=2", accept=f"{EVENTS}, */*")
    assert (answer.status, answer.headers["content-type"]) == (200, EVENTS)
    *events, last, nothing = answer.body.split("\n\n")
    assert [json.loads(event.removeprefix("data: ")) for event in events] == ITEMS[:2]
    assert (last, nothing) == ("event: end\ndata: {}", "")


def test_caches_know_what_an_answer_depends_on(ask):
    """RFC 9110, section 12.5.5: by a field of the request it is compressed, or are its messages events."""
    for fields in ({}, {"accept_encoding": "gzip"}):
        answer = ask("/v1/hello/x", **fields)
        assert (answer.status, answer.headers["vary"]) == (200, "accept-encoding")
    for accept in ("*/*", EVENTS):
        answer = ask("/v1/items:stream?length=1", accept=accept)
        assert (answer.status, answer.headers["vary"]) == (200, "accept")
    assert "vary" not in ask("/v1/hello/x", "DELETE").headers  # nothing was chosen


@pytest.mark.parametrize("path, accepted", [("/v1/hello/x", "identity;q=0, br"), ("/v1/hello/x", "*;q=0"), ("/v1/items:stream?length=1", "identity;q=0, gzip")])
def test_no_answer_that_the_client_takes(ask, path, accepted):
    """RFC 9110, section 12.5.3; streams are not compressed."""
    answer = ask(path, accept_encoding=accepted)
    assert answer.status == 406 and answer.json()["code"] == 12
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path, why",
    [
        ("/v1/items?length=x", '"x" is no value of the field api.ApiRequest.length'),
        ("/v1/items?length=2147483648", "is no value of the field"),
        ("/v1/items?nothing=1", 'api.ApiRequest has no field "nothing"'),
        ("/v1/items:stream?nothing=1", 'api.ApiRequest has no field "nothing"'),
        ("/v1/items?length=%zz", "no two hexadecimal digits"),
        ("/v1/hello/x?name=y", "set by the path or the body"),
        ("/v1/hello/%ff", "is no value of the field api.HelloRequest.name"),
    ],
)
def test_what_is_wrong_with_a_url(ask, path, why):
    answer = ask(path)
    said = answer.json()
    assert (answer.status, said["code"], said["details"]) == (400, 3, [])
    assert why in said["message"]


@pytest.mark.parametrize(
    "body, why",
    [("{", ""), ('{"nothing":1}', "nothing"), ("[]", "line 1"), ('{"name":"\\ud800"}', "")],
)
def test_what_is_wrong_with_a_body(ask, body, why):
    answer = ask("/v1/hello", "POST", body, content_type=JSON)
    assert (answer.status, answer.json()["code"]) == (400, 3)
    assert why in answer.json()["message"]


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain", "application/jsonx"])
def test_a_body_says_that_it_is_json(ask, content_type):
    """Otherwise a page of another site could send it without being asked (CORS)."""
    answer = ask("/v1/hello", "POST", '{"name":"x"}', content_type=content_type)
    assert (answer.status, answer.json()["code"]) == (415, 3)


@pytest.mark.parametrize("path", ["/v1/hello/x", "/v1/items?length=1"])
def test_a_request_without_a_body_takes_none(ask, path):
    answer = ask(path, "GET", "{}", content_type=JSON)
    assert (answer.status, answer.json()["message"]) == (400, "this request has no body")


@pytest.mark.parametrize("method, path, allow", [("DELETE", "/v1/hello/x", "GET"), ("GET", "/v1/hello", "POST")])
def test_other_methods_of_http(ask, method, path, allow):
    answer = ask(path, method)
    assert (answer.status, answer.headers["allow"], answer.json()["code"]) == (405, allow, 12)


def test_head_has_the_fields_alone(ask):
    answer = ask("/v1/hello/x", "HEAD")
    assert (answer.status, answer.body) == (200, "")
    assert answer.headers["content-length"] == str(len('{"message":"Hello x!"}'))
    assert ask("/v1/items:stream", "HEAD").status == 405


@pytest.mark.parametrize(
    "path",
    ["/v1/hello/x/", "/v1/hello/", "/v1//hello/x", "/v2/hello/x", "/v1/hello/x/y", "/V1/hello/x"],
)
def test_other_paths_have_no_method(ask, path):
    answer = ask(path)
    assert answer.status in (404, 405)
    assert answer.headers.get("content-type") != JSON


def test_the_methods_own_paths_are_connects(ask):
    answer = ask("/api.Api/sayHello", "POST", '{"name":1}', content_type=JSON)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_argument")


def test_grpc_is_not_transcoded(api_server):
    """Not even where a rule has its path."""
    with Wire(api_server) as wire:
        answer = wire.call("/v1/hello", b"")
        assert (answer.http_status, answer.status) == ("200", 12)
        answer = wire.call("/api.Api/sayHello", b"\x0a\1x")
        assert (answer.status, answer.data) == (0, message(b"\x0a\x08Hello x!"))
