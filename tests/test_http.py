# SPDX-License-Identifier: MIT
"""Handlers of plain HTTP: paths, answers, what they may do with a call, and requests that are not for them."""

import pytest

from servers import eventually
from wire import Wire, request_fields

TEXT = "text/plain; charset=utf-8"


def get(wire, path, method="GET", body=None, end=True, **fields):
    """The answer to a request without a body; @body: with one."""
    request = request_fields(path, **{"method": method, "te": None, "content_type": None, **fields})
    stream = wire.headers(request, end=body is None and end)
    if body is not None:
        wire.data(stream, body, end)
    return wire.answer(stream)


@pytest.fixture(params=[1, 2], ids=["ring", "rings"])
def server(request, start):
    return start("test-server", "--http", "--intercept", "--rings", request.param)


@pytest.fixture
def wire(server):
    with Wire(server) as wire:
        yield wire


@pytest.mark.parametrize(
    "path, said",
    [
        ("/echo", "GET /echo  exact\n"),
        ("/echo?", "GET /echo  exact\n"),
        ("/echo?a=b&c=%20?d", "GET /echo a=b&c=%20?d exact\n"),
        ("/files/one", "GET /files/one  one\n"),
        ("/files/one?x", "GET /files/one x one\n"),
        ("/files/ones", "GET /files/ones  files\n"),
        ("/files/", "GET /files/  files\n"),
        ("/files/../echo", "GET /files/../echo  files\n"),
        ("/files/deep/x/y", "GET /files/deep/x/y  deep\n"),
        ("/files/deep", "GET /files/deep  files\n"),
    ],
)
def test_a_path_finds_its_handler(wire, path, said):
    answer = get(wire, path)
    assert (answer.http_status, answer.data.decode()) == ("200", said)
    assert answer.headers["content-length"] == str(len(said))
    assert answer.headers["content-type"] == TEXT
    assert answer.ended and not answer.trailers and answer.reset is None


@pytest.mark.parametrize("path", ["/", "/echo/", "/ech", "/echos", "/%65cho", "/files", "/x/y"])
def test_other_paths_are_not_found(wire, path):
    answer = get(wire, path)
    assert (answer.http_status, answer.status) == ("404", None)
    assert answer.data == b"nothing is served at this path\n"


def test_head_has_the_fields_alone(wire):
    answer = get(wire, "/echo?q", method="HEAD")
    assert answer.http_status == "200" and answer.data == b"" and answer.ended
    assert answer.headers["content-length"] == str(len("HEAD /echo q exact\n"))
    answer = get(wire, "/nope", method="HEAD")
    assert answer.http_status == "404" and answer.data == b""
    answer = get(wire, "/finish?5", method="HEAD")
    assert answer.http_status == "404" and answer.data == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "get", "BREW"])
def test_other_methods_are_refused(wire, method):
    answer = get(wire, "/echo", method=method)
    assert (answer.http_status, answer.headers["allow"]) == ("405", "GET, HEAD, OPTIONS")


def test_options(wire):
    """RFC 9110, section 9.3.7: of a path, of all of the server, and of what is nowhere."""
    for path, status, allowed in ("/echo", "200", "GET, HEAD, OPTIONS"), ("*", "200", "GET, HEAD, POST, OPTIONS"), ("/nope", "404", None):
        answer = get(wire, path, method="OPTIONS")
        assert (answer.http_status, answer.headers.get("allow")) == (status, allowed)
        assert (answer.data == b"") == (status == "200")


def test_methods_of_grpc_stay_as_they_are(wire):
    answer = get(wire, "/calls.Calls/Echo")
    assert (answer.http_status, answer.headers["allow"]) == ("405", "POST")
    assert wire.call("/calls.Calls/Echo").status == 0
    assert wire.call("/echo").status == 12


def test_fields_go_both_ways(wire):
    answer = get(wire, "/echo", x_echo="some text", accept="*/*")
    assert answer.headers["x-echo"] == "some text"


@pytest.mark.parametrize("accepted, status", [("identity;q=0", "406"), ("gzip;q=0", "200"), ("*;q=0, gzip", "406"), ("*;q=0, identity", "200"), ("", "200")])
def test_a_client_that_takes_no_plain_body(wire, accepted, status):
    """RFC 9110, section 12.5.3."""
    for method in "GET", "HEAD":
        assert get(wire, "/echo", method, accept_encoding=accepted).http_status == status


@pytest.mark.parametrize("size", [0, 1, 16384, 70000, 1 << 20])
@pytest.mark.parametrize("path", ["/large", "/copied"])
def test_bodies_come_whole(wire, path, size):
    answer = get(wire, f"{path}?{size}")
    assert answer.http_status == "200" and answer.ended and not answer.trailers
    assert answer.headers["content-length"] == str(size)
    assert answer.data == (b"s" if path == "/large" else b"c") * size


@pytest.mark.parametrize("status", [200, 201, 299, 304, 404, 500, 599])
def test_a_handler_chooses_the_status(wire, status):
    answer = get(wire, f"/status?{status}")
    assert answer.http_status == str(status)
    assert answer.data == (b"" if status == 304 else b"x")
    assert ("content-length" in answer.headers) == (status != 304)


@pytest.mark.parametrize("status", [1, 99, 100, 101, 199, 600, 4000000000])
def test_a_number_that_is_no_status(wire, status):
    assert get(wire, f"/status?{status}").data == b"no such status"


# google.rpc.Code's, in the order of the numbers from 1 on
FROM_GRPC = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]


@pytest.mark.parametrize("status, http", list(enumerate(FROM_GRPC, 1)))
def test_a_status_of_grpc_has_its_http_status(wire, status, http):
    answer = get(wire, f"/finish?{status}")
    assert answer.http_status == str(http) and answer.data == b"the handler's 100 %\n"
    assert answer.headers["content-type"] == TEXT and answer.status is None


def test_an_answer_can_come_later(wire):
    assert get(wire, "/later?50").data == b"late"


def test_mistakes_of_handlers(server, wire):
    assert get(wire, "/misuse").data == b"first"
    server.logged("/misuse: a mistake of the handler: it answered a request that has its answer")
    assert get(wire, "/forgotten").http_status == "500"
    server.logged("/forgotten: a mistake of the handler: it returned without a finish")
    assert get(wire, "/message").http_status == "500"
    server.logged("/message: a mistake of the handler: it sent another method's type")
    assert get(wire, "/finish?0").http_status == "500"
    server.logged("/finish: a mistake of the handler: it finished OK without an answer")


def test_a_small_body_is_skipped(wire):
    assert get(wire, "/echo", body=b"x" * 16384).http_status == "200"
    assert get(wire, "/echo", body=b"").http_status == "200"


def test_a_large_body_is_refused(wire):
    answer = get(wire, "/echo", body=b"x" * 20000, end=False)
    assert answer.http_status == "413" and answer.data == b"this path takes no body\n"
    assert get(wire, "/echo").http_status == "200"


def test_a_body_that_says_that_it_is_large_is_not_awaited(wire):
    for path, status in (("/echo", "413"), ("/nothing", "404")):
        answer = get(wire, path, end=False, content_length=1 << 40)
        assert (answer.http_status, answer.ended, answer.reset) == (status, True, 0)  # RFC 9113, section 8.1


def test_a_page_takes_no_calls(wire):
    for kind in ("application/json", "application/connect+json", "application/proto"):
        for path in ("/echo", "/echo?a=b", "/files/one"):
            answer = get(wire, path, method="POST", body=b"{}", content_type=kind)
            assert (answer.http_status, answer.headers["allow"]) == ("405", "GET, HEAD, OPTIONS")
    answer = get(wire, "/x/y", method="POST", body=b"{}", content_type="application/json")
    assert answer.http_status == "404" and b'"unimplemented"' in bytes(answer.data)  # it may be a method


def test_a_body_without_an_end_is_not_awaited_for_long(wire):
    assert get(wire, "/echo", body=b"x", end=False).http_status == "408"
    assert get(wire, "/echo", end=False).http_status == "408"


def test_the_peer_goes_away_while_a_handler_holds(server, wire):
    stream = wire.headers(
        request_fields("/later?200", method="GET", te=None, content_type=None), end=True
    )
    wire.ping()
    wire.reset(stream)
    eventually(lambda: any("/later" in line and "status=1 " in line for line in server.log), "its end")
    assert get(wire, "/echo").http_status == "200"


def test_interceptors_see_requests(server, wire):
    get(wire, "/echo?secret=1")
    line = server.logged("outer end: /echo unknown status=0 http=200 seen=1 handled=1")
    assert "secret" not in line


def test_without_handlers_there_is_only_grpc(start):
    with Wire(start("test-server")) as wire:
        answer = get(wire, "/echo")
        assert (answer.http_status, answer.headers["allow"]) == ("405", "POST")


def test_a_server_that_is_full_says_503(start):
    server = start("test-server", "--http", "--limit", "calls_max=1")
    with Wire(server) as wire:
        wire.headers(
            request_fields("/later?10000", method="GET", te=None, content_type=None), end=True
        )
        assert get(wire, "/echo").http_status == "503"


# ---- an admin listener ----


@pytest.fixture
def admin(start):
    """Wires to an ordinary listener and to an admin listener of one server."""
    server = start("test-server", "--http", "--admin", "127.0.0.1:0")
    lines = eventually(
        lambda: (found := [line for line in server.log if "listening on" in line])[1:] and found,
        "two listeners",
    )
    with Wire(server) as ordinary:
        server.port = int(lines[1].rpartition(":")[2])
        with Wire(server) as wire:
            yield ordinary, wire


def test_an_admin_listener_has_its_handlers_alone(admin):
    ordinary, wire = admin
    assert get(ordinary, "/echo").http_status == "200"
    assert get(ordinary, "/healthz").http_status == "404"
    assert get(wire, "/healthz").http_status == "200"
    assert get(wire, "/echo").http_status == "404"


def test_an_admin_listener_takes_no_calls(admin):
    ordinary, wire = admin
    assert ordinary.call("/calls.Calls/Echo").status == 0
    for path in ("/calls.Calls/Echo", "/grpc.health.v1.Health/Check", "/no.Such/Method"):
        answer = wire.call(path)
        assert (answer.http_status, answer.status) == ("404", None)
    assert wire.call("/healthz").http_status == "405"


# ---- probes ----


def test_probes_say_what_the_health_service_says(calls, connect, server, wire):
    stub = calls.Stub(connect(server))

    def probe(path):
        answer = get(wire, path)
        assert answer.headers["cache-control"] == "no-store"
        return answer.http_status, answer.data.decode()

    assert probe("/healthz") == probe("/readyz") == ("200", "ok\n")
    assert probe("/readyz?service=") == ("200", "ok\n")
    for unknown in ("x.Y", "x" * 300):
        assert probe(f"/readyz?service={unknown}") == ("404", "unknown service\n")
    stub.SetHealth(calls.HealthChange(service="x.Y", status=1))
    assert probe("/readyz?service=x.Y") == probe("/readyz?a=b&service=x.Y&c") == ("200", "ok\n")
    stub.SetHealth(calls.HealthChange(service="x.Y", status=2))
    assert probe("/readyz?service=x.Y") == ("503", "NOT_SERVING\n")
    assert probe("/readyz") == ("200", "ok\n")
    stub.SetHealth(calls.HealthChange(service="", status=2))
    assert probe("/readyz") == ("503", "NOT_SERVING\n")
    assert probe("/healthz") == ("200", "ok\n")
    stub.SetHealth(calls.HealthChange(service="", status=0))
    assert probe("/readyz") == ("503", "UNKNOWN\n")
    stub.SetHealth(calls.HealthChange(service="", status=1))
    stub.SetHealth(calls.HealthChange(action=calls.HealthChange.SUSPEND))
    assert probe("/readyz") == ("503", "NOT_SERVING\n")
    assert probe("/healthz") == ("503", "stopping\n")
    stub.SetHealth(calls.HealthChange(action=calls.HealthChange.RESUME))
    assert probe("/readyz") == probe("/healthz") == ("200", "ok\n")
    stub.SetHealth(calls.HealthChange(service="", status=2))
    assert get(wire, "/readyz", method="HEAD").http_status == "503"
