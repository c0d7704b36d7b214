# SPDX-License-Identifier: MIT
"""What a small call costs quoit-api, counted from outside; tests/unit/counters/ counts within."""

import shutil
import socket
import struct

import pytest

from servers import Server
from wire import Wire, message, request_fields

WARM_UP_CALLS = 300
CALLS = 200
HELLO = b"\n\x05World"

# Where struct tcp_info (linux/tcp.h) holds tcpi_data_segs_in.
DATA_SEGMENTS_IN = struct.Struct("@152xI")

# How many io_uring_enter a call may take, by the number of calls in flight.
ENTERS_MAX = {1: 1, 10: 0.2, 100: 0.02}


class Batches(Wire):
    """Gathers what is sent until something is to be read: a batch of calls is one segment."""

    gathered = b""

    def send(self, data):
        self.gathered += data

    def read(self, *arguments, **options):
        super().send(self.gathered)
        self.gathered = b""
        return super().read(*arguments, **options)

    def hello(self, count, depth):
        """@count calls, @depth of them at a time."""
        for _ in range(count // depth):
            streams = [self.headers(request_fields("/api.Api/sayHello")) for _ in range(depth)]
            for stream in streams:
                self.data(stream, message(HELLO), end=True)
            for stream in streams:
                assert self.answer(stream).status == 0

    def segments(self):
        """How many TCP segments with data in them have come."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGMENTS_IN.size)
        return DATA_SEGMENTS_IN.unpack(info)[0]


def test_a_reply_is_one_segment(start):
    with Batches(start("quoit-api", "--port", 0)) as wire:
        wire.hello(WARM_UP_CALLS, 1)
        before = wire.segments()
        wire.hello(CALLS, 1)
        assert wire.segments() - before == CALLS


@pytest.fixture
def traced(build, sanitized, tmp_path):
    """quoit-api, and a function that says how many io_uring_enter have returned in it."""
    if not shutil.which("strace"):
        pytest.skip("strace is missing")
    if sanitized:
        pytest.skip("the leak sanitizer does not work under strace")
    log = tmp_path / "calls"
    # -D: the server is our child, strace its grandchild
    strace = ["strace", "-D", "-qq", "-f", "-e", "trace=io_uring_enter", "-o", log]
    server = Server(*strace, build / "bin" / "quoit-api", "--engine", "io_uring", "--port", 0)
    yield server, lambda: log.read_text().count(" = ")
    server.stop()


@pytest.mark.alone
@pytest.mark.parametrize("depth", ENTERS_MAX)
def test_enters_a_call(traced, depth):
    server, enters = traced
    with Batches(server) as wire:
        wire.hello(WARM_UP_CALLS, depth)
        before = enters()
        wire.hello(CALLS, depth)
        # those in which the server went to wait at either end may be written down on either side
        assert enters() - before <= CALLS * ENTERS_MAX[depth] + 1
