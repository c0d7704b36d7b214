# SPDX-License-Identifier: MIT
"""Quoit's client over TLS: against grpcio's server and ours, and against servers that it must not trust."""

import contextlib
import socket
import ssl
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


def python_server(calls, stubs, certificate, ca, asks):
    class Calls(stubs("calls_pb2_grpc").CallsServicer):
        def Echo(self, request, context):
            names = context.auth_context().get("x509_common_name", [b""])
            context.set_trailing_metadata([("x-peer", names[0])])
            return request

    credentials = grpc.ssl_server_credentials(
        [(certificate.key_pem, certificate.pem)], ca.pem if asks else None, asks
    )
    add = stubs("calls_pb2_grpc").add_CallsServicer_to_server
    return grpcio_server(add, Calls(), credentials=credentials)


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
