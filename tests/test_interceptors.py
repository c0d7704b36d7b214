# SPDX-License-Identifier: MIT
"""Interceptors see each call, may refuse or hold it, and hear its end."""

import concurrent.futures
import re

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from wire import Wire, message, request_fields

ECHO = "/calls.Calls/Echo"


class Ends:
    """The lines in which the interceptors of @server tell of calls that are over, one after the other."""

    def __init__(self, server):
        self.server, self.seen = server, 0

    def lines(self):
        return [line for line in list(self.server.log) if " end: " in line][self.seen :]

    def next(self):
        """The ends of one call: inner, outer, as dictionaries."""
        eventually(lambda: len(self.lines()) >= 2, "an end in the log")
        pair = self.lines()[:2]
        self.seen += 2
        assert [line.split()[0] for line in pair] == ["inner", "outer"]
        ends = []
        for line in pair:
            found = re.fullmatch(r"\w+ end: (\S*) (known|unknown) (.*)", line)
            end = dict(pair.split("=") for pair in found[3].split())
            ends.append({"path": found[1], "known": found[2] == "known", **end})
        return ends


@pytest.fixture(params=[[], ["--offload-all"]], ids=["ring", "offloaded"])
def server(request, start):
    return start("test-server", "--intercept", *request.param)


@pytest.fixture
def stub(calls, connect, server):
    return calls.Stub(connect(server))


@pytest.fixture
def ends(server):
    return Ends(server)


def gate(what):
    return {"metadata": [("gate", what)], "timeout": PATIENCE}


def refused(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def order_of(call):
    return [value for name, value in call.trailing_metadata() if name == "order"]


def test_starts_in_order_ends_in_reverse(calls, stub, ends):
    sent = calls.Payload(text="seven b")
    reply, call = stub.Echo.with_call(sent, timeout=PATIENCE)
    assert reply == sent and order_of(call) == ["outer", "inner"]
    for end in ends.next():
        assert end["path"] == ECHO and end["known"] and end["handled"] == "1"
        assert (end["status"], end["http"], end["seen"]) == ("0", "200", "1")
        size = sent.ByteSize()
        assert (end["in"], end["out"]) == (f"1/{size}", f"1/{size}")


def test_a_refusal(calls, stub, ends):
    error = refused(lambda: stub.Echo(calls.Payload(), **gate("refuse")))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED
    assert error.details() == "refused at the gate" and order_of(error) == ["outer"]
    inner, outer = ends.next()
    assert (outer["seen"], inner["seen"]) == ("1", "0")
    assert inner["handled"] == outer["handled"] == "0" and outer["status"] == "7"


def test_a_stream_is_refused_before_its_first_message(calls, stub):
    error = refused(lambda: stub.Sum(iter([calls.Number(value=1)]), **gate("refuse")))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED


def test_refused_while_the_request_is_on_its_way(server, ends):
    with Wire(server) as wire:
        stream = wire.headers([*request_fields(ECHO), ("gate", "refuse")])
        assert wire.answer(stream).status == 7
    assert ends.next()[1]["in"] == "0/0"


@pytest.mark.parametrize("how", ["hold", "delay"])
def test_a_start_is_held(calls, stub, ends, how):
    reply, call = stub.Echo.with_call(calls.Payload(text="later"), **gate(how))
    assert reply.text == "later" and order_of(call) == ["outer", "inner"]
    end = ends.next()[1]
    assert 15 <= int(end["wait_ms"]) <= int(end["ms"])
    total = stub.Sum((calls.Number(value=i) for i in range(10)), **gate(how))
    assert total.value == 45


def test_a_held_start_is_refused(calls, stub, ends):
    error = refused(lambda: stub.Echo(calls.Payload(), **gate("hold and refuse")))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED and order_of(error) == ["outer"]
    assert ends.next()[0]["handled"] == "0"


def test_a_start_is_cancelled_while_it_is_held(calls, stub, ends):
    metadata = [("gate", "hold until cancelled")]
    error = refused(lambda: stub.Echo(calls.Payload(), metadata=metadata, timeout=0.1))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    for end in ends.next():
        assert end["status"] in ("1", "4") and end["handled"] == "0"  # whose deadline was first


def test_the_peer_goes_while_its_start_is_held(server, ends):
    for what in "hold", "hold and refuse", "delay", "hold until cancelled":
        with Wire(server) as wire:
            stream = wire.headers([*request_fields(ECHO), ("gate", what), ("gate-ms", "300")])
            wire.data(stream, message(b""), end=True)
            assert wire.ping()
        inner, outer = ends.next()
        assert (outer["seen"], inner["seen"], outer["status"]) == ("1", "0", "1")


def test_many_are_held_at_once(calls, stub):
    def call(i):
        return stub.Echo(calls.Payload(text=str(i)), **gate("hold")).text

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(call, range(100))) == [str(i) for i in range(100)]


def test_state_goes_to_later_interceptors_and_the_handler(calls, stub):
    _, call = stub.Echo.with_call(calls.Payload(), **gate("attach"))
    assert ("user", "ann") in call.initial_metadata()
    assert ("handler-saw", "ann") in call.trailing_metadata()
    _, call = stub.Echo.with_call(calls.Payload(), timeout=PATIENCE)
    assert "handler-saw" not in dict(call.trailing_metadata())


def test_messages_are_seen(calls, stub, ends):
    assert stub.Echo(calls.Payload(text="short"), **gate("veto")).text == "short"
    ends.next()
    long = calls.Payload(text="longer than ten")
    error = refused(lambda: stub.Echo(long, **gate("veto")))
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    end = ends.next()[1]
    assert (end["handled"], end["in"], end["out"]) == ("0", f"1/{long.ByteSize()}", "0/0")
    error = refused(lambda: list(stub.Chat(iter([calls.Payload(text="a"), long]), **gate("veto"))))
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    error = refused(lambda: stub.Echo(calls.Payload(), **gate("mute")))
    assert error.code() == grpc.StatusCode.ABORTED


def test_streams_are_counted(calls, stub, ends):
    items = list(stub.Count(calls.CountRequest(count=100), timeout=PATIENCE))
    end = ends.next()[0]
    assert end["in"].startswith("1/")
    assert end["out"] == f"100/{sum(item.ByteSize() for item in items)}"


def test_unknown_methods_are_seen(server, ends):
    with channel(server.target) as opened:
        call = opened.unary_unary("/calls.Calls/Nothing")
        error = refused(lambda: call(b"abc", timeout=PATIENCE))
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED and "unknown" in error.details()
        assert order_of(error) == ["outer", "inner"]
        error = refused(lambda: call(b"abc", **gate("refuse")))
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED
    for status in "12", "7":
        end = ends.next()[1]
        assert (end["path"], end["known"], end["status"]) == ("/calls.Calls/Nothing", False, status)
        assert end["handled"] == "0"


@pytest.mark.parametrize(
    "change, status, http",
    [
        ({"grpc_timeout": "soon"}, "13", "200"),
        ({"content_type": "text/html"}, "2", "415"),
        ({":method": "GET"}, "2", "405"),
        ({"x_large": "x" * 9000}, "8", "200"),
    ],
    ids=["timeout", "type", "method", "large"],
)
def test_requests_that_are_none_are_heard_of(server, ends, change, status, http):
    with Wire(server) as wire:
        fields = request_fields(ECHO, **{k: v for k, v in change.items() if k != ":method"})
        if ":method" in change:
            fields = [(name, change.get(name, value)) for name, value in fields]
        wire.answer(wire.headers(fields, end=True))
    for end in ends.next():
        assert (end["status"], end["http"], end["seen"]) == (status, http, "0")


def test_cancelled_calls_are_heard_of(server, ends):
    with Wire(server) as wire:
        stream = wire.request("/calls.Calls/Wait")
        assert wire.ping()
        wire.reset(stream)
        assert ends.next()[0]["status"] == "1"
        fields = [(n, "GET" if n == ":method" else v) for n, v in request_fields(ECHO)]
        wire.reset(wire.headers(fields))  # before it is answered 405
        end = ends.next()[0]
        assert (end["status"], end["http"]) == ("1", "200")
        wire.request("/calls.Calls/Wait")
        assert wire.ping()
    assert ends.next()[0]["status"] == "1"
