# SPDX-License-Identifier: MIT
"""quoit doctor: what it says of machines and servers that are well, and of those that are not, and what to do."""

import contextlib
import fcntl
import json
import os
import pty
import socket
import ssl
import struct
import subprocess
import termios
import threading

import pytest

from grpcio_server import grpcio_server
from servers import PATIENCE, free_port
from tls import pki, serve  # noqa: F401: fixtures

MACHINE = ["kernel", "io_uring_setup", "io_uring_enter", "io_uring_register", "net.core.somaxconn", "nofile"]


class Report:
    """The document of --json."""

    def __init__(self, done):
        assert done.stderr == ""
        document = json.loads(done.stdout)
        self.status = done.returncode
        self.verdict = document["verdict"]
        self.target = document.get("target")
        self.findings = document["findings"]
        order = ["OK", "WARN", "FAIL"]
        assert self.verdict == max((one["verdict"] for one in self.findings), key=order.index)
        assert self.status == (1 if self.verdict == "FAIL" else 0)
        for one in self.findings:
            assert ("advice" in one) == (one["verdict"] != "OK"), one

    def __getitem__(self, key):
        """The one finding of (section, topic)."""
        (found,) = [one for one in self.findings if (one["section"], one["topic"]) == key]
        return found

    def verdicts(self, *sections):
        return {(one["section"], one["topic"]): one["verdict"] for one in self.findings if one["section"] in sections}

    def sections(self):
        return list(dict.fromkeys(one["section"] for one in self.findings))

    def says(self, section, topic, verdict, text):
        found = self[section, topic]
        assert found["verdict"] == verdict, found
        assert text in found["text"] + "; " + found.get("advice", ""), found


@pytest.fixture(scope="module")
def doctor(build):
    """doctor(words of the command line, before: a program that runs it): its Report."""

    def run(*words, before=()):
        words = [*before, build / "bin/quoit", "doctor", "--json", *words]
        return Report(subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=120))

    return run


@contextlib.contextmanager
def odd_server(act):
    """Its port on 127.0.0.1; act(connection) for each connection, which is closed then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_all():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        act(connection)

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)


def test_this_machine(doctor):
    report = doctor()
    assert report.sections() == ["machine"] and report.target is None
    for topic in MACHINE:
        report["machine", topic]
    assert os.uname().release in report["machine", "kernel"]["text"]


@pytest.mark.parametrize("call", ["io_uring_setup", "io_uring_enter", "io_uring_register"])
@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_a_call_that_is_forbidden(doctor, build, call, error):
    report = doctor(before=[build / "tests/forbid", f"{call}={error}", "--"])
    report.says("machine", call, "WARN", "seccomp profile")
    report.says("machine", "seccomp", "OK", "a filter is in force")


def test_a_container(doctor, build):
    report = doctor(before=[build / "tests/forbid", "container", "--"])
    for call in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
        report.says("machine", call, "WARN", "until then Quoit uses epoll")


def test_few_descriptors(doctor, build):
    report = doctor(before=[build / "tests/forbid", "nofile=20", "--"])
    report.says("machine", "nofile", "FAIL", "LimitNOFILE=")
    assert report.status == 1


def test_a_server_that_is_well(doctor, start):
    server = start("quoit-api", "--listen", "127.0.0.1:0")
    report = doctor(server.target)
    assert report.target == server.target
    assert report.sections() == ["machine", "TCP", "HTTP/2", "gRPC"]
    assert set(report.verdicts("TCP", "HTTP/2", "gRPC").values()) == {"OK"}, report.findings
    report.says("TCP", server.target, "OK", "connected in")
    report.says("gRPC", "health", "OK", "SERVING")
    report.says("gRPC", "reflection", "OK", "v1, ")
    report.says("gRPC", "deadline", "OK", "DEADLINE_EXCEEDED")
    for setting in ("MAX_CONCURRENT_STREAMS", "INITIAL_WINDOW_SIZE", "connection window", "PING"):
        assert report["HTTP/2", setting]["verdict"] == "OK"


def test_localhost_has_two_addresses(doctor, start):
    server = start("quoit-api", "--listen", "127.0.0.1:0")
    report = doctor(f"localhost:{server.port}")
    report.says("DNS", "localhost", "OK", "::1, 127.0.0.1 (RFC 6761")
    report.says("TCP", server.target, "OK", "connected")
    assert report["TCP", f"[::1]:{server.port}"]["verdict"] == "WARN"
    assert report["gRPC", "health"]["verdict"] == "OK"


def test_a_unix_socket(doctor, start, tmp_path):
    start("quoit-api", "--listen", f"unix:{tmp_path}/a.sock")
    for words in ([f"unix:{tmp_path}/a.sock"], ["--unix", f"{tmp_path}/a.sock"]):
        report = doctor(*words)
        report.says("socket", f"{tmp_path}/a.sock", "OK", "connected")
        report.says("gRPC", "health", "OK", "SERVING")
    doctor(f"unix:{tmp_path}/b.sock").says("socket", f"{tmp_path}/b.sock", "FAIL", "No such file")


def test_a_server_without_health_and_reflection(doctor, stubs):
    module = stubs("api_pb2_grpc")
    with grpcio_server(module.add_ApiServicer_to_server, module.ApiServicer()) as target:
        report = doctor(target)
    report.says("gRPC", "health", "WARN", "no such service")
    report.says("gRPC", "reflection", "WARN", "--protoset FILE")
    report.says("gRPC", "deadline", "OK", "not tried")
    assert report.status == 0 or report.verdicts("machine")


def test_tls_that_is_well(doctor, serve, pki):  # noqa: F811
    server = serve()
    for words in (["--cacert", pki.ca.file], ["--cacert", pki.ca.file, "--tls"]):
        report = doctor(server.target, *words)
        assert report.sections() == ["machine", "TCP", "TLS", "HTTP/2", "gRPC"]
        assert set(report.verdicts("TLS", "HTTP/2", "gRPC").values()) == {"OK"}, report.findings
    report.says("TLS", "certificate", "OK", "CN=server, by CN=ca, ")
    report.says("TLS", "name", "OK", "127.0.0.1")
    report.says("TLS", "ALPN", "OK", "h2")
    report.says("TLS", "handshake", "OK", "TLSv1.3")


def test_tls_that_is_not_trusted(doctor, serve, pki):  # noqa: F811
    server = serve()
    # it is found out that the server wants TLS
    report = doctor(server.target)
    report.says("TLS", "chain", "FAIL", "--cacert FILE")
    report.says("gRPC", "connection", "FAIL", "certificate")
    report = doctor(server.target, "--cacert", pki.other_ca.file)
    report.says("TLS", "chain", "FAIL", "not trusted")
    report = doctor(server.target, "--insecure")
    report.says("TLS", "chain", "WARN", "not trusted")
    report = doctor(server.target, "--cacert", pki.ca.file, "--servername", "other.example")
    report.says("TLS", "name", "FAIL", "not for other.example, but for DNS:localhost, IP Address:127.0.0.1")
    report = doctor(server.target, "--plaintext")
    report.says("HTTP/2", "HTTP/2", "FAIL", "TLS")


def test_a_certificate_that_ends(doctor, serve, pki):  # noqa: F811
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.expired.file, pki.expired.key_file)

    def act(connection):
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    with odd_server(act) as port:
        report = doctor(f"localhost:{port}", "--cacert", pki.ca.file)
    report.says("TLS", "certificate", "FAIL", "has expired 2 days ago")
    report.says("TLS", "chain", "FAIL", "renew it")
    report.says("TLS", "ALPN", "FAIL", "it chooses no protocol")
    report.says("HTTP/2", "HTTP/2", "FAIL", "closes the connection")
    server = serve(certificate=pki.make("soon", names=["IP:127.0.0.1"], days=(-9, 3)))
    report = doctor(server.target, "--cacert", pki.ca.file)
    report.says("TLS", "certificate", "WARN", "expires in ")
    assert report["gRPC", "health"]["verdict"] == "OK"


def test_a_server_that_wants_a_certificate(doctor, serve, pki):  # noqa: F811
    server = serve(client_ca=pki.ca.file)
    own = ["--cert", pki.client.file, "--key", pki.client.key_file, "--cacert", pki.ca.file]
    assert set(doctor(server.target, *own).verdicts("TLS", "HTTP/2", "gRPC").values()) == {"OK"}
    report = doctor(server.target, "--cacert", pki.ca.file)
    assert report.verdict == "FAIL" and "--cert" in json.dumps(report.findings)
    report = doctor(server.target, "--cacert", pki.client.key_file)
    report.says("TLS", str(pki.client.key_file), "FAIL", "PEM")


def test_nobody_is_there(doctor):
    port = free_port()
    report = doctor(f"127.0.0.1:{port}")
    report.says("TCP", f"127.0.0.1:{port}", "FAIL", "Connection refused")
    assert report.sections() == ["machine", "TCP"]
    report = doctor("no-such-name.invalid:1", "--connect-timeout", "1s")
    assert report["DNS", "no-such-name.invalid"]["verdict"] == "FAIL"
    assert report.sections() == ["machine", "DNS"]


@pytest.mark.parametrize(
    "answer, text",
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it answers by HTTP/1.1"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "another protocol"),
        (b"", "closes the connection"),
    ],
)
def test_another_protocol(doctor, answer, text):
    def act(connection):
        connection.recv(1)
        connection.sendall(answer)

    with odd_server(act) as port:
        doctor(f"127.0.0.1:{port}").says("HTTP/2", "HTTP/2", "FAIL", text)


def test_silence(doctor):
    with odd_server(lambda connection: connection.recv(1 << 20) and connection.recv(1 << 20)) as port:
        report = doctor(f"127.0.0.1:{port}", "--connect-timeout", "500ms")
        report.says("HTTP/2", "HTTP/2", "FAIL", "no answer in time")


def settings(*pairs):
    payload = b"".join(struct.pack(">HI", *pair) for pair in pairs)
    return len(payload).to_bytes(3, "big") + bytes([4, 0]) + bytes(4) + payload


def test_odd_settings(doctor):
    goaway = b"\0\0\x0b\x07\0\0\0\0\0" + bytes(4) + b"\0\0\0\x0bbye\x1b"[:7]

    def act(connection):
        connection.recv(24)
        connection.sendall(settings((2, 1), (3, 0), (4, 100), (5, 1), (6, 16), (0xABC, 7)) + goaway)
        connection.recv(1 << 20)

    with odd_server(act) as port:
        report = doctor(f"127.0.0.1:{port}", "--plaintext", "--connect-timeout", "2s")
    report.says("HTTP/2", "ENABLE_PUSH", "FAIL", "RFC 9113")
    report.says("HTTP/2", "MAX_CONCURRENT_STREAMS", "FAIL", "takes no calls")
    report.says("HTTP/2", "INITIAL_WINDOW_SIZE", "WARN", "100 bytes")
    report.says("HTTP/2", "MAX_FRAME_SIZE", "FAIL", "16384 to 16777215")
    report.says("HTTP/2", "MAX_HEADER_LIST_SIZE", "WARN", "16 bytes")
    report.says("HTTP/2", "other settings", "OK", "0xabc = 7")
    report.says("HTTP/2", "GOAWAY", "FAIL", "error 11 bye")


# ---- for people ----


def on_terminal(words, columns, **env):
    """What it prints on a terminal of that width."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(words, stdout=other, env={**environment, "TERM": "xterm", **env})
    os.close(other)
    printed = b""
    with contextlib.suppress(OSError):  # EIO: nobody writes any more
        while data := os.read(main, 65536):
            printed += data
    os.close(main)
    process.wait(PATIENCE)
    return printed.decode().replace("\r\n", "\n")


def test_a_terminal(build, start):
    server = start("quoit-api", "--listen", "127.0.0.1:0")
    words = [str(build / "bin/quoit"), "doctor", f"localhost:{server.port}"]
    for columns in (80, 200):
        plain = on_terminal(words, columns, NO_COLOR="1")
        assert "\x1b" not in plain
        lines = plain.splitlines()
        assert max(map(len, lines)) <= columns
        assert [line for line in lines if line and not line.startswith(" ")][:4] == ["machine", "DNS", "TCP", "HTTP/2"]
    assert "\x1b[" in on_terminal(words, 80)
    piped = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert "\x1b" not in piped.stdout and piped.stderr == ""
    (refused,) = [line for line in piped.stdout.splitlines() if f"[::1]:{server.port}" in line]
    assert refused.startswith("  WARN  ") and "; " in refused  # one line, with what to do
    assert piped.stdout.splitlines()[-1].endswith(", 0 FAIL")


def test_mistakes(build):
    def run(*words):
        done = subprocess.run([build / "bin/quoit", "doctor", *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    assert run("a:1", "b:2") == (2, "", "quoit: doctor: one HOST:PORT, not also b:2\n")
    status, printed, said = run("--jsn")
    assert (status, printed) == (2, "") and "did you mean --json?" in said
    status, printed, said = run("--help")
    assert (status, said) == (0, "") and "quoit doctor localhost:50051" in printed
