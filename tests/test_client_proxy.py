# SPDX-License-Identifier: MIT
"""Quoit's client by way of an HTTP proxy: a real one, in the clear and with TLS, and proxies that do wrong."""

import contextlib
import socket
import time

import grpc
import pytest

from certificates import Certificate
from connect_proxy import OPENED, ConnectProxy, splice
from grpcio_server import grpcio_server
from servers import free_port

TARGET = "backend.test:50051"  # a name that nobody can look up


@pytest.fixture
def echo(calls):
    return calls.Payload(text="x" * 100_000)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = Certificate(folder, "ca", ca=True)
        server = Certificate(folder, "server", issuer=ca, names=["backend.test"])

    return Pki


@pytest.fixture
def server(start):
    return start("test-server", "--rings", 2)


@pytest.fixture
def secure_server(start, pki):
    return start("test-server", "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file)


@pytest.fixture
def proxy(server):
    with ConnectProxy({TARGET: server.port}) as one:
        yield one


@pytest.mark.parametrize("target", [TARGET, f"dns:{TARGET}", f"dns:///{TARGET}", f"dns://127.0.0.1:1/{TARGET}"])
def test_way(client, proxy, server, echo, target):
    """Messages, and bytes amid them, are whole. The name is the proxy's to look up."""
    results = client.run(target, "Echo", echo, calls=20, proxy=proxy.url)
    assert {call.text for call in results} == {"OK"}
    assert {call.messages[0] for call in results} == {echo.SerializeToString()}
    assert [target for target, fields in proxy.asked] == [TARGET]
    assert "Proxy-Authorization" not in proxy.asked[0][1]
    assert proxy.asked[0][1]["User-Agent"].startswith("quoit/")


def test_tls(client, secure_server, echo, pki):
    with ConnectProxy({TARGET: secure_server.port}) as proxy:
        results = client.run(TARGET, "Echo", echo, parallel=200, proxy=proxy.url, ca=pki.ca.file)
        assert {call.text for call in results} == {"OK"}
        call = client("other.test:1", "Echo", echo, proxy=proxy.url, ca=pki.ca.file)
        assert call.status == "UNAVAILABLE"
        proxy.ways["other.test:1"] = secure_server.port
        call = client("other.test:1", "Echo", echo, proxy=proxy.url, ca=pki.ca.file)
        assert call.status == "UNAVAILABLE"
        assert "certificate" in call.text
        assert f"by the proxy ipv4:{proxy.address}" in call.text


def python_server(calls, stubs, credentials=None):
    class Calls(stubs("calls_pb2_grpc").CallsServicer):
        def Echo(self, request, context):
            return request

    add = stubs("calls_pb2_grpc").add_CallsServicer_to_server
    return grpcio_server(add, Calls(), credentials=credentials)


@pytest.mark.parametrize("secure", [False, True])
def test_grpcio(client, calls, stubs, echo, pki, secure):
    credentials = grpc.ssl_server_credentials([(pki.server.key_pem, pki.server.pem)]) if secure else None
    options = {"ca": pki.ca.file} if secure else {}
    with (
        python_server(calls, stubs, credentials) as target,
        ConnectProxy({TARGET: int(target.rpartition(":")[2])}, user="me:it: is 100 %") as proxy,
    ):
        url = f"http://me:it%3A%20is%20100%20%25@{proxy.address}/ignored"
        results = client.run(TARGET, "Echo", echo, calls=20, proxy=url, **options)
        assert {call.text for call in results} == {"OK"}
        call = client(TARGET, "Echo", echo, proxy=f"http://me:no@{proxy.address}", **options)
        assert call.status == "UNAVAILABLE"
        assert '"HTTP/1.1 407 Proxy Authentication Required"' in call.text
        assert "me:no" not in call.text


def test_addresses_and_ports(client, server, echo):
    """What a CONNECT asks for: an address as it is, in brackets if it has colons, and gRPC's port where there is none."""
    ways = {one: server.port for one in ["10.1.2.3:1", "[2001:db8::1]:2", "backend.test:443"]}
    with ConnectProxy(ways) as proxy:
        for target in "10.1.2.3:1", "dns:///[2001:db8::1]:2", "backend.test":
            assert client(target, "Echo", echo, proxy=proxy.address).text == "OK"
        assert {target for target, fields in proxy.asked} == set(ways)


def test_name_of_proxy(client, proxy, echo):
    """It is looked up, as a server's is."""
    assert client(TARGET, "Echo", echo, proxy=f"http://localhost:{proxy.port}").text == "OK"
    call = client(TARGET, "Echo", echo, proxy="http://proxy.invalid:1")
    assert call.status == "UNAVAILABLE"
    assert "cannot resolve the proxy proxy.invalid: " in call.text


def test_none(client, server, proxy, echo, monkeypatch, tmp_path, start):
    """Targets that are no names of DNS never go by one, nor does this machine's unless it is told to."""
    monkeypatch.setenv("https_proxy", proxy.url)
    path = f"unix:{tmp_path}/s"
    start("test-server", "--address", path)
    for target in path, f"ipv4:127.0.0.1:{server.port}", server.target, f"localhost:{server.port}":
        assert client(target, "Echo", echo).text == "OK"
    assert client(path, "Echo", echo, proxy=proxy.url).text == "OK"
    assert client(f"ipv4:127.0.0.1:{server.port}", "Echo", echo, proxy=proxy.url).text == "OK"
    assert proxy.asked == []
    proxy.ways[server.target] = server.port
    assert client(server.target, "Echo", echo, proxy=proxy.url).text == "OK"
    assert [target for target, fields in proxy.asked] == [server.target]


@pytest.mark.parametrize("name", ["grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy"])
def test_environment(client, proxy, echo, monkeypatch, name):
    monkeypatch.setenv(name, proxy.url)
    assert client(TARGET, "Echo", echo).text == "OK"
    assert len(proxy.asked) == 1
    call = client(TARGET, "Echo", echo, proxy="")
    assert "cannot resolve backend.test: " in call.text
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8, .test")
    call = client(TARGET, "Echo", echo)
    assert "cannot resolve backend.test: " in call.text
    assert len(proxy.asked) == 1


def test_environment_order(client, proxy, echo, monkeypatch):
    for name in "https_proxy", "HTTPS_PROXY", "http_proxy":
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("grpc_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("no_grpc_proxy", "backend.test:1")
    assert client(TARGET, "Echo", echo).text == "OK"


def test_refused_connection(client, echo):
    port = free_port()
    call = client(TARGET, "Echo", echo, proxy=f"http://127.0.0.1:{port}")
    assert call.status == "UNAVAILABLE"
    assert f"by the proxy ipv4:127.0.0.1:{port}: connect: Connection refused (ECONNREFUSED)" in call.text


def test_comes_back(client, server, echo):
    """A proxy that refuses is asked again, as the pauses say; a call that waits goes through."""
    answers = []

    def act(peer):
        if len(answers) < 2:
            answers.append(peer.sendall(b"HTTP/1.1 503 Not yet\r\n\r\n"))
            return
        with socket.create_connection(("127.0.0.1", server.port)) as to:
            peer.sendall(OPENED)
            splice(peer, to)

    with ConnectProxy(act=act) as proxy:
        call = client(TARGET, "Echo", echo, proxy=proxy.url, backoff=50, wait_for_ready=True)
        assert call.text == "OK"
        assert len(proxy.asked) == 3


# ---- proxies that do wrong ----


def send(*parts):
    """Then it waits for the client's end."""

    def act(peer):
        for part in parts:
            peer.sendall(part)
        while peer.recv(65_536):
            pass

    return act


def send_and_close(data):
    """It is closed behind what comes meanwhile: the kernel would say goodbye with a reset otherwise."""

    def act(peer):
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            pass

    return act


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def endless(begin, more):
    def act(peer):
        peer.sendall(begin)
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(more * 1000)

    return act


TOO_LONG = "the proxy's answer to CONNECT is too long (proxy_answer_bytes_max)"
NOT_HTTP = "the proxy does not speak HTTP/1.1: it answers "
CLOSED = "the proxy closed the connection before it had answered CONNECT"
WRONG = {
    "403": (send(b"HTTP/1.1 403 Forbidden\r\n"), 'the proxy refuses CONNECT: "HTTP/1.1 403 Forbidden"'),
    "302": (
        send(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"),
        'the proxy refuses CONNECT: "HTTP/1.1 302 Found"',
    ),
    "101": (send(b"HTTP/1.1 101 Switching\r\n\r\n"), 'refuses CONNECT: "HTTP/1.1 101 Switching"'),
    "garbage": (send(b"220 smtp.example ESMTP\r\n"), NOT_HTTP + '"2"'),
    "http2": (send(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"), NOT_HTTP + '"?"'),
    "http1.1-status": (send(b"HTTP/1.1 abc\r\n\r\n"), NOT_HTTP + '"HTTP/1.1 a"'),
    "escape": (send(b"HTTP/1.1 200 \x1b[31m\r\n\r\n"), NOT_HTTP + '"HTTP/1.1 200 ?"'),
    "silence": (send(), "the proxy has not answered CONNECT in time"),
    "half": (send(b"HTTP/1.1 200 OK\r\nVia: x\r\n"), "the proxy has not answered CONNECT in time"),
    "interim": (send(b"HTTP/1.1 100 Continue\r\n\r\n"), "the proxy has not answered CONNECT in time"),
    "close": (send_and_close(b""), CLOSED),
    "half-close": (send_and_close(b"HTTP/1.1 200 OK\r\n"), CLOSED),
    "reset": (reset, "the proxy"),
    "endless-line": (endless(b"HTTP/1.1 200 ", b"x"), TOO_LONG),
    "endless-field": (endless(b"HTTP/1.1 200 OK\r\nVia: ", b"x"), TOO_LONG),
    "endless-fields": (endless(b"HTTP/1.1 200 OK\r\n", b"Via: x\r\n"), TOO_LONG),
    "endless-interim": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), TOO_LONG),
    "open-and-close": (send_and_close(OPENED), "the server closed the connection"),
    "open-and-garbage": (send(OPENED + b"HTTP/1.1 400 Bad Request\r\n\r\n"), "HTTP/1.1 400 Bad Request"),
    "open-and-silence": (send(OPENED), "in time"),
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_wrong(client, echo, pki, name, secure):
    act, text = WRONG[name]
    options = {"ca": pki.ca.file} if secure else {}
    with ConnectProxy(act=act) as proxy:
        call = client(TARGET, "Echo", echo, proxy=proxy.url, connect=1000, **options)
    assert call.status == "UNAVAILABLE", call.text
    assert f"UNAVAILABLE: by the proxy ipv4:{proxy.address}: " in call.text
    assert "; the next attempt is in " in call.text
    if not (secure and name.startswith("open-and")):
        assert text in call.text


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_answer_with_first_bytes(client, calls, stubs, echo, size):
    """The answer comes in pieces, and the server's SETTINGS right behind it, in the same piece if that is large."""

    def act(peer):
        with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as to:
            first = to.recv(4096)
            assert first[3] == 4  # SETTINGS
            answer = b"HTTP/1.1 103 x\r\n\r\nHTTP/1.0 200 ok\nContent-Length: 9\n\r\n" + first
            for at in range(0, len(answer), size):
                peer.sendall(answer[at : at + size])
                time.sleep(0.001)
            splice(peer, to)

    with python_server(calls, stubs) as target, ConnectProxy(act=act) as proxy:
        results = client.run(TARGET, "Echo", echo, calls=5, proxy=proxy.url)
    assert {call.text for call in results} == {"OK"}
