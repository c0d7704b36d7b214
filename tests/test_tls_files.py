# SPDX-License-Identifier: MIT
"""Certificates, keys and rules: sessions that they let in, their reload, and what is wrong before it starts."""

import signal
import ssl
import subprocess

import pytest

from certificates import Certificate
from servers import PATIENCE, Server
from tls import HELLO, WORLD, hello, options_of, refused, tls_options
from tls import pki, serve  # noqa: F401 (fixtures)
from wire import Wire

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
    server.logged("TLS files were read again")
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
    server.logged("TLS files were read again")
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
        server.logged("info: TLS files were read again")
        assert hello(server, context).certificate == new.der
        assert before.call(HELLO, WORLD).status == 0  # what is open stays so
        assert before.socket.getpeercert(True) == old

        live.write(pki.expired)
        server.signal(signal.SIGHUP)
        server.logged(f"warning: TLS keeps using its old files: the certificate {live.file} expired")
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
        ([*good, "--tls-client-optional"], 2, "--tls-client-optional needs a --tls-client-ca"),
        (good[:2], 2, "--tls-cert and --tls-key come in pairs, there are 1 and 0"),
        (["--tls-port", "0"], 2, "TLS needs a certificate"),
    ):
        found, text = fail(*options)
        assert found == status and problem in text, text
