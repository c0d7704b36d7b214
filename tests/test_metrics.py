# SPDX-License-Identifier: MIT
"""Metrics by the names of gRPC's proposal A66, read in process."""

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from wire import Wire, request_fields

ECHO = "calls.Calls/Echo"


class Metrics:
    def __init__(self, calls, stub):
        self.calls, self.stub = calls, stub

    def read(self):
        """{"started": {method: count}, "duration": {(method, status): (count, sum, buckets)}, ...}"""
        found = {"started": {}, "protocol": {}, "duration": {}, "sent": {}, "received": {}}
        text = self.stub.Metrics(self.calls.Empty(), timeout=PATIENCE).text
        for line in text.splitlines():
            name, method, *rest = line.split()
            if name == "memory":
                continue
            if name == "protocol":
                found[name][method, rest[0]] = int(rest[1])
                continue
            if name == "started":
                assert method not in found[name]
                found[name][method] = int(rest[0])
                continue
            status, count, total, *buckets = rest
            assert (method, status) not in found[name]
            counts = {bound: int(n) for bound, n in (bucket.split(":") for bucket in buckets)}
            assert sum(counts.values()) == int(count)
            found[name][method, status] = (int(count), float(total), counts)
        return found

    def when(self, name, key, count):
        """What is read once @count calls of @key are in @name: a call is counted when it is over."""
        def there():
            found = self.read()
            return found if found[name].get(key, (0,))[0] == count else None

        return eventually(there, f"{count} of {key}")


@pytest.fixture(params=[1, 3], ids=["ring", "rings"])
def server(request, start):
    return start("test-server", "--metrics", "--rings", request.param)


@pytest.fixture
def stub(calls, connect, server):
    return calls.Stub(connect(server))


@pytest.fixture
def metrics(calls, stub):
    return Metrics(calls, stub)


def test_calls_are_counted_on_all_rings(calls, server, metrics):
    sizes = 0, 1000, 1024, 5000
    for size in sizes:
        with channel(server.target) as opened:
            payload = calls.Payload(data=b"x" * size)
            calls.Stub(opened).Echo(payload, timeout=PATIENCE)
    found = metrics.when("duration", (ECHO, "OK"), 4)
    assert found["started"][ECHO] == 4
    count, total, buckets = found["received"][ECHO, "OK"]
    assert total == sum(calls.Payload(data=b"x" * size).ByteSize() for size in sizes)
    assert buckets == {"0": 1, "1024": 1, "2048": 1, "16384": 1}
    assert found["sent"][ECHO, "OK"] == (count, total, buckets)
    assert 0 < found["duration"][ECHO, "OK"][1] < 4 * PATIENCE


def test_durations_and_statuses(calls, stub, metrics):
    stub.Later(calls.Delay(ms=120), timeout=PATIENCE)
    for code in 5, 5, 13:
        with pytest.raises(grpc.RpcError):
            stub.Status(calls.StatusRequest(code=code), timeout=PATIENCE)
    later = metrics.when("duration", ("calls.Calls/Later", "OK"), 1)["duration"]
    _, seconds, buckets = later["calls.Calls/Later", "OK"]
    assert 0.11 < seconds < PATIENCE and all(float(bound) >= 0.13 for bound in buckets)
    metrics.when("duration", ("calls.Calls/Status", "NOT_FOUND"), 2)
    found = metrics.when("duration", ("calls.Calls/Status", "INTERNAL"), 1)
    assert found["started"]["calls.Calls/Status"] == 3


def test_a_call_that_is_not_over_is_only_started(calls, server, stub, metrics):
    with Wire(server) as wire:
        stream = wire.request("/calls.Calls/Wait")
        assert wire.ping()
        found = metrics.read()
        assert found["started"]["calls.Calls/Wait"] == 1
        assert not [key for key in found["duration"] if key[0] == "calls.Calls/Wait"]
        wire.reset(stream)
        metrics.when("duration", ("calls.Calls/Wait", "CANCELLED"), 1)


def test_peers_make_up_no_labels(server, metrics):
    with Wire(server) as wire:
        for i in range(20):
            assert wire.call(f"/calls.Calls/Nothing{i}").status == 12
        wire.answer(wire.headers(request_fields("/x", content_type="text/html"), end=True))
    found = metrics.when("duration", ("other", "UNIMPLEMENTED"), 20)
    assert found["started"]["other"] == 20  # and not what is plain HTTP
    assert set(found["started"]) == {"other", "calls.Calls/Metrics"}


def test_what_never_starts_is_counted_too(server, metrics):
    with Wire(server) as wire:
        assert wire.call(f"/{ECHO}", grpc_timeout="soon").status == 13
    assert metrics.when("duration", (ECHO, "INTERNAL"), 1)["started"][ECHO] == 1


def test_memory_that_calls_hold(start, calls):
    server = start("test-server", "--metrics", "--limit", f"memory_bytes_max={16 << 20}")
    with channel(server.target) as opened, Wire(server, window=0) as wire:

        def memory():
            text = calls.Stub(opened).Metrics(calls.Empty(), timeout=PATIENCE).text
            line = next(line for line in text.splitlines() if line.startswith("memory "))
            return [int(word) for word in line.split()[1:]]

        used, limit, refusals = memory()
        assert used < 1 << 20 and limit == 16 << 20 and refusals == 0
        streams = [
            wire.request("/calls.Calls/Big", calls.Number(value=5 << 20).SerializeToString()) for _ in range(3)
        ]
        # A PING may be answered before all handlers have run: the loop shares its time among connections.
        eventually(lambda: memory()[2] == 2, "two calls are refused")
        assert memory()[0] > 5 << 20
        for stream in streams:
            wire.reset(stream)
        eventually(lambda: memory()[0] < 1 << 20, "the memory is given back")
