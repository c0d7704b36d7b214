# SPDX-License-Identifier: MIT
"""The bench's driver: its arithmetic and its report on recorded figures, and real short runs."""

import fcntl
import io
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from servers import PATIENCE, eventually

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
from harness import bench as bench_module  # noqa: E402
from harness import bars, cli, contestants, plot, progress, report  # noqa: E402
from harness import servers, stats, tables, works  # noqa: E402

RUN = [sys.executable, str(ROOT / "bench" / "run")]

# Three rounds; the machine was half as fast in the second, and tonic failed in the third.
HELLO = [
    {"quoit": {"cpu_us": 1.5}, "grpc-go": {"cpu_us": 15.0}, "tonic": {"cpu_us": 6.0}},
    {"quoit": {"cpu_us": 3.0}, "grpc-go": {"cpu_us": 30.0}, "tonic": {"cpu_us": 12.0}},
    {"quoit": {"cpu_us": 1.8}, "grpc-go": {"cpu_us": 15.0}, "tonic": {"failed": "it | crashed"}},
]


def recorded(**rounds):
    """Results as a run makes them: rounds by the name of their work."""
    listed = [
        {
            "name": name,
            "title": f"title of {name}",
            "kind": next((work.kind for work in works.WORKS if work.name == name), "closed"),
            "limits": [],
            "rounds": figures,
            "commands": {"quoit": f"serve {name}", "load": f"quoit-load {name}"},
        }
        for name, figures in ((name.replace("_", "-"), figures) for name, figures in rounds.items())
    ]
    roles = {"quoit": "own", "grpc-go": "peer", "tonic": "peer", "floor": "limit"}
    return {
        "command": "./dev bench",
        "machine": {"date": "2026-11-22", "cpu": "a fast one"},
        "pace": {"rounds": 3, "seconds": 1.5, "open_seconds": 2.5, "warmup_seconds": 0.5},
        "contestants": {
            name: {"role": role, "version": f"{name} 1"} for name, role in roles.items()
        },
        "missing": {"grpcio": "no wheel here"},
        "works": listed,
        "micro": [
            {
                "program": "m",
                "name": "decode",
                "quoit": 2.0,
                "limit": 1.5,
                "unit": "µs",
                "share": 0.75,
            }
        ],
    }


@pytest.fixture
def hello():
    return stats.Figures(recorded(sayHello_10x100=HELLO))


# --- Arithmetic -------------------------------------------------------------------------------


def test_spread_is_of_what_was_measured():
    assert stats.spread([None, 3, 1, 2]) == stats.Spread(2, 1, 3)
    assert stats.spread([None]) is None


def test_a_ratio_is_taken_inside_a_round(hello):
    ratio = hello.ratio("sayHello-10x100", "cpu_us", "quoit", "grpc-go")
    assert (ratio.low, ratio.median, ratio.high) == pytest.approx((0.1, 0.1, 0.12))
    # not 1.8 / 9: the round in which tonic failed does not count
    assert hello.ratio("sayHello-10x100", "cpu_us", "quoit", "tonic").median == 0.25


def test_the_best_peer_is_no_limit_and_not_quoit(hello):
    assert hello.peers() == ["grpc-go", "tonic"]
    assert hello.best("sayHello-10x100", "cpu_us", hello.peers()) == "tonic"
    assert hello.best("sayHello-10x100", "cpu_us", hello.peers(), lower=False) == "grpc-go"
    assert hello.best("sayHello-10x100", "p99_us", hello.peers()) is None


def verdict(figures, work, metric):
    return next(v for v in bars.verdicts(figures) if (v.bar.work, v.bar.metric) == (work, metric))


@pytest.mark.parametrize("quoit, reached", [(1.4, True), (1.6, False)])
def test_a_bar_against_the_best_peer(quoit, reached):
    rounds = [{"quoit": {"cpu_us": quoit}, "tonic": {"cpu_us": 6}, "grpc-go": {"cpu_us": 15}}]
    found = verdict(stats.Figures(recorded(sayHello_10x100=rounds)), "sayHello-10x100", "cpu_us")
    assert (found.against, found.reached) == ("tonic", reached)


@pytest.mark.parametrize("rate, reached", [(790, False), (810, True)])
def test_a_bar_against_a_limit(rate, reached):
    raw = {"raw-epoll": {"calls_per_second": 700}, "raw-uring": {"calls_per_second": 1000}}
    rounds = [{"quoit": {"calls_per_second": rate}, **raw}]
    found = verdict(stats.Figures(recorded(echo_1MiB=rounds)), "echo-1MiB", "calls_per_second")
    assert (found.against, found.reached) == ("raw-uring", reached)


@pytest.mark.parametrize("share, reached", [(0.95, True), (0.85, False)])
def test_a_bar_that_stands_alone(share, reached):
    figures = stats.Figures(recorded(rings_sayHello=[{"quoit": {"speedup_share": share}}]))
    found = verdict(figures, "rings-sayHello", "speedup_share")
    assert (found.against, found.reached) == ("", reached)


def test_what_was_not_measured_is_not_reached():
    figures = stats.Figures(recorded(echo_1MiB=[{"quoit": {"failed": "no"}}]))
    assert verdict(figures, "echo-1MiB", "cpu_us").reached is None


# --- Works ------------------------------------------------------------------------------------


def test_messages_are_those_of_protobuf(api):
    by_name = {work.name: work.calls for work in works.WORKS}
    hello = by_name["sayHello-1x1"]
    assert hello.message == api.HelloRequest(name="World").SerializeToString()
    assert hello.expect[1] == api.Hello(message="Hello World!").SerializeToString().hex()
    many = [api.Item(id=i, name=f"name {i}") for i in range(1, 10001)]
    assert by_name["getAll-10000"].message == api.ApiRequest(length=10000).SerializeToString()
    assert by_name["getAll-10000"].expect[-1] == api.Items(items=many).ByteSize()
    assert by_name["getStream-10000"].expect[-1] == sum(item.ByteSize() for item in many)


def test_works_have_names_of_their_own():
    assert len({work.name for work in works.WORKS}) == len(works.WORKS)
    assert {bar.work for bar in bars.BARS} <= {work.name for work in works.WORKS}


def test_open_loop_needs_the_peak():
    assert [work.name for work in works.select(["open-best-75"])] == [works.PEAK, "open-best-75"]
    assert len(works.select()) == len(works.WORKS) > len(works.select(quick=True)) > 5


# --- Report -----------------------------------------------------------------------------------


def test_cpu_table(hello):
    table = tables.metric_table(hello, hello.works("closed"), "cpu_us")
    head, _, row = table.splitlines()
    assert head == "|  | quoit | grpc-go | tonic |"
    assert row == "| title of sayHello-10x100 | **1.80** | 15.00 · 10.00 × | 9.00 · 4.00 × |"


def test_report_names_what_is_missing_and_what_failed(hello):
    text = report.report(hello.results, [("cpu.svg", "CPU")])
    assert "grpcio: no wheel here" in text
    assert "tonic: it | crashed" in text
    assert "![CPU](cpu.svg)" in text
    assert "quoit-load sayHello-10x100" in text and "| decode | 2.00 | 1.50 | µs | 0.75 |" in text


@pytest.mark.parametrize("strangers, loud", [(0.02, False), (0.6, True)])
def test_report_says_when_the_machine_was_not_quiet(strangers, loud):
    rounds = [{"quoit": {"cpu_us": 1.5, "strangers": strangers}}]
    text = report.report(recorded(sayHello_10x100=rounds))
    assert f"Other programs kept {strangers}" in text
    assert ("quiet machine" in text) is loud


def test_latency_over_the_peak_is_no_figure():
    rounds = [
        {
            "quoit": {"p50_us": 40.0, "p99_us": 110.0, "p999_us": 300.0, "rate": 1000},
            "tonic": {"unable": "1,000 calls/s are too many"},
        }
    ]
    figures = stats.Figures(recorded(open_best_75=rounds))
    table = tables.latency_table(figures, figures.works("open"))
    assert table.splitlines()[-1].endswith("| 40.0 / 110 / 300 at 1,000/s | over its peak |")


def test_plots_are_svg():
    latencies = [{"quoit": {"p99_us": 90.0}, "tonic": {"p99_us": 2500.0}}]
    results = recorded(sayHello_10x100=HELLO, open_best_25=latencies, open_best_75=latencies)
    drawn = plot.plots(stats.Figures(results))
    assert set(drawn) == {"cpu.svg", "latency.svg"}
    space = "{http://www.w3.org/2000/svg}"
    cpu, latency = (
        xml.etree.ElementTree.fromstring(drawn[f"{n}.svg"][1]) for n in ("cpu", "latency")
    )
    widths = [float(rect.get("width")) for rect in cpu.iter(f"{space}rect")]
    assert len(widths) == 3 and widths == sorted(widths)
    assert widths[2] / widths[0] == pytest.approx(15 / 1.8, rel=0.01)
    assert len(list(latency.iter(f"{space}circle"))) == 4


def test_progress_says_how_long_still():
    now = [0.0]
    stream = io.StringIO()
    line = progress.Progress([1, 1, 2], stream, lambda: now[0])
    line.step("one")
    now[0] = 20
    line.finished()
    line.step("two")
    assert stream.getvalue().splitlines() == [
        "bench: 1 of 3, 0 s: one",
        "bench: 2 of 3, 20 s, about 1 min 00 s left: two",
    ]


# --- Contestants and servers ------------------------------------------------------------------


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    "text, reason",
    [
        ("echo 'peer: there is no go here' >&2; exit 77", "there is no go here"),
        ("echo 'main.go:1: oh' >&2; exit 1", "its build failed: main.go:1: oh"),
    ],
)
def test_a_peer_that_cannot_be_built_says_why(tmp_path, monkeypatch, text, reason):
    monkeypatch.setattr(contestants, "PEERS", tmp_path / "peers")
    script(tmp_path / "peers" / "peer" / "build", text)
    with pytest.raises(contestants.Missing) as why:
        contestants.build("peer", tmp_path / "out", tmp_path / "log")
    assert str(why.value) == reason


def test_cpu_time_is_that_of_the_threads(tmp_path):
    busy = (
        "import socket, threading, sys, time\n"
        "listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "thread = threading.Thread(target=lambda: sum(range(3_000_000)))\n"
        "thread.start(); sum(range(3_000_000)); thread.join(); time.sleep(60)\n"
    )
    core = min(os.sched_getaffinity(0))
    command = lambda port: [sys.executable, "-c", busy, str(port)]  # noqa: E731
    server = servers.Server(command, [core], tmp_path / "log").wait_listening()
    try:
        tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
        eventually(lambda: len(list(tasks.iterdir())) == 2, "two threads")
        eventually(lambda: len(list(tasks.iterdir())) == 1, "one of them ended")
        left = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
        assert server.cpu_ns() > 1.3 * left
        assert 1 << 20 < server.rss() <= server.peak_rss()
        assert os.sched_getaffinity(server.process.pid) == {core}
    finally:
        server.stop()
    with pytest.raises(servers.ServerFailed):
        server.rss()


def test_a_server_that_ends_at_once(tmp_path):
    command = lambda port: ["bash", "-c", "echo no such model >&2; exit 3"]  # noqa: E731
    with pytest.raises(servers.ServerFailed, match="no such model"):
        servers.Server(command, [min(os.sched_getaffinity(0))], tmp_path / "log").wait_listening()


def test_a_shared_machine_is_locked_while_something_is_measured(tmp_path):
    lock = tmp_path / "lock"
    run = bench_module.Bench(None, (0, 1), tmp_path, None, None, lock)
    with open(lock, "ab") as other:
        with run.quiet():
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


# --- Whole runs -------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path, build):
    """A folder as bench/peers/quoit/build leaves it, of what is tested: nothing is built again."""
    server = build / "bench" / "server" / "quoit-bench-server"
    if not server.exists():
        pytest.skip("built without -Dbench=true")
    folder = tmp_path / "cache" / "quoit"
    script(folder / "serve", f'exec \'{server}\' --port "$1" --rings "${{2:-1}}"')
    script(folder / "call", f"exec '{build}/bench/client/quoit-bench-client' \"$@\"")
    (folder / "about").write_text(f"name=quoit\nversion=quoit of this build\nbinary={server}\n")
    (folder / "build").symlink_to(build)
    return tmp_path


def bench(built, *options):
    words = ["--no-build", "--cache", built / "cache", "--peers", "quoit", "--out", built / "out"]
    return [*RUN, *map(str, words), *map(str, options)]


@pytest.mark.alone
def test_a_short_run(built):
    options = [
        "--only",
        "sayHello-10x100,getStream-100,echo-64KiB,chat,open-best-75,idle,start,size,client",
    ]
    options += ["--rounds", 1, "--seconds", 0.1, "--connections", 50, "--json", built / "all.json"]
    done = subprocess.run(
        bench(built, *options), capture_output=True, text=True, timeout=10 * PATIENCE
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((built / "all.json").read_text())
    figures = stats.Figures(results)
    assert [figures.complaint(work["name"], "quoit") for work in results["works"]] == [None] * 12
    for work, metric in [
        ("sayHello-10x100", "cpu_us"),
        ("getStream-100", "cpu_us"),
        ("echo-64KiB", "p99_us"),
        ("chat", "calls_per_second"),
        ("client-sayHello-10x100", "cpu_us"),
        ("client-sayHello-1x1", "calls_per_second"),
        ("client-getAll-100", "cpu_us"),
        ("client-getStream-100", "cpu_us"),
        ("open-best-75", "p99_us"),
        ("idle", "connection_bytes"),
        ("start-up", "startup_ms"),
        ("size", "file_bytes"),
    ]:
        assert figures.median(work, "quoit", metric) > 0, (work, metric)
    for work in ("sayHello-10x100", "getStream-100", "echo-64KiB", "chat"):
        assert figures.median(work, "quoit-epoll", "cpu_us") > 0, work
    peak = figures.median("sayHello-10x100", "quoit", "calls_per_second")
    assert figures.median("open-best-75", "quoit", "rate") == pytest.approx(0.75 * peak)
    text = (built / "out" / "README.md").read_text()
    assert "quoit of this build" in text and "10,000 idle connections" in text
    assert (built / "out" / "cpu.svg").exists() and (built / "out" / "results.json").exists()


def servers_left(built):
    """Programs that still run from the folder's scripts, or for them."""
    left = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"BENCH_OF={built}".encode() in path.read_bytes():
                left.append(path.parent.name)
        except OSError:
            pass
    return left


def at_a_terminal():
    """A shell's job in the background ignores SIGINT, and so would what it starts."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("nohup", [[], ["nohup"]], ids=["terminal", "nohup"])
def test_an_interrupted_run_leaves_no_process(built, nohup, number):
    command = [*nohup, *bench(built, "--only", "getAll-100", "--seconds", 20)]
    environment = {**os.environ, "BENCH_OF": str(built)}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=at_a_terminal
    )
    try:
        eventually(lambda: len(servers_left(built)) >= 3, "the driver, a server and a load")
        process.send_signal(number)
        if nohup and number == signal.SIGHUP:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 130
        assert "interrupted" in process.stderr.read()
        eventually(lambda: not servers_left(built), "all stopped")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "options, part",
    [
        (["--nonsense"], "--nonsense"),
        (["--only", "nosuch"], "'nosuch'"),
        (["--only", "echo-1MiB", "--quick"], "--quick"),
        (["--peers", "grpc-cobol"], "'grpc-cobol'"),
        (["--rounds", "0"], "--rounds"),
        (["--seconds", "soon"], "--seconds"),
        (["--connections", "999999"], "descriptors"),
        (["--no-build", "--cache", "/nonexistent"], "not built"),
        (["--report", "/nonexistent.json"], "nonexistent.json"),
    ],
    ids=" ".join,
)
def test_bad_options(options, part):
    done = subprocess.run([*RUN, *options], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert part in done.stderr and len(done.stderr.splitlines()) == 1


def test_list_names_every_work():
    done = subprocess.run([*RUN, "--list"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0
    assert all(work.name in done.stdout for work in works.WORKS) and "grpc-go" in done.stdout


@pytest.mark.parametrize(
    "arguments, folder",
    [
        ([], "docs/benchmarks"),
        (["--rounds", "1"], ".cache/bench/report"),
        (["--connections", "100"], ".cache/bench/report"),
        (["--quick"], ".cache/bench/report"),
        (["--report", "elsewhere/results.json"], "elsewhere"),
        (["--quick", "--out", "elsewhere"], "elsewhere"),
    ],
)
def test_only_a_whole_run_goes_to_the_docs(arguments, folder):
    assert contestants.ROOT / cli.out_of(cli.parse(arguments)) == contestants.ROOT / folder
