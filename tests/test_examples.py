# SPDX-License-Identifier: MIT
"""Every example does what its first comment says."""

import concurrent.futures
import os
import queue
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import grpc
import pytest

from certificates import Certificate
from python_stubs import python_stubs
from servers import PATIENCE, Server, eventually


@pytest.fixture(scope="module")
def guide(root, tmp_path_factory):
    """guide_pb2, with guide_pb2_grpc's stub."""
    guide_pb2, guide_pb2_grpc = python_stubs(root / "examples", "guide", tmp_path_factory.mktemp("guide"))
    guide_pb2.Stub = guide_pb2_grpc.GuideStub
    return guide_pb2


@pytest.fixture
def stub(request, build, guide, tmp_path):
    """A stub of the example that is named like the test: test_unary_... is examples/unary."""
    name = request.function.example
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / name, address)
    with grpc.insecure_channel(address) as channel:
        yield guide.Stub(channel)
    server.stop()


def example(name):
    def mark(function):
        function.example = name
        return function

    return mark


@example("unary")
def test_unary(stub, guide):
    reply, call = stub.Greet.with_call(guide.Name(name="Ann"), timeout=PATIENCE)
    assert reply.text == "Hello Ann!"
    assert ("greeted-by", "unary") in call.trailing_metadata()
    german = stub.Greet(guide.Name(name="Ann"), metadata=[("accept-language", "de")])
    assert german.text == "Hallo Ann!"
    with pytest.raises(grpc.RpcError) as caught:
        stub.Greet(guide.Name())
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "a name is needed"


@example("unary")
def test_what_an_example_leaves_out_is_unimplemented(stub, guide):
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.Countdown(guide.Number(value=3)))
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert caught.value.details() == "unknown method: /guide.Guide/Countdown"


@example("generic")
def test_generic(stub, guide):
    """It has not seen guide.proto: what comes back is what was sent."""
    name = guide.Name(name="Ann")
    reply, call = stub.Greet.with_call(name, timeout=PATIENCE)
    assert reply.SerializeToString() == name.SerializeToString()
    assert ("method", "/guide.Guide/Greet") in call.initial_metadata()
    assert ("traffic", "1 messages, 5 bytes") in call.trailing_metadata()
    assert [one.value for one in stub.Countdown(guide.Number(value=3), timeout=PATIENCE)] == [3]
    lines = [guide.Line(text=str(i)) for i in range(1000)]
    assert list(stub.Chat(iter(lines), timeout=PATIENCE)) == lines


@example("server_streaming")
def test_server_streaming(stub, guide):
    counted = [number.value for number in stub.Countdown(guide.Number(value=20_000))]
    assert counted == list(range(20_000, -1, -1))


@example("client_streaming")
def test_client_streaming(stub, guide):
    mean = stub.Average(iter([guide.Number(value=n) for n in (1, 2, 6)]), timeout=PATIENCE)
    assert (mean.count, mean.value) == (3, 3.0)
    assert stub.Average(iter([]), timeout=PATIENCE) == guide.Mean()
    with pytest.raises(grpc.RpcError) as caught:
        stub.Average(iter([guide.Number(value=2**63 - 1)] * 2), timeout=PATIENCE)
    assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE


class Chatter:
    """One in the room."""

    def __init__(self, stub, guide, name):
        self.guide, self.name, self.says = guide, name, queue.Queue()
        self.hears = stub.Chat(iter(self.says.get, None), timeout=PATIENCE)
        self.hears.initial_metadata()  # it is in

    def say(self, text):
        self.says.put(self.guide.Line(**{"from": self.name, "text": text}))

    def heard(self):
        return next(self.hears).text

    def leave(self):
        self.says.put(None)


@example("bidi")
def test_bidi(stub, guide):
    ann, bob, cid = (Chatter(stub, guide, name) for name in ("Ann", "Bob", "Cid"))
    ann.say("hello")
    assert [who.heard() for who in (ann, bob, cid)] == ["hello"] * 3
    cid.hears.cancel()
    bob.leave()
    assert list(bob.hears) == []
    ann.say("alone?")
    assert ann.heard() == "alone?"
    ann.leave()
    assert list(ann.hears) == []


@example("offload")
def test_offload(stub, guide):
    def ten_take_less_than_a_second():
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(10) as threads:
            names = [guide.Name(name=str(i)) for i in range(10)]
            texts = [greeting.text for greeting in threads.map(stub.Greet, names)]
        assert texts == [f"Good morning {i}!" for i in range(10)]
        return time.monotonic() - began < 0.9

    eventually(ten_take_less_than_a_second, "handlers that block run side by side")


@example("deferred")
def test_deferred(stub, guide):
    futures = [stub.Greet.future(guide.Name(), timeout=PATIENCE) for _ in range(20)]
    assert {future.result().text for future in futures} == {"That took a while."}
    gone = stub.Greet.future(guide.Name())
    gone.cancel()  # the thread's answer comes to a call that nobody waits for


@example("authenticate")
def test_authenticate(stub, guide):
    for metadata in [], [("authorization", "Bearer bob")]:
        with pytest.raises(grpc.RpcError) as caught:
            stub.Greet(guide.Name(), metadata=metadata, timeout=PATIENCE)
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    token = [("authorization", "Bearer ann")]
    assert stub.Greet(guide.Name(), metadata=token, timeout=PATIENCE).text == "Hello Ann!"


@example("foreign_loop")
def test_foreign_loop(stub, guide):
    def ticks():
        text = stub.Greet(guide.Name(name="Ann"), timeout=PATIENCE).text
        return int(re.fullmatch(r"Hello Ann, after (\d+) ticks", text).group(1))

    first = ticks()
    eventually(lambda: ticks() > first, "the loop sees to its clock and to the server")


def test_tls(build, guide, tmp_path):
    ca = Certificate(tmp_path, "ca")
    shown = Certificate(tmp_path, "server", ca, ["localhost"])
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / "tls", shown.file, shown.key_file, address)
    credentials = grpc.ssl_channel_credentials(ca.pem)
    options = [("grpc.ssl_target_name_override", "localhost")]
    with grpc.secure_channel(address, credentials, options) as channel:
        greet = guide.Stub(channel).Greet
        greeting = greet(guide.Name(name="Ann"), timeout=PATIENCE)
        assert greeting.text == "Hello Ann, in private!"
        server.signal(signal.SIGHUP)
        server.logged("read again")
        shown.key_file.write_text("no key")
        server.signal(signal.SIGHUP)
        server.logged("the certificates stay as they are")
        assert greet(guide.Name(name="Bob"), timeout=PATIENCE).text == "Hello Bob, in private!"
    server.stop()


def run(*words, **environment):
    words = [str(word) for word in words]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment})


def test_api_client(build, start):
    """With a server, and without one; its settings are in the environment."""
    server = start("quoit-api", "--port", 0)
    host, _, port = server.target.rpartition(":")
    words = [build / "examples" / "api_client", "Ann", 3]
    items = "1: name 1\n2: name 2\n3: name 3\n"
    result = run(*words, BACKEND_HOST=host, BACKEND_PORT=port)
    assert (result.stdout, result.stderr) == ("Hello Ann!\n" + 2 * items, "")
    server.stop()
    result = run(*words, BACKEND_HOST=host, BACKEND_PORT=port)
    assert result.returncode == 1
    assert "ECONNREFUSED" in result.stderr
    assert run(*words, BACKEND_HOST="", BACKEND_PORT="x").returncode == 2


@pytest.mark.parametrize(
    "example, method, said",
    [
        ("server_streaming", "Countdown", "100001 numbers\n"),
        ("client_streaming", "Average", "49999.5 is the mean of 100000\n"),
        ("bidi", "Chat", "Ann: Hello!\nAnn: How are you?\nAnn: Bye!\n"),
    ],
)
def test_streams_client(build, tmp_path, example, method, said):
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / example, address)
    result = run(build / "examples" / "streams_client", address, method)
    assert (result.stdout, result.stderr, result.returncode) == (said, "", 0)
    server.stop()
    result = run(build / "examples" / "streams_client", address, method)
    assert result.returncode == 1
    assert "UNAVAILABLE: " in result.stderr


def test_threads_client(build, tmp_path):
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / "unary", address)
    result = run(build / "examples" / "threads_client", address)
    assert (result.stdout, result.stderr) == ("1000 of 1000 calls were answered\n", "")
    server.stop()


def test_intercepting_client(build, tmp_path):
    """The first call waits for a token; both have it."""
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / "authenticate", address)
    result = run(build / "examples" / "intercepting_client", address)
    assert (result.stdout, result.returncode) == ("Hello Ann!\n" * 2, 0)
    assert re.fullmatch(r"(/guide.Guide/Greet: OK, 1 attempts, \d+\.\d ms\n){2}", result.stderr)
    server.stop()
    result = run(build / "examples" / "intercepting_client", address)
    assert result.returncode == 1
    assert result.stderr.startswith("/guide.Guide/Greet: UNAVAILABLE, 1 attempts, ")


def test_tls_client(build, tmp_path):
    ca, other = Certificate(tmp_path, "ca"), Certificate(tmp_path, "other")
    shown = Certificate(tmp_path, "server", ca, ["localhost"])
    own = Certificate(tmp_path, "client", ca, ["client"])
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / "tls", shown.file, shown.key_file, address)
    client = build / "examples" / "tls_client"
    for more in [], [own.file, own.key_file]:
        result = run(client, address, ca.file, "localhost", *more)
        assert (result.stdout, result.stderr) == ("Hello Ann, in private!\n", "")
    result = run(client, address, other.file, "localhost")
    assert result.returncode == 1 and "UNAVAILABLE: " in result.stderr
    result = run(client, address, ca.file, "elsewhere")
    assert result.returncode == 1 and "UNAVAILABLE: " in result.stderr
    assert run(client, address, tmp_path / "none", "localhost").returncode == 2
    server.stop()


def test_token_client(build, tmp_path):
    address = f"unix:{tmp_path}/socket"
    server = Server(build / "examples" / "authenticate", address)
    client = build / "examples" / "token_client"
    result = run(client, address, "-", "echo ann")
    assert (result.stdout, result.stderr) == ("Hello Ann!\n", "")
    result = run(client, address, "-", "echo bob")
    assert (result.returncode, result.stderr) == (1, "UNAUTHENTICATED: a token is needed\n")
    result = run(client, address, "-", "false")
    assert (result.returncode, result.stderr) == (1, "UNAUTHENTICATED: the call credentials failed: false\n")
    assert run(client, address, tmp_path / "none", "echo ann").returncode == 2
    server.stop()


def test_balancing(build, start):
    """By the example's own policy each server has its share, unless all calls were over before the second was reached."""
    servers = [start("quoit-api", "--port", 0) for _ in range(2)]
    target = "ipv4:" + ",".join(server.target for server in servers)
    words = [build / "examples" / "balancing", "fewest", target]
    for _ in range(20):
        result = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        lines = result.stdout.splitlines()
        assert (len(lines), result.stderr) == (10, "")
        shares = sorted(lines.count(f"ipv4:{server.target}: OK") for server in servers)
        assert sum(shares) == 10
        if shares[0] > 0:
            break
    else:
        raise AssertionError("one server never had a call")
    words[1] = "round_robin"
    result = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    words[1] = "no such policy"
    assert subprocess.run(words, capture_output=True, timeout=PATIENCE).returncode == 2


class Greeter:
    """The service that examples/calling_out calls: it answers, refuses, or waits, and notes what it is told."""

    def __init__(self):
        self.seconds, self.metadata = None, None
        self.began, self.ended = threading.Event(), threading.Event()

    def greet(self, request, context):
        self.seconds = context.time_remaining()
        self.metadata = dict(context.invocation_metadata())
        if request.name == "nobody":
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody is here")
        if request.name == "patience":
            context.add_callback(self.ended.set)
            self.began.set()
            assert self.ended.wait(PATIENCE)
        return self.guide.Greeting(text=f"Hello {request.name}!")


@pytest.fixture
def relayed(build, guide, tmp_path):
    """A stub of examples/calling_out, the service that it calls, and the server."""
    greeter, there = Greeter(), f"unix:{tmp_path}/there"
    greeter.guide = guide
    backend = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    greet = grpc.unary_unary_rpc_method_handler(
        greeter.greet, guide.Name.FromString, guide.Greeting.SerializeToString
    )
    backend.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("guide.Guide", {"Greet": greet})])
    backend.add_insecure_port(there)
    backend.start()
    server = Server(build / "examples" / "calling_out", there, f"unix:{tmp_path}/here")
    with grpc.insecure_channel(f"unix:{tmp_path}/here") as channel:
        yield guide.Stub(channel), greeter, server
    server.stop()
    backend.stop(None)


def test_calling_out(relayed, guide):
    stub, greeter, server = relayed
    trace = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=1")]
    greeting = stub.Greet(guide.Name(name="Ann"), timeout=PATIENCE, metadata=[*trace, ("x-other", "stays")])
    assert greeting.text == "Hello Ann!"
    assert [greeter.metadata.get(name) for name in ("traceparent", "tracestate", "x-other")] == [
        *(value for _, value in trace),
        None,
    ]
    with pytest.raises(grpc.RpcError) as caught:
        stub.Greet(guide.Name(name="nobody"), timeout=PATIENCE)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.NOT_FOUND, "nobody is here")
    threads = [path.read_text().strip() for path in Path(f"/proc/{server.pid}/task").glob("*/comm")]
    assert not [name for name in threads if name.startswith("client")], "the client has no thread of its own"


def test_calling_out_has_the_deadline_of_its_call(relayed, guide):
    stub, greeter, _ = relayed
    with pytest.raises(grpc.RpcError) as caught:
        stub.Greet(guide.Name(name="patience"), timeout=1)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0 < greeter.seconds <= 1.05  # gRPC rounds a deadline up when it is sent
    assert greeter.ended.wait(PATIENCE)


def test_calling_out_ends_with_its_call(relayed, guide):
    stub, greeter, _ = relayed
    call = stub.Greet.future(guide.Name(name="patience"))
    assert greeter.began.wait(PATIENCE)
    assert greeter.seconds > 10**9, "no deadline"
    call.cancel()
    assert greeter.ended.wait(PATIENCE)
