# SPDX-License-Identifier: MIT
"""What the tests of TLS share: certificates, servers that have them, and single calls."""

import collections
import contextlib
import socket
import ssl

import pytest

from certificates import Certificate
from servers import PATIENCE
from wire import Wire, message

ECHO = "/calls.Calls/Echo"
HELLO = "/api.Api/sayHello"
WORLD = b"\x0a\x05World"


class Pki:
    """A CA with certificates for every test: the server's, clients', and those that are no good."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = Certificate(folder, "ca")
        self.server = self.make("server", names=["localhost", "IP:127.0.0.1"])
        self.client = self.make("client", names=["client.example", "URI:spiffe://example/client"])
        self.other_ca = Certificate(folder, "other-ca")
        self.stranger = Certificate(folder, "stranger", self.other_ca)
        self.expired = self.make("expired", names=["localhost"], days=(-9, -2))

    def make(self, name, **options):
        return Certificate(self.folder, name, self.ca, **options)

    def context(self, certificate=None, alpn=("h2",), ca=None, newest=None, check=True):
        """A client's ssl.SSLContext."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations((ca or self.ca).file)
        if not check:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if certificate:
            context.load_cert_chain(certificate.file, certificate.key_file)
        if newest:
            context.maximum_version = newest
        return context


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def tls_options(certificate):
    return ["--tls-cert", certificate.file, "--tls-key", certificate.key_file]


def options_of(certificate, **others):
    """quoit-api's options for @certificate."""
    options = ["--port", 0, *tls_options(certificate)]
    for name, value in others.items():
        options += [f"--tls-{name.replace('_', '-')}", value]
    return options


@pytest.fixture
def serve(start, pki):
    """serve(): quoit-api with TLS and more options."""

    def serve_one(certificate=pki.server, **others):
        return start("quoit-api", *options_of(certificate, **others))

    return serve_one


Seen = collections.namedtuple("Seen", "version cipher certificate session resumed")


def hello(server, context, **rules):
    """One call on a connection of its own; what the connection was."""
    with Wire(server, tls={"context": context, **rules}) as wire:
        answer = wire.call(HELLO, WORLD)
        assert answer.status == 0 and answer.data == message(b"\x0a\x0cHello World!")
        connection = wire.socket
        return Seen(
            connection.version(),
            connection.cipher()[0],
            connection.getpeercert(True),
            connection.session,
            connection.session_reused,
        )


def refused(server, context, **rules):
    """The connection does not come about: the client's complaint, if it has one."""
    try:
        with Wire(server, tls={"context": context, **rules}) as wire:
            wire.read_to_end()
            return None
    except OSError as error:
        return error


def client_hello(pki):
    """The first bytes of a client."""
    outgoing = ssl.MemoryBIO()
    client = pki.context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@contextlib.contextmanager
def raw(server):
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        yield connection


def read_to_end(connection):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            received += data
    return received
