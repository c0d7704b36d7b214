# SPDX-License-Identifier: MIT
"""Plain HTTP as load balancers, kubelets, scrapers and hostile peers speak it: HTTP/1.1 by raw sockets."""

import http.client
import re
import socket
import ssl
import struct

import pytest

from servers import PATIENCE, Server, eventually
from tls import Pki
from wire import Wire

AWS = (
    "GET {path} HTTP/1.1\r\nHost: 10.0.0.1:50051\r\nConnection: close\r\n"
    "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
)
GCP = "GET {path} HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: GoogleHC/1.0\r\nConnection: Keep-alive\r\n\r\n"
AZURE = "GET {path} HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: Load Balancer Agent\r\nConnection: Keep-Alive\r\n\r\n"
KUBELET = (
    "GET {path} HTTP/1.1\r\nHost: 10.0.0.1:50051\r\nUser-Agent: kube-probe/1.31\r\n"
    "Accept: */*\r\nConnection: close\r\n\r\n"
)
HAPROXY = "GET {path} HTTP/1.0\r\n\r\n"
HAPROXY_HOST = "HEAD {path} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n\r\n"
CHECKS = {"aws": AWS, "gcp": GCP, "azure": AZURE, "kubelet": KUBELET, "haproxy": HAPROXY, "haproxy-1.1": HAPROXY_HOST}


@pytest.fixture
def server(start):
    return start("test-server", "--http", "--metrics", "--cors", "https://a.example")


def connect(server, receive_buffer=None):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", server.port))
    return client


def read_answer(client, method="GET"):
    """(status, {field: value}, body), by Python's own parser."""
    answer = http.client.HTTPResponse(client, method=method)
    answer.begin()
    fields = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, fields, answer.read()


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("path, status, text", [("/healthz", 200, b"ok\n"), ("/readyz?service=x", 404, b"unknown service\n")])
def test_health_checks(server, check, path, status, text):
    method = check.split()[0]
    with connect(server) as client:
        client.sendall(check.format(path=path).encode())
        found, fields, body = read_answer(client, method)
        assert (found, body) == (status, b"" if method == "HEAD" else text)
        assert fields["content-length"] == str(len(text)) and fields["cache-control"] == "no-store"
        if "keep-alive" in check.lower():
            client.sendall(check.format(path=path).encode())
            assert read_answer(client)[0] == status
        else:
            assert client.recv(1) == b""


def test_checks_hear_of_a_stop(start):
    """In a lame duck, while calls are still served."""
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0, "--lame-duck", "20s")
    with connect(server) as client:
        client.sendall(GCP.format(path="/readyz").encode())
        assert read_answer(client)[::2] == (200, b"ok\n")
        server.signal()

        def is_down():
            client.sendall(GCP.format(path="/readyz").encode())
            return read_answer(client)[::2] == (503, b"NOT_SERVING\n")

        eventually(is_down, "503")
        client.sendall(GCP.format(path="/healthz").encode())
        assert read_answer(client)[::2] == (503, b"stopping\n")
        server.signal()


LOAD_BALANCERS = {
    # as they are unless told otherwise: AWS, GCP and Azure ask for /, HAProxy's httpchk for the options of it
    "haproxy": b"OPTIONS / HTTP/1.0\r\n\r\n",
    "haproxy-all": b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    "aws": AWS.format(path="/").encode(),
    "gcp": GCP.format(path="/").encode(),
    "azure": AZURE.format(path="/").encode(),
    "without-a-user-agent": b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n",
    "an-odd-user-agent": b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: (;;) \xff\xfe<x>\r\n\r\n",
    "an-empty-host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
}


@pytest.fixture(scope="module")
def checked(build, tmp_path_factory):
    """quoit-api, in the clear and by TLS at .tls_port."""
    pki = Pki(tmp_path_factory.mktemp("pki"))
    server = Server(build / "bin/quoit-api", "--host", "127.0.0.1", "--port", 0, "--tls-port", 0, "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file)
    server.tls_port = server.port
    server.port = int(server.logged("quoit-api: listening on ").rpartition(":")[2])
    yield server
    server.stop()


@pytest.fixture
def quiet(checked):
    """The server, which must say nothing."""
    before = len(checked.log)
    yield checked
    with connect(checked) as client:  # what came before is over with
        client.sendall(HAPROXY.format(path="/healthz").encode())
        assert read_answer(client)[0] == 200
    assert checked.log[before:] == []


@pytest.mark.parametrize("check", LOAD_BALANCERS.values(), ids=LOAD_BALANCERS)
def test_load_balancers_as_they_come(quiet, check):
    with connect(quiet) as client:
        client.sendall(check)
        status, fields, body = read_answer(client)
        assert status == 200 and ("allow" in fields) == check.startswith(b"OPTIONS")


@pytest.mark.parametrize("resets", [False, True], ids=["closes", "resets"])
@pytest.mark.parametrize("port", ["port", "tls_port"])
def test_checks_that_only_connect(quiet, port, resets):
    """HAProxy's tcp-check and AWS' NLB: also half way through a handshake."""
    for sent in b"", b"\x16\x03\x01" if port == "tls_port" else b"":
        with socket.create_connection(("127.0.0.1", getattr(quiet, port)), PATIENCE) as client:
            client.sendall(sent)
            if resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_check_of_tls_alone(quiet):
    """HAProxy's check-ssl without more: a handshake, and an end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for end in "close", "unwrap":
        with socket.create_connection(("127.0.0.1", quiet.tls_port), PATIENCE) as raw:
            secure = context.wrap_socket(raw)
            if end == "unwrap":
                secure.unwrap()
            secure.close()


def test_without_a_host(checked):
    """RFC 9112, section 3.2."""
    with connect(checked) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert read_answer(client)[0] == 400
        assert client.recv(1) == b""
    assert checked.logged("it does not have one host")  # before the next test, which must be quiet


def test_grpc_of_aws(quiet):
    """The path and the code that a target group has unless told otherwise: any server answers so."""
    with Wire(quiet) as wire:
        assert wire.call("/AWS.ALB/healthcheck", b"").status == 12
        assert wire.call("/grpc.health.v1.Health/Check", b"").status == 0


def test_a_scraper_keeps_its_connection(server):
    with connect(server) as client:
        for _ in range(3):
            client.sendall(
                b"GET /metrics HTTP/1.1\r\nHost: x\r\nUser-Agent: Prometheus/3.5\r\nAccept-Encoding: gzip\r\n"
                b"Accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.3\r\n"
                b"X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"
            )
            status, fields, body = read_answer(client)
            assert status == 200 and body.endswith(b"# EOF\n")
            assert fields["content-type"].startswith("application/openmetrics-text")


def test_pipelined_checks(server):
    with connect(server) as client:
        client.sendall(GCP.format(path="/healthz").encode() * 20)
        stream = client.makefile("rb")
        for _ in range(20):
            assert stream.readline().startswith(b"HTTP/1.1 200")
            head = b"".join(iter(stream.readline, b"\r\n"))
            size = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
            assert stream.read(size) == b"ok\n"


@pytest.mark.parametrize("size", [1 << 20, 300, 0])
@pytest.mark.parametrize("path", ["/large", "/copied"])
def test_bodies(server, path, size):
    with connect(server) as client:
        client.sendall(f"GET {path}?{size} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status, fields, body = read_answer(client)
        assert (status, len(body), fields["content-length"]) == (200, size, str(size))


def test_a_preflight(server):
    with connect(server) as client:
        for origin, status in (("https://a.example", 204), ("https://b.example", 403)) * 2:
            client.sendall(
                f"OPTIONS /calls.Calls/Echo HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n"
                "Access-Control-Request-Method: POST\r\n\r\n".encode()
            )
            found, fields, body = read_answer(client, "OPTIONS")
            assert found == status and ("access-control-allow-origin" in fields) == (status == 204)


# ---- hostile ----


def test_a_small_body_of_a_get_is_skipped(server):
    with connect(server) as client:
        for _ in range(3):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            assert read_answer(client)[::2] == (200, b"ok\n")


def test_a_large_body_of_a_get_is_refused(server):
    with connect(server) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 20000)
        assert read_answer(client)[0] == 413
        assert client.recv(1) == b""


def test_a_body_that_does_not_come(server):
    with connect(server) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh")
        assert read_answer(client)[0] == 408


def test_readers_that_do_not_read(start, sanitized):
    """Each has asked for much; nothing waits for them but what their sockets take, and in time they are ended."""
    server = start("test-server", "--http", "--limit", "stall_ms=1000", "--limit", "memory_bytes_max=67108864")
    slow = [connect(server, 4096) for _ in range(100)]
    for client in slow:
        client.sendall(b"GET /copied?1000000 HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    for _ in range(20):
        with connect(server) as client:
            client.sendall(AWS.format(path="/healthz").encode())
            assert read_answer(client)[0] == 200
    if not sanitized:
        assert server.rss() < 400 << 20
    for client in slow:
        client.close()
