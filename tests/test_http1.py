# SPDX-License-Identifier: MIT
"""HTTP/1.1 beside HTTP/2 on one listener: what its clients get, how long they may take, and what is refused."""

import http.client
import json
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from servers import PATIENCE, eventually
from tls import pki, tls_options  # noqa: F401
from wire import Wire, message, messages

HELLO = "/api.Api/sayHello"
JSON = {"content-type": "application/json"}


def limits(**values):
    return [part for name, value in values.items() for part in ("--limit", f"{name}={value}")]


@pytest.fixture
def serve(start):
    def serve_one(**values):
        return start("test-server", *limits(**values))

    return serve_one


@pytest.fixture
def api(start):
    return start("quoit-api", "--host", "127.0.0.1", "--port", 0)


def connect(server):
    raw = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def read_to_end(raw):
    received = b""
    try:
        while data := raw.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def read_answer(reader):
    """Its status, fields and body. @reader: a socket's file."""
    line = reader.readline()
    assert line.startswith(b"HTTP/1.1 "), line
    fields = {}
    while (field := reader.readline()) != b"\r\n":
        name, _, value = field.decode("latin-1").partition(":")
        fields[name] = value.strip()
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            assert reader.readline() == b"\r\n"
        assert reader.readline() == b"\r\n"
    else:
        body = reader.read(int(fields.get("content-length", 0)))
    return int(line.split()[1]), fields, body


def post(name, path=HELLO, more=""):
    body = json.dumps({"name": name}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def call(connection, name):
    connection.request("POST", HELLO, json.dumps({"name": name}), JSON)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read()), answer


# ---- calls ----


def test_calls_on_one_connection(api):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    connection.connect()
    mine = connection.sock
    for i in range(20):
        status, body, answer = call(connection, f"n{i}")
        assert status == 200 and body["message"] == f"Hello n{i}!", body
        assert answer.getheader("content-length") and not answer.getheader("connection")
    assert connection.sock is mine
    with Wire(api) as wire:
        assert wire.call(HELLO).status == 0


def test_pipelining_at_64_connections(api):
    """Each answer comes in the order of the requests, whatever else goes on."""
    count, connections = 50, [connect(api) for _ in range(64)]
    for at, raw in enumerate(connections):
        raw.sendall(b"".join(post(f"{at}-{i}") for i in range(count)))
    for at, raw in enumerate(connections):
        with raw, raw.makefile("rb") as reader:
            for i in range(count):
                status, _, body = read_answer(reader)
                assert status == 200 and json.loads(body)["message"] == f"Hello {at}-{i}!", body


def data_segments(raw):
    """How many have come: tcpi_data_segs_in of struct tcp_info."""
    return struct.unpack_from("I", raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)[0]


def test_pipelined_requests_are_answered_together(api):
    count = 20
    with connect(api) as raw, raw.makefile("rb") as reader:
        raw.sendall(b"".join(post(f"{i}") for i in range(count)))
        for i in range(count):
            assert json.loads(read_answer(reader)[2])["message"] == f"Hello {i}!"
        assert data_segments(raw) < count / 2


def test_pipelined_requests_of_all_sorts(serve):
    """Refused ones and calls alike: the answers come in their order."""
    requests = [post("x", path) for path in ("/calls.Calls/Echo", "/calls.Calls/Absent", "/none/such")] * 100
    with connect(serve()) as raw, raw.makefile("rb") as reader:
        raw.sendall(b"".join(requests))
        found = [read_answer(reader)[0] for _ in requests]
    assert found == [200, 404, 404] * 100


@pytest.mark.parametrize("words", [[], ["pipelined"]], ids=["one at a time", "pipelined"])
def test_the_benchs_load(api, build, words):
    """Answers of a length and in chunks, and one that is an error: then it says so."""
    program = build / "bench" / "quoit-load-http1"
    assert program.exists(), "build with -Dbench=true"
    stream = (
        b"POST /api.Api/getStream HTTP/1.1\r\nHost: x\r\nContent-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n"
        + message(b"{}")
    )

    def load(requests):
        command = [program, str(api.port), "3", "1", *words]
        return subprocess.run(command, input=requests, capture_output=True, timeout=PATIENCE)

    found = json.loads(load(post("a") + stream + post("b")).stdout)
    assert found["calls"] >= 3 and found["seconds"] >= 1
    failed = load(post("a") + post("b", "/none/such"))
    assert failed.returncode != 0 and b"404" in failed.stderr


def test_more_is_pipelined_than_is_read_ahead(api):
    """The client is held up by TCP, and loses nothing."""
    count = 20000
    with connect(api) as raw, raw.makefile("rb") as reader:
        raw.setblocking(True)
        data, sent, seen = post("x" * 50) * count, 0, 0
        while seen < count:
            if sent < len(data):
                sent += raw.send(data[sent : sent + 100_000])
            while seen < count and (seen + 1) * len(data) // count <= sent and seen < sent * count // len(data):
                status, _, _ = read_answer(reader)
                assert status == 200
                seen += 1


def test_chunks_and_what_expects(api):
    with connect(api) as raw, raw.makefile("rb") as reader:
        raw.sendall(
            f"POST {HELLO} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n" and reader.readline() == b"\r\n"
        raw.sendall(b'8\r\n{"name":\r\n5\r\n"Ann"\r\n1\r\n}\r\n0\r\nx-trailer: 1\r\n\r\n' + post("Bob"))
        assert json.loads(read_answer(reader)[2])["message"] == "Hello Ann!"
        assert json.loads(read_answer(reader)[2])["message"] == "Hello Bob!"


def test_an_answer_that_begins_before_its_request_ends(serve):
    with connect(serve()) as raw, raw.makefile("rb") as reader:
        raw.sendall(
            b"POST /calls.Calls/Chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/connect+json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for text in ("a", "b", "c"):
            body = json.dumps({"text": text}).encode()
            raw.sendall(b"%x\r\n%b\r\n" % (len(body) + 5, message(body)))
            eventually(lambda sent=text: f'"{sent}"'.encode() in reader.readline(), "the echo")
        raw.sendall(b"0\r\n\r\n")
        assert b"\x02\x00\x00\x00\x02{}" in reader.read()  # it has succeeded; to the connection's end


def test_a_stream(api):
    """Connect's, in chunks, while its client's connection stays."""
    body = json.dumps({"length": 30}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    for _ in range(2):
        connection.request("POST", "/api.Api/getStream", message(body), {"content-type": "application/connect+json"})
        answer = connection.getresponse()
        found = [(flag, json.loads(payload)) for flag, payload in messages(answer.read())]
        assert answer.status == 200 and [flag for flag, _ in found] == [0] * 30 + [2]
        assert "error" not in found[-1][1]


def test_head_options_and_other_versions(api):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    for method in "HEAD", "OPTIONS", "GET", "PUT", "DELETE":
        connection.request(method, HELLO)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 405 and (body == b"") == (method == "HEAD"), (method, body)
    with connect(api) as raw:
        raw.sendall(post("Ann").replace(b"HTTP/1.1", b"HTTP/1.0"))
        head, _, body = read_to_end(raw).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ") and b"connection: close" in head and body.endswith(b'Ann!"}')


def test_grpc_needs_http2(api):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    connection.request("POST", HELLO, b"\0\0\0\0\0", {"content-type": "application/grpc", "te": "trailers"})
    answer = connection.getresponse()
    assert answer.status == 505 and b"HTTP/2" in answer.read()


def test_a_side_that_has_ended(api):
    """As of "nc -N": what it asked for is answered."""
    with connect(api) as raw:
        raw.sendall(post("Ann") + post("Bob"))
        raw.shutdown(socket.SHUT_WR)
        received = read_to_end(raw)
    assert received.count(b"HTTP/1.1 200 OK") == 2 and received.endswith(b'Bob!"}')


def test_a_client_that_goes(serve):
    """Its call is cancelled at once, and does not hold up the stop."""
    server = serve()
    with connect(server) as raw:
        raw.sendall(b"POST /calls.Calls/Wait HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        time.sleep(0.1)
    server.signal()
    assert server.wait() == 0


# ---- TLS ----


@pytest.mark.parametrize("alpn, chosen", [((), None), (("http/1.1",), "http/1.1"), (("http/1.1", "h2"), "h2"), (("x",), False)], ids=str)
def test_alpn(start, pki, alpn, chosen):  # noqa: F811
    server = start("quoit-api", "--port", 0, *tls_options(pki.server))
    context = pki.context(alpn=alpn)
    if chosen is False:
        with connect(server) as raw, pytest.raises(ssl.SSLError):
            context.wrap_socket(raw, server_hostname="localhost")
        return
    with connect(server) as raw, context.wrap_socket(raw, server_hostname="localhost") as secure:
        assert secure.selected_alpn_protocol() == chosen
        if chosen != "h2":
            secure.sendall(post("Ann") * 2)
            with secure.makefile("rb") as reader:
                for _ in range(2):
                    assert json.loads(read_answer(reader)[2])["message"] == "Hello Ann!"


def test_switched_off(start):
    """But for the listener of operators: it is an option of each."""
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0, "--http2-only", "--admin", "127.0.0.1:0")
    with connect(server) as raw:
        raw.sendall(post("Ann"))
        assert read_to_end(raw).startswith(b"HTTP/1.1 426 ")
    with Wire(server) as wire:
        assert wire.call(HELLO).status == 0
    server.port = int(server.logged("admin: listening on").rpartition(":")[2])
    with connect(server) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_to_end(raw).startswith(b"HTTP/1.1 200 ")


# ---- limits ----


def test_a_body_over_the_limit(serve):
    server = serve(message_receive_bytes_max=10000)
    data = b'{"data":"' + b"x" * 400_000 + b'"}'
    head = f"POST /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    with connect(server) as raw:
        try:
            raw.sendall(head.encode() + data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received = read_to_end(raw)
    assert received.startswith(b"HTTP/1.1 429 ") and b"resource_exhausted" in received and b"connection: close" in received


@pytest.mark.parametrize("length", [1 << 20, 1 << 63, (1 << 64) - 1])
def test_a_body_that_says_that_it_is_over_the_limit(serve, length):
    """It is refused before a byte of it has come."""
    with connect(serve(message_receive_bytes_max=10000)) as raw:
        raw.sendall(
            f"POST /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        received = read_to_end(raw)
    assert received.startswith(b"HTTP/1.1 429 ") and b"message_receive_bytes_max" in received and b"connection: close" in received


def test_the_rest_of_a_refused_body_is_dropped(start):
    """If it is short, the connection is kept."""
    with connect(start("test-server", "--http")) as raw, raw.makefile("rb") as reader:
        for path, status in (("/echo", 405), ("/a.b/C", 404)):
            body = b"x" * 30000
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
            raw.sendall(head.encode() + body[:100])
            found, fields, _ = read_answer(reader)
            assert found == status and "connection" not in fields
            raw.sendall(body[100:] + b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_answer(reader)[0] == 200


def test_a_handler_that_answers_before_a_body_that_is_awaited(serve):
    """Its client waits for 100 Continue, and it for its client."""
    with connect(serve()) as raw, raw.makefile("rb") as reader:
        body = message(json.dumps({"text": "a"}).encode())
        raw.sendall(
            b"POST /calls.Calls/Chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/connect+json\r\n"
            b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n" and reader.readline() == b"\r\n"
        raw.sendall(body)
        assert messages(read_answer(reader)[2])[-1] == (2, b"{}")


def test_a_request_behind_a_refused_one(serve):
    """The refused one came whole, but was not consumed: the connection is kept, and read on."""
    server = serve(message_receive_bytes_max=10000, stream_window_bytes=4096)
    data = b'{"data":"' + b"x" * 12000 + b'"}'
    head = f"POST /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    with connect(server) as raw, raw.makefile("rb") as reader:
        for _ in range(3):
            raw.sendall(head.encode() + data)
            status, fields, _ = read_answer(reader)
            assert status == 429 and "connection" not in fields


@pytest.mark.parametrize("piece", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA", b"\r\n"], ids=str)
def test_a_first_request_that_does_not_come(serve, piece):
    server = serve(handshake_ms=200)
    with connect(server) as raw:
        raw.sendall(piece)
        assert read_to_end(raw) == b""
    server.logged("its first request was not complete in time (handshake_ms)")


def test_fields_that_do_not_come(serve):
    server = serve(header_block_ms=200)
    with connect(server) as raw, raw.makefile("rb") as reader:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(reader)[0] == 405
        try:
            for byte in b"GET / HTTP/1.1\r\nA: " + b"b" * 10000:
                raw.send(bytes([byte]))
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            pass
    server.logged("its header block was not complete in time (header_block_ms)")


def test_silence_between_requests_and_within_one(serve):
    server = serve(http1_silence_ms=300)
    with connect(server) as raw, raw.makefile("rb") as reader:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(reader)[0] == 405
        assert reader.read() == b""
    assert not any("closed" in line for line in server.log), server.log
    with connect(server) as raw:
        raw.sendall(
            b"POST /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert read_to_end(raw) == b""
    server.logged("the rest of its request did not come (http1_silence_ms)")


def test_a_body_that_comes_byte_by_byte(serve):
    """It holds a call. A stream that is silent between two messages does not hold it for nothing."""
    server = serve(request_stall_ms=300, request_bytes_per_second_min=1000)
    with connect(server) as raw, connect(server) as stream:
        stream.sendall(
            b"POST /calls.Calls/Chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/connect+json\r\n"
            b"transfer-encoding: chunked\r\n\r\n7\r\n" + message(b"{}") + b"\r\n"
        )
        raw.sendall(
            b"POST /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        )
        raw.setblocking(False)
        received = b""
        while not received:
            raw.send(b" ")
            time.sleep(0.01)
            try:
                received = raw.recv(65536)
            except BlockingIOError:
                pass
        raw.setblocking(True)
        received += read_to_end(raw)
        assert received.startswith(b"HTTP/1.1 429 ") and b"request_stall_ms" in received and b"connection: close" in received
        stream.sendall(b"0\r\n\r\n")
        assert b"\x02\x00\x00\x00\x02{}" in read_to_end(stream)


def test_who_waits_for_us_is_not_silent(serve):
    server = serve(http1_silence_ms=200)
    with connect(server) as raw, raw.makefile("rb") as reader:
        body = b'{"ms":900}'
        raw.sendall(
            b"POST /calls.Calls/After HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        assert read_answer(reader)[0] == 200


def test_who_does_not_read(serve):
    """TCP holds up its stream; other clients notice nothing."""
    server = serve(stall_ms=300, window_stall_ms=300)
    with connect(server) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = b'{"value":200000000}'
        raw.sendall(
            b"POST /calls.Calls/Big HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        server.logged("reads too slowly, or not at all")
    with Wire(server) as wire:
        assert wire.call("/calls.Calls/Echo").status == 0


# ---- the end ----


def test_a_drain_answers_what_runs(start):
    server = start("test-server", "--drain-ms", 20000)
    with connect(server) as busy, connect(server) as idle, busy.makefile("rb") as reader:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 405")
        body = b'{"ms":500}'
        busy.sendall(
            b"POST /calls.Calls/After HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        time.sleep(0.1)
        server.signal(signal.SIGTERM)
        status, fields, _ = read_answer(reader)
        assert status == 200 and fields["connection"] == "close"
        assert reader.read() == b"" and read_to_end(idle) == b""
    assert server.wait() == 0


# ---- what is refused ----

SMUGGLED = {
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "both": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 44\r\n\r\n0\r\n\r\n",
    "another coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": b"POST / HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 44\r\n\r\n",
    "a bare carriage return": b"POST / HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 44\r\n\r\n",
    "a chunk's extension": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n",
    "a chunk's line feed": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n",
    "a chunk that is longer": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "HTTP/1.0 in chunks": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a zero byte": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_smuggling_is_refused(api, what):
    """The request behind it is never seen as one."""
    with connect(api) as raw, raw.makefile("rb") as reader:
        raw.sendall(post("Ann"))
        assert read_answer(reader)[0] == 200
        raw.sendall(SMUGGLED[what] + post("smuggled"))
        status, fields, _ = read_answer(reader)
        assert status in (400, 501) and fields["connection"] == "close"
        assert reader.read() == b""
    assert "closed" in api.logged("HTTP/1.1: ")


def test_a_refused_request_is_sent_to_its_end(api):
    """Its client reads only then, and the connection waits for that: behind a good request as for the first one."""
    for before in b"", post("Ann"):
        with connect(api) as raw, raw.makefile("rb") as reader:
            if before:
                raw.sendall(before)
                assert read_answer(reader)[0] == 200
            raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 15000\r\n\r\n")
            for _ in range(15):
                raw.sendall(b"x" * 1000)
                time.sleep(0.1)
            assert read_answer(reader)[0] == 400


CHUNKED = (
    b"POST /api.Api/sayHello HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    "head, filling",
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b" "),
        (CHUNKED, b"0"),
        (CHUNKED + b"0\r\nA: ", b" "),
    ],
    ids=["blanks before a value", "zeros before a chunk's size", "blanks in a trailer"],
)
def test_bytes_without_meaning_have_an_end(api, head, filling):
    """Sent in pieces: the parser's buffers never hold all of it."""
    with connect(api) as raw, raw.makefile("rb") as reader:
        raw.sendall(head)
        for _ in range(10):
            raw.sendall(filling * 100_000)
        status, fields, _ = read_answer(reader)
        assert (status, fields["connection"]) == (431, "close")
        assert reader.read() == b""
    assert "closed" in api.logged("take too many bytes")


def test_lines_that_are_too_long(api):
    for head, status in (b"GET /" + b"a" * 100_000, 414), (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000, 431):
        with connect(api) as raw:
            try:
                raw.sendall(head)
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert read_to_end(raw).startswith(b"HTTP/1.1 %d " % status)


def test_many_clients_that_stop_in_the_middle(api):
    """Nothing is left of them."""
    before = api.descriptors()
    for _ in range(20):
        clients = [connect(api) for _ in range(20)]
        for at, raw in enumerate(clients):
            raw.sendall((post("Ann") * 3)[: 20 + 17 * at])
        for raw in clients:
            raw.close()
    eventually(lambda: api.descriptors() <= before, "all are closed")
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    assert call(connection, "Ann")[0] == 200
