# SPDX-License-Identifier: MIT
"""`quoit` with servers that speak HTTP/1.1 only: our own behind a front, Node's, and such as answer what they should not."""

import base64
import contextlib
import json
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest

import toolchains
from quoit_command import Quoit
from servers import PATIENCE, Server
from test_clients_web import described
from tls import pki  # noqa: F401

USAGE = 2
CALL = 64  # and the call's status
PROTOCOLS = ["connect", "grpc-web"]
OK = b"HTTP/1.1 200 OK\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Listener:
    """Hands each connection, with the first bytes that came, to serve() in a thread of its own."""

    def __init__(self, serve, context=None):
        self.serve, self.context = serve, context
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.target = f"localhost:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._run, args=[self.socket.accept()[0]], daemon=True).start()

    def _run(self, connection):
        with contextlib.suppress(OSError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            connection.settimeout(PATIENCE)
            self.serve(connection, connection.recv(65536))

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def server_context(pki):  # noqa: F811
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.file, pki.server.key_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def front(server, context=None, refuses=()):
    """HTTP/1.1 alone before @server. What has one of @refuses in its first bytes is answered 415."""

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while some := source.recv(65536):
                sink.sendall(some)
            sink.shutdown(socket.SHUT_WR)

    def serve(connection, first):
        if not first or first.startswith((b"PRI ", b"\x16")):
            connection.sendall(BAD)
            return
        if any(word in first for word in refuses):
            connection.sendall(BAD.replace(b"400 Bad Request", b"415 Unsupported Media Type"))
            return
        with socket.create_connection(("127.0.0.1", server.port)) as behind:
            behind.sendall(first)
            threading.Thread(target=pump, args=[connection, behind], daemon=True).start()
            pump(behind, connection)

    return Listener(serve, context)


@contextlib.contextmanager
def stopping(server):
    yield server
    server.stop()


@pytest.fixture(scope="module")
def quoit(build):
    return Quoit(build)


@pytest.fixture(scope="module")
def protoset(root, tmp_path_factory):
    return described(tmp_path_factory.mktemp("protoset"), root / "tests/protos", "calls.proto")


@pytest.fixture(scope="module")
def server(build):
    with stopping(Server(build / "tests/services/test-server")) as started:
        yield started


@pytest.fixture(scope="module")
def api_server(build):
    with stopping(Server(build / "bin/quoit-api", "--host", "127.0.0.1", "--port", 0)) as started:
        yield started


@pytest.fixture
def call(quoit, server, protoset):
    """call(method, ...) of calls.Calls."""
    return lambda method, *words, **options: quoit(
        "call", server.target, f"calls.Calls/{method}", "--protoset", protoset, *words, **options
    )


# ---- what works ----


@pytest.mark.parametrize("codec", ["proto", "json"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_kinds(call, protocol, codec):
    flags = ["--protocol", protocol, "--codec", codec]
    assert call("Echo", "-d", '{"text":"ä☺"}', *flags).json == {"text": "ä☺"}
    assert call("Count", "-d", '{"count":3}', *flags).documents == [{"value": str(i)} for i in (1, 2, 3)]
    assert call("Sum", "-d", "@", *flags, input='{"value":1}{"value":2}').json == {"value": "3"}
    assert call("Sum", *flags).json == {}
    # more than sockets hold: answers are taken while requests are sent
    texts = [f"{'x' * 50_000}{number}" for number in range(300)]
    chat = call("Chat", "-d", "@", *flags, input="".join(json.dumps({"text": text}) for text in texts))
    assert [document["text"] for document in chat.documents] == texts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_envelope(call, protocol):
    flags = ["--protocol", protocol, "--json"]
    request = {
        "headers": [{"name": "x-one", "value": base64.b64encode(b"1").decode()}],
        "trailers": [{"name": "x-two-bin", "value": base64.b64encode(b"\0\xff").decode()}],
    }
    document = call("Metadata", *flags, "-d", json.dumps(request), "-H", "x-bytes-bin: AAEC").json
    assert (document["protocol"], document["kind"]) == (protocol, "unary")
    assert document["headers"]["x-one"] == ["1"]
    assert document["trailers"]["x-two-bin"] == [base64.b64encode(b"\0\xff").decode()]
    assert document["status"] == {"code": 0, "name": "OK", "message": "", "details": []}
    (reply,) = document["messages"]
    assert {"name": "x-bytes-bin", "value": "AAEC"} in reply["received"]

    many = call("Count", *flags, "-d", '{"count":2,"code":9,"message":"x"}', status=CALL + 9).json
    assert many["messages"] == [{"value": "1"}, {"value": "2"}]
    assert many["status"] == {"code": 9, "name": "FAILED_PRECONDITION", "message": "x", "details": []}
    failed = call("Status", *flags, "-d", '{"code":5,"message":"no \\"x\\" ä%"}', status=CALL + 5).json
    assert (failed["status"]["name"], failed["status"]["message"]) == ("NOT_FOUND", 'no "x" ä%')

    detailed = '{"code":3,"message":"m","violations":{"f":"d"},"payload":3}'
    bad, payload = call("Details", *flags, "-d", detailed, status=CALL + 3).json["status"]["details"]
    assert bad["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert bad["fieldViolations"] == [{"field": "f", "description": "d"}]
    # Connect has the name alone
    assert payload["@type"] == ("example.org" if protocol == "grpc-web" else "type.googleapis.com") + "/calls.Payload"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_end(call, quoit, server, protoset, protocol):
    flags = ["--protocol", protocol]
    left = int(call("Deadline", *flags, "--max-time", "20").json["leftNs"])
    assert 0 < left <= 20_000_000_000
    assert "DEADLINE_EXCEEDED" in call("Wait", *flags, "--max-time", "500ms", status=CALL + 4).err
    assert "RESOURCE_EXHAUSTED" in call("Big", "-d", '{"value":5000000}', *flags, status=CALL + 8).err
    assert len(call("Big", "-d", '{"value":5000000}', *flags, "-max-msg-sz", "8MiB").json["data"]) > 5_000_000
    words = ["call", server.target, "calls.Calls/Wait", "--protoset", protoset, *flags, "-v"]
    with quoit.start(*words) as process:
        assert process.stderr.readline() == f"* {server.target}, in the clear, {protocol}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == CALL + 1
        assert "quoit: cancelled: interrupted after 0 messages\n" in process.stderr.read()


# ---- what is found out ----


def test_found(quoit, api_server):
    """Connect, where HTTP/2 is refused, and reflection by it."""
    with stopping(front(api_server)) as found:
        words = [found.target, "Api/sayHello", "-d", '{"name":"Ada"}']
        document = quoit("call", *words, "--json").json
        assert (document["protocol"], document["tls"]) == ("connect", False)
        assert document["messages"] == [{"message": "Hello Ada!"}]
        assert "api.Api\n" in quoit("list", found.target).out
        assert "rpc sayHello" in quoit("describe", found.target, "api.Api.sayHello").out
        assert quoit("health", found.target).out == "SERVING\n"
        hint = "quoit: no method sayHelo: service api.Api; did you mean sayHello?\n"
        assert quoit("call", found.target, "Api/sayHelo", status=USAGE).err == hint
        refused = quoit("call", *words, "--protocol", "grpc", status=1).err
        assert 'the server does not speak HTTP/2: it answers "HTTP/1.1 400 Bad Request"' in refused


def test_found_by_tls(quoit, api_server, pki):  # noqa: F811
    with stopping(front(api_server, server_context(pki))) as found:
        words = ["call", found.target, "Api/sayHello", "--json"]
        document = quoit(*words, "--cacert", pki.ca.file).json
        assert (document["protocol"], document["tls"]) == ("connect", True)
        assert quoit(*words, "--insecure", "--protocol", "grpc-web").json["tls"] is True
        for flags in [["--tls"], ["--cacert", pki.other_ca.file], ["--cacert", pki.ca.file, "-servername", "b.example"]]:
            assert "certificate" in quoit(*words, *flags, "--protocol", "connect", status=1).err


def test_found_without_connect(quoit, api_server):
    """gRPC-Web, where Connect is refused, reflection too."""
    with stopping(front(api_server, refuses=[b"application/connect", b"application/proto"])) as found:
        document = quoit("call", found.target, "Api/sayHello", "--json").json
        assert document["protocol"] == "grpc-web"
        assert "api.Api\n" in quoit("list", found.target).out
        error = quoit("call", found.target, "Api/sayHello", "--protocol", "connect", status=1).err
        assert error.startswith(f"quoit: {found.target}: reflection: ") and "HTTP status 415" in error


def test_unix_socket(quoit, start, tmp_path):
    start("quoit-api", "--listen", f"unix:{tmp_path}/api.sock")
    assert quoit("call", f"unix:{tmp_path}/api.sock", "Api/sayHello", "--protocol", "connect").json


# ---- mistakes ----


def test_usage(call, quoit):
    for flags, why in [
        (["--protocol", "http"], "quoit: --protocol: 'http' is not grpc, connect, grpc-web or auto\n"),
        (["--codec", "xml"], "quoit: --codec: 'xml' is not json or proto\n"),
        (["--codec", "json"], "quoit: --codec json: only by --protocol connect or grpc-web\n"),
        (["--protocol", "connect", "--compress", "gzip"], "quoit: --compress: not by HTTP/1.1\n"),
        (["--protocol", "connect", "--proxy", "http://a:1"], "quoit: --proxy: not by HTTP/1.1\n"),
        (["--protocol", "connect", "-H", "connection: x"], "quoit: -H: no such metadata"),
    ]:
        assert call("Echo", *flags, status=USAGE).err.startswith(why)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = quoit("call", f"127.0.0.1:{port}", "a.B/C", "--protocol", "connect", status=1).err
    assert error == f"quoit: cannot connect to 127.0.0.1:{port}: 127.0.0.1:{port}: Connection refused\n"


# ---- answers that should not be ----


def answer(type_, body, status=OK, *, fields=b""):
    head = b"Content-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (type_, len(body), fields)
    return status + head + body


def frame(flags, data):
    return struct.pack(">BI", flags, len(data)) + data


def bins(count):
    return b"A-Bin: " + b",".join([b"AQ"] * count) + b"\r\n"


def ended(trailers):
    return frame(2, json.dumps({"metadata": trailers}).encode())


NUMBER = b"\x08\x01"
STREAM = b"application/connect+proto"
WEB = b"application/grpc-web+proto"
END = frame(2, b"{}")
TRAILERS = frame(0x80, b"grpc-status: 0\r\n")

# Of a call with one reply by Connect: the answer, the status, and what is said.
UNARY = [
    (b"", 14, "reset"),
    (b"SSH-2.0-x\r\n", 13, "the answer is not HTTP/1.1"),
    (b"HTTP/2.0 200 OK\r\n\r\n", 13, "the answer is not HTTP/1.1"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"application/proto", NUMBER), 0, ""),
    (OK + b"Content-Type: application/proto\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x08\x01\r\n0\r\n\r\n", 0, ""),
    (OK + b"Content-Type: application/proto\r\n\r\n" + NUMBER, 0, ""),  # until the connection's end
    (OK + b"Content-Type: application/proto\r\nContent-Length: 9\r\n\r\n" + NUMBER, 14, "reset"),
    (answer(b"application/proto", b"\xff"), 13, "a reply is no message of its type"),
    (answer(b"application/proto", NUMBER, fields=b"Content-Encoding: gzip\r\n"), 13, "compressed"),
    (OK + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 8, "over a limit"),
    (OK + b"X: y\r\n" * 300 + b"\r\n", 8, "over a limit"),
    (answer(b"application/proto", NUMBER, fields=bins(256)), 0, ""),
    (answer(b"application/proto", NUMBER, fields=bins(257)), 8, "256 fields"),
    (answer(b"application/proto", NUMBER, fields=b"Trailer-A-Bin: " + b"," * 60_000 + b"\r\n"), 8, "256 fields"),
    (answer(b"text/html", b"<h1>", b"HTTP/1.1 503 Busy\r\n"), 14, "HTTP status 503, not as connect does"),
    (answer(b"application/json", b'{"code":"aborted"}', b"HTTP/1.1 409 Conflict\r\n"), 10, "ABORTED"),
    (answer(b"application/json", b'{"code":"new"}', b"HTTP/1.1 500 Oh\r\n"), 2, "UNKNOWN"),
    (answer(b"application/json", b'{"error":1}', b"HTTP/1.1 401 Who\r\n"), 16, "HTTP status 401"),
    (answer(b"application/json", b"[" * 100_000, b"HTTP/1.1 403 No\r\n"), 7, "HTTP status 403"),
]
# Of one with many.
MANY = [
    (answer(STREAM, frame(0, NUMBER) + END), 0, ""),
    (answer(STREAM, frame(0, NUMBER)), 13, "ends without a status"),
    (answer(STREAM, END + b"\0"), 13, "ends without a status"),
    (answer(STREAM, END + frame(0, NUMBER)), 13, "more behind the status"),
    (answer(STREAM, frame(1, NUMBER) + END), 13, "a message is compressed"),
    (answer(STREAM, frame(2, b"{")), 13, "no JSON of Connect"),
    (answer(STREAM, frame(2, b'{"error":{"code":"data_loss","message":"x"}}')), 15, "DATA_LOSS: x"),
    (answer(STREAM, frame(0, NUMBER) + ended({"a-bin": ["AQ"] * 256})), 0, ""),
    (answer(STREAM, ended({"a-bin": ["," * 1_000_000]})), 8, "256 fields"),
    (answer(STREAM, ended({f"a{i}": ["x"] for i in range(257)})), 8, "256 fields"),
    (answer(STREAM, b"\0\xff\xff\xff\xff"), 8, "over a limit"),
    (answer(b"text/plain", b"", b"HTTP/1.1 505 Old\r\n"), 2, "HTTP status 505"),
]
GRPC_WEB = [
    (answer(WEB, frame(0, NUMBER) + TRAILERS), 0, ""),
    (answer(WEB, b"", fields=b"Grpc-Status: 5\r\nGrpc-Message: a%20b%2\r\n"), 5, "NOT_FOUND: a b%2"),
    (answer(WEB, frame(0, NUMBER)), 13, "ends without a status"),
    (answer(WEB, frame(0x80, b"grpc-message: x\r\n")), 13, "the trailers have no status"),
    (answer(WEB, frame(0x80, b"grpc-status\r\n")), 13, "not lines of fields"),
    (answer(WEB, frame(0x80, b"GRPC-Status: 99")), 2, "UNKNOWN"),
    (answer(WEB, frame(0, NUMBER) + frame(0x80, b"grpc-status: 0\r\n" + b"a: b\r\n" * 255)), 0, ""),
    (answer(WEB, frame(0x80, b"grpc-status: 0\r\n" + b"a: b\r\n" * 100_000)), 8, "256 fields"),
    (answer(WEB, frame(0x80, b"grpc-status: 0\r\na-bin: " + b"," * 1_000_000)), 8, "256 fields"),
    (answer(b"application/grpc", b"", fields=b"grpc-status: 13\r\n"), 2, "not as grpc-web does"),
]


# By TLS: the call's method, the answer, whether the server says that it is the end, the status.
CUT = [
    ("Later", OK + b"Content-Type: application/proto\r\n\r\n" + NUMBER, True, 0),
    ("Later", OK + b"Content-Type: application/proto\r\n\r\n" + NUMBER, False, 14),
    ("Later", answer(b"application/proto", NUMBER), False, 0),
    ("Sum", OK + b"Content-Type: %s\r\n\r\n" % STREAM + frame(0, NUMBER) + END, False, 0),
    ("Sum", OK + b"Content-Type: %s\r\n\r\n" % STREAM + frame(0, NUMBER), False, 14),
]


@pytest.mark.parametrize(
    "protocol, method, cases", [("connect", "Sum", MANY), ("connect", "Later", UNARY), ("grpc-web", "Sum", GRPC_WEB)]
)
def test_answers(quoit, protoset, protocol, method, cases):
    answers = iter([answer for answer, *_ in cases])

    def serve(connection, first):
        if first:  # not the connection that only sees whether it can be made
            connection.sendall(next(answers))

    flags = ["--plaintext", "--protocol", protocol, "--protoset", protoset]
    with stopping(Listener(serve)) as listener:
        for answer_, status, said in cases:
            done = quoit("call", listener.target, f"calls.Calls/{method}", *flags, status=CALL + status if status else 0)
            assert said in done.err and done.err.count("\n") == (1 if status else 0), answer_


def test_cut_tls(quoit, protoset, pki):  # noqa: F811
    """An end without close_notify is none, where nothing else shows that the answer is whole."""
    cases = iter(CUT)

    def serve(connection, first):
        if first:
            _, answer_, closes, _ = next(cases)
            connection.sendall(answer_)
            if closes:
                connection.unwrap()

    flags = ["--protocol", "connect", "--protoset", protoset, "--cacert", pki.ca.file]
    with stopping(Listener(serve, server_context(pki))) as listener:
        for method, answer_, closes, status in CUT:
            done = quoit("call", listener.target, f"calls.Calls/{method}", *flags, status=CALL + status if status else 0)
            assert ("reset" in done.err) == bool(status), (answer_, closes)


# ---- Node's ----


@pytest.fixture(scope="module")
def node(protoset):
    node, client = toolchains.web_client()
    with subprocess.Popen([node, client.parent / "server.js", protoset], stdout=subprocess.PIPE, text=True) as process:
        yield f"localhost:{process.stdout.readline().strip()}"
        process.kill()


def test_node(quoit, node, protoset):
    def call(method, *words, **options):
        return quoit("call", node, f"calls.Calls/{method}", "--protoset", protoset, *words, **options)

    document = call("Echo", "-d", '{"text":"x"}', "-H", "x-sent: y", "--json").json
    assert (document["protocol"], document["tls"], document["messages"]) == ("connect", False, [{"text": "x"}])
    assert (document["headers"]["x-head"], document["trailers"]) == (["y"], {"x-tail": ["z"]})
    for flags in [], ["--codec", "json"], ["--protocol", "grpc-web"], ["--protocol", "grpc-web", "--codec", "json"]:
        assert len(call("Count", "-d", '{"count":3}', *flags).documents) == 3
        assert call("Sum", "-d", '{"value":1}{"value":2}', *flags).json == {"value": "3"}
        failed = call("Status", "-d", '{"code":5,"message":"no"}', "--json", *flags, status=CALL + 5).json
        (detail,) = failed["status"]["details"]
        assert (failed["status"]["message"], detail["text"]) == ("no", "more")
    both = call("Chat", "-d", '{"text":"x"}', status=CALL + 12).err
    assert both == "quoit: UNIMPLEMENTED: the server takes streams in both directions by HTTP/2 only\n"
    without = quoit("call", node, "calls.Calls/Echo", status=1).err
    assert without == f"quoit: {node} has no reflection by HTTP/1.1; give its schema by --proto or --protoset\n"
