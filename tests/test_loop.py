# SPDX-License-Identifier: MIT
"""A server in a loop of its program's own, which waits for one descriptor and for nothing else."""

import threading
import time

import grpc
import pytest

from servers import PATIENCE, eventually
from wire import Wire

MODES = {"one": [], "rings": ["--rings", 3], "offloaded": ["--offload-all"]}


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", "--loop", *MODES[request.param])


def test_calls_of_all_kinds(calls, server, connect):
    stub = calls.Stub(connect(server))
    assert stub.Echo(calls.Payload(text="here"), timeout=PATIENCE).text == "here"
    assert len(stub.Big(calls.Number(value=3_000_000)).data) == 3_000_000
    assert [n.value for n in stub.Count(calls.CountRequest(count=5_000))] == list(range(1, 5_001))
    assert stub.Sum(iter([calls.Number(value=n) for n in range(1000)])).value == 499_500
    said = [calls.Payload(text=str(n)) for n in range(1000)]
    assert [reply.text for reply in stub.Chat(iter(said))] == [payload.text for payload in said]


def test_mail_from_other_threads(calls, server, connect):
    stub = calls.Stub(connect(server))
    futures = [stub.Later.future(calls.Delay(ms=5 * n), timeout=PATIENCE) for n in range(20)]
    futures += [stub.Sleep.future(calls.Delay(ms=5 * n), timeout=PATIENCE) for n in range(20)]
    assert {future.result().text for future in futures} == {"later", "slept"}


def test_deadlines_make_it_readable(server):
    """The handler waits for its cancellation, which only the server's own clock brings: the client keeps none."""
    with Wire(server) as wire:
        began = time.monotonic()
        stream = wire.request("/calls.Calls/Wait", grpc_timeout="200m")
        assert wire.answer(stream).status == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        assert 0.2 <= time.monotonic() - began < 10


def test_many_at_once(calls, server, connect):
    def work():
        with_channel = calls.Stub(connect(server))
        for n in range(200):
            texts.add(with_channel.Echo(calls.Payload(text=str(n)), timeout=PATIENCE).text)

    texts = set()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {str(n) for n in range(200)}


def test_it_does_not_spin(calls, start, connect):
    """With a connection and a held call in it: what is readable for nothing would be a busy loop."""
    server = start("test-server", "--loop")
    stub = calls.Stub(connect(server))
    waiting = stub.Wait.future(calls.Empty(), timeout=PATIENCE)
    eventually(lambda: stub.Stats(calls.Empty()).running == 1, "it runs")
    used = lambda: sum(int(field) for field in open(f"/proc/{server.pid}/stat").read().split()[13:15])
    before, began = used(), time.monotonic()
    for _ in range(10):
        stub.Echo(calls.Payload(text="now and then"), timeout=PATIENCE)
        waiting_until = time.monotonic() + 0.1
        eventually(lambda: time.monotonic() > waiting_until, "a moment")
    assert used() - before <= 20 + (time.monotonic() - began) * 10  # hundredths of a second: a tenth of a core
    waiting.cancel()


@pytest.mark.parametrize("way, text", [("outside", "from outside"), ("outside, after", "from a step")])
def test_calls_are_used_outside_of_a_step(calls, start, connect, way, text):
    """By the same thread, between two steps: the server is to hear of it, though nothing else makes its descriptor readable."""
    stub = calls.Stub(connect(start("test-server", "--loop")))
    reply = stub.Misuse(calls.MisuseRequest(way=way), timeout=PATIENCE)
    assert reply.text == text
