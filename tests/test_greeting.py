# SPDX-License-Identifier: MIT
"""Clients that begin with something else than HTTP/2, on a server that speaks nothing else: HTTP/1 has an answer, the log a line, and others
notice nothing. Where HTTP/1 is spoken is tested in test_http1.py."""

import http.client
import os
import socket
import ssl
import time

import pytest

from certificates import Certificate
from servers import PATIENCE
from wire import PREFACE, Wire

PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture(params=["clear", "tls"])
def server(request, start, tmp_path):
    """With .open(), which connects, by TLS with ALPN h2 or in the clear."""
    options, context = [], None
    if request.param == "tls":
        own = Certificate(tmp_path, "server", names=["localhost"])
        options = ["--tls-cert", own.file, "--tls-key", own.key_file]
        context = ssl.create_default_context(cafile=own.file)
        context.set_alpn_protocols(["h2"])
    server = start("test-server", "--http2-only", *options)

    def connect():
        raw = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(raw, server_hostname="localhost") if context else raw

    server.open = connect
    server.context = context
    return server


def say(server, *pieces, pause=0.02):
    """Says it, and returns all that comes until the server closes."""
    with server.open() as client:
        for i, piece in enumerate(pieces):
            if i > 0:
                time.sleep(pause)
            try:
                client.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        received = b""
        try:
            while data := client.recv(65536):
                received += data
        except (ConnectionResetError, ssl.SSLError):
            pass
        return received


def check_426(received, body=True):
    head, _, text = received.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "HTTP/1.1 426 Upgrade Required", received
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert "close" in fields["connection"] and "upgrade" in fields["connection"]
    assert fields["upgrade"] == "http/2.0" and fields["content-type"] == "text/plain"
    assert 0 < int(fields["content-length"]) < 100
    assert len(text) == (int(fields["content-length"]) if body else 0)
    assert not body or (text.count(b"\n") == 1 and text.endswith(b"\n") and b"HTTP/2" in text)


REQUESTS = {
    "get": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "1.0": b"GET /x HTTP/1.0\r\n\r\n",
    "post": b"POST /api.Api/sayHello HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
    "put": b"PUT /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "patch": b"PATCH /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "propfind": b"PROPFIND /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "pri": b"PRI / HTTP/1.1\r\nHost: x\r\n\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT localhost:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute": b"GET http://localhost/" + b"y" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long": b"GET /" + b"z" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "empty line": b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare lf": b"GET / HTTP/1.1\nHost: x\n\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    "websocket": b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("what", REQUESTS)
def test_http1_is_answered_426(server, what):
    check_426(say(server, REQUESTS[what]))
    server.logged("it speaks HTTP/1, and gRPC needs HTTP/2; answered 426 and closed")


@pytest.mark.parametrize("what", ["get", "post", "pri", "put", "empty line", "absolute"])
@pytest.mark.parametrize("cuts", [[1], [2], [3], [4, 5], [3, 6, 9, 12], range(1, 40)], ids=str)
def test_in_pieces(server, what, cuts):
    data = REQUESTS[what]
    edges = [0, *(cut for cut in cuts if cut < len(data)), len(data)]
    check_426(say(server, *(data[a:b] for a, b in zip(edges, edges[1:])), pause=0.003))
    server.logged("it speaks HTTP/1")


def test_head_has_no_body(server):
    check_426(say(server, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), body=False)
    check_426(say(server, b"HEA", b"D / HTTP/1.1\r\nHost: x\r\n\r\n"), body=False)


def test_a_client_that_has_ended_its_side_is_answered(server):
    if server.context:
        pytest.skip("an end of TLS is the end of both sides")
    with server.open() as client:
        client.sendall(b"GET / HTTP/1.1")
        client.shutdown(socket.SHUT_WR)
        received = b""
        while data := client.recv(65536):
            received += data
    check_426(received)


def test_a_stock_client(server):
    if server.context:
        pytest.skip("it can't say h2")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    for method in ("GET", "HEAD", "POST"):
        connection.request(method, "/api.Api/sayHello", body=b"x" * 50000 if method == "POST" else None)
        answer = connection.getresponse()
        assert answer.status == 426 and answer.getheader("upgrade") == "HTTP/2.0"
        assert (answer.read() == b"") == (method == "HEAD")


OTHERS = {
    "words": (b"hello world\r\n", 'it begins with "hello world": that is not HTTP/2'),
    "0.9": (b"GET /\r\n", 'it begins with "GET /": that is not HTTP/2'),
    "binary": (b"\0\x01\xff\"\\" + bytes(100), 'it begins with "\\x00\\x01\\xff\\x22\\x5c\\x00'),
    "smtp": (b"EHLO me\r\n", 'it begins with "EHLO me"'),
    "redis": (b"*1\r\n$4\r\nPING\r\n", 'it begins with "*1"'),
    "letters": (b"a" * 5000, 'it begins with "aaaaaaaaaaaaaaaaaaaaaaaa"'),
    "sentence": (b"abc def ghi " * 500, 'it begins with "abc def ghi abc def ghi "'),
    "lines": (b"\r\n" * 500, 'it begins with "\\x0d": that is not HTTP/2'),
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", 'it begins with "SSH-2.0-OpenSSH_9.2"'),
    "damaged": (PREFACE[:20] + b"X" * 20, "its HTTP/2 preface is damaged"),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n\r\n", 'it begins with "GET / HTTP/2.0"'),
    "proxy 1": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + PREFACE, "a PROXY protocol v1 header"),
    "proxy 1 unknown": (b"PROXY UNKNOWN\r\n" + PREFACE, "a PROXY protocol v1 header"),
    "proxy 2": (PROXY_V2 + b"\x21\x11\0\x0c" + bytes(12) + PREFACE, "a PROXY protocol v2 header"),
    "proxy 2 local": (PROXY_V2 + b"\x20\0\0\0" + PREFACE, "a PROXY protocol v2 header"),
}


@pytest.mark.parametrize("step", [0, 1, 5], ids=["whole", "1", "5"])
@pytest.mark.parametrize("what", OTHERS)
def test_what_else_there_is(server, what, step):
    data, line = OTHERS[what]
    lines = len(server.log)
    head = [data[i : i + step] for i in range(0, 40, step)] + [data[len(range(0, 40, step)) * step :]] if step else [data]
    assert b"HTTP/1" not in say(server, *(piece for piece in head if piece), pause=0.002)
    # in pieces, what is binary is clear from its first byte
    (said,) = server.whole_log()[lines:-1]  # the last one is of the end
    assert (line if step == 0 or not line.startswith("it begins") else "that is not HTTP/2") in said
    assert all(" " <= c <= "~" for c in said) and said.endswith("closed")


def test_tls_hello_to_a_port_in_the_clear(start):
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0)
    for cut in (1, 2, 3, 100):
        hello = b"\x16\x03\x01\x02\0" + os.urandom(517)
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(hello[:cut])
            time.sleep(0.02)
            try:
                client.sendall(hello[cut:])
                while client.recv(4096):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
    with Wire(server) as wire:
        assert wire.call("/api.Api/sayHello").status == 0
    told = [line for line in server.whole_log() if "it speaks TLS, but this port is plaintext; closed" in line]
    assert len(told) == 4


def test_an_end_within_a_word(server):
    """What was said so far is told."""
    with server.open() as client:
        client.sendall(b"GE")
        client.shutdown(socket.SHUT_WR)  # in the clear: behind TLS the handshake may not be over here
        assert b"HTTP" not in client.recv(4096)
    server.logged('it begins with "GE": that is not HTTP/2; closed')
