# SPDX-License-Identifier: MIT
"""Many peers that connect or begin to speak at once: each has its turn, and nobody else waits for them."""

import contextlib
import signal
import socket
import time

import hpack
import hyperframe.frame as frames
import pytest

from servers import PATIENCE, eventually
from wire import PREFACE, Wire, message, request_fields

WAIT, STATS = "/calls.Calls/Wait", "/calls.Calls/Stats"
CROWD = 400  # more than a ring has buffers
CALLS = 5  # of each of them

ENGINES = pytest.mark.parametrize("engine", ["io_uring", "epoll"])


def first_words():
    """What a client can send as it connects: @CALLS calls."""
    encoder = hpack.Encoder()
    words = PREFACE + frames.SettingsFrame().serialize()
    for number in range(CALLS):
        block = encoder.encode(request_fields(WAIT))
        words += frames.HeadersFrame(2 * number + 1, block, flags=["END_HEADERS"]).serialize()
        words += frames.DataFrame(2 * number + 1, message(b""), flags=["END_STREAM"]).serialize()
    return words


@contextlib.contextmanager
def crowd(server):
    """Connections that were accepted and have said nothing."""
    with contextlib.ExitStack() as stack:
        one_each = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            for _ in range(CROWD)
        ]
        eventually(lambda: server.descriptors() >= CROWD, "they are accepted")
        yield one_each


@contextlib.contextmanager
def asleep(server):
    """What comes meanwhile is there all at once when the server looks."""
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)


@ENGINES
def test_who_is_here_does_not_wait_for_newcomers(calls, start, engine):
    server = start("test-server", "--engine", engine)
    words = first_words()
    with Wire(server) as wire, crowd(server) as peers:
        assert wire.call(STATS).status == 0
        with asleep(server):
            for peer in peers:
                peer.sendall(words)
            stream = wire.request(STATS)
        answer = wire.answer(stream)
        assert answer.status == 0
        stats = calls.StatsReply.FromString(bytes(answer.data[5:]))
        assert stats.running < CROWD * CALLS / 4
        for peer in peers:
            assert peer.recv(1) != b""


@ENGINES
def test_time_does_not_count_while_the_server_has_not_read(start, engine):
    """All have sent in time, but some are read later than that."""
    server = start("test-server", "--engine", engine, "--limit", "handshake_ms=3000")
    words = first_words()
    with crowd(server) as peers:
        with asleep(server):
            for peer in peers:
                peer.sendall(words)
            time.sleep(3.2)
        for peer in peers:
            assert peer.recv(1) != b""
    assert not [line for line in server.whole_log() if "in time" in line]
