# SPDX-License-Identifier: MIT
"""google.api.http: quoit-api's methods by paths and JSON. How a URL becomes a message is in tests/unit/front."""

import http.client
import json
import signal
import subprocess
import types

import pytest

from plugin_kit import GOOGLE, SERVE, Kit
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


# ---- google.api.HttpBody ----

HTTP_BODY = """
syntax = "proto3";
package google.api;
import "google/protobuf/any.proto";
message HttpBody {
  string content_type = 1;
  bytes data = 2;
  repeated google.protobuf.Any extensions = 3;
}
"""

FILES = """
syntax = "proto3";
package f;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
message File { string name = 1; google.api.HttpBody content = 2; }
message Name { string name = 1; }
service Files {
  rpc Echo(google.api.HttpBody) returns (google.api.HttpBody) { option (google.api.http) = {post: "/echo" body: "*"}; }
  rpc Put(File) returns (File) { option (google.api.http) = {put: "/files/{name}" body: "content" response_body: "content"}; }
  rpc Describe(File) returns (Name) { option (google.api.http) = {post: "/files/{name}" body: "content"}; }
  rpc Read(Name) returns (stream google.api.HttpBody) { option (google.api.http) = {get: "/files/{name}"}; }
}
"""

FILES_SERVER = """
#include "files.quoit.h"
""" + SERVE + r"""
static void echo(quoit_call *call, const google_api_HttpBody *req, void *user)
{
        (void)user;
        f_Files_Echo_reply(call, req);
}

static void put(quoit_call *call, const f_File *req, void *user)
{
        (void)user;
        f_Files_Put_reply(call, req);
}

static void describe(quoit_call *call, const f_File *req, void *user)
{
        f_Name *reply = f_Name_new(quoit_call_arena(call));
        upb_StringView type = google_api_HttpBody_content_type(f_File_content(req));

        (void)user;
        f_Name_set_name(reply, quoit_call_format(call, "%.*s: %zu of %.*s", (int)f_File_name(req).size, f_File_name(req).data,
                google_api_HttpBody_data(f_File_content(req)).size, (int)type.size, type.data));
        f_Files_Describe_reply(call, reply);
}

/* "none" fails, and "half" within. */
static void read_file(quoit_call *call, const f_Name *req, void *user)
{
        static const char *const pieces[] = { "one\n", "", "two\n" };
        upb_StringView name = f_Name_name(req);

        (void)user;
        if (upb_StringView_IsEqual(name, upb_StringView_FromString("none"))) {
                quoit_call_finish(call, QUOIT_NOT_FOUND, "no such file");
                return;
        }
        for (int i = 0; i < 3; i++) {
                google_api_HttpBody *piece = google_api_HttpBody_new(quoit_call_scratch(call));

                google_api_HttpBody_set_content_type(piece, upb_StringView_FromString(i ? "x/other" : "text/csv"));
                google_api_HttpBody_set_data(piece, upb_StringView_FromString(pieces[i]));
                f_Files_Read_send(call, piece);
        }
        if (upb_StringView_IsEqual(name, upb_StringView_FromString("half")))
                quoit_call_finish(call, QUOIT_DATA_LOSS, "the rest is lost");
        else
                quoit_call_finish(call, QUOIT_OK, NULL);
}

int main(int argc, char **argv)
{
        f_Files_service service = { .Echo = echo, .Put = put, .Describe = describe, .Read = read_file };
        quoit_method_options offloaded = { .offload = argc > 1 };

        (void)argv;
        if (quoit_server_new(NULL, &server) || f_Files_register(server, &service, NULL) ||
                quoit_server_set_method(server, "/f.Files/*", &offloaded))
                return 1;
        return serve();
}
"""


@pytest.fixture(scope="module")
def files_program(root, build, tmp_path_factory):
    kit, folder = Kit(root, build), tmp_path_factory.mktemp("files")
    for name, text in {"google/api/httpbody.proto": HTTP_BODY, "files.proto": FILES, "main.c": FILES_SERVER}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    kit.protoc(folder, ["files.proto", "google/api/httpbody.proto"], paths=(folder, root / "proto", GOOGLE))
    kit.program(folder, [folder / name for name in ("main.c", "files.quoit.c", "google/api/httpbody.quoit.c")], folder / "files")
    return folder / "files"


@pytest.fixture(params=[[], ["offload"]], ids=["ring", "offloaded"])
def files(request, files_program):
    process = subprocess.Popen([files_program, *request.param], stdout=subprocess.PIPE, text=True)
    yield types.SimpleNamespace(port=int(process.stdout.readline()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("ask_one", [ask_http2, ask_http1])
def test_bodies_as_they_are(files, ask_one):
    def ask(path, method="GET", body=None, **fields):
        return ask_one(files, method, path, body, fields)

    for body in ("", "{not json", "x" * 60_000):
        for path, method in (("/echo", "POST"), ("/files/a", "PUT")):
            answer = ask(path, method, body, content_type="text/plain; charset=utf-8")
            assert (answer.status, answer.body) == (200, body)
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["content-length"] == str(len(body))
    answer = ask("/files/a%20b", "POST", "12345", content_type="image/png")
    assert answer.json() == {"name": "a b: 5 of image/png"}
    answer = ask("/files/a")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, "one\ntwo\n", "text/csv")
    answer = ask("/files/none", accept=EVENTS)
    assert (answer.status, answer.json()["message"]) == (404, "no such file")
    assert ask("/files/a?content.data=eA").status == 400


def test_a_body_that_breaks_off(files):
    """Bytes have no place for an error: the answer is cut off, so that nobody takes it for whole."""
    with Wire(files) as wire:
        answer = get(wire, "/files/half")
        assert answer.reset not in (None, 0) and not answer.ended
    connection = http.client.HTTPConnection("127.0.0.1", files.port, timeout=PATIENCE)
    connection.request("GET", "/files/half")
    try:
        answer = connection.getresponse()
        answer.read()
    except (http.client.HTTPException, ConnectionError):
        return
    assert answer.status == 500  # nothing had gone
