# SPDX-License-Identifier: MIT
"""grpc.health.v1.Health, as grpcio's own client sees it."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servers import PATIENCE, eventually
from wire import WINDOW_MAX, Wire, message

UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)
MODES = {"plain": [], "rings": ["--rings", 3], "offloaded": ["--offload-all", "--rings", 2]}
WATCH = "/grpc.health.v1.Health/Watch"


class Health:
    """A client of its own connection, so that with several rings it may be on any of them."""

    def __init__(self, channel, calls):
        self.stub = health_pb2_grpc.HealthStub(channel)
        self.calls = calls
        self.control = calls.Stub(channel)

    def check(self, service=""):
        request = health_pb2.HealthCheckRequest(service=service)
        return self.stub.Check(request, timeout=PATIENCE).status

    def watch(self, service=""):
        return self.stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)

    def listed(self):
        statuses = self.stub.List(health_pb2.HealthListRequest(), timeout=PATIENCE).statuses
        return {name: response.status for name, response in statuses.items()}

    def change(self, action, service="", status=0):
        change = self.calls.HealthChange(action=action, service=service, status=status)
        self.control.SetHealth(change, timeout=PATIENCE)

    def set(self, service, status):
        self.change("SET", service, status)


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", *MODES[request.param], "--limit", "drain_ms=60000")


@pytest.fixture
def client(server, connect, calls):
    return lambda: Health(connect(server), calls)


@pytest.fixture
def health(client):
    return client()


def code_of(call, *arguments):
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments)
    return error.value.code()


def statuses(stream, count):
    return [next(stream).status for _ in range(count)]


def test_check(health):
    assert health.check() == SERVING
    assert code_of(health.check, "a.B") == grpc.StatusCode.NOT_FOUND
    for status in (SERVING, NOT_SERVING, UNKNOWN):
        health.set("a.B", status)
        assert health.check("a.B") == status
    assert code_of(health.check, "a.BC") == grpc.StatusCode.NOT_FOUND
    assert code_of(health.check, "a.") == grpc.StatusCode.NOT_FOUND
    health.change("FORGET", "a.B")
    health.change("FORGET", "never.known")
    assert code_of(health.check, "a.B") == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("status", [SERVICE_UNKNOWN, 4, -1])
def test_what_is_no_status_cannot_be_set(health, status):
    assert code_of(health.set, "a.B", status) == grpc.StatusCode.INVALID_ARGUMENT
    assert code_of(health.check, "a.B") == grpc.StatusCode.NOT_FOUND


def test_list(health):
    assert health.listed() == {"": SERVING}
    expected = {"": NOT_SERVING, "a.B": SERVING, "c.D": UNKNOWN}
    for service, status in expected.items():
        health.set(service, status)
    assert health.listed() == expected
    for i in range(97):
        health.set(f"s{i}", SERVING)
    assert len(health.listed()) == 100
    health.set("one.too.many", SERVING)
    assert code_of(health.listed) == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_watch(client):
    setter, watcher = client(), client()
    whole, later = watcher.watch(), watcher.watch("a.B")
    assert statuses(whole, 1) == [SERVING]
    assert statuses(later, 1) == [SERVICE_UNKNOWN]
    for status in (NOT_SERVING, SERVING):
        setter.set("a.B", status)
        assert statuses(later, 1) == [status]
    setter.change("FORGET", "a.B")
    assert statuses(later, 1) == [SERVICE_UNKNOWN]
    setter.set("", NOT_SERVING)
    assert statuses(whole, 1) == [NOT_SERVING]


def test_what_does_not_change_is_not_told(client):
    setter, watcher = client(), client()
    stream = watcher.watch("a.B")
    assert statuses(stream, 1) == [SERVICE_UNKNOWN]
    setter.set("another", SERVING)
    setter.set("a.B", SERVING)
    setter.set("a.B", SERVING)
    assert statuses(stream, 1) == [SERVING]
    setter.set("a.B", SERVING)
    setter.set("a.B", NOT_SERVING)
    assert statuses(stream, 1) == [NOT_SERVING]


def test_suspend_and_resume(client):
    setter, watcher = client(), client()
    setter.set("a.B", SERVING)
    known, unknown = watcher.watch("a.B"), watcher.watch("c.D")
    assert (statuses(known, 1), statuses(unknown, 1)) == ([SERVING], [SERVICE_UNKNOWN])
    setter.change("SUSPEND")
    assert statuses(known, 1) == [NOT_SERVING]
    setter.set("c.D", SERVING)
    assert statuses(unknown, 1) == [NOT_SERVING]
    assert setter.listed() == {"": NOT_SERVING, "a.B": NOT_SERVING, "c.D": NOT_SERVING}
    setter.change("RESUME")
    assert (statuses(known, 1), statuses(unknown, 1)) == ([SERVING], [SERVING])


def test_a_hundred_watchers_on_all_rings(client):
    setter = client()
    streams = [watcher.watch("a.B") for watcher in (client() for _ in range(10)) for _ in range(10)]
    assert [statuses(stream, 1) for stream in streams] == [[SERVICE_UNKNOWN]] * 100
    setter.set("a.B", SERVING)
    assert [statuses(stream, 1) for stream in streams] == [[SERVING]] * 100


def test_watchers_that_go(client, calls):
    """Their calls end while news for them may be on its way."""
    setter, watcher = client(), client()
    for i in range(60):
        stream = watcher.watch("a.B")
        assert len(statuses(stream, 1)) == 1
        setter.set("a.B", SERVING if i % 2 else NOT_SERVING)
        stream.cancel()
        setter.set("a.B", UNKNOWN)
    open_calls = lambda: setter.control.Stats(calls.Empty(), timeout=PATIENCE).calls_open
    eventually(lambda: open_calls() == 1, "they are gone")


@pytest.mark.parametrize("mode", MODES)
def test_who_reads_nothing_is_told_the_last(start, connect, calls, mode):
    server = start("test-server", *MODES[mode])
    setter = Health(connect(server), calls)
    with Wire(server, window=1) as wire:
        stream = wire.request(WATCH, b"\n\x03a.B")
        answer = wire.streams[stream]
        wire.read(lambda: answer.data, "the first byte")
        for i in range(100):
            setter.set("a.B", SERVING if i % 2 else NOT_SERVING)
        wire.open_window(stream, WINDOW_MAX - 1)
        told = message(b"\x08\x03") + message(b"\x08\x01")
        wire.read(lambda: len(answer.data) >= len(told), "the first and the last")
        assert wire.ping()
        assert answer.data == told


class Recorder(Wire):
    """Knows what had come on each stream when the first GOAWAY did."""

    before_goaway = None

    def _take(self, frame):
        super()._take(frame)
        if self.goaways and self.before_goaway is None:
            self.before_goaway = {one: bytes(answer.data) for one, answer in self.streams.items()}


def test_a_stop_is_told_first_and_ends_the_streams(server):
    """NOT_SERVING, ahead of the GOAWAY; and no watcher holds the server, whose drain time is a minute."""
    with Recorder(server) as wire, Wire(server) as idle:
        stream = wire.request(WATCH)
        unknown = wire.request(WATCH, b"\n\x03a.B")
        for one in (stream, unknown):
            wire.read(lambda one=one: wire.streams[one].data, "the first status")
        assert idle.ping()
        wire.answers_pings = False  # so that the second GOAWAY is a second away
        server.signal()
        assert wire.read(lambda: wire.goaways, "the GOAWAY")
        assert wire.before_goaway[stream][-1] == NOT_SERVING
        assert wire.before_goaway[unknown][-1] == SERVICE_UNKNOWN
        for one in (stream, unknown):
            answer = wire.answer(one)
            assert (answer.status, answer.text) == (14, "the server is stopping")
        late = wire.request(WATCH)
        answer = wire.answer(late)
        assert (answer.data[-1], answer.status) == (NOT_SERVING, 14)
        wire.read_to_end()
    assert server.wait() == 0


def test_quoit_api(start, connect, api):
    server = start("quoit-api", "--port", 0)
    stub = health_pb2_grpc.HealthStub(connect(server))
    for service in ("", "api.Api"):
        request = health_pb2.HealthCheckRequest(service=service)
        assert stub.Check(request, timeout=PATIENCE).status == SERVING


def test_quoit_api_without(start, connect):
    stub = health_pb2_grpc.HealthStub(connect(start("quoit-api", "--port", 0, "--no-health")))
    assert code_of(stub.Check, health_pb2.HealthCheckRequest()) == grpc.StatusCode.UNIMPLEMENTED
