# SPDX-License-Identifier: MIT
"""The life of a connection: PINGs both ways, idle connections, old ones (gRPC's keepalive, A8, A9)."""

import socket
import time

import pytest

from servers import PATIENCE, eventually
from wire import ENHANCE_YOUR_CALM, NO_ERROR, WINDOW_MAX, Wire

ECHO, WAIT = "/calls.Calls/Echo", "/calls.Calls/Wait"
TOO_MANY = (ENHANCE_YOUR_CALM, b"too_many_pings")


def limits(**values):
    return [part for name, value in values.items() for part in ("--limit", f"{name}={value}")]


def refusals(wire):
    return [(code, text) for (_, code), text in zip(wire.goaways, wire.goaway_texts)]


# ---- the peer's PINGs ----


def test_pings_too_early_end_the_connection(start):
    server = start("test-server")
    with Wire(server) as wire:
        assert wire.read(lambda: wire.windows, "our window")
        for _ in range(3):  # the first, which the window forgives, and two strikes
            assert wire.ping()
        wire.ping()
        wire.read_to_end()
        assert TOO_MANY in refusals(wire)
    server.logged("too many PINGs (ping_strikes_max, ping_interval_min_ms, ping_interval_idle_min_ms); closed")


def test_a_batch_of_pings_is_as_many_strikes(start):
    server = start("test-server")
    with Wire(server) as wire:
        wire.send(b"\0\0\x08\6\0\0\0\0\0pingping" * 5)
        wire.read_to_end()
        assert TOO_MANY in refusals(wire)


@pytest.mark.parametrize("has_call", [True, False])
def test_pings_in_time_are_answered_for_ever(start, has_call):
    bounds = {"ping_interval_min_ms": 20, "ping_interval_idle_min_ms": 10**7}
    if not has_call:
        bounds = {"ping_interval_min_ms": 10**7, "ping_interval_idle_min_ms": 20}
    server = start("test-server", *limits(**bounds))
    with Wire(server) as wire:
        if has_call:
            wire.request(WAIT)
        for _ in range(10):
            assert wire.ping()
            time.sleep(0.025)
        assert wire.goaways == []


def test_answers_forgive(start):
    """A client that measures its bandwidth pings with each answer that it reads."""
    server = start("test-server")
    with Wire(server) as wire:
        for _ in range(50):
            assert wire.call(ECHO).status == 0
            assert wire.ping()
        assert wire.goaways == []


def test_they_can_be_allowed(start):
    server = start("test-server", *limits(ping_strikes_max=2**32 - 1))
    with Wire(server) as wire:
        for _ in range(100):
            assert wire.ping()


# ---- our PINGs ----


def test_a_silent_peer_is_asked_and_may_answer(start):
    server = start("test-server", *limits(keepalive_ms=50, keepalive_timeout_ms=10_000))
    with Wire(server) as wire:
        assert wire.read(lambda: len(wire.pings) >= 5, "five PINGs")
        assert wire.call(ECHO).status == 0


def test_a_peer_that_does_not_answer_is_gone(start):
    server = start("test-server", *limits(keepalive_ms=50, keepalive_timeout_ms=100))
    with Wire(server) as wire:
        wire.answers_pings = False
        began = time.monotonic()
        wire.request(WAIT)
        wire.read_to_end()
        assert time.monotonic() - began > 0.14
        assert len(wire.pings) == 1
    server.logged("no answer to a PING (keepalive_timeout_ms); closed")
    assert server.stop() is None  # its call was cancelled: nothing holds the server


def test_who_speaks_is_not_asked(start):
    server = start("test-server", *limits(keepalive_ms=500, keepalive_timeout_ms=100))
    with Wire(server) as wire:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert wire.call(ECHO).status == 0
            time.sleep(0.02)
        assert len(wire.pings) <= 1  # were the machine to stop for half a second


# ---- idle and old connections ----


def test_an_idle_connection_ends_in_good_order(start):
    server = start("test-server", *limits(connection_idle_ms=200))
    with Wire(server) as wire:
        began = time.monotonic()
        assert wire.call(ECHO).status == 0
        wire.read_to_end()
        assert time.monotonic() - began > 0.19
        assert [code for _, code in wire.goaways] == [NO_ERROR, NO_ERROR]
        assert wire.goaways[0][0] == WINDOW_MAX and wire.goaways[1][0] == 1
    # one that never had a call, too; not one that has one
    with Wire(server) as idle, Wire(server) as busy:
        stream = busy.request(WAIT)
        idle.read_to_end()
        busy.poll()
        assert busy.goaways == [] and not busy.streams[stream].is_over


def test_an_old_connection_ends_and_its_calls_finish(start, calls, connect):
    server = start("test-server", *limits(connection_age_ms=300))
    with Wire(server) as wire:
        stream = wire.request("/calls.Calls/Later", calls.Delay(ms=1500).SerializeToString())
        assert wire.read(lambda: wire.goaways, "a GOAWAY")
        assert wire.answer(stream).status == 0
        wire.read_to_end()
    # a channel does not notice: it opens another connection
    stub = calls.Stub(connect(server))
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert stub.Echo(calls.Payload(text="x"), timeout=PATIENCE).text == "x"


def test_grace_is_limited(start):
    server = start("test-server", *limits(connection_age_ms=200, connection_age_grace_ms=300))
    with Wire(server) as wire:
        stream = wire.request(WAIT)
        answer = wire.answer(stream)
        assert answer.status == 14 and answer.headers["grpc-message"] == "the connection's time is over (connection_age_grace_ms)"
        wire.read_to_end()


def test_ages_differ(start):
    """A tenth more or less, so that those that came together do not go together."""
    server = start("test-server", *limits(connection_age_ms=1000))
    began = time.monotonic()
    wires = [Wire(server) for _ in range(30)]
    ends = []
    while len(ends) < len(wires):
        for wire in [wire for wire in wires if not wire.goaways]:
            wire.poll()
            if wire.goaways:
                ends.append(time.monotonic() - began)
        time.sleep(0.005)
    assert min(ends) > 0.89
    assert max(ends) - min(ends) > 0.05
    for wire in wires:
        wire.socket.close()


def test_a_handshake_is_still_limited(start):
    server = start("test-server", *limits(handshake_ms=2000, connection_idle_ms=1900))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as silent:
        assert silent.recv(100) == b""
        assert 1.99 < time.monotonic() - began < 3.7  # at 3.8 it is looked at by the idle limit
    server.logged("no HTTP/2 preface and SETTINGS in time (handshake_ms); closed")
    eventually(lambda: server.descriptors() < 100, "nothing is left")
