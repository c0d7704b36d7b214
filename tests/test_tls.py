# SPDX-License-Identifier: MIT
"""TLS: who is let in and who is not, by versions, certificates and names."""

import hashlib
import ssl

import grpc
import pytest

from servers import PATIENCE
from tls import ECHO, HELLO, WORLD, hello, options_of, refused, tls_options
from tls import pki, serve  # noqa: F401 (fixtures)
from wire import Wire, message

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
def test_without_h2_by_alpn_it_is_refused(start, pki, alpn):
    """Where HTTP/1.1 is not spoken."""
    server = start("test-server", "--http2-only", *tls_options(pki.server))
    assert "alert no application protocol" in str(refused(server, pki.context(alpn=alpn)))
    server.logged('"h2"')
    with Wire(server, tls={"context": pki.context(alpn=("http/1.1", "h2"))}) as wire:
        assert wire.call(ECHO).status == 0


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
