# SPDX-License-Identifier: MIT
"""What programs say goes out when somebody reads it, and is in nobody's way when nobody does."""

import contextlib
import fcntl
import os
import pathlib
import re
import resource
import socket
import subprocess
import time

import pytest

from servers import PATIENCE, TIME, eventually, free_port
from wire import Wire

HELLO = "/api.Api/sayHello"
SERVERS = ["quoit-api", "quoit-interop-server"]


class Silent:
    """A server whose stderr, a small pipe, is not read before .read() is called."""

    def __init__(self, program, *arguments, nonblocking=False, **options):
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        if nonblocking:
            os.set_blocking(writer, False)
        self.port = free_port()
        command = [program, "--port", self.port, *arguments]
        self.process = subprocess.Popen(list(map(str, command)), stderr=writer, **options)
        os.close(writer)
        eventually(self.is_there, "it listens")

    def is_there(self):
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        assert self.process.poll() is None
        return False

    def offend(self, times):
        """Each time costs the server a line."""
        for _ in range(times):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as one:
                one.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while one.recv(4096):
                    pass

    def stop(self):
        """How long it took, in seconds."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        return time.monotonic() - began

    def read(self):
        with open(self.reader, "rb") as out:
            return out.read().decode()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("nonblocking", [False, True], ids=["blocking", "nonblocking"])
@pytest.mark.parametrize("program", SERVERS)
def test_nobody_reads_stderr(build, program, nonblocking):
    server = Silent(build / "bin" / program, nonblocking=nonblocking)
    try:
        server.offend(100)
        with Wire(server) as wire:
            assert wire.ping()
        before = server.cpu()
        time.sleep(0.5)
        assert server.cpu() - before < 0.2  # waiting costs nothing
        assert server.stop() < 5
        lines = server.read().splitlines(keepends=True)
        # what is in the pipe is whole
        assert lines and all(re.fullmatch(TIME + program + r": .*\n", line) for line in lines)
    finally:
        server.process.kill()
        server.process.wait()


def test_who_reads_late_gets_it_all(build):
    server = Silent(build / "bin/quoit-api")
    server.offend(100)
    with open(server.reader, "rb") as out:
        text = b""
        while text.count(b"\n") < 101:
            text += os.read(out.fileno(), 4096)
        lines = text.decode().splitlines()
        assert all(re.match(TIME + "quoit-api: ", line) for line in lines)
        assert sum("HTTP" in line for line in lines) >= 99
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        assert out.read().endswith(b"Z quoit-api: stopped\n")


def test_nobody_reads_the_access_log(build):
    """Nor stdout, nor stderr: the end comes all the same."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = Silent(build / "bin/quoit-api", "--access-log", "-", stdout=writer)
    os.close(writer)
    try:
        for _ in range(10):
            with Wire(server) as wire:
                streams = [wire.request(HELLO, b"") for _ in range(50)]
                assert all(wire.answer(stream).status == 0 for stream in streams)
        server.offend(100)
        assert server.stop() < 6
        with open(reader, "rb") as out:
            lines = out.read().splitlines(keepends=True)
        assert lines and all(line.startswith(b"time=") and line.endswith(b"\n") for line in lines)
    finally:
        server.process.kill()
        server.process.wait()


def test_two_servers_share_a_pipe(build):
    """Lines of one are not cut by lines of the other."""
    reader, writer = os.pipe()
    servers = []
    for _ in range(2):
        servers.append(Silent(build / "bin/quoit-api", "--access-log", "-", stdout=writer))
    os.close(writer)
    agent = "x" * 200
    wires = [Wire(server) for server in servers]
    for _ in range(10):
        streams = [(wire, wire.request(HELLO, b"", user_agent=agent)) for wire in wires for _ in range(50)]
        assert all(wire.answer(stream).status == 0 for wire, stream in streams)
    for wire in wires:
        wire.socket.close()
    for server in servers:
        server.process.terminate()
    with open(reader, "rb") as out:
        lines = out.read().splitlines()
    assert len(lines) == 1000
    assert all(re.fullmatch(rb'time=[^=]* peer=.* user_agent="x{200}"', line) for line in lines)
    assert [server.process.wait(PATIENCE) for server in servers] == [0, 0]


def test_stderr_whose_reader_has_gone(build):
    server = Silent(build / "bin/quoit-api")
    os.close(server.reader)
    server.offend(20)
    assert server.stop() < 5


def test_a_full_disk(build, tmp_path):
    """stderr is a file that takes no more, in the midst of a line. That goes on when there is room again."""
    path = tmp_path / "log"
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with path.open("w") as out:
        process = subprocess.Popen(
            [build / "bin/quoit-api", "--port", "0"],
            stderr=out,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, infinite[1])),
        )
    eventually(lambda: path.stat().st_size == 20, "it is full")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, infinite)
    eventually(lambda: path.read_text().endswith("\n"), "the line goes on")
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert re.fullmatch(rf"{TIME}quoit-api: listening on \[::\]:\d+\n{TIME}quoit-api: stopped\n", path.read_text())


@pytest.mark.parametrize("program", SERVERS)
def test_what_is_wrong_with_the_command_line_is_said(build, program):
    command = [build / "bin" / program, "--port", "x"]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert result.returncode == 2
    assert result.stderr == f"{program}: error: --port: 'x' is not a number from 0 to 65535; see {program} --help\n"


@pytest.mark.parametrize("program", SERVERS)
def test_a_port_in_use_is_said_in_a_full_pipe_too(build, program):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        command = [build / "bin" / program, "--port", str(taken.getsockname()[1])]
        process = subprocess.Popen(command, stderr=writer)
        os.close(writer)
        with open(reader, "rb") as out:
            assert out.read(4096) == b"x" * 4096
            assert b"Address already in use" in out.read()
        assert process.wait(PATIENCE) == 1
        # nobody reads it: then it is not said, and the program ends all the same
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writer, b"x" * 4096)
        assert subprocess.run(command, stderr=writer, timeout=PATIENCE).returncode == 1
        os.close(writer)
        os.close(reader)


# ---- descriptors that are closed ----


def closing(*fds):
    def close():
        for fd in fds:
            os.close(fd)

    return close


@pytest.mark.parametrize("fds", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("program", SERVERS)
def test_closed_descriptors_are_not_sockets(build, program, fds):
    port = free_port()
    process = subprocess.Popen([build / "bin" / program, "--port", str(port)], preexec_fn=closing(*fds))
    try:

        def is_up():
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", port))

        with eventually(is_up, "it listens") as one:
            one.sendall(b"GET / HTTP/1.1\r\n\r\n")  # a line is said of it
            while one.recv(4096):
                pass
        for fd in fds:
            assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
@pytest.mark.parametrize("program", ["quoit-api", "protoc-gen-quoit"])
def test_output_that_goes_nowhere_is_an_error(build, program, arguments):
    command = [build / "bin" / program, *arguments]
    closed = subprocess.run(command, stderr=subprocess.PIPE, preexec_fn=closing(1), text=True, timeout=PATIENCE)
    assert closed.returncode == 1 and "cannot write" in closed.stderr
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert result.returncode == 1 and "No space left" in result.stderr


def test_the_plugin_without_standard_streams(build):
    plugin = build / "bin/protoc-gen-quoit"
    for fd, said in ((0, "cannot read standard input"), (1, "cannot write standard output")):
        result = subprocess.run(
            [plugin], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=closing(fd), text=True, timeout=PATIENCE
        )
        assert result.returncode == 1 and said in result.stderr


def test_the_load_generator_without_stdout(build, start):
    if not (build / "bench/quoit-load").exists():
        pytest.skip("built without the bench")
    server = start("quoit-api", "--port", 0)
    command = [build / "bench/quoit-load", "--calls", "10", server.target, HELLO]
    result = subprocess.run(command, stderr=subprocess.PIPE, preexec_fn=closing(1), text=True, timeout=PATIENCE)
    assert result.returncode == 1 and "cannot write standard output" in result.stderr


# ---- systemd's journal ----


def to_the_journal(build, program, *arguments, stream=None):
    """What it says on a socket that $JOURNAL_STREAM names, until it has ended; stopped once it listens."""
    ours, its = socket.socketpair()
    with ours:
        status = os.fstat(its.fileno())
        stream = stream or f"{status.st_dev}:{status.st_ino}"
        process = subprocess.Popen(
            [build / "bin" / program, *arguments], stderr=its, env={**os.environ, "JOURNAL_STREAM": stream}
        )
        its.close()
        text = b""
        while piece := ours.recv(4096):
            text += piece
            if b"listening on" in text:
                process.terminate()
        process.wait(PATIENCE)
    return text.decode().splitlines()


@pytest.mark.parametrize("program", SERVERS)
def test_the_journal_is_told_how_bad_it_is(build, program):
    """By syslog's numbers, and not the time, which it knows."""
    begun, *_ = to_the_journal(build, program, "--port", "0")
    assert begun.startswith(f"<6>{program}: listening on ")
    assert to_the_journal(build, program, "--port", "x")[0].startswith(f"<3>{program}: error: --port: 'x'")


def test_an_error_and_a_warning_in_the_journal(build):
    assert to_the_journal(build, "quoit-api", "--listen", "nonsense")[0].startswith("<3>quoit-api: error: 'nonsense'")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        assert to_the_journal(build, "quoit-api", "--port", port)[0].startswith("<3>quoit-api: error: ")


def test_another_ones_journal(build):
    """stderr was redirected by somebody who has left the variable in the environment."""
    begun, *_ = to_the_journal(build, "quoit-api", "--port", "0", stream="8:12345")
    assert re.match(TIME + "quoit-api: listening on ", begun)
