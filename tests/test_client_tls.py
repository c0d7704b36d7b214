# SPDX-License-Identifier: MIT
"""Quoit's client over TLS: against grpcio's server and ours, and against servers that it must not trust."""

import contextlib
import socket
import ssl
import subprocess
import threading

import grpc
import pytest

from certificates import Certificate
from grpcio_server import grpcio_server
from servers import PATIENCE


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA, a server's certificate, a client's, and a CA that nobody trusts."""
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = Certificate(folder, "ca", ca=True)
        server = Certificate(folder, "server", issuer=ca, names=["localhost", "IP:127.0.0.1"])
        client = Certificate(folder, "client", issuer=ca)
        stranger = Certificate(folder, "stranger", ca=True)
        elsewhere = Certificate(folder, "elsewhere", issuer=ca, names=["elsewhere.example"])
        expired = Certificate(folder, "expired", issuer=ca, names=["localhost"], days=(-3, -1))

    return Pki


def python_server(calls, stubs, certificate, ca, asks, **options):
    class Calls(stubs("calls_pb2_grpc").CallsServicer):
        def Echo(self, request, context):
            names = context.auth_context().get("x509_common_name", [b""])
            tokens = [value for name, value in context.invocation_metadata() if name == "authorization"]
            context.set_trailing_metadata([("x-peer", names[0]), ("x-tokens", ", ".join(tokens))])
            return request

    credentials = grpc.ssl_server_credentials(
        [(certificate.key_pem, certificate.pem)], ca.pem if asks else None, asks
    )
    add = stubs("calls_pb2_grpc").add_CallsServicer_to_server
    return grpcio_server(add, Calls(), credentials=credentials, **options)


@pytest.mark.parametrize("asks", [False, True])
def test_grpcio(client, calls, stubs, pki, asks):
    own = {"cert": pki.client.file, "key": pki.client.key_file} if asks else {}
    with python_server(calls, stubs, pki.server, pki.ca, asks) as numeric:
        for target in numeric, numeric.replace("127.0.0.1", "localhost"):
            (one, *more) = client.run(
                target, "Echo", calls.Payload(text="x" * 100_000), calls=20, ca=pki.ca.file, **own
            )
            assert {one.text, *(call.text for call in more)} == {"OK"}
            assert ("x-peer", b"client" if asks else b"") in one.trailers


def test_our_server(client, calls, start, pki):
    server = start("test-server", "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file)
    results = client.run(server.target, "Echo", calls.Payload(text="x"), parallel=200, ca=pki.ca.file)
    assert {call.text for call in results} == {"OK"}


@pytest.mark.parametrize(
    ("certificate", "ca", "name"),
    [
        ("server", "stranger", None),
        ("server", "ca", "elsewhere.example"),
        ("elsewhere", "ca", None),
        ("expired", "ca", "localhost"),
    ],
)
def test_server_that_is_not_trusted(client, calls, pki, certificate, ca, name):
    options = {"server_name": name} if name else {}
    with bare_server(getattr(pki, certificate), ["h2"]) as port:
        call = client(
            f"127.0.0.1:{port}",
            "Echo",
            calls.Payload(text="secret"),
            ca=getattr(pki, ca).file,
            blocking=True,
            **options,
        )
    assert call.status == "UNAVAILABLE"
    assert "TLS: " in call.text
    assert "certificate" in call.text


@contextlib.contextmanager
def bare_server(certificate, protocols):
    """Only a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key_file)
    if protocols:
        context.set_alpn_protocols(protocols)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(PATIENCE)
                tls.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(PATIENCE)


@pytest.mark.parametrize("protocols", [[], ["http/1.1"]])
def test_server_that_does_not_agree_to_h2(client, calls, pki, protocols):
    """grpc-go's users see a hang or a riddle there (grpc/grpc-go#8912)."""
    with bare_server(pki.server, protocols) as port:
        call = client(f"127.0.0.1:{port}", "Echo", calls.Payload(text="x"), ca=pki.ca.file)
    assert call.status == "UNAVAILABLE"
    assert "ALPN" in call.text or "alert" in call.text, call.text


def test_server_in_the_clear(client, calls, start, pki):
    server = start("test-server")
    call = client(server.target, "Echo", calls.Payload(text="x"), ca=pki.ca.file)
    assert call.status == "UNAVAILABLE"
    assert "within the TLS handshake; perhaps it does not speak TLS" in call.text


@pytest.mark.parametrize("blocking", [False, True])
def test_token(client, calls, stubs, pki, blocking):
    """A channel's and a call's, which only a server that is trusted gets."""
    request = calls.Payload(text="x")
    options = {"token": "one", "call_token": "two"} | ({"blocking": True} if blocking else {})
    with python_server(calls, stubs, pki.server, pki.ca, False) as target:
        for call in client.run(target, "Echo", request, calls=3, ca=pki.ca.file, **options):
            assert call.text == "OK"
            assert blocking or ("x-tokens", b"Bearer one, Bearer two") in call.trailers
        call = client(target, "Echo", request, ca=pki.stranger.file, **options)
        assert call.status == "UNAVAILABLE"


def test_token_in_the_clear(client, calls, start):
    call = client(start("test-server").target, "Echo", calls.Payload(text="x"), token="secret")
    assert call.text == (
        "UNAUTHENTICATED: call credentials are not sent without TLS (insecure_credentials)"
    )


# ---- sessions ----


def test_resumes_at_grpcio(client, calls, stubs, pki):
    """A server whose connections are short."""
    with python_server(calls, stubs, pki.server, pki.ca, True, max_connection_age_ms=200) as target:
        own = {"cert": pki.client.file, "key": pki.client.key_file}
        results = client.run(target, "Echo", calls.Payload(text="x"), ca=pki.ca.file, **own, **{"for": 3000})
    assert {call.text for call in results} == {"OK"}
    assert 0 < results[-1].resumed < results[-1].handshakes


def test_resumes_at_our_server(client, calls, start, pki):
    """On every ring of it, by the tickets that come with resumed sessions too."""
    server = start(
        "test-server",
        "--tls-cert",
        pki.server.file,
        "--tls-key",
        pki.server.key_file,
        "--limit",
        "connection_age_ms=200",
    )
    results = client.run(server.target, "Echo", calls.Payload(text="x"), ca=pki.ca.file, **{"for": 3000})
    assert {call.text for call in results} == {"OK"}
    assert results[-1].handshakes > 2
    assert results[-1].resumed == results[-1].handshakes - 1


# ---- what a server may not do once the handshake is over ----


@contextlib.contextmanager
def openssl_server(certificate, key, *options):
    """openssl s_server, whose user presses this key again and again as soon as there is a connection."""
    words = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-alpn", "h2", *options]
    words += ["-cert", str(certificate.file), "-key", str(certificate.key_file)]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    over = threading.Event()

    def press():
        if any(line.startswith("CIPHER is") for line in server.stdout):
            with contextlib.suppress(OSError):
                while not over.wait(0.01):  # a key for each time that it reads
                    server.stdin.write(key + "\n")
                    server.stdin.flush()

    address = next(line.split()[1] for line in server.stdout if line.startswith("ACCEPT "))
    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    yield address
    over.set()
    server.kill()
    server.wait(PATIENCE)
    thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("key", "version", "words"),
    [
        ("r", "-tls1_2", "negotiate TLS anew"),
        ("k", "-tls1_3", "changes its keys"),
        ("K", "-tls1_3", "changes its keys"),
    ],
)
def test_server_with_too_much_of_tls(client, calls, start, pki, key, version, words):
    """It costs that connection, and nothing else: the next address is tried."""
    good = start("test-server", "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file)
    own = {"ca": pki.ca.file, "server_name": "localhost"}
    with openssl_server(pki.server, key, version) as bad:
        call = client(bad, "Echo", calls.Payload(text="x"), **own)
        assert call.status == "UNAVAILABLE"
        assert words in call.text, call.text
        call = client(f"ipv4:{bad},{good.target}", "Echo", calls.Payload(text="x"), **own)
        assert call.text == "OK"
