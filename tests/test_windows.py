# SPDX-License-Identifier: MIT
"""Flow-control windows: as they are set, and how they follow a connection's bandwidth × delay."""

import contextlib
import socket
import threading
import time

import grpc
import pytest

from servers import PATIENCE
from wire import Wire, message

SUM, ECHO = "/calls.Calls/Sum", "/calls.Calls/Echo"
INITIAL_WINDOW_SIZE = 4
KIB = 1024


def limits(**values):
    return [part for name, value in values.items() for part in ("--limit", f"{name}={value}")]


def window(wire):
    return wire.settings.get(INITIAL_WINDOW_SIZE)


class FarWire(Wire):
    """A peer that is 50 ms away: it answers PINGs late, and fills the window meanwhile."""

    def fill(self, stream):
        self.answers_pings = False
        asked = len(self.pings)
        self.data(stream, b"x" * (window(self) // 2))
        assert self.read(lambda: len(self.pings) > asked, "a PING that measures")
        self.data(stream, b"x" * (window(self) // 5 * 2))
        time.sleep(0.05)
        self.send(b"\0\0\x08\6\1\0\0\0\0" + self.pings[-1])


def test_a_window_that_is_filled_in_a_round_trip_grows(start):
    server = start("test-server", *limits(message_receive_bytes_max=1 << 30, window_bytes_max=1024 * KIB))
    with FarWire(server) as wire:
        assert wire.read(lambda: wire.settings, "SETTINGS") and window(wire) == 256 * KIB
        stream = wire.request(ECHO, None, end=False)
        wire.data(stream, message(b"", length=1 << 24))
        for larger in (512, 1024):
            wire.fill(stream)
            assert wire.read(lambda: window(wire) == larger * KIB, "a larger window")
        # more streams than such windows have room for together: as at first
        for _ in range(40):
            wire.request(ECHO, None, end=False)
        assert wire.read(lambda: window(wire) == 256 * KIB, "the first window")


def test_they_can_be_told_not_to(start):
    server = start("test-server", *limits(message_receive_bytes_max=1 << 30, window_bytes_max=1))
    with Wire(server) as wire:
        assert wire.read(lambda: wire.settings, "SETTINGS")
        stream = wire.request(ECHO, None, end=False)
        wire.data(stream, message(b"", length=1 << 24))
        wire.data(stream, b"x" * (250 * KIB))
        assert wire.ping()
        assert wire.pings == [] and window(wire) == 256 * KIB


@contextlib.contextmanager
def far_away(server, delay):
    """A port from which all bytes reach @server, and come back, @delay seconds later."""

    def pump(source, sink):
        queue, over = [], threading.Event()
        more = threading.Condition()

        def write():
            while True:
                with more:
                    more.wait_for(lambda: queue or over.is_set())
                    if not queue:
                        break
                    due, data = queue.pop(0)
                time.sleep(max(due - time.monotonic(), 0))
                with contextlib.suppress(OSError):
                    sink.sendall(data)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with more:
                    queue.append((time.monotonic() + delay, data))
                    more.notify()
        with more:
            over.set()
            more.notify()

    def serve(client):
        upstream = socket.create_connection(("127.0.0.1", server.port))
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                serve(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def upload_time(start, calls, window_bytes_max):
    """Of 8 MiB up a path of 2 × 40 ms."""
    bounds = {"window_bytes_max": window_bytes_max, "message_receive_bytes_max": 1 << 30}
    server = start("test-server", *limits(**bounds))
    message = calls.Payload(data=b"x" * (8192 * KIB)).SerializeToString()  # unknown to Empty
    with far_away(server, 0.04) as target, grpc.insecure_channel(target) as channel:
        upload = channel.unary_unary("/calls.Calls/Deadline")
        upload(b"", timeout=PATIENCE)
        began = time.monotonic()
        upload(message, timeout=PATIENCE)
        return time.monotonic() - began


@pytest.mark.alone
def test_a_far_client_is_held_up_less(start, calls):
    """A window of 256 KiB needs 32 round trips for it, or more; one that grows needs a few."""
    assert upload_time(start, calls, 4096 * KIB) < upload_time(start, calls, 1) * 0.6
