# SPDX-License-Identifier: MIT
"""Handshakes that go wrong, or are many: what each is told, and what goes on meanwhile."""

import contextlib
import socket
import ssl
import struct
import subprocess
import time

import pytest

from hostile import MIB
from servers import PATIENCE, eventually
from tls import ECHO, HELLO, client_hello, hello, options_of, raw, read_to_end, refused, tls_options
from tls import pki, serve  # noqa: F401 (fixtures)
from wire import PREFACE, Wire

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
    server.logged("it speaks TLS, but this port is plaintext; closed")


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
    hasty.logged("no HTTP/2 preface and SETTINGS in time (handshake_ms); closed")


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


@pytest.mark.parametrize("within", [False, True], ids=["behind the handshake", "with its end"])
def test_a_broken_record_behind_what_is_not_http2(start, pki, within):
    """What it speaks is not clear yet, but it ends at once for the record, and more bytes are no matter."""
    server = start("quoit-api", *options_of(pki.server), "--limit", "handshake_ms=1h")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = pki.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with raw(server) as connection:
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        connection.sendall(outgoing.read())
        while outgoing.pending == 0:
            incoming.write(connection.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
        if not within:
            connection.sendall(outgoing.read())
            assert connection.recv(65536)  # tickets: its side of the handshake is over, too
        client.write(b"GE")
        # more than the server reads at once: the rest comes while a thread has the beginning
        broken = b"\x17\x03\x03\x00\x20" + b"x" * 32
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(outgoing.read() + broken * 1000)
        read_to_end(connection)
    server.logged("decryption failed or bad record mac; closed")
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


def test_a_flood_of_handshakes_leaves_no_memory(start, pki, sanitized):
    """OpenSSL's memory is malloc's, and what some threads have freed there would stay with the process."""
    if sanitized:
        pytest.skip("a sanitizer's malloc keeps what is freed")
    server = start("test-server", *tls_options(pki.server))
    handshake_seconds(server, pki)
    before = server.rss()
    first = client_hello(pki)
    for _ in range(3):
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(raw(server)) for _ in range(600)]
            for peer in peers:
                peer.sendall(first)
            assert all(peer.recv(1) for peer in peers)
            for peer in peers[::2]:  # not in the order in which they came
                peer.close()
    print(f"{(server.rss() - before) / MIB:.1f} MiB at once")
    eventually(lambda: server.rss() < before + 6 * MIB, "its memory is given back")


def handshake_seconds(server, pki):
    begun = time.monotonic()
    with Wire(server, tls={"context": pki.context()}) as wire:
        assert wire.call(ECHO, b"\x12\x01x").status == 0
    return time.monotonic() - begun


def peer_from(address, server):
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE, source_address=(address, 0))


@pytest.mark.alone
@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
def test_peers_that_have_gone_get_no_signature(start, pki, reset):
    """Each would take as long as a newcomer's, who would wait for all of them."""
    server = start("test-server", *tls_options(pki.make(f"slow-{reset}", names=["localhost"], kind=4096)))
    alone = min(handshake_seconds(server, pki) for _ in range(3))
    first = client_hello(pki)
    storm = 400
    for _ in range(storm):
        with raw(server) as peer:
            peer.sendall(first)
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert handshake_seconds(server, pki) < alone * storm / 4


@pytest.mark.alone
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_a_newcomer_does_not_wait_for_all(start, pki, address):
    """Those of its own address that came before it included."""
    slow = pki.make(f"slow-{address}", names=["localhost"], kind=4096)
    server = start("test-server", *tls_options(slow), "--limit", "handshake_ms=60000")
    alone = min(handshake_seconds(server, pki) for _ in range(3))
    first = client_hello(pki)
    storm = 200
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(peer_from(address, server)) for _ in range(storm)]
        for peer in peers:
            peer.sendall(first)
        assert handshake_seconds(server, pki) < alone * storm / 4
        assert all(peer.recv(1) for peer in peers[::50])  # they have their turn, too


def test_who_waits_for_a_thread_is_not_called_silent(start, pki):
    """It has sent all that it can."""
    slow = pki.make("slow-threads", names=["localhost"], kind=4096)
    server = start("test-server", *tls_options(slow), "--limit", "handshake_ms=100")
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        for peer in [stack.enter_context(raw(server)) for _ in range(200)]:
            peer.sendall(first)
        server.logged("its TLS handshake was not through in time (handshake_ms); closed")


def test_addresses_take_turns(start, pki):
    """However many of another address come later."""
    server = start("test-server", *tls_options(pki.make("slow-turns", names=["localhost"], kind=4096)))
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        peers = {
            address: [stack.enter_context(peer_from(address, server)) for _ in range(count)]
            for address, count in (("127.0.0.1", 50), ("127.0.0.2", 3), ("127.0.0.3", 50), ("127.0.0.4", 50))
        }
        for of_one in peers.values():
            for peer in of_one:
                peer.sendall(first)
        for peer in peers["127.0.0.2"]:
            assert peer.recv(1)
        answered = 0
        for peer in peers["127.0.0.4"]:
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                answered += bool(peer.recv(1))
        assert answered < 25


def has_read_all(server):
    """Whether the server has accepted all that came, and read what they sent: in /proc/net/tcp both are the rx_queue."""
    with open("/proc/net/tcp") as table:
        fields = [line.split() for line in table][1:]
    port = f":{server.port:04X}"
    return all(of[4].endswith(":00000000") for of in fields if of[1].endswith(port))


def test_too_many_handshakes_are_turned_away(start, pki):
    slow = pki.make("slow2", names=["localhost"], kind=4096)
    server = start("test-server", *tls_options(slow), "--limit", "handshakes_queued_max=5")
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(raw(server)) for _ in range(60)]
        for peer in peers:
            peer.sendall(first)
        # io_uring tells of what came in order of its own, once it comes together
        eventually(lambda: has_read_all(server), "all hellos read")
        handshake_seconds(server, pki)  # who comes last has waited least, and is served
        server.logged("too many handshakes wait for a thread (handshakes_queued_max); closed")


def test_ever_new_addresses_do_not_starve_newcomers(start, pki):
    """However many they are, and though they come later: they are of one network, and newcomers of others."""
    server = start(
        "test-server",
        *tls_options(pki.make("slow-networks", names=["localhost"], kind=4096)),
        *("--limit", "handshakes_queued_max=40"),
    )
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(peer_from(f"127.66.{i % 2}.{1 + i // 2}", server)) for i in range(300)]
        newcomers = [stack.enter_context(peer_from(f"127.{77 + i}.0.1", server)) for i in range(8)]
        for peer in flood[:100]:
            peer.sendall(first)
        eventually(lambda: has_read_all(server), "all hellos read")
        for i, newcomer in enumerate(newcomers):
            for peer in [newcomer, *flood[100 + 25 * i :][:25]]:
                peer.sendall(first)
        assert all(newcomer.recv(1) for newcomer in newcomers), "turned away"
        server.logged("too many handshakes wait for a thread (handshakes_queued_max); closed")


def test_a_session_is_resumed_before_signatures_are_made(start, pki):
    server = start("test-server", *tls_options(pki.make("slow-resumed", names=["localhost"], kind=4096)))
    context = pki.context()
    with Wire(server, tls={"context": context}) as wire:
        assert wire.call(ECHO, b"\x12\x01x").status == 0
        session = wire.socket.session
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(peer_from("127.0.0.1", server)) for _ in range(200)]
        for peer in peers:
            peer.sendall(first)
        with Wire(server, tls={"context": context, "session": session}) as wire:
            assert wire.socket.session_reused
            assert wire.call(ECHO, b"\x12\x01x").status == 0
        answered = 0
        for peer in peers:
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                answered += bool(peer.recv(1))
        assert answered < 100


def test_addresses_that_leave_while_they_wait(start, pki):
    """What is known of an address lasts as long as a thread needs it."""
    server = start("test-server", *tls_options(pki.make("slow-leave", names=["localhost"], kind=4096)))
    first = client_hello(pki)
    for i in range(600):
        with peer_from(f"127.{66 + i % 7}.{i // 250}.{1 + i % 250}", server) as peer:
            peer.sendall(first)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handshake_seconds(server, pki)


def test_too_much_before_the_handshake_is_over(start, pki):
    server = start("test-server", *tls_options(pki.server), "--limit", "handshake_bytes_max=4000")
    with raw(server) as connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(b"\x16\x03\x01\x40\x00" + b"x" * 5000)
        read_to_end(connection)
    server.logged("it sends too much before its handshake is over (handshake_bytes_max); closed")


def half_shaken(server, pki):
    """A client of HTTP/1.1 whose last handshake message is still to be sent: its socket, its TLS, and the two's memory."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = pki.context(alpn=("http/1.1",)).wrap_bio(incoming, outgoing, server_hostname="localhost")
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    while True:
        try:
            client.do_handshake()
            return connection, client, incoming, outgoing
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))


def test_a_large_body_behind_the_last_handshake_message(start, pki):
    """HTTP/1.1 has no flow control: while the handshake's threads are busy, no more is read than the limit allows."""
    server = start("quoit-api", *options_of(pki.make("slow-body", names=["localhost"], kind=4096)))
    body = b'{"name":"' + b"x" * 400_000 + b'"}'
    request = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    first = client_hello(pki)
    with contextlib.ExitStack() as stack:
        clients = [half_shaken(server, pki) for _ in range(8)]
        for connection, *_ in clients:
            stack.enter_context(connection)
        for _ in range(50):
            stack.enter_context(raw(server)).sendall(first)
        for connection, client, _, outgoing in clients:
            sent = request % (HELLO.encode(), len(body)) + body
            while sent:
                sent = sent[client.write(sent) :]  # a record
            connection.sendall(outgoing.read())
        for connection, client, incoming, _ in clients:
            incoming.write(read_to_end(connection))
            answer = b"".join(iter(lambda: client.read(MIB), b""))
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b'x!"}'), answer[:200]
