# SPDX-License-Identifier: MIT
"""Peers that leave what waits for them: when their time begins, how much they must take, and who is ended for it."""

import contextlib
import time

import hyperframe.frame as frames
import pytest

from hostile import BIG, CHAT, ECHO, OK, RESOURCE_EXHAUSTED, SUM
from servers import PATIENCE
from wire import CANCEL, ENHANCE_YOUR_CALM, PREFACE, WINDOW_MAX, Wire, message

X = b"\x12\x01x"  # a Payload
COUNT = "/calls.Calls/Count"


def limits(**values):
    return [part for name, value in values.items() for part in ("--limit", f"{name}={value}")]


def big(calls, size):
    return calls.Number(value=size).SerializeToString()


def endless(calls):
    return calls.CountRequest(count=10**9).SerializeToString()


def pace(wire, step, seconds, every=0.02):
    """Does @step() again and again; False: the server has closed in between."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        step()
        wire.poll()
        if wire.closed:
            return False
        time.sleep(every)
    return True


# ---- when the time begins ----


@pytest.mark.parametrize("bounds", [(4000, 800), (800, 4000), (2600, 800), (10**6, 800)], ids=str)
def test_it_begins_when_bytes_begin_to_wait(start, bounds):
    """Not when the server last looked. The peers begin at all times between two looks, after a time in which nothing waited."""
    stall_ms, window_stall_ms = bounds
    times = limits(stall_ms=stall_ms, window_stall_ms=window_stall_ms, handshake_ms=500)
    server = start("test-server", *times)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server, window=0)) for _ in range(30)]
        time.sleep(2)
        asked = [None] * len(wires)
        for now in range(len(wires) + 3):  # 50 ms each
            if now < len(wires):
                asked[now] = wires[now].request(ECHO, X)
            if now >= 3:
                wires[now - 3].open_window(asked[now - 3], 1000)
            time.sleep(0.05)
        for wire, stream in zip(wires, asked):
            assert wire.answer(stream).data == message(X)


@pytest.mark.parametrize("stall_ms", [1, 300, 60_000, 2**32 - 1])
def test_windows_are_noticed_in_time(start, stall_ms):
    """Whatever the other limits are."""
    server = start("test-server", *limits(stall_ms=stall_ms, window_stall_ms=300))
    with Wire(server, window=0) as wire:
        began = time.monotonic()
        wire.request(ECHO, X)
        wire.read_to_end()
        assert 0.28 < time.monotonic() - began < 5
    server.logged("reads too slowly, or not at all (stall_ms, window_stall_ms, read_bytes_per_second_min); closed")


@pytest.mark.parametrize("window_stall_ms", [600_000, 2**32 - 1])
@pytest.mark.parametrize("trickles", [False, True])
def test_tcp_is_noticed_in_time(start, calls, window_stall_ms, trickles):
    server = start("test-server", *limits(stall_ms=300, window_stall_ms=window_stall_ms))
    with Wire(server, receive_buffer=4096) as wire:
        began = time.monotonic()
        wire.request(COUNT, endless(calls))
        while trickles and time.monotonic() - began < PATIENCE:
            try:
                if not wire.socket.recv(1) or server._line("reads too slowly"):
                    break
            except ConnectionResetError:
                break
            time.sleep(0.005)
        server.logged("reads too slowly, or not at all (stall_ms, window_stall_ms, read_bytes_per_second_min); closed")
        assert time.monotonic() - began < 8


@pytest.mark.parametrize("idle_ms", [50, 300])
def test_idleness_begins_when_there_are_no_calls(start, calls, idle_ms):
    """Not with a slow handshake, nor while a call runs."""
    server = start("test-server", *limits(connection_idle_ms=idle_ms))
    with Wire(server, start=False) as wire:
        time.sleep(2 * idle_ms / 1000)
        wire.send(PREFACE)
        wire.frame(frames.SettingsFrame())
        began = time.monotonic()
        wire.answers_settings = True
        wire.read(lambda: wire.goaways, "it is idle")
        assert time.monotonic() - began > idle_ms / 1000 - 0.01


# ---- a rate, not an event ----


def on_the_stream(server):
    return Wire(server, window=0)


def on_the_connection(server):
    wire = Wire(server, start=False)
    wire.answers_settings = True
    wire.send(PREFACE)
    wire.frame(frames.SettingsFrame(settings={4: WINDOW_MAX}))
    return wire


@pytest.mark.parametrize("opened", [on_the_stream, on_the_connection])
@pytest.mark.parametrize("path", [BIG, COUNT])
@pytest.mark.parametrize("piece", [1, 3])
def test_a_window_that_is_opened_byte_by_byte(start, calls, opened, path, piece):
    server = start("test-server", *limits(window_stall_ms=500, read_bytes_per_second_min=2000))
    with opened(server) as wire:
        stream = wire.request(path, big(calls, 1 << 20) if path == BIG else endless(calls))
        which = stream if opened == on_the_stream else 0
        began = time.monotonic()
        assert not pace(wire, lambda: wire.open_window(which, piece), PATIENCE)
        assert 0.4 < time.monotonic() - began < 8


@pytest.mark.parametrize("opened", [on_the_stream, on_the_connection])
def test_a_slow_reader_is_served(start, calls, opened):
    """Some KB a second, for many periods in which something waits all the time."""
    server = start("test-server", *limits(window_stall_ms=300, read_bytes_per_second_min=2000))
    with opened(server) as wire:
        stream = wire.request(BIG, big(calls, 100_000))
        which = stream if opened == on_the_stream else 0
        assert pace(wire, lambda: wire.open_window(which, 500), 2)
        wire.open_window(which, 200_000)
        answer = wire.answer(stream)
        assert answer.status == OK and len(answer.data) > 100_000


def test_by_default_a_byte_is_not_enough(start, calls):
    server = start("test-server", *limits(window_stall_ms=700))
    with Wire(server, window=0) as wire:
        stream = wire.request(BIG, big(calls, 1 << 20))
        assert not pace(wire, lambda: wire.open_window(stream, 1), PATIENCE, every=0.1)


# ---- single streams ----


@pytest.mark.parametrize("path", [BIG, COUNT])
@pytest.mark.parametrize("piece", [0, 1])
def test_a_stream_that_is_left_ends_and_others_go_on(start, calls, path, piece):
    """The peer reads what it likes: no reason to keep the rest for ever, and none to end its other calls."""
    server = start("test-server", *limits(window_stall_ms=600, read_bytes_per_second_min=2000))
    with Wire(server, window=0) as wire:
        left = [wire.request(path, big(calls, 1 << 20) if path == BIG else endless(calls)) for _ in range(5)]
        began = time.monotonic()

        def go_on():
            stream = wire.request(ECHO, X)
            wire.open_window(stream, 1000)
            assert wire.answer(stream).data == message(X)
            for each in left:
                if piece and not wire.streams[each].is_over:
                    wire.open_window(each, piece)

        while not all(wire.streams[each].is_over for each in left):
            go_on()
            assert time.monotonic() - began < 8
            time.sleep(0.02)
        assert time.monotonic() - began > 0.5
        for each in left:
            answer = wire.streams[each]
            assert answer.reset == ENHANCE_YOUR_CALM or answer.status == RESOURCE_EXHAUSTED
        for _ in range(50):
            go_on()
        assert not wire.goaways


def test_a_call_that_waits_for_its_handler_is_not_left(start, calls):
    server = start("test-server", *limits(window_stall_ms=200, stall_ms=200))
    with Wire(server, window=0) as wire:
        stream = wire.request("/calls.Calls/Later", calls.Delay(ms=1000).SerializeToString())
        wire.open_window(stream, 1000)
        assert wire.answer(stream).status == OK
        wire.reset(wire.request("/calls.Calls/Wait"), CANCEL)
        assert wire.ping()


# ---- requests ----


def test_requests_that_do_not_go_on(start, calls):
    """Each ends by itself, also if a byte comes now and then; what goes on, or has no need to, is not touched."""
    server = start("test-server", *limits(request_stall_ms=600, request_bytes_per_second_min=500))
    large = message(b"\x0a\xc0\x9a\x0c" + b"x" * 200_000)  # a Payload's data
    with Wire(server) as wire:
        silent = [wire.request(path, None) for path in (ECHO, ECHO, ECHO, SUM)]
        for stream, data in zip(silent[1:], (message(X)[:3], message(X), message(X) + message(X)[:6])):
            wire.data(stream, data)
        by_bytes, slow, chat = wire.request(ECHO, None), wire.request(ECHO, None), wire.request(CHAT, X, end=False)
        pieces = iter(large[i : i + 200] for i in range(0, len(large), 200))

        def go_on():
            wire.data(slow, next(pieces))
            if not wire.streams[by_bytes].is_over:
                wire.data(by_bytes, large[:1])

        wire.data(by_bytes, large[:5])
        while not all(wire.streams[stream].is_over for stream in [*silent, by_bytes]):
            assert pace(wire, go_on, 0.02)
        for stream in [*silent, by_bytes]:
            assert wire.streams[stream].status == RESOURCE_EXHAUSTED
            assert "request_stall_ms" in wire.streams[stream].text
        assert not wire.streams[chat].is_over
        wire.data(chat, end=True)
        for piece in pieces:
            wire.data(slow, piece)
        wire.data(slow, end=True)
        assert wire.answer(chat).status == wire.answer(slow).status == OK
        assert not wire.goaways
