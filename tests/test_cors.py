# SPDX-License-Identifier: MIT
"""Pages of other origins: preflights, and what answers say to browsers (the Fetch standard)."""

import json

import pytest

from test_http import get
from wire import Wire, request_fields

ALLOWED = "access-control-allow-origin"
EXPOSED = "access-control-expose-headers"
APP, DOMAIN = "https://app.example", "https://*.pages.example:8443"


@pytest.fixture
def wires(start):
    """wires(*origins, options...): a wire to a server that lets pages of these call."""
    opened = []

    def wire(*origins, options=()):
        named = [word for origin in origins for word in ("--cors", origin)]
        opened.append(Wire(start("test-server", "--http", *named, *options)))
        return opened[-1]

    yield wire
    for one in opened:
        one.socket.close()


@pytest.fixture
def wire(wires):
    return wires(APP, DOMAIN)


def preflight(wire, origin, path="/echo", method="GET", asked=None):
    fields = {"origin": origin, "access_control_request_method": method}
    if asked:
        fields["access_control_request_headers"] = asked
    return get(wire, path, method="OPTIONS", **fields)


@pytest.mark.parametrize("path", ["/echo", "/calls.Calls/Echo", "/not.There"])
@pytest.mark.parametrize("origin", [APP, "https://a.pages.example:8443", "https://a.b.pages.example:8443"])
def test_a_preflight_gets_what_it_asks_for(wire, path, origin):
    answer = preflight(wire, origin, path, "POST", "content-type,x-custom")
    assert (answer.http_status, answer.data) == ("204", b"")
    assert answer.headers[ALLOWED] == origin
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-custom"
    assert answer.headers["access-control-max-age"] == "7200"
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil",
        "https://xapp.example",
        "https://pages.example:8443",
        "https://.pages.example:8443",
        "https://evilpages.example:8443",
        "https://a.pages.example",
        "https://a.pages.example:84430",
        "http://a.pages.example:8443",
        "https://app.example, https://a.pages.example:8443",
        "https://a.pages.example:8443 https://a.pages.example:8443",
        "https://user@a.pages.example:8443",
        "https://evil.example/.pages.example:8443",
        "https://evil.example#.pages.example:8443",
        "https://evil.example:8443.pages.example:8443",
        "null",
        "*",
        "",
    ],
)
def test_other_origins_get_nothing(wire, origin):
    answer = preflight(wire, origin)
    assert answer.http_status == "403"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    answer = get(wire, "/echo", origin=origin)
    assert answer.http_status == "200" and ALLOWED not in answer.headers
    assert answer.headers["vary"] == "origin"


def test_an_answer_exposes_its_fields(wire):
    answer = get(wire, "/echo", origin=APP, x_echo="1")
    assert answer.headers[ALLOWED] == APP and answer.headers["vary"] == "origin"
    exposed = answer.headers[EXPOSED].split(", ")
    assert exposed == ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-echo"]


def test_refusals_can_be_read_by_pages_too(wire):
    for path, status in (("/nope", "404"), ("/finish?5", "404"), ("/forgotten", "500")):
        answer = get(wire, path, origin=APP)
        assert (answer.http_status, answer.headers[ALLOWED]) == (status, APP)


def test_calls_of_pages(wire):
    """Connect's, in JSON; an error's answer too."""
    for path, status in (("/calls.Calls/Echo", "200"), ("/calls.Calls/Nothing", "404")):
        fields = request_fields(path, te=None, content_type="application/json", origin=APP)
        stream = wire.headers(fields)
        wire.data(stream, b"{}", True)
        answer = wire.answer(stream)
        json.loads(bytes(answer.data))
        assert (answer.http_status, answer.headers[ALLOWED]) == (status, APP)


def test_calls_of_grpc_web(wire):
    answer = wire.call("/calls.Calls/Echo", te=None, content_type="application/grpc-web", origin=APP)
    assert (answer.http_status, answer.headers[ALLOWED]) == ("200", APP)
    assert "grpc-status" in answer.headers[EXPOSED]


def test_every_page(wires):
    wire = wires("*")
    answer = preflight(wire, "https://any.example")
    assert (answer.http_status, answer.headers[ALLOWED]) == ("204", "*")
    answer = get(wire, "/echo", origin="null")
    assert answer.headers[ALLOWED] == "*" and "vary" not in answer.headers


def test_credentials_and_age(wires):
    wire = wires(APP, options=["--cors-credentials", "--cors-max-age", 60])
    answer = preflight(wire, APP)
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "60"
    answer = get(wire, "/echo", origin=APP)
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_options_that_is_no_preflight(wire):
    for fields in {"origin": APP}, {"access_control_request_method": "GET"}:
        answer = get(wire, "/echo", method="OPTIONS", **fields)
        assert answer.http_status == "200" and "access-control-allow-methods" not in answer.headers


def test_off_until_an_origin_is_named(wires):
    wire = wires()
    answer = preflight(wire, APP)
    assert answer.http_status == "200" and "access-control-allow-origin" not in answer.headers
    answer = get(wire, "/echo", origin=APP)
    assert answer.http_status == "200"
    assert not {ALLOWED, EXPOSED, "vary"} & set(answer.headers)
    assert wire.call("/calls.Calls/Echo", origin=APP).status == 0


def test_values_that_would_break_the_answer_do_not_come_back(wire):
    answer = preflight(wire, APP, asked="x\ty")
    assert answer.http_status == "204" and "access-control-allow-headers" not in answer.headers


def test_a_preflight_of_a_path_of_annotations(start):
    """As a page asks before it calls by google.api.http, which knows no OPTIONS."""
    with Wire(start("quoit-api", "--host", "127.0.0.1", "--port", 0, "--cors-origin", APP)) as wire:
        for path in ("/v1/hello/x", "/v1/hello/x?a=b", "/v1/nothing"):
            answer = preflight(wire, APP, path, "PUT", "content-type")
            assert (answer.http_status, answer.data) == ("204", b"")
            assert answer.headers["access-control-allow-methods"] == "PUT"
        answer = get(wire, "/v1/hello/x", origin=APP)
        assert (answer.http_status, answer.headers[ALLOWED]) == ("200", APP)
        assert json.loads(bytes(answer.data)) == {"message": "Hello x!"}
        answer = get(wire, "/v1/hello/x", method="DELETE", origin=APP)
        assert (answer.http_status, answer.headers[ALLOWED]) == ("405", APP)


@pytest.mark.parametrize("path", ["/calls.Calls/Echo", "/calls.Calls/Nothing", "/not.There/Is"])
def test_plain_grpc_is_no_page_of_anybody(wire, path):
    """No browser speaks it. What it answers goes out when its request's memory may be another call's."""
    answer = wire.call(path, origin=APP)
    assert ALLOWED not in answer.headers and "vary" not in answer.headers
