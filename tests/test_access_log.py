# SPDX-License-Identifier: MIT
"""quoit-api's access log: a line a call, whatever peers send and disks do."""

import contextlib
import json
import os
import re
import signal
import subprocess

import grpc
import pytest

from certificates import Certificate
from servers import PATIENCE, eventually
from wire import Wire, request_fields

HELLO = "/api.Api/sayHello"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.log"


def lines(path, count):
    """The first @count lines of @path, once they are there."""
    eventually(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, "lines")
    return path.read_text("ascii").splitlines()


def entries(path, count):
    return [json.loads(line) for line in lines(path, count)]


@pytest.mark.parametrize("rings", [1, 2])
def test_json(start, connect, api, log, rings):
    options = ["--access-log", log, "--access-log-format", "json", "--rings", rings]
    server = start("quoit-api", "--port", 0, *options)
    stub = api.Stub(connect(server, primary_user_agent="tests"))
    reply = stub.sayHello(api.HelloRequest(name="Ann"), timeout=PATIENCE)
    items = list(stub.getStream(api.ApiRequest(length=10)))
    unary, stream = entries(log, 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", unary["time"])
    assert re.fullmatch(r"ipv[46]:.*127\.0\.0\.1\]?:\d+", unary["peer"])
    assert (unary["method"], unary["status"]) == (HELLO, "OK")
    assert 0 <= unary["wait_us"] <= unary["duration_us"] < PATIENCE * 1e6
    assert (unary["messages_received"], unary["bytes_received"]) == (1, 5)
    assert (unary["messages_sent"], unary["bytes_sent"]) == (1, reply.ByteSize())
    assert PATIENCE * 1000 - 1000 < unary["timeout_ms"] < PATIENCE * 1000 + 1000
    assert unary["user_agent"].startswith("tests grpc-python/")
    assert "http_status" not in unary
    assert stream["method"] == "/api.Api/getStream" and "timeout_ms" not in stream
    assert stream["messages_sent"] == 10
    assert stream["bytes_sent"] == sum(item.ByteSize() for item in items)


def test_text(start, log):
    server = start("quoit-api", "--port", 0, "--access-log", log)
    with Wire(server) as wire:
        assert wire.call(HELLO, b"", user_agent='say "hi" \\').status == 0
        wire.answer(wire.headers(request_fields(HELLO, content_type="text/html"), end=True))
    first, second = lines(log, 2)
    assert re.fullmatch(
        r'time=\S+Z peer="ipv[46]:[^"]+" method="/api.Api/sayHello" protocol=grpc status=OK duration_us=\d+ '
        r"wait_us=\d+ messages_received=1 bytes_received=0 messages_sent=1 bytes_sent=\d+ "
        r'user_agent="say \\"hi\\" \\\\"',
        first,
    )
    assert ' protocol=http status=UNKNOWN http_status=415 duration_us=' in second


TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")
TRACE_BIN = ("grpc-trace-bin", bytes([0, 0, *bytes.fromhex(TRACE), 1, *b"callers.", 2, 1]))


@pytest.mark.parametrize(
    "metadata, trace",
    [
        ([TRACEPARENT, ("grpc-trace-bin", b"")], TRACE),
        ([TRACE_BIN], TRACE),
        ([("traceparent", "00-nothing"), ("x-other", "1")], None),
        ([("grpc-trace-bin", b"\1")], None),
    ],
)
def test_the_trace_of_a_call(start, connect, api, log, metadata, trace):
    server = start("quoit-api", "--port", 0, "--access-log", log, "--access-log-format", "json")
    api.Stub(connect(server)).sayHello(api.HelloRequest(), metadata=metadata)
    assert entries(log, 1)[0].get("trace") == trace


def test_who_called_by_tls(start, api, log, tmp_path):
    ca = Certificate(tmp_path, "ca", ca=True)
    server_side = Certificate(tmp_path, "server", ca, names=["localhost"])
    client = Certificate(tmp_path, 'cl"ient', ca)
    options = ["--tls-cert", server_side.file, "--tls-key", server_side.key_file]
    options += ["--tls-client-ca", ca.file, "--access-log", log, "--access-log-format", "json"]
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0, *options)
    credentials = grpc.ssl_channel_credentials(ca.pem, client.key_pem, client.pem)
    with grpc.secure_channel(f"localhost:{server.port}", credentials) as opened:
        api.Stub(opened).sayHello(api.HelloRequest(name="Ann"), timeout=PATIENCE)
    (entry,) = entries(log, 1)
    assert entry["tls"] == "TLSv1.3" and "ient" in entry["tls_subject"]


def test_hostile_bytes_stay_in_their_line(start, log):
    server = start("quoit-api", "--port", 0, "--access-log", log, "--access-log-format", "json")
    paths = ['/a"}\\n{"b', "/\u00e9\u00ff", "/" + "x" * 5000]
    with Wire(server) as wire:
        for path in paths:
            assert wire.call(path, b"", user_agent="\u00fc").status == 12
    found = [entry["method"] for entry in entries(log, len(paths))]
    # as bytes: one character for each
    assert found[0] == paths[0]
    assert found[1] == "/\u00e9\u00ff".encode().decode("latin-1")
    assert found[2] == paths[2][:256]


def test_standard_output(build, log):
    command = [build / "bin/quoit-api", "--port", "0", "--access-log", "-"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
    address = process.stderr.readline().rpartition(":")[2]
    with Wire(type("Server", (), {"port": int(address)})) as wire:
        assert wire.call(HELLO, b"").status == 0
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stderr.close()
    assert len(lines(log, 1)) == 1


def test_rotation(start, log):
    server = start("quoit-api", "--port", 0, "--access-log", log)
    old = log.with_suffix(".1")
    with Wire(server) as wire:
        assert wire.call(HELLO, b"").status == 0
        lines(log, 1)
        os.rename(log, old)
        assert wire.call(HELLO, b"").status == 0
        lines(old, 2)  # nobody has said that it was moved
        server.signal(signal.SIGHUP)
        eventually(log.exists, "a new file")
        assert wire.call(HELLO, b"").status == 0
        assert len(lines(log, 1)) == 1 and len(lines(old, 2)) == 2


def test_all_is_written_at_the_end(start, connect, api, log):
    server = start("quoit-api", "--port", 0, "--access-log", log)
    stub = api.Stub(connect(server))
    for _ in range(100):
        stub.sayHello(api.HelloRequest(name="Ann"), timeout=PATIENCE)
    server.stop()
    assert log.read_bytes().count(b"\n") == 100


def test_a_file_that_takes_nothing_stops_nobody(start, log):
    """A pipe that nobody reads: calls go on, what does not fit is dropped and told of."""
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        server = start("quoit-api", "--port", 0, "--access-log", log)
        agent = "x" * 250
        for _ in range(60):  # 100 lines of some 450 bytes each: the buffers take 2 MiB
            with Wire(server) as wire:
                streams = [wire.request(HELLO, b"", user_agent=agent) for _ in range(100)]
                assert all(wire.answer(stream).status == 0 for stream in streams)

        def told():
            with contextlib.suppress(BlockingIOError):
                os.read(reader, 1 << 20)
            return any(re.search(r"access log .*: \d+ lines dropped", line) for line in server.log)

        eventually(told, "what was dropped is told of")
    finally:
        os.close(reader)


def test_a_full_disk_is_told_of_once(start, connect, api):
    server = start("quoit-api", "--port", 0, "--access-log", "/dev/full")
    stub = api.Stub(connect(server))
    stub.sayHello(api.HelloRequest(name="Ann"), timeout=PATIENCE)
    server.logged("warning: access log /dev/full: No space left on device")
    stub.sayHello(api.HelloRequest(name="Ann"), timeout=PATIENCE)
    server.stop()
    assert sum("No space left" in line for line in server.log) == 1


@pytest.mark.parametrize(
    "options, status, said",
    [
        (["--access-log", "/nowhere/at/all"], 1, "access log /nowhere/at/all: No such file"),
        (["--access-log-format", "xml"], 2, "--access-log-format: 'xml' is neither text nor json"),
    ],
    ids=["file", "format"],
)
def test_what_is_wrong_is_said(build, options, status, said):
    command = [build / "bin/quoit-api", "--port", "0", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == status and said in result.stderr
    assert result.stderr.count("\n") == 1
