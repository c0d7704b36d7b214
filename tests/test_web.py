# SPDX-License-Identifier: MIT
"""quoit-web passes the seed's service on to its backend, and tells how that fares; the backend may go and come back."""

import itertools
import os
import signal
import subprocess

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually, free_port


@pytest.fixture
def backend(start):
    """A quoit-api."""
    return start("quoit-api", "--listen", "127.0.0.1:0")


@pytest.fixture
def front(start, backend):
    """A quoit-web before it."""
    return start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target)


@pytest.fixture
def stub(api, front):
    with channel(front.target) as opened:
        yield api.Stub(opened)


@pytest.fixture
def panel(stubs):
    """panel(server): what it tells of its backend, each second; ends with the test."""
    module, opened = stubs("web_pb2"), []

    def watch(server):
        opened.append(channel(server.target))
        stub = stubs("web_pb2_grpc").PanelStub(opened[-1].__enter__())
        return stub.watch(module.WatchRequest())

    yield watch
    for one in opened:
        one.__exit__(None, None, None)


def state_with(watch, condition):
    """The first state of which @condition is true."""
    return next(state for state in watch if condition(state))


def connected_to(watch, connection):
    return state_with(watch, lambda state: state.connection == connection)


def test_it_passes_calls_on(api, stub):
    assert stub.sayHello(api.HelloRequest(name="Zoë"), timeout=PATIENCE).message == "Hello Zoë!"
    items = stub.getAll(api.ApiRequest(length=100), timeout=PATIENCE).items
    assert [(item.id, item.name) for item in items] == [(i, f"name {i}") for i in range(1, 101)]
    stream = stub.getStream(api.ApiRequest(length=10_000), timeout=PATIENCE)
    assert [item.id for item in stream] == list(range(1, 10_001))


def test_it_passes_errors_on(api, stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.getAll(api.ApiRequest(length=2**31 - 1), timeout=PATIENCE)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "use getStream" in caught.value.details()


def test_a_slow_reader_slows_the_backend_down(api, front, stub, sanitized):
    stream = stub.getStream(api.ApiRequest(length=2**31 - 1))
    assert [item.id for item in itertools.islice(stream, 1000)] == list(range(1, 1001))
    before = front.rss()
    for number in range(50):
        assert stub.sayHello(api.HelloRequest(name=str(number)), timeout=PATIENCE)
    assert [item.id for item in itertools.islice(stream, 100_000)] == list(range(1001, 101_001))
    if not sanitized:
        assert front.rss() - before < 8 << 20
    stream.cancel()


def test_a_stream_that_nobody_reads_any_more_ends_at_the_backend(api, backend, front, stub, panel):
    stream = stub.getStream(api.ApiRequest(length=2**31 - 1))
    next(stream)
    watch = panel(front)
    state_with(watch, lambda state: state.running == 1)
    stream.cancel()
    # and that is no failure of the backend's
    assert state_with(watch, lambda state: state.running == 0).failures == 0
    backend.stop()  # which waits for calls


def test_the_panel_counts_calls(api, backend, front, stub, panel):
    watch = panel(front)
    first = connected_to(watch, "READY")
    assert (first.backend, first.calls, first.running) == (backend.target, 0, 0)
    assert not first.HasField("latency")
    for number in range(20):
        stub.sayHello(api.HelloRequest(name=str(number)), timeout=PATIENCE)
    with pytest.raises(grpc.RpcError):
        stub.getAll(api.ApiRequest(length=2**31 - 1), timeout=PATIENCE)
    state = state_with(watch, lambda state: state.calls == 21)
    assert (state.failures, state.running) == (1, 0)
    assert 0 < state.latency.p50_ms <= state.latency.p90_ms <= state.latency.p99_ms
    # it forgets
    state_with(watch, lambda state: state.calls_per_second == 0 and not state.HasField("latency"))


def test_a_backend_that_is_killed_and_comes_back(api, start, backend, front, stub, panel):
    stream = stub.getStream(api.ApiRequest(length=2**31 - 1))
    next(stream)
    watch = panel(front)
    connected_to(watch, "READY")
    backend.process.kill()
    backend.process.wait()
    with pytest.raises(grpc.RpcError) as caught:
        for _ in stream:
            pass
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    connected_to(watch, "TRANSIENT_FAILURE")
    with pytest.raises(grpc.RpcError) as caught:
        stub.sayHello(api.HelloRequest(name="x"), timeout=PATIENCE)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert backend.target in caught.value.details()
    backend.process = start("quoit-api", "--listen", backend.target).process  # the fixture looks it over
    # by itself: nobody calls
    connected_to(watch, "READY")
    assert stub.sayHello(api.HelloRequest(name="x"), timeout=PATIENCE).message == "Hello x!"


def test_each_backend_has_its_part(api, start, tmp_path):
    """As the pods of Kubernetes' headless Service have."""
    port, logs = free_port(), [tmp_path / "calls-1", tmp_path / "calls-2"]
    addresses = [f"127.0.0.{number}:{port}" for number in (1, 2)]
    for address, log in zip(addresses, logs):
        start("quoit-api", "--listen", address, "--access-log", log)
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", f"ipv4:{','.join(addresses)}")
    with channel(front.target) as opened:
        stub = api.Stub(opened)

        def have_both_been_called():
            stub.sayHello(api.HelloRequest(name="x"), timeout=PATIENCE)
            return all("/api.Api/sayHello" in log.read_text() for log in logs)

        eventually(have_both_been_called, "a call for each")


def test_a_backend_that_drains_ends_what_it_has_begun(api, backend, stub):
    stream = stub.getStream(api.ApiRequest(length=50_000))
    next(stream)
    backend.signal()
    assert [item.id for item in stream] == list(range(2, 50_001))
    assert backend.wait() == 0


def test_a_stop_does_not_wait_for_the_panel(front, panel):
    watch = panel(front)
    next(watch)
    front.signal()
    with pytest.raises(grpc.RpcError) as caught:
        for _ in watch:
            pass
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert front.wait(seconds=20) == 0  # less than drain_ms


# ---- its options


@pytest.fixture
def run(build):
    """Runs quoit-web to its end."""

    def run_it(*arguments, env=None):
        return subprocess.run(
            [build / "bin/quoit-web", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **(env or {})},
        )

    return run_it


@pytest.mark.parametrize(
    "arguments, why",
    [
        (["--nonsense"], "unknown option --nonsense"),
        (["extra"], "unknown argument 'extra'"),
        (["--port", "65536"], "--port: '65536' is not a number from 0 to 65535"),
        (["--port"], "--port needs a value"),
        (["--help=1"], "--help=1: it takes no value"),
        (["--rings", "0"], "--rings: '0' is not a number from 1 to 1024"),
        (["--listen", ":0", "--host", "x"], "--listen replaces --host and --port"),
    ],
)
def test_wrong_options(run, arguments, why):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert why in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, why",
    [
        (["--backend", "http://x"], "the backend, http://x: "),
        (["--backend", "x:1", "--backend-ca", "/nonexistent"], "/nonexistent"),
        (["--backend", "x:1", "--listen", "nonsense"], "nonsense"),
    ],
)
def test_what_it_cannot_use(run, arguments, why):
    result = run(*arguments)
    assert result.returncode == 1
    assert why in result.stderr and result.stderr.count("\n") == 1


def test_the_environment(api, start, backend):
    port = free_port()
    front = start(
        "quoit-web",
        env={
            "FRONTEND_HOST": "127.0.0.1",
            "FRONTEND_PORT": str(port),
            "BACKEND_HOST": "127.0.0.1",
            "BACKEND_PORT": str(backend.port),
        },
    )
    assert front.port == port
    with channel(front.target) as opened:
        assert api.Stub(opened).sayHello(api.HelloRequest(name="x"), timeout=PATIENCE).message == "Hello x!"


def test_a_port_from_the_kubelet_is_nobodys(start):
    kubelet = {"FRONTEND_PORT": "tcp://10.0.0.1:80", "BACKEND_PORT": "udp://10.0.0.2:80"}
    assert start("quoit-web", "--listen", "127.0.0.1:0", env=kubelet).port


def test_a_wrong_port_of_the_environment(run):
    result = run(env={"BACKEND_PORT": "http"})
    assert result.returncode == 2 and "BACKEND_PORT: 'http'" in result.stderr


def test_signals(start):
    for number in (signal.SIGTERM, signal.SIGINT):
        front = start("quoit-web", "--listen", "127.0.0.1:0")
        front.signal(number)
        assert front.wait() == 0
        assert front.log[-1].endswith("stopped")
