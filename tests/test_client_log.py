# SPDX-License-Identifier: MIT
"""The client's log: servers that do wrong, and what is said of them. tests/unit/client/test_note.c has what needs no such server."""

import socket
import threading

import pytest

from certificates import Certificate
from misbehaving import ANSWER, GRPC, Acts, hang_up, whole
from name_server import SERVFAIL, NameServer
from servers import free_port
from strict_server import StrictServer
from wire import ENHANCE_YOUR_CALM, NO_ERROR, message


@pytest.fixture
def logged(client, calls):
    """The lines of a client that makes a call, or several."""

    def run(target, status="OK", **options):
        made = client.run(target, "Echo", calls.Payload(text="x"), log=True, **{"timeout": 20_000, **options})
        assert {call.status for call in made} == {status}, [call.text for call in made]
        return client.log

    return run


def of_level(lines, level):
    """Those of @level, without it, and without the server's address."""
    return [line.partition(": ")[2] for line in lines if line.startswith(f"{level}: ")]


def strict(*acts):
    return StrictServer(window=65535, answer=Acts(*acts))


def goaway(code, text):
    def act(peer):
        peer.goaway(peer.stream, code, text)
        whole(ANSWER, ("grpc-status", "0"))(peer)

    return act


def test_a_call_that_goes_well(logged, start):
    server = start("test-server")
    assert logged(server.target) == [f"debug: dns:///{server.target}: ipv4:{server.target}: connected"]


def test_silent(client, calls, start):
    client.run(f"127.0.0.1:{free_port()}", "Echo", calls.Payload())
    assert client.log == []


def test_too_many_pings(logged):
    with strict(goaway(ENHANCE_YOUR_CALM, b"too_many_pings")) as server:
        (line,) = of_level(logged(server.target, calls=2), "warning")
    assert line.endswith(
        "the connection ends: the server sent GOAWAY (ENHANCE_YOUR_CALM: too_many_pings)"
    )


def test_farewell(logged):
    """In good order; what a server writes into it does not get into the log as it is."""
    with strict(goaway(NO_ERROR, b"max\nage\x1b[2J")) as server:
        lines = logged(server.target, calls=2)
    assert of_level(lines, "warning") == of_level(lines, "info") == []
    (line,) = [line for line in lines if "ends" in line]
    assert line.endswith("the connection ends: the server sent GOAWAY (NO_ERROR: max?age?[2J)")


def test_lost(logged):
    with strict(hang_up) as server:
        (line,) = of_level(logged(server.target, status="UNAVAILABLE"), "info")
    assert line.endswith("the connection ends: the server closed the connection")


def test_broken_frames(logged):
    def bad_frame(peer):
        peer.server.socket.sendall(b"\x00\x00\x01\x06\x00\x00\x00\x00\x00x")  # a PING of one byte

    with strict(bad_frame) as server:
        (line,) = of_level(logged(server.target, status="UNAVAILABLE"), "warning")
    assert "the connection ends: the server broke HTTP/2 (FRAME_SIZE_ERROR" in line


def test_broken_responses(logged):
    """Each is told with its method, but no more than ten of a connection."""

    def bad_fields(peer):
        peer.headers([*GRPC, ("X-Upper", "1")])

    def bad_prefix(peer):
        peer.headers(GRPC)
        peer.data(b"\x02" + message(b"x")[1:])

    with strict(bad_fields, bad_prefix, *[bad_prefix] * 20) as server:
        lines = of_level(logged(server.target, status="INTERNAL", calls=22), "warning")
    assert len(lines) == 10
    begin = f"dns:///{server.target}: ipv4:{server.target}: /calls.Calls/Echo: "
    assert all(line.startswith(begin) for line in lines)
    assert "response is malformed" in lines[0] and lines[1].endswith("malformed message prefix")


def test_no_http2(logged):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        (line,) = of_level(logged(f"127.0.0.1:{port}", status="UNAVAILABLE"), "warning")
        thread.join()
    assert f"ipv4:127.0.0.1:{port}: cannot connect: the server does not speak HTTP/2" in line
    assert "SSH-2.0" in line and "; the next attempt is in " in line


def test_certificate(logged, start, tmp_path):
    own = Certificate(tmp_path, "server", names=["IP:127.0.0.1"])
    stranger = Certificate(tmp_path, "stranger", ca=True)
    server = start("test-server", "--tls-cert", own.file, "--tls-key", own.key_file)
    lines = logged(server.target, status="UNAVAILABLE", ca=stranger.file, calls=3)
    (line,) = of_level(lines, "warning")
    assert "cannot connect: TLS: " in line and "certificate" in line


def test_name_that_is_not_found(logged, start):
    """The first failure alone, and that it is found then; a name server's own failure is another matter."""
    server = start("test-server")
    with NameServer({"backend.test": {"A": SERVFAIL, "AAAA": SERVFAIL}}) as names:
        target = names.target("backend.test", server.port)
        lines = of_level(
            logged(target, status="DEADLINE_EXCEEDED", wait_for_ready=True, backoff=50, timeout=1000), "warning"
        )
        assert len(lines) == 1
        assert lines[0].startswith(f"{target}: cannot resolve backend.test: ")
        assert "; the next lookup is in 0." in lines[0]
        timer = threading.Timer(0.5, lambda: names.names.update({"backend.test": {"A": ["127.0.0.1"]}}))
        timer.start()
        lines = logged(target, wait_for_ready=True, backoff=50)
        timer.join()
    assert len(of_level(lines, "warning")) == 1
    assert of_level(lines, "info") == [f"{target}: 1 address: ipv4:127.0.0.1:{server.port}"]
