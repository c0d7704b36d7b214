# SPDX-License-Identifier: MIT
"""quoit bench: what it counts, when calls begin, and what its reports say. grpcio's server keeps what it was sent."""

import concurrent.futures
import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time

import grpc
import pytest

from servers import PATIENCE, Server, descriptors, eventually

HELLO = ["api.Api/sayHello", "-d", '{"name": "World"}']
NAMES = ("mean", "p50", "p75", "p90", "p95", "p99", "p999", "p9999", "max")
STOPPED = 1.1  # seconds for which a server is


class Recorder:
    """grpcio's server of a part of calls.Calls: .requests has the messages of each call."""

    def __init__(self, calls):
        self.requests, self.metadata = [], []
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
        kinds = {
            "Echo": (unary, self.echo, calls.Payload),
            "Status": (unary, self.status, calls.StatusRequest),
            "Wait": (unary, self.wait, calls.Empty),
            "Count": (grpc.unary_stream_rpc_method_handler, self.count, calls.CountRequest),
            "Sum": (grpc.stream_unary_rpc_method_handler, self.sum, calls.Number),
            "Chat": (stream, self.chat, calls.Payload),
        }
        handlers = {
            name: make(function, request.FromString, lambda reply: reply.SerializeToString())
            for name, (make, function, request) in kinds.items()
        }
        self.calls = calls
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=8)
        self.server = grpc.server(pool)
        handler = grpc.method_handlers_generic_handler("calls.Calls", handlers)
        self.server.add_generic_rpc_handlers([handler])
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def clear(self):
        self.requests.clear()
        self.metadata.clear()

    def note(self, messages, context):
        self.metadata.append(dict(context.invocation_metadata()))
        self.requests.append(messages)

    def echo(self, request, context):
        self.note([request], context)
        return request

    def status(self, request, context):
        self.note([request], context)
        if request.code:
            code = next(code for code in grpc.StatusCode if code.value[0] == request.code)
            context.abort(code, request.message)
        return self.calls.Empty()

    def wait(self, request, context):
        while context.is_active():
            time.sleep(0.01)
        return self.calls.Empty()

    def count(self, request, context):
        self.note([request], context)
        for number in range(request.count):
            yield self.calls.Number(value=number)

    def sum(self, requests, context):
        messages = list(requests)
        self.note(messages, context)
        return self.calls.Number(value=sum(message.value for message in messages))

    def chat(self, requests, context):
        messages = []
        for message in requests:
            messages.append(message)
            yield message
        self.note(messages, context)


@pytest.fixture(scope="module")
def recording(calls):
    recorder = Recorder(calls)
    yield recorder
    recorder.server.stop(0).wait()


@pytest.fixture
def recorder(recording):
    recording.clear()
    return recording


@pytest.fixture(scope="module")
def server(build):
    server = Server(build / "bin" / "quoit-api", "--host", "127.0.0.1", "--port", 0)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def quoit(build):
    """quoit(word...): the finished process."""

    def run(*words, status=0, **options):
        command = [build / "bin" / "quoit", "bench", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, **options)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    return run


@pytest.fixture
def bench(quoit, root):
    """bench(server, method, option...): the report of --json."""

    def run(server, method, *options, status=0):
        schema = ["--proto", root / "tests/protos/calls.proto"] if isinstance(server, Recorder) else []
        done = quoit(server.target, method, "--json", *schema, *options, status=status)
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


def statuses(report):
    return {status["status"]: status["calls"] for status in report["statuses"]}


# ---- what is counted ----


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 64, 1), (3, 7, 2), (64, 64, 1)])
def test_closed_loop(bench, server, shape):
    words = zip(("--connections", "-c", "--threads"), shape, strict=True)
    report = bench(server, *HELLO, "-n", 1001, *[word for pair in words for word in pair])
    assert statuses(report) == {"OK": 1001}
    assert (report["calls"], report["failed"], report["requests"], report["replies"]) == (1001, 0, 1001, 1001)
    assert (report["request_bytes"], report["reply_bytes"]) == (7 * 1001, 14 * 1001)
    latency = report["latency_us"]
    ordered = [latency[name] for name in NAMES[1:]]
    assert 0 < ordered[0] and ordered == sorted(ordered)
    assert latency["calls"] == latency["points"][-1]["calls"] == 1001
    assert latency["points"][-1]["percent"] == 100
    assert sum(bucket["calls"] for bucket in latency["buckets"]) == 1001
    assert sum(interval["ok"] for interval in report["timeline"]) == 1001
    assert report["cpu_seconds"] > 0


def test_time_and_warm_up(bench, server):
    report = bench(server, *HELLO, "--duration", "300ms", "--warmup", "200ms", "-c", 4)
    assert report["calls"] > 0 and report["warmup_calls"] > 0
    assert 0.3 <= report["seconds"] < PATIENCE
    assert report["settings"]["duration_seconds"] == 0.3
    assert report["calls_per_second"] == pytest.approx(report["calls"] / report["seconds"])


def test_kinds_of_methods(bench, recorder):
    report = bench(recorder, "calls.Calls/Count", "-d", '{"count": 5}', "-n", 10, "-c", 2)
    assert (report["kind"], report["calls"], report["replies"]) == ("server_streaming", 10, 50)
    recorder.clear()
    numbers = '{"value": 1} {"value": 2}{"value": 3}'
    report = bench(recorder, "calls.Calls/Sum", "-d", numbers, "-n", 4, "-c", 1)
    assert (report["kind"], report["calls"], report["requests"]) == ("client_streaming", 4, 12)
    assert [[number.value for number in call] for call in recorder.requests] == [[1, 2, 3]] * 4
    for way in ([], ["--ping-pong"]):
        recorder.clear()
        report = bench(recorder, "calls.Calls/Chat", "-n", 3, "-c", 1, "--messages", 6, *way)
        assert (report["kind"], report["requests"], report["replies"]) == ("bidi", 18, 18)
        assert [len(call) for call in recorder.requests] == [6] * 3


def test_failures_are_counted_by_status(bench, recorder):
    messages = '{} {"code": 5, "message": "gone"} {"code": 13, "message": "oh\\u001b[31m"}'
    report = bench(recorder, "calls.Calls/Status", "-d", messages, "-n", 30, "-c", 1, status=64 + 5)
    assert statuses(report) == {"OK": 10, "NOT_FOUND": 10, "INTERNAL": 10}
    assert {status["status"]: status["message"] for status in report["statuses"]}["NOT_FOUND"] == "gone"
    assert (report["failed"], report["latency_us"]["calls"], report["failed_latency_us"]["calls"]) == (20, 10, 20)


def test_a_deadline_counts_as_a_latency(bench, recorder):
    report = bench(recorder, "calls.Calls/Wait", "-n", 4, "-c", 2, "--max-time", "150ms", status=64 + 4)
    assert statuses(report) == {"DEADLINE_EXCEEDED": 4}
    assert report["latency_us"]["calls"] == 4 and report["latency_us"]["p50"] >= 150_000


# ---- what is sent ----


def test_templates(bench, recorder, tmp_path):
    data = '{"text": "{{seq}} {{rand:5:7}} {{text:8}}"}'
    bench(recorder, "calls.Calls/Echo", "-d", data, "-n", 20, "-c", 4, "--connections", 2, "--threads", 2)
    texts = [call[0].text.split() for call in recorder.requests]
    assert sorted(int(seq) for seq, _, _ in texts) == list(range(20))
    assert {number for _, number, _ in texts} <= {"5", "6", "7"}
    assert len({letters for _, _, letters in texts}) == 20
    recorder.clear()
    table = tmp_path / "rows.csv"
    table.write_text('name,extra\n"a ""b""",1\nc,2\n')
    file = tmp_path / "data.json"
    file.write_text('{"text": "{{name}}/{{extra}}"}')
    bench(recorder, "calls.Calls/Echo", "-d", f"@{file}", "--data-csv", table, "-n", 5, "-c", 1, "-H", "who: me")
    assert [call[0].text for call in recorder.requests] == ['a "b"/1', "c/2", 'a "b"/1', "c/2", 'a "b"/1']
    assert all(metadata["who"] == "me" for metadata in recorder.metadata)


def test_bad_words(quoit, server, root, recorder, tmp_path):
    proto = ["--proto", root / "tests/protos/calls.proto"]
    for words, text in [
        ([server.target], "write quoit bench HOST:PORT pkg.Service/Method"),
        ([server.target, "api.Api/sayHelo"], "sayHello"),
        ([server.target, *HELLO, "--rate", "fast"], "--rate fast: a rate is calls a second"),
        ([server.target, *HELLO, "--threads", 2, "--connections", 1], "--threads 2: each needs a connection"),
        ([server.target, *HELLO, "-c", 2, "--connections", 3], "--concurrency 2"),
        ([server.target, *HELLO, "--poisson"], "--poisson needs a --rate"),
        ([server.target, *HELLO, "--messages", 2], "--messages: a call of this method sends one"),
        ([server.target, *HELLO, "--ping-pong"], "--ping-pong"),
        ([server.target, *HELLO, "--json", "--csv"], "only one of them"),
        ([server.target, "api.Api/sayHello", "-d", '{"name": "{{sek}}"}'], "did you mean seq?"),
        ([server.target, "api.Api/sayHello", "-d", '{"nam": 1}'], "nam"),
        ([recorder.target, "calls.Calls/Sum", *proto, "-d", '{"value": "{{seq}}x"}'], "-d: "),
    ]:
        done = quoit(*words, status=2)
        assert done.stdout == "" and text in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_no_server(quoit):
    done = quoit("127.0.0.1:9", *HELLO, status=1)
    assert "127.0.0.1:9" in done.stderr and "refused" in done.stderr and done.stdout == ""


# ---- when calls begin ----


@pytest.mark.parametrize(
    "rate, calls",
    [(["100", "-z", "1s"], 100), (["100..300@1s,50@500ms"], 225), (["200", "-n", "51", "--threads", "2"], 51)],
)
def test_open_loop(bench, server, rate, calls):
    report = bench(server, *HELLO, "--rate", *rate)
    # at the border of two stages rounding decides
    assert abs(report["calls"] - calls) <= 1 and report["failed"] == 0
    assert report["timeline"][0]["rate"] > 0 and report["settings"]["rate"] == rate[0]


def test_by_chance(bench, server):
    reports = [bench(server, *HELLO, "-r", "300", "-z", "1s", "--poisson", "--seed", seed) for seed in (1, 1, 2)]
    counts = [report["calls"] for report in reports]
    assert counts[0] == counts[1] != counts[2]  # by these seeds
    assert all(200 < count < 400 for count in counts)


def test_a_stop_of_the_server_shows(build, quoit):
    """Coordinated omission: all calls that were due meanwhile are late, not only the one that was in flight."""
    server = Server(build / "bin" / "quoit-api", "--host", "127.0.0.1", "--port", 0)
    before = len(descriptors(server.pid))
    words = [build / "bin/quoit", "bench", server.target, *HELLO, "--rate", "1000", "-z", "4s", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: len(descriptors(server.pid)) >= before + 2, "it is connected twice")
        time.sleep(0.5)
        server.signal(signal.SIGSTOP)
        time.sleep(STOPPED)
        server.signal(signal.SIGCONT)
        report = json.loads(process.communicate(timeout=2 * PATIENCE)[0])
    server.stop()
    slow = sum(bucket["calls"] for bucket in report["latency_us"]["buckets"] if bucket["us"] > 100_000)
    assert report["calls"] == 4000 and report["failed"] == 0
    assert slow >= 900 and report["latency_us"]["max"] >= STOPPED * 1e6 * 0.99


# ---- how it ends ----


def test_a_signal_ends_it_with_a_report(build, server):
    words = [build / "bin/quoit", "bench", server.target, *HELLO, "-z", "60s", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        eventually(lambda: "[eventfd]" in str(descriptors(process.pid)), "it runs")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        report = json.loads(process.communicate(timeout=PATIENCE)[0])
    assert process.returncode == 0
    assert report["interrupted"] and report["calls"] > 0 and report["failed"] == 0


def test_the_server_ends(build, quoit):
    """A closed loop does not spin: calls that find no connection wait a little."""
    server = Server(build / "bin" / "quoit-api", "--host", "127.0.0.1", "--port", 0)
    before = len(descriptors(server.pid))
    words = [build / "bin/quoit", "bench", server.target, *HELLO, "-z", "2s", "-c", "2", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: len(descriptors(server.pid)) >= before + 2, "it is connected twice")
        time.sleep(0.3)
        server.signal(signal.SIGKILL)
        server.process.wait()
        report = json.loads(process.communicate(timeout=2 * PATIENCE)[0])
    assert process.returncode == 64 + 14
    assert 0 < statuses(report)["UNAVAILABLE"] < 2000


# ---- reports ----


def test_forms_of_the_report(quoit, recorder, root, tmp_path):
    page = tmp_path / "report.html"
    hostile = '{"code": 3, "message": "<script>alert(1)</script>&\\u001b[2J\'\\""}'
    words = [recorder.target, "calls.Calls/Status", "--proto", root / "tests/protos/calls.proto", "-n", 20, "-c", 2]
    done = quoit(*words, "-d", "{} " + hostile, "--html", page, status=64 + 3)
    lines = done.stdout.splitlines()
    assert lines[0] == f"calls.Calls/Status at {recorder.target}: 1 connection, 2 calls at a time"
    assert any(line.split()[:2] == ["calls", "20"] for line in lines)
    assert any(line.split()[:2] == ["INVALID_ARGUMENT", "10"] for line in lines)
    assert "\x1b" not in done.stdout and done.stderr == ""
    html = page.read_text()
    assert "<script" not in html and "&#60;script&#62;alert(1)" in html and "\x1b" not in html
    assert html.count("<svg") == html.count("</svg>") == 3
    assert "http://" not in html and "https://" not in html and "src=" not in html.replace("default-src", "")
    assert "NaN" not in html and "nan" not in html and "inf" not in html
    rows = list(csv.DictReader(io.StringIO(quoit(*words, "--csv").stdout)))
    assert sum(int(row["ok"]) for row in rows) == 20
    assert list(rows[0]) == ["second", "seconds", "ok", "failed", "rate", "p50_us", "p99_us", "max_us"]
    assert quoit(*words, "--html", "/none/x.html", status=1).stderr.count("\n") == 1


def test_compare(quoit, bench, server, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    reports = [bench(server, *HELLO, "-n", count, "-c", 2) for count in (50, 100)]
    for path, report in zip(paths, reports, strict=True):
        path.write_text(json.dumps(report))
    text = quoit("--compare", *paths).stdout
    assert "api.Api/sayHello" in text and "calls/s" in text and "p99.9" in text
    compared = {one["name"]: one for one in json.loads(quoit("--compare", "--json", *paths).stdout)["differences"]}
    speed = compared["calls_per_second"]
    assert (speed["a"], speed["b"]) == tuple(report["calls_per_second"] for report in reports)
    assert speed["percent"] == pytest.approx(100 * (speed["b"] / speed["a"] - 1))
    assert compared["failed_percent"] == {"name": "failed_percent", "a": 0, "b": 0}
    assert compared["p50_us"]["a"] == reports[0]["latency_us"]["p50"]
    paths[0].write_text("{}")
    assert "it has no calls" in quoit("--compare", *paths, status=1).stderr
    paths[0].write_text("[")
    assert "it is no report of quoit bench --json" in quoit("--compare", *paths, status=1).stderr


@contextlib.contextmanager
def terminal(columns):
    """Both ends of one."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def test_progress_on_a_terminal(build, server):
    """One line, no wider than it, that is gone at the end."""
    words = [build / "bin/quoit", "bench", server.target, *HELLO, "-z", "1500ms", "-c", "2"]
    with terminal(40) as (ours, theirs):
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=theirs, timeout=PATIENCE, env={**os.environ, "TERM": "xterm"}
        )
        shown = os.read(ours, 65536).decode()
    assert done.returncode == 0 and b"calls" in done.stdout
    lines = shown.split("\r")
    assert len(lines) > 2 and lines[0] == "" and lines[-1] == "\x1b[K"
    assert "s of 2 s" in lines[1] and all(len(line.removesuffix("\x1b[K")) < 40 for line in lines)
