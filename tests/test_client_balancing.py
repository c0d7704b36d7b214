# SPDX-License-Identifier: MIT
"""Quoit's client before several servers: who has which calls, as the service config says."""

import contextlib
import json
import signal
import struct
import threading
import time

import grpc
import pytest

from grpcio_server import grpcio_server
from misbehaving import GRPC, Peer, whole
from servers import Server, free_port
from strict_server import StrictServer
from wire import message


def config(policy, **members):
    return json.dumps({"loadBalancingConfig": [{policy: members}]})


def target(*servers):
    return "ipv4:" + ",".join(server.target for server in servers)


class Python:
    """grpcio's server, which counts its calls and ends them as it is told to."""

    def __init__(self, stubs, load=None, fails=False):
        this = self

        class Calls(stubs("calls_pb2_grpc").CallsServicer):
            def Echo(self, request, context):
                with this.lock:
                    this.times.append(time.monotonic())
                if load:
                    context.set_trailing_metadata([("endpoint-load-metrics-bin", load)])
                if fails:
                    context.abort(grpc.StatusCode.INTERNAL, "on purpose")
                return request

        self.lock = threading.Lock()
        self.times = []
        self.servicer = Calls()


class Healthy:
    """test-server, and what it says about its health."""

    SERVING, NOT_SERVING = 1, 2

    def __init__(self, calls, stubs, start, status):
        server = start("test-server")
        self.target = server.target
        self.calls = calls
        self.stub = stubs("calls_pb2_grpc").CallsStub(grpc.insecure_channel(server.target))
        self.set(status)

    def set(self, status):
        self.stub.SetHealth(self.calls.HealthChange(service="calls.Calls", status=status))

    def served(self):
        """How many calls of calls.Calls, without this one."""
        return self.stub.Stats(self.calls.Empty()).done


class Orca(grpc.GenericRpcHandler):
    """xds.service.orca.v3.OpenRcaService, for a server of ours: @report, again and again; None: it does not know the method."""

    def __init__(self, report):
        self.report = report
        self.requests = []

    def service(self, details):
        if details.method != "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics":
            return None
        return grpc.unary_stream_rpc_method_handler(self.stream)

    def stream(self, request, context):
        self.requests.append(request)
        if self.report is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "not here")
        while context.is_active():
            yield self.report
            time.sleep(0.02)


@pytest.fixture
def python(stubs):
    """python(...): one of these, ended with the test."""
    with contextlib.ExitStack() as stack:

        def begin(orca=None, **how):
            server = Python(stubs, **how)

            def add(servicer, to):
                stubs("calls_pb2_grpc").add_CallsServicer_to_server(servicer, to)
                if orca:
                    to.add_generic_rpc_handlers((orca,))

            server.target = stack.enter_context(grpcio_server(add, server.servicer))
            return server

        yield begin


def load_report(utilization, requests):
    """xds.data.orca.v3.OrcaLoadReport: cpu_utilization and rps_fractional."""
    return b"\x09" + struct.pack("<d", utilization) + b"\x31" + struct.pack("<d", requests)


def test_round_robin(client, calls, python):
    servers = [python() for _ in range(3)]
    results = client.run(
        target(*servers), "Echo", calls.Payload(text="x"), calls=300, service_config=config("round_robin")
    )
    assert {call.text for call in results} == {"OK"}
    # the first calls have no choice yet
    assert all(80 <= len(server.times) <= 120 for server in servers), [len(server.times) for server in servers]


def test_weighted_round_robin(client, calls, python):
    """A server that is a fourth as busy for as many calls gets four times as many."""
    free, busy = python(load=load_report(0.2, 100)), python(load=load_report(0.8, 100))
    policy = config("weighted_round_robin", blackoutPeriod="0.2s", weightUpdatePeriod="0.1s")
    results = client.run(
        target(free, busy), "Echo", calls.Payload(text="x"), calls=2500, service_config=policy
    )
    assert {call.text for call in results} == {"OK"}
    begun = min(free.times + busy.times)
    early = [sum(0.05 < at - begun < 0.2 for at in server.times) for server in (free, busy)]
    last = sorted(free.times + busy.times)[-500]
    late = [sum(at >= last for at in server.times) for server in (free, busy)]
    assert abs(early[0] - early[1]) <= 0.2 * sum(early) + 2, early
    assert late[0] == pytest.approx(400, abs=12), late


def test_reports_out_of_band(client, calls, python):
    """By a stream on each connection. What comes with calls says the opposite, and does not count."""
    orcas = [Orca(load_report(0.2, 100)), Orca(load_report(0.8, 100))]
    free = python(load=load_report(0.8, 100), orca=orcas[0])
    busy = python(load=load_report(0.2, 100), orca=orcas[1])
    policy = config(
        "weighted_round_robin",
        blackoutPeriod="0.2s",
        weightUpdatePeriod="0.1s",
        enableOobLoadReport=True,
        oobReportingPeriod="1.5s",
    )
    results = client.run(
        target(free, busy), "Echo", calls.Payload(text="x"), calls=2500, service_config=policy
    )
    assert {call.text for call in results} == {"OK"}
    last = sorted(free.times + busy.times)[-500]
    late = [sum(at >= last for at in server.times) for server in (free, busy)]
    assert late[0] == pytest.approx(400, abs=12), late
    seconds, nanos = b"\x08\x01", b"\x10\x80\xca\xb5\xee\x01"
    assert [orca.requests for orca in orcas] == [[b"\x0a\x08" + seconds + nanos]] * 2


def test_no_reports_out_of_band(client, calls, python):
    """A server that does not have the service is not asked again, and others have their share."""
    orca = Orca(None)
    servers = [python(orca=orca), python()]
    policy = config("weighted_round_robin", blackoutPeriod="0.1s", enableOobLoadReport=True)
    results = client.run(
        target(*servers), "Echo", calls.Payload(text="x"), service_config=policy, **{"for": 2500}
    )
    assert {call.text for call in results} == {"OK"}
    assert len(orca.requests) == 1
    times = [len(server.times) for server in servers]
    assert abs(times[0] - times[1]) <= 0.2 * sum(times) + 2, times


class Loaded(Healthy):
    """test-server, which says that this part of its CPU is in use, at 100 requests a second."""

    def __init__(self, calls, stubs, start, load):
        super().__init__(calls, stubs, lambda name: start(name, "--load", load), Healthy.SERVING)


@pytest.mark.parametrize("by", ["streams", "calls"])
def test_reports_of_our_server(client, calls, stubs, start, by):
    loads = ["0.2", "0.8"] if by == "streams" else ["0.2,calls", "0.8,calls"]
    free, busy = (Loaded(calls, stubs, start, load) for load in loads)
    policy = config(
        "weighted_round_robin",
        blackoutPeriod="0.1s",
        weightUpdatePeriod="0.1s",
        enableOobLoadReport=by == "streams",
        oobReportingPeriod="0.1s",
    )
    before = free.served(), busy.served()
    results = client.run(
        target(free, busy), "Echo", calls.Payload(text="x"), service_config=policy, **{"for": 3000}
    )
    assert {call.text for call in results} == {"OK"}
    shares = free.served() - before[0], busy.served() - before[1]
    assert shares[0] > 2 * shares[1], shares  # four times as many, but for the beginning


def test_outlier_detection(client, calls, python):
    """One that fails all calls is left alone after the first interval."""
    servers = [python(fails=index == 2) for index in range(5)]
    policy = config(
        "outlier_detection_experimental",
        interval="0.1s",
        failurePercentageEjection={"threshold": 50, "requestVolume": 3},
        childPolicy=[{"round_robin": {}}],
    )
    results = client.run(
        target(*servers), "Echo", calls.Payload(text="x"), calls=4000, service_config=policy
    )
    assert any(call.status == "INTERNAL" for call in results)
    assert {call.text for call in results[-200:]} == {"OK"}
    counts = [len(server.times) for server in servers]
    assert counts[2] < min(counts[:2] + counts[3:]), counts


def test_ring_hash_by_header(client, calls, python):
    """Each user's calls come to one server, also of another client."""
    servers = [python() for _ in range(3)]
    policy = config("ring_hash_experimental", requestHashHeader="x-user")
    for user in range(10):
        before = [len(server.times) for server in servers]
        for _ in range(2):
            client.run(
                target(*servers),
                "Echo",
                calls.Payload(text="x"),
                calls=5,
                metadata=[("x-user", b"user %d" % user)],
                service_config=policy,
            )
        grown = [len(server.times) - was for server, was in zip(servers, before, strict=True)]
        assert sorted(grown) == [0, 0, 10]
    assert sum(bool(server.times) for server in servers) > 1


@pytest.mark.parametrize("policy", ["round_robin", "least_request_experimental", "weighted_round_robin"])
def test_a_server_is_killed(client, calls, start, build, policy):
    """Calls that it had are lost with it, and none after them."""
    doomed = Server(build / "tests/services/test-server")
    servers = [start("test-server"), doomed, start("test-server")]
    results = []

    def run():
        results.extend(
            client.run(
                target(*servers),
                "Echo",
                calls.Payload(text="x"),
                calls=5000,
                timeout=20_000,
                service_config=config(policy),
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    doomed.signal(signal.SIGKILL)
    doomed.wait()
    thread.join()
    failed = [call for call in results if call.status != "OK"]
    assert len(results) == 5000
    assert len(failed) <= 1, [call.text for call in failed]
    assert all(call.status == "UNAVAILABLE" for call in failed)


def test_none_is_left(client, calls, start):
    servers = [start("test-server") for _ in range(2)]
    for server in servers:
        server.stop()
    call = client(
        target(*servers), "Echo", calls.Payload(text="x"), service_config=config("round_robin")
    )
    assert call.status == "UNAVAILABLE"
    for server in servers:
        assert f"ipv4:{server.target}: connect: Connection refused (ECONNREFUSED)" in call.text
    assert "the next attempt is in " in call.text


def test_retries_go_elsewhere(client, calls, python):
    """A call that one server fails is tried again, and its turn is another's."""
    servers = [python(fails=index == 1) for index in range(3)]
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.001s",
        "maxBackoff": "0.01s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": ["INTERNAL"],
    }
    text = json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": [{"name": [{}], "retryPolicy": policy}],
        }
    )
    results = client.run(target(*servers), "Echo", calls.Payload(text="x"), calls=90, service_config=text)
    assert {call.text for call in results} == {"OK"}
    counts = [len(server.times) for server in servers]
    assert counts[1] > 20 and counts[0] + counts[2] == 90, counts


def test_a_large_ring_without_servers(client, calls):
    """Calls look at the addresses, not at each place of the ring, to know that none is left."""
    port = free_port()
    addresses = ",".join(f"127.0.1.{number}:{port}" for number in range(1, 65))
    results = client.run(
        f"ipv4:{addresses}",
        "Echo",
        calls.Payload(text="x"),
        parallel=2000,
        timeout=10_000,
        service_config=config("ring_hash_experimental", minRingSize=4096),
    )
    assert {call.status for call in results} == {"UNAVAILABLE"}


# ---- health checks (A17) ----


def health_config():
    return json.dumps(
        {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "calls.Calls"}}
    )


@pytest.fixture
def healthy(calls, stubs, start):
    return lambda status: Healthy(calls, stubs, start, status)


def test_a_server_that_does_not_serve(client, calls, healthy):
    well, ill = healthy(Healthy.SERVING), healthy(Healthy.NOT_SERVING)
    before = well.served(), ill.served()
    results = client.run(
        target(well, ill), "Echo", calls.Payload(text="x"), calls=100, service_config=health_config()
    )
    assert {call.text for call in results} == {"OK"}
    assert (well.served() - before[0], ill.served() - before[1]) == (100, 0)


def test_health_changes(client, calls, healthy):
    """Amid calls: the one that was well gets no more of them, and the other one does."""
    first, second = healthy(Healthy.SERVING), healthy(Healthy.NOT_SERVING)
    results = []

    def run():
        results.extend(
            client.run(
                target(first, second),
                "Echo",
                calls.Payload(text="x"),
                calls=5000,
                wait_for_ready=True,
                timeout=20_000,
                service_config=health_config(),
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    while first.served() < 100:
        time.sleep(0.01)
    second.set(Healthy.SERVING)
    first.set(Healthy.NOT_SERVING)
    time.sleep(0.3)
    before = first.served()
    thread.join()
    assert {call.text for call in results} == {"OK"}
    assert len(results) == 5000
    assert first.served() == before
    assert second.served() > 100


def test_no_server_serves(client, calls, healthy):
    servers = [healthy(Healthy.NOT_SERVING) for _ in range(2)]
    call = client(target(*servers), "Echo", calls.Payload(text="x"), service_config=health_config())
    assert call.status == "UNAVAILABLE"
    for server in servers:
        assert f"ipv4:{server.target}: the server says by its health check that it does not serve" in call.text


def test_servers_that_cannot_tell(client, calls, python):
    """UNIMPLEMENTED is as good as SERVING."""
    servers = [python() for _ in range(2)]
    results = client.run(
        target(*servers), "Echo", calls.Payload(text="x"), calls=50, service_config=health_config()
    )
    assert {call.text for call in results} == {"OK"}
    assert all(len(server.times) > 10 for server in servers)


# ---- health checks of servers that do wrong ----


def answer_and_end(peer):
    whole(message(b"\x08\x01"), ("grpc-status", "0"))(peer)


def begin_and_hang_up(peer):
    peer.headers(GRPC)
    peer.hang_up()


def begin_and_leave(peer):
    peer.headers(GRPC)
    peer.goaway(peer.stream)
    peer.hang_up()


@pytest.mark.parametrize("act", [answer_and_end, begin_and_hang_up, begin_and_leave])
def test_health_checks_do_not_make_a_loop(client, calls, act):
    """A server that answers them, then ends them or the connection, and answers no call: soon they come with pauses."""
    watches = []

    def answer(server, stream, request):
        if request.fields[":path"] == "/grpc.health.v1.Health/Watch":
            watches.append(stream)
            act(Peer(server, stream))

    with StrictServer(window=65535, answer=answer) as server:
        call = client(
            server.target,
            "Echo",
            calls.Payload(text="x"),
            service_config=health_config(),
            backoff=200,
            timeout=1500,
            wait_for_ready=True,
        )
    assert call.status == "DEADLINE_EXCEEDED"
    assert 5 <= len(watches) <= 22  # ten without a pause, and then some
