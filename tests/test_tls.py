# SPDX-License-Identifier: MIT
"""TLS: who is let in and who is not, what each is told, and what goes on meanwhile."""

import collections
import contextlib
import hashlib
import signal
import socket
import ssl
import subprocess
import time

import grpc
import pytest

from certificates import Certificate
from servers import PATIENCE, Server, eventually
from wire import PREFACE, PROTOCOL_ERROR, Wire, message

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


# ---- calls ----


@pytest.mark.parametrize("options", [[], ["--rings", 2], ["--workers", 4]])
def test_calls_of_all_kinds(start, pki, api, options):
    server = start("quoit-api", *options_of(pki.server), *options)
    credentials = grpc.ssl_channel_credentials(pki.ca.pem)
    no_limit = [("grpc.max_receive_message_length", -1)]
    with grpc.secure_channel(f"localhost:{server.port}", credentials, no_limit) as channel:
        stub = api.Stub(channel)
        assert stub.sayHello(api.HelloRequest(name="World")).message == "Hello World!"
        long = "x" * 3_000_000
        assert stub.sayHello(api.HelloRequest(name=long)).message == f"Hello {long}!"
        assert len(stub.getAll(api.ApiRequest(length=100_000)).items) == 100_000
        ids = [item.id for item in stub.getStream(api.ApiRequest(length=10_000))]
        assert ids == list(range(1, 10_001))


def test_plain_and_tls_side_by_side(start, pki):
    server = start("quoit-api", *options_of(pki.server, port=0))
    plain = int(server.logged("quoit-api: listening on").rpartition(":")[2])
    server.port = int(server.logged("TLS: listening on").rpartition(":")[2])
    hello(server, pki.context())
    server.port = plain
    with Wire(server) as wire:
        assert wire.call(HELLO, WORLD).status == 0


def test_large_messages_both_ways_in_odd_pieces(start, pki):
    server = start("test-server", *tls_options(pki.server))
    with Wire(server, tls={"context": pki.context()}) as wire:
        sent = message(b"\x12\x80\x80\x08" + bytes(97 + i % 26 for i in range(131072)))
        assert wire.ping()  # the windows are as large as the server wants them
        stream = wire.request(ECHO, body=None, end=False)
        for at in range(0, len(sent), 977):  # a record each
            wire.data(stream, sent[at : at + 977])
            wire.poll()
        wire.data(stream, b"", end=True)
        assert wire.answer(stream).data == sent


# ---- versions, ciphers, protocols ----


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(serve, pki, version):
    seen = hello(serve(), pki.context(newest=version))
    assert seen.version == version.name.replace("_", ".")
    assert "GCM" in seen.cipher and ("ECDHE" in seen.cipher or seen.cipher.startswith("TLS_"))


@pytest.mark.parametrize("offered", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"])
def test_weak_ciphers_are_refused(serve, pki, offered):
    """RFC 9113 section 9.2.2: a static key; no authenticated encryption."""
    server = serve()
    context = pki.context(newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(offered)
    assert "HANDSHAKE_FAILURE" in str(refused(server, context))
    server.logged("it offers no cipher that is taken here")


def test_old_versions_are_refused(serve, pki):
    server = serve()
    with pytest.warns(DeprecationWarning):
        context = pki.context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    assert "PROTOCOL_VERSION" in str(refused(server, context))
    server.logged("it offers no version of TLS that is new enough; closed")
    hello(server, pki.context())


def test_only_1_3_where_that_is_the_least(serve, pki):
    server = serve(min="1.3")
    assert refused(server, pki.context(newest=ssl.TLSVersion.TLSv1_2))
    hello(server, pki.context())


@pytest.mark.parametrize("alpn", [(), ("http/1.1",)])
def test_without_h2_by_alpn_it_is_refused(serve, pki, alpn):
    server = serve()
    assert "alert no application protocol" in str(refused(server, pki.context(alpn=alpn)))
    server.logged('"h2"')
    hello(server, pki.context(alpn=("http/1.1", "h2")))


# ---- certificates by name ----


def test_certificates_by_name(start, pki):
    wild = pki.make("wild", names=["*.example.org", "*.localhost"])
    exact = pki.make("exact", names=["a.example.org"])
    server = start(
        "quoit-api",
        *options_of(pki.server),
        *tls_options(wild),
        *tls_options(exact),
    )
    for name, shown in {
        "localhost": pki.server,
        "a.example.org": exact,
        "A.Example.ORG": exact,
        "b.example.org": wild,
        "b.b.example.org": pki.server,
        "nobody.example": pki.server,
        None: pki.server,
    }.items():
        seen = hello(server, pki.context(check=False), server_hostname=name)
        assert seen.certificate == shown.der, name


# ---- clients' certificates ----


def test_clients_must_show_a_certificate(serve, pki):
    server = serve(client_ca=pki.ca.file)
    hello(server, pki.context(pki.client))
    assert refused(server, pki.context()) is not None or server.logged("shows no certificate")
    server.logged("it shows no certificate, and must; closed")
    refused(server, pki.context(pki.stranger))
    server.logged("its certificate is refused: unable to get local issuer certificate")
    refused(server, pki.context(pki.expired))
    server.logged("its certificate is refused: certificate has expired")
    hello(server, pki.context(pki.client))


def test_clients_may_show_a_certificate(start, pki):
    options = options_of(pki.server, client_ca=pki.ca.file)
    server = start("quoit-api", *options, "--tls-client-optional")
    hello(server, pki.context())
    hello(server, pki.context(pki.client))
    refused(server, pki.context(pki.stranger))
    server.logged("its certificate is refused")


def test_a_client_that_does_not_trust_us(serve, pki):
    server = serve()
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused(server, pki.context(ca=pki.other_ca)))
    server.logged("it gave up: tlsv1 alert unknown ca")
    hello(server, pki.context())


def test_handlers_know_who_calls(start, pki, calls):
    names = ["a.example", "URI:spiffe://example/a", "email:a@example.org", "IP:192.0.2.1", "IP:::1"]
    who = pki.make("who", names=names)
    server = start("test-server", *tls_options(pki.server), "--tls-client-ca", pki.ca.file)
    for shown in (who, None):
        pair = (shown.key_pem, shown.pem) if shown else ()
        credentials = grpc.ssl_channel_credentials(pki.ca.pem, *pair)
        with grpc.secure_channel(f"localhost:{server.port}", credentials) as channel:
            tls = calls.Stub(channel).Peer(calls.Empty(), timeout=PATIENCE).tls
        assert (tls.version, tls.server_name, tls.resumed) == ("TLSv1.3", "localhost", False)
        assert tls.cipher.startswith("TLS_")
        if not shown:
            assert not tls.certificate and not tls.subject and not tls.names
            continue
        assert tls.certificate == who.der
        assert tls.fingerprint == hashlib.sha256(who.der).digest()
        assert tls.subject == "CN=who"
        kinds = [f"DNS {names[0]}"] + [name.replace(":", " ", 1) for name in names[1:]]
        assert list(tls.names) == kinds


def test_a_handler_outlives_its_connection(start, pki, calls):
    """What it knows of its peer is there as long as the call."""
    server = start("test-server", *tls_options(pki.server), "--offload-all")
    with Wire(server, tls={"context": pki.context()}) as wire:
        assert wire.ping()
        for _ in range(20):
            wire.request("/calls.Calls/Peer")
            wire.request("/calls.Calls/Wait")
    with Wire(server, tls={"context": pki.context()}) as wire:
        assert wire.call(ECHO, b"\x12\x01x").status == 0


def test_calls_in_the_clear_have_no_tls(start, connect, calls):
    server = start("test-server")
    assert not calls.Stub(connect(server)).Peer(calls.Empty()).HasField("tls")


# ---- what is no TLS, and half of it ----


def test_plaintext_to_a_tls_port(serve, pki):
    server = serve()
    for sent in (PREFACE, b"GET / HTTP/1.1\r\n\r\n"):
        with raw(server) as connection:
            connection.sendall(sent)
            read_to_end(connection)
    server.logged("it speaks HTTP in the clear, and TLS is spoken here; closed")
    hello(server, pki.context())


def test_tls_to_a_plaintext_port(start, pki):
    server = start("quoit-api", "--port", 0)
    assert refused(server, pki.context())
    server.logged("it speaks TLS, and this port is in the clear; closed")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        b"\x17\x03\x03\x00\x10" + b"x" * 16,
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x16\x03\x01\xff\xff" + b"x" * 70000,
        b"\0" * 100,
    ],
    ids=["garbage", "empty-hello", "data-first", "alert-first", "huge-record", "zeros"],
)
def test_garbage_for_a_handshake(serve, pki, sent):
    server = serve()
    with raw(server) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(sent)
        read_to_end(connection)
    server.logged("TLS: ")
    hello(server, pki.context())


def client_hello(pki):
    """The first bytes of a client."""
    outgoing = ssl.MemoryBIO()
    client = pki.context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.fixture
def hasty(start, pki):
    """test-server, which waits for no handshake longer than 0.7 s."""
    return start("test-server", *tls_options(pki.server), "--limit", "handshake_ms=700")


@pytest.mark.parametrize("size", [0, 1, 4, 100, None])
def test_half_a_handshake_ends_in_time(hasty, pki, size):
    with raw(hasty) as connection:
        began = time.monotonic()
        connection.sendall(client_hello(pki)[:size])
        read_to_end(connection)
        assert time.monotonic() - began > 0.5
    hasty.logged("no HTTP/2 preface and SETTINGS in time; closed")


def test_a_handshake_in_single_bytes(serve, pki):
    server = serve()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = pki.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with raw(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    connection.sendall(bytes([byte]))
                incoming.write(connection.recv(65536))
        client.write(PREFACE + b"\0\0\0\4\0\0\0\0\0")
        connection.sendall(outgoing.read())
        answer = b""
        while not answer:
            incoming.write(connection.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                answer = client.read()
        assert answer[3] == 4  # SETTINGS


def test_a_record_that_was_tampered_with(serve, pki):
    server = serve()
    with Wire(server, tls={"context": pki.context()}) as wire:
        assert wire.ping()
        with socket.socket(fileno=wire.socket.detach()) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            assert read_to_end(connection)  # an alert, at least
    server.logged("decryption failed or bad record mac")
    hello(server, pki.context())


def test_the_ends_are_told(serve, pki):
    """close_notify from the client ends the connection; a GOAWAY of ours is followed by one."""
    server = serve()
    with Wire(server, tls={"context": pki.context()}) as wire:
        assert wire.ping()
        plain = wire.socket.unwrap()  # sends close_notify, and waits for nothing but the end
        plain.close()
    context = pki.context()
    with Wire(server, tls={"context": context, "suppress_ragged_eofs": False}) as wire:
        assert wire.ping()
        wire.send(b"\0\0\1\6\0\0\0\0\0x")  # a PING of one byte
        wire.read_to_end()  # a ragged end would raise
        assert [code for _, code in wire.goaways] == [6]


def openssl_client(server, *options):
    return subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-alpn", "h2", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_renegotiation_ends_the_connection(serve, pki):
    """RFC 9113 section 9.2.1: a connection error of type PROTOCOL_ERROR."""
    server = serve()
    with openssl_client(server, "-tls1_2") as client:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        server.logged("it asks to negotiate TLS anew; closed")
        client.communicate()
    hello(server, pki.context())


# ---- sessions ----


def resumes(server, context, session):
    return hello(server, context, session=session).resumed


def session_of(server, context):
    return hello(server, context).session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_on_every_ring_and_across_a_reload(start, pki, version):
    server = start("quoit-api", *options_of(pki.server), "--rings", 2)
    context = pki.context(newest=version)
    session = session_of(server, context)
    assert all(resumes(server, context, session) for _ in range(4))
    server.signal(signal.SIGHUP)
    server.logged("TLS has read its files again")
    assert resumes(server, context, session)


def test_sessions_end_with_the_rules_that_let_them_in(serve, pki):
    rules = Certificate(pki.folder, "rules")
    rules.write(pki.ca)
    server = serve(client_ca=rules.file)
    context = pki.context(pki.client)
    session = session_of(server, context)
    assert resumes(server, context, session)
    rules.write(pki.other_ca)
    server.signal(signal.SIGHUP)
    server.logged("TLS has read its files again")
    assert refused(server, context, session=session) or True
    server.logged("its certificate is refused")


def test_sessions_outlive_the_process_with_a_ticket_key(build, pki):
    key = pki.folder / "ticket.key"
    key.write_bytes(bytes(range(80)))
    context = pki.context()
    session = None
    for resumed in (False, True):
        server = Server(build / "bin/quoit-api", *options_of(pki.server, ticket_key=key))
        seen = hello(server, context, session=session)
        assert seen.resumed == resumed
        session = seen.session
        server.stop()


# ---- reload ----


def test_reload(serve, pki):
    live = pki.make("live", names=["localhost"])
    old, new = live.der, pki.make("new", names=["localhost"])
    server = serve(live)
    context = pki.context()
    with Wire(server, tls={"context": context}) as before:
        assert before.call(HELLO, WORLD).status == 0
        live.write(new)
        server.signal(signal.SIGHUP)
        server.logged("info: TLS has read its files again")
        assert hello(server, context).certificate == new.der
        assert before.call(HELLO, WORLD).status == 0  # what is open stays so
        assert before.socket.getpeercert(True) == old

        live.write(pki.expired)
        server.signal(signal.SIGHUP)
        server.logged(f"warning: TLS goes on with the files it had: the certificate {live.file} expired")
        assert hello(server, context).certificate == new.der

        live.key_file.unlink()
        live.file.write_bytes(new.pem)
        server.signal(signal.SIGHUP)
        server.logged(f"cannot read the private key {live.key_file}: No such file or directory")
        assert hello(server, context).certificate == new.der
        assert before.call(HELLO, WORLD).status == 0


# ---- what is wrong before it starts ----


@pytest.fixture
def fail(build):
    def fail_one(*arguments):
        result = subprocess.run(
            [build / "bin/quoit-api", "--port", "0", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert result.stderr.count("\n") == 1
        return result.returncode, result.stderr

    return fail_one


def test_bad_files(fail, pki, tmp_path):
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    locked = tmp_path / "locked.key"
    locked.write_bytes(pki.server.key_in_pem(BestAvailableEncryption(b"secret")))
    cut = tmp_path / "cut.crt"
    cut.write_bytes(pki.server.pem + pki.ca.pem[:300])
    weak = pki.make("weak", names=["localhost"], kind=1024)
    future = pki.make("future", names=["localhost"], days=(3, 30))
    missing = tmp_path / "missing"
    server, key = pki.server.file, pki.server.key_file
    for certificate, secret, problem in (
        (missing, key, f"cannot read the certificate {missing}: No such file or directory"),
        (server, missing, f"cannot read the private key {missing}: No such file or directory"),
        (key, key, f"{key} holds no certificate that can be read"),
        (server, server, f"{server} holds no private key that can be read"),
        (server, pki.client.key_file, f"does not match the certificate {server}"),
        (pki.expired.file, pki.expired.key_file, f"{pki.expired.file} expired on 20"),
        (future.file, future.key_file, f"{future.file} is not valid before 20"),
        (server, locked, f"{locked} is encrypted"),
        (cut, key, f"{cut}: what follows its first certificate"),
        (weak.file, weak.key_file, f"{weak.file}: ee key too small"),
    ):
        status, text = fail("--tls-cert", certificate, "--tls-key", secret)
        assert status == 1 and problem in text, text


def test_bad_rules(fail, pki, tmp_path):
    short = tmp_path / "short"
    short.write_bytes(b"x" * 48)
    good = tls_options(pki.server)
    for options, status, problem in (
        ([*good, "--tls-client-ca", tmp_path / "no"], 1, "cannot read the client CA"),
        ([*good, "--tls-client-ca", pki.server.key_file], 1, "holds no CA certificates"),
        ([*good, "--tls-ticket-key", short], 1, "is not of 80 bytes"),
        ([*good, "--tls-min", "1.1"], 2, "--tls-min: '1.1' is neither 1.2 nor 1.3"),
        ([*good, "--tls-client-optional"], 2, "--tls-client-optional takes a --tls-client-ca"),
        (good[:2], 2, "--tls-cert and --tls-key come in pairs, there are 1 and 0"),
        (["--tls-port", "0"], 2, "TLS takes a certificate"),
    ):
        found, text = fail(*options)
        assert found == status and problem in text, text


# ---- handshakes and everybody else ----


def test_a_storm_of_handshakes_does_not_stop_the_ring(start, pki):
    """Calls are answered while handshakes are made: in the order of arrival they would come last."""
    slow = pki.make("slow", names=["localhost"], kind=4096)
    server = start("test-server", *tls_options(slow))
    first = client_hello(pki)
    storm = 100
    with contextlib.ExitStack() as stack:
        wire = stack.enter_context(Wire(server, tls={"context": pki.context()}))
        assert wire.ping()
        peers = [stack.enter_context(raw(server)) for _ in range(storm)]
        for peer in peers:
            peer.sendall(first)
        assert wire.call(ECHO, b"\x12\x01x").status == 0
        answered = 0
        for peer in peers:
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                answered += bool(peer.recv(1))
        assert answered < storm / 2
        for peer in peers:  # and all of them are, in the end
            peer.settimeout(PATIENCE)
        assert all(peer.recv(1) for peer in peers[-3:])


def test_too_many_handshakes_are_turned_away(start, pki):
    slow = pki.make("slow2", names=["localhost"], kind=4096)
    server = start("test-server", *tls_options(slow), "--limit", "handshakes_queued_max=5")
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(raw(server)) for _ in range(60)]
        for peer in peers:
            peer.sendall(first)
        server.logged("too many handshakes wait for a thread; closed")

    def is_served():
        with contextlib.suppress(OSError), Wire(server, tls={"context": pki.context()}) as wire:
            return wire.call(ECHO, b"\x12\x01x").status == 0

    eventually(is_served, "there is room again")


def test_too_much_before_the_handshake_is_over(start, pki):
    server = start("test-server", *tls_options(pki.server), "--limit", "handshake_bytes_max=4000")
    with raw(server) as connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(b"\x16\x03\x01\x40\x00" + b"x" * 5000)
        read_to_end(connection)
    server.logged("it sends too much before its handshake is over; closed")
