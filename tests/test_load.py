# SPDX-License-Identifier: MIT
"""quoit-load tells the truth: what it counts, when calls begin, what it makes of bad answers."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import hyperframe.frame as frames
import pytest

from servers import PATIENCE, Server, descriptors, eventually, free_port
from strict_server import StrictServer
from wire import ENHANCE_YOUR_CALM, REFUSED_STREAM

HELLO, WORLD = "/api.Api/sayHello", "0a05576f726c64"
HELLO_WORLD = "0a0c48656c6c6f20576f726c6421"
ECHO = "/calls.Calls/Echo"


@pytest.fixture(scope="session")
def program(build):
    """The command line's first word."""
    path = build / "bench" / "quoit-load"
    assert path.exists(), "build with -Dbench=true"
    return str(path)


@pytest.fixture
def load(program):
    """load(server, path, option...): the JSON object; .status is the exit status."""

    class Result(dict):
        status = None

    def run(server, path, *options):
        command = [program, "--json", *map(str, options), server.target, path]
        run = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
        assert run.stdout, run.stderr
        result = Result(json.loads(run.stdout))
        result.status = run.returncode
        return result

    return run


@pytest.fixture(scope="module")
def server(build):
    """quoit-api, shared by the tests that leave it as it is."""
    server = Server(build / "bin" / "quoit-api", "--host", "127.0.0.1", "--port", 0)
    yield server
    server.stop()


@pytest.fixture
def stats(calls, connect):
    """stats(server): reads test-server's counters, each time by the same connection."""

    def of(server):
        stub = calls.Stub(connect(server))
        return lambda: stub.Stats(calls.Empty(), timeout=PATIENCE)

    return of


def assert_good(result, calls):
    assert result["errors"] == {}
    assert (result["calls"], result["failed"], result.status) == (calls, 0, 0)


def assert_failed(result, text, count):
    assert result["errors"] == {text: count}
    assert (result["calls"], result["failed"], result.status) == (0, count, 1)


# ---- what is counted ----


@pytest.mark.parametrize("connections, streams", [(1, 1), (1, 64), (7, 3), (3, 100)])
def test_closed_loop_counts(load, server, connections, streams):
    shape = ["--connections", connections, "--streams", streams, "--calls", 1001]
    result = load(server, HELLO, "--message-hex", WORLD, "--expect-hex", HELLO_WORLD, *shape)
    assert_good(result, 1001)
    latency = result["latency_us"]
    ordered = [latency[name] for name in ("p50", "p90", "p99", "p999", "max")]
    assert 0 < ordered[0] and ordered == sorted(ordered)
    assert 0 < latency["mean"] <= latency["max"]
    assert 0 < result["cpu_seconds"] and 0 < result["seconds"]
    assert result["calls_per_second"] == pytest.approx(1001 / result["seconds"], rel=1e-3)
    # Each way at least a frame's header for HEADERS, for DATA and for trailers, and the message.
    assert result["bytes_out"] > 1001 * (9 + 9 + 12) and result["bytes_in"] > 1001 * (27 + 19)


def test_the_server_has_seen_as_many(load, start, stats):
    server = start("test-server")
    result = load(server, ECHO, "--calls", 500, "--connections", 5, "--streams", 10)
    assert_good(result, 500)
    assert stats(server)().done == 500


def test_duration_and_warmup(load, server):
    options = ["--duration", 0.5, "--warmup", 0.3, "--streams", 4]
    result = load(server, HELLO, *options)
    assert_good(result, result["calls"])
    assert result["calls"] > 10 and result["warmup_calls"] > 10
    assert 0.4 < result["seconds"] < 5


def test_text_for_people(program, server):
    run = subprocess.run(
        [program, server.target, HELLO], capture_output=True, text=True, timeout=PATIENCE
    )
    assert run.returncode == 0 and run.stderr == ""
    assert re.match(r"1 calls in [\d.]+ s, \d+ a second; 0 failed\nlatency, µs: p50", run.stdout)


# ---- every kind of call ----


def test_server_stream(load, server):
    options = ["--kind", "server-stream", "--message-hex", "0864", "--calls", 50, "--streams", 5]
    assert_good(load(server, "/api.Api/getStream", *options, "--expect-messages", 100), 50)
    assert_failed(
        load(server, "/api.Api/getStream", *options, "--expect-messages", 99),
        "100 messages instead of 99",
        50,
    )


def test_client_stream(load, start):
    server = start("test-server")
    options = ["--kind", "client-stream", "--messages", 100, "--message-hex", "0803"]
    options += ["--calls", 20, "--streams", 3, "--expect-hex", "08ac02"]
    result = load(server, "/calls.Calls/Sum", *options)
    assert_good(result, 20)


def test_bidi_is_ping_pong(load, start):
    server = start("test-server")
    options = ["--kind", "bidi", "--messages", 30, "--calls", 40, "--streams", 4]
    payload = "0a0568656c6c6f"
    options += ["--message-hex", payload, "--expect-hex", payload, "--expect-bytes", 30 * 7]
    assert_good(load(server, "/calls.Calls/Chat", *options), 40)


@pytest.mark.parametrize("size", [10_000, 1 << 20])
def test_large_messages_wait_for_windows(load, start, api, tmp_path, size):
    server = start("quoit-api", "--port", 0, "--host", "127.0.0.1")
    request = api.HelloRequest(name="n" * size).SerializeToString()
    answer = api.Hello(message="Hello " + "n" * size + "!").SerializeToString()
    (tmp_path / "request").write_bytes(request)
    options = ["--message-file", tmp_path / "request", "--calls", 12, "--streams", 3]
    result = load(server, HELLO, *options, "--connections", 2, "--expect-bytes", len(answer))
    assert_good(result, 12)
    assert result["bytes_in"] > 12 * len(answer) and result["bytes_out"] > 12 * len(request)


def test_mix_is_kept_apart(load, start):
    server = start("test-server")
    # Later answers when so many ms are over.
    options = ["--calls", 300, "--streams", 10, "--mix", "10,/calls.Calls/Later,0832"]
    result = load(server, ECHO, *options)
    assert_good(result, 300)
    assert result["latency_us"]["p50"] < 50_000 <= result["mix_latency_us"]["p50"]
    assert result["mix_latency_us"]["p50"] < 25_000_000


# ---- bad answers ----


@pytest.mark.parametrize(
    "expectation, text",
    [
        (["--expect-hex", HELLO_WORLD[:-2] + "3f"], "message is not the expected one"),
        (["--expect-hex", HELLO_WORLD[:-2]], "message is not the expected one"),
        (["--expect-messages", 2], "1 messages instead of 2"),
        (["--expect-bytes", 15], "14 bytes of messages instead of 15"),
    ],
    ids=["bytes", "length", "messages", "sum"],
)
def test_wrong_answers(load, server, expectation, text):
    options = ["--message-hex", WORLD, "--calls", 30, "--streams", 5, *expectation]
    assert_failed(load(server, HELLO, *options), text, 30)


def test_grpc_status(load, server):
    result = load(server, "/api.Api/sayGoodbye", "--calls", 10)
    assert list(result["errors"].values()) == [10] and result["failed"] == 10
    assert result.status == 1 and "grpc-status 12" in list(result["errors"])[0]


def answer_with(*make_frames):
    """For StrictServer: answers each request with these frames, given its stream."""

    def answer(server, stream, request):
        for make_frame in make_frames:
            server.send(make_frame(server, stream))

    return answer


def headers_of(fields, *flags):
    return lambda server, stream: frames.HeadersFrame(
        stream, server.encoder.encode(fields), flags=["END_HEADERS", *flags]
    )


OK = [(":status", "200"), ("content-type", "application/grpc")]


@pytest.mark.parametrize(
    "make_frames, text",
    [
        ([lambda _, stream: frames.RstStreamFrame(stream, REFUSED_STREAM)],
         "RST_STREAM REFUSED_STREAM"),
        ([headers_of([(":status", "404")], "END_STREAM")], "HTTP status 404"),
        ([headers_of([(":status", "200")]), headers_of([("grpc-status", "0")], "END_STREAM")],
         "content-type is not application/grpc"),
        ([headers_of(OK), headers_of([("x", "y")], "END_STREAM")], "no grpc-status"),
        ([headers_of(OK), headers_of([("grpc-status", "0")], "END_STREAM")],
         "0 messages instead of 1"),
        ([headers_of([*OK, ("grpc-status", "8"), ("grpc-message", 'a"b')], "END_STREAM")],
         'grpc-status 8: a"b'),
        ([headers_of(OK),
          lambda _, stream: frames.DataFrame(stream, bytes(5), flags=["END_STREAM"])],
         "no trailers"),
        ([headers_of(OK), lambda _, stream: frames.DataFrame(stream, b"\0\0\0\0\2."),
          headers_of([("grpc-status", "0")], "END_STREAM")], "message cut short"),
        ([headers_of(OK), lambda _, stream: frames.DataFrame(stream, b"\1\0\0\0\0"),
          headers_of([("grpc-status", "0")], "END_STREAM")], "compressed message"),
    ],
    ids=["reset", "404", "type", "status", "none", "error", "trailers", "cut", "compressed"],
)  # fmt: skip
def test_answers_of_another_kind(load, make_frames, text):
    with StrictServer(streams=10, window=1000, answer=answer_with(*make_frames)) as server:
        assert_failed(load(server, HELLO, "--calls", 10, "--streams", 3), text, 10)
        assert server.faults == []


def test_the_same_block_can_mean_another_thing(load):
    """0xbe is the table's youngest field: that is what the last literal with indexing put there."""
    indexed = lambda text: b"\x40\x0bgrpc-status\x01" + text
    trailers = [indexed(b"0"), b"\xbe", b"\xbe", indexed(b"5"), b"\xbe", b"\xbe"]
    headers = b"\x88\x0f\x10\x10application/grpc"  # content-type without indexing

    def answer(server, stream, request):
        server.send(frames.HeadersFrame(stream, headers, flags=["END_HEADERS"]))
        server.send(frames.DataFrame(stream, bytes(5)))
        block = trailers.pop(0)
        server.send(frames.HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]))

    with StrictServer(window=1000, answer=answer) as server:
        result = load(server, HELLO, "--calls", 6)
    assert (result["calls"], result["errors"]) == (3, {"grpc-status 5": 3})


def test_goaway(load):
    """The calls it spares are answered, the others fail by its name."""

    def answer(server, stream, request):
        if stream == 1:
            server.send(frames.GoAwayFrame(0, last_stream_id=1, error_code=ENHANCE_YOUR_CALM))
            server.answer_echo(stream, request)

    with StrictServer(streams=10, window=1000, answer=answer) as server:
        result = load(server, HELLO, "--calls", 5, "--streams", 5)
    assert (result["calls"], result["failed"], result.status) == (1, 4, 1)
    assert result["errors"] == {"GOAWAY ENHANCE_YOUR_CALM": 4}


@pytest.mark.parametrize(
    "bad, text",
    [
        (frames.WindowUpdateFrame(0, window_increment=2**31 - 1), "FLOW_CONTROL_ERROR"),
        (frames.PushPromiseFrame(1, 2, b"\x88", flags=["END_HEADERS"]), "PROTOCOL_ERROR"),
        (frames.ContinuationFrame(1, b"\x88", flags=["END_HEADERS"]), "PROTOCOL_ERROR"),
        (frames.HeadersFrame(1, b"\xff\xff\xff", flags=["END_HEADERS"]), "COMPRESSION_ERROR"),
        (frames.HeadersFrame(99, b"\x88", flags=["END_HEADERS"]), "PROTOCOL_ERROR"),
        (frames.DataFrame(1, b"x" * 20000), "FRAME_SIZE_ERROR"),
    ],
    ids=["window", "push", "continuation", "hpack", "idle stream", "frame size"],
)
def test_a_server_that_breaks_http2(load, bad, text):
    answer = answer_with(lambda *_: bad)
    with StrictServer(window=1000, answer=answer) as server:
        result = load(server, HELLO, "--calls", 1)
    assert (result["calls"], result["failed"], result.status) == (0, 1, 1)
    assert text in list(result["errors"])[0]


def test_the_server_dies(program, start):
    server = start("quoit-api", "--port", 0, "--host", "127.0.0.1")
    unused = server.descriptors()
    command = [program, "--json", "--duration", "30", "--streams", "8", server.target, HELLO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        eventually(lambda: server.descriptors() > unused, "the load has connected")
        time.sleep(0.3)
        server.signal(signal.SIGTERM)  # it drains: GOAWAY, then the end
        output, _ = process.communicate(timeout=PATIENCE)
    result = json.loads(output)
    assert process.returncode == 1 and result["calls"] > 0
    assert result["errors"] and result["seconds"] < 25
    assert server.wait() == 0


# ---- limits that the server sets ----


@pytest.mark.parametrize("window", [0, 7, 100_000])
@pytest.mark.parametrize("table", [0, 100, 4096])
def test_the_servers_settings_are_obeyed(load, api, tmp_path, window, table):
    message = api.HelloRequest(name="n" * 30_000).SerializeToString()
    (tmp_path / "message").write_bytes(message)
    with StrictServer(streams=2, window=window, table=table) as server:
        options = ["--calls", 20, "--streams", 5, "--message-file", tmp_path / "message"]
        result = load(server, HELLO, *options, "--expect-hex", message.hex())
        assert_good(result, 20)
        assert server.faults == []
        assert (server.served, server.paths) == (20, {HELLO})
        # A call's ACK of its PING stands before the request after next; the last two may be cut off by the end.
        assert server.pongs in (18, 19, 20)


def test_a_server_that_takes_no_streams(load):
    with StrictServer(streams=0) as server:
        result = load(server, HELLO, "--calls", 5)
    assert (result["calls"], result.status) == (0, 1)
    assert server.faults == []


def test_mixed_requests_stand_up_to_any_table(load):
    for table in (0, 4096):
        with StrictServer(window=1000, table=table) as server:
            result = load(server, HELLO, "--calls", 50, "--mix", "50,/api.Api/other,0801")
            assert_good(result, 50)
            assert server.faults == []
            assert server.paths == {HELLO, "/api.Api/other"}


# ---- open loop ----


def test_the_rate_is_kept(load, server):
    options = ["--rate", 2000, "--warmup", 0.2, "--duration", 1]
    result = load(server, HELLO, *options, "--connections", 3, "--streams", 50)
    assert_good(result, 2000)
    assert result["warmup_calls"] == 400
    # The last call's time is 0.9995 s; a busy machine may be late, never early.
    assert 0.99 < result["seconds"] < 5
    # One that began before its time would have taken less than nothing: as much as can be recorded.
    assert result["latency_us"]["max"] < 30_000_000


def paused(load, server, *options):
    """A load of 1.5 seconds amid which the server stands still for 300 ms."""
    unused = server.descriptors()

    def pause():
        eventually(lambda: server.descriptors() > unused, "the load has connected")
        time.sleep(0.4)
        server.signal(signal.SIGSTOP)
        time.sleep(0.3)
        server.signal(signal.SIGCONT)

    thread = threading.Thread(target=pause)
    thread.start()
    try:
        return load(server, HELLO, "--duration", 1.5, *options)
    finally:
        thread.join()
        eventually(lambda: server.descriptors() == unused, "its connections are closed")


@pytest.mark.parametrize("streams", [1, 1000])
def test_a_pause_is_not_omitted(load, start, streams):
    """Of 1500 calls in 1.5 s 300 fall into the pause, whether they find a stream or not: p90 is one
    of them. In closed loop it is as many calls as there are streams that wait, and no more."""
    server = start("quoit-api", "--port", 0, "--host", "127.0.0.1")
    result = paused(load, server, "--rate", 1000, "--streams", streams)
    assert_good(result, 1500)
    assert result["latency_us"]["max"] > 290_000
    assert result["latency_us"]["p90"] > 100_000
    closed = paused(load, server)
    assert closed["latency_us"]["max"] > 290_000
    assert closed["latency_us"]["p99"] < 290_000


def test_calls_that_are_never_answered_count(load):
    """With what they waited at least, and also those that never found a stream."""
    with StrictServer(streams=2, window=1000, answer=lambda *_: None) as server:
        result = load(server, HELLO, "--rate", 10, "--calls", 5, "--streams", 2)
    errors = {"not answered": 2, "not begun: no stream was free": 3}
    assert (result["errors"], result["calls"], result.status) == (errors, 0, 1)
    assert result["latency_us"]["p50"] > 4_500_000


# ---- holding and waiting ----


def test_idle(program, start, stats):
    server = start("test-server")
    process = subprocess.Popen(
        [program, "--idle", "--json", "--connections", "50", server.target, ECHO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "idle\n"
        read = stats(server)
        now = read()
        assert (now.connections_open, now.done) == (51, 50)
        process.stdin.close()
        result = json.loads(process.stdout.read())
    assert (result["calls"], result["failed"], process.returncode) == (50, 0, 0)
    eventually(lambda: read().connections_open == 1, "the connections are closed")


def test_first_call(program, start):
    port = free_port()
    command = [program, "--first-call", "--json", f"127.0.0.1:{port}", HELLO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        eventually(lambda: "anon_inode" in "".join(descriptors(process.pid)), "it has begun")
        time.sleep(0.2)
        assert process.poll() is None
        start("quoit-api", "--host", "127.0.0.1", "--port", port)
        result = json.loads(process.communicate(timeout=PATIENCE)[0])
    assert (result["calls"], result["failed"], process.returncode) == (1, 0, 0)
    assert 0.15 < result["seconds"] < PATIENCE


# ---- misuse ----


def run_badly(program, *arguments):
    run = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=PATIENCE
    )
    assert run.stdout == "" and re.fullmatch(r"quoit-load: [^\n]+\n", run.stderr), run.stderr
    return run.returncode, run.stderr


@pytest.mark.parametrize(
    "arguments, names",
    [
        ([], "HOST:PORT"),
        (["localhost:1"], "HOST:PORT"),
        (["localhost:1", "/a/b", "more"], "HOST:PORT"),
        (["localhost", "/a/b"], "localhost"),
        (["localhost:0", "/a/b"], "localhost:0"),
        (["localhost:1", "a/b"], "a/b"),
        (["--nonsense"], "--nonsense"),
        (["--calls"], "--calls"),
        (["--calls", "0", "localhost:1", "/a/b"], "--calls"),
        (["--calls", "many", "localhost:1", "/a/b"], "--calls"),
        (["--calls", "1", "--duration", "1", "localhost:1", "/a/b"], "--duration"),
        (["--rate", "0", "localhost:1", "/a/b"], "--rate"),
        (["--rate", "nan", "localhost:1", "/a/b"], "--rate"),
        (["--kind", "binary", "localhost:1", "/a/b"], "binary"),
        (["--message-hex", "abc", "localhost:1", "/a/b"], "--message-hex"),
        (["--message-hex", "no", "localhost:1", "/a/b"], "--message-hex"),
        (["--message-file", "no/such/file", "localhost:1", "/a/b"], "no/such/file"),
        (["--message-file", ".", "localhost:1", "/a/b"], "--message-file"),
        (["--messages", "2", "localhost:1", "/a/b"], "--messages"),
        (["--mix", "1", "localhost:1", "/a/b"], "--mix"),
        (["--mix", "101,/a/c,", "localhost:1", "/a/b"], "--mix"),
        (["--idle", "--rate", "3", "localhost:1", "/a/b"], "--idle"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bad_options(program, arguments, names):
    status, line = run_badly(program, *arguments)
    assert status == 2 and names in line


def test_nobody_listens(program):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and does not listen
        target = f"127.0.0.1:{probe.getsockname()[1]}"
        status, line = run_badly(program, target, HELLO)
    assert status == 1 and target in line and "refused" in line


def test_help_names_every_option(program):
    run = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0 and run.stderr == ""
    for word in ("--connections", "--kind", "--rate", "--mix", "--expect-hex", "--idle", "--json"):
        assert word in run.stdout
