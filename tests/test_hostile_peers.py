# SPDX-License-Identifier: MIT
"""Peers that are slow, and ten thousand of all kinds."""

import os
import random
import socket

import hpack
import hyperframe.frame as frames

from conftest import channel
from hostile import BIG, ECHO, LATER, MIB, OK, SUM, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import PATIENCE, eventually
from wire import PREFACE, Wire, message, request_fields

# ---- slow peers ----

QUICK = ["--limit", "handshake_ms=1000"]  # the first look at a connection comes then


def test_a_slow_reader_stops_its_own_stream_only(server, calls):
    with Wire(server, window=100) as wire:
        slow = wire.request("/calls.Calls/Count", calls.CountRequest(count=10**6).SerializeToString())
        assert wire.read(lambda: len(wire.streams[slow].data) == 100, "its window's worth")
        for _ in range(20):
            assert works(wire)
        assert len(wire.streams[slow].data) == 100


def test_a_peer_that_opens_no_window_is_closed(start, calls):
    server = start("test-server", "--limit", "window_stall_ms=600", "--limit", "stall_ms=400", *QUICK)
    with Wire(server, window=0) as wire:
        wire.request(ECHO, b"\x12\x01x")
        wire.read_to_end()
    assert server.logged("reads too slowly")


def test_a_peer_that_reads_nothing_is_closed(start, calls):
    server = start("test-server", "--limit", "stall_ms=600", *QUICK)
    with Wire(server, receive_buffer=4096) as wire:
        wire.request("/calls.Calls/Count", calls.CountRequest(count=10**9).SerializeToString())
        assert server.logged("reads too slowly")
        with channel(server.target) as opened:
            stub = calls.Stub(opened)
            eventually(lambda: stub.Stats(calls.Empty()).running == 0, "its handler was told")


def test_what_waits_for_room_goes_on_when_there_is_room_again(start, calls):
    """Frames are made in the midst of a turn's calls too, and take what others waited for: nothing else comes to wake them."""
    server = start("test-server", "--limit", "connection_send_bytes_max=200", "--limit", "stall_ms=60000")
    with Wire(server) as wire:
        held = [wire.request(WAIT) for _ in range(8)]
        assert works(wire)
        # all at once: frames after the 8th call; the 9th has too much to say for the others; frames amid the ends of those held
        sent = bytearray()
        wire.send = sent.extend
        sizes = [1] * 8 + [300] + [1] * 7
        streams = [wire.request(BIG, calls.Number(value=size).SerializeToString()) for size in sizes]
        for stream in held:
            wire.reset(stream)
        del wire.send
        wire.send(sent)
        assert all(wire.answer(stream).status == OK for stream in streams)


def test_an_idle_connection_is_no_stalled_one(start, calls):
    server = start("test-server", "--limit", "window_stall_ms=300", "--limit", "stall_ms=300", *QUICK)
    with Wire(server) as wire:
        assert works(wire)
        waiting = wire.request(LATER, calls.Delay(ms=1500).SerializeToString())
        assert wire.answer(waiting).status == OK
        assert works(wire)


def test_connections_over_the_limit_are_closed(start, calls):
    server = start("test-server", "--limit", "connections_max=3")
    wires = [Wire(server) for _ in range(3)]
    assert all(works(wire) for wire in wires)
    with Wire(server) as over:
        over.read_to_end()
    wires[0].socket.close()

    def one_fits():
        with Wire(server) as wire:
            return wire.ping()

    eventually(one_fits, "a place is free again")
    for wire in wires:
        wire.socket.close()


# ---- many of them ----


class Script(Wire):
    """Records what it would send, to be sent ten thousand times."""

    def __init__(self, *, preface=True):
        self.encoder = hpack.Encoder()
        self.next_id = 1
        self.bytes = bytearray()
        if preface:
            self.send(PREFACE)
            self.frame(frames.SettingsFrame())

    def send(self, data):
        self.bytes += data


def record(*steps, preface=True):
    script = Script(preface=preface)
    for step in steps:
        step(script)
    return bytes(script.bytes)


SCRIPTS = [
    record(lambda w: w.send(os.urandom(200)), preface=False),
    record(lambda w: w.send(PREFACE + b"\0\0\x06\x04"), preface=False),
    record(
        lambda w: w.request(ECHO, None),
        lambda w: w.send(b"\0\x40\0\0\0\0\0\0\1" + b"\0\0\x30\0\0half a message"),
    ),
    record(lambda w: w.request(ECHO, b"\xff\xff")),
    record(lambda w: w.request(SUM, b"\xff\xff", end=False)),
    record(lambda w: w.data(w.request(ECHO, None), message(b"", length=2**32 - 1))),
    record(*[lambda w: w.request(WAIT, b"")] * 5),
    record(*[lambda w: w.reset(w.request("/calls.Calls/Chat", b"\x0a\x01x", end=False))] * 5),
    record(lambda w: w.headers(request_fields(ECHO) + [("x", "y" * 9000)])),
    record(lambda w: w.request("/calls.Calls/Count", b"\x08\x80\x89\x7a")),
    record(lambda w: w.request("/nothing/here")),
    record(lambda w: w.request(LATER, b"\x08\x05"), lambda w: w.request("/calls.Calls/Sleep", b"\x08\x64")),
    record(lambda w: w.request("/calls.Calls/BlockingCount", b"\x08\x80\x89\x7a")),
]


def test_ten_thousand_hostile_connections_leave_nothing_behind(server, calls, kept):
    rng = random.Random(7)
    with channel(server.target) as opened:
        stub = calls.Stub(opened)

        def is_quiet():
            stats = stub.Stats(calls.Empty())
            return stats.running <= 1 and stats.connections_open <= 2

        def connect_badly():
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
                sock.sendall(rng.choice(SCRIPTS))
                if rng.random() < 0.3:
                    sock.recv(65536)

        def rounds(count):
            for _ in range(count // 500):
                for _ in range(500):
                    connect_badly()
                eventually(is_quiet, "all of them are gone")

        rounds(3000)
        descriptors, memory = server.descriptors(), server.rss()
        rounds(7000)
        assert server.descriptors() <= descriptors + 2
        # what a peak took goes back within some seconds
        eventually(lambda: server.rss() - memory < (4 + kept) * MIB, "their memory is gone")
        assert stub.Echo(calls.Payload(text="still here")).text == "still here"
