# SPDX-License-Identifier: MIT
"""Worker threads are everybody's: peers that do not read cannot keep them from others."""

import contextlib
import time

import pytest

from hostile import DEADLINE_EXCEEDED, OK, RESOURCE_EXHAUSTED
from servers import PATIENCE, eventually
from wire import ENHANCE_YOUR_CALM, Wire

SLEEP, PARTS, COUNT = "/calls.Calls/Sleep", "/calls.Calls/BlockingParts", "/calls.Calls/BlockingCount"
PART = 16 * 1024 + 16  # what a message of PARTS takes of a window


def limits(**values):
    return [part for name, value in values.items() for part in ("--limit", f"{name}={value}")]


def sleep(calls, ms=1):
    return calls.Delay(ms=ms).SerializeToString()


def endless(calls, path):
    asked = calls.Number(value=3000) if path == PARTS else calls.CountRequest(count=10**9)
    return asked.SerializeToString()


class Takers:
    """Connections that ask for much and read nothing; or, with @piece, so much of each answer now and then."""

    def __init__(self, server, calls, connections=1, streams=10, path=PARTS, piece=0):
        self.wires = [Wire(server, window=0) for _ in range(connections)]
        self.piece = piece
        self.stepped = 0
        self.streams = [
            (wire, wire.request(path, endless(calls, path))) for wire in self.wires for _ in range(streams)
        ]
        for wire in self.wires:
            assert wire.ping()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for wire in self.wires:
            wire.__exit__()

    def step(self):
        """A piece each 0.6 s."""
        for wire in self.wires:
            wire.poll()
        if time.monotonic() < self.stepped + 0.6:
            return
        self.stepped = time.monotonic()
        for wire, stream in self.streams:
            if self.piece and not wire.streams[stream].is_over:
                wire.open_window(stream, self.piece)

    @property
    def ended(self):
        return [wire.streams[stream] for wire, stream in self.streams if wire.streams[stream].is_over]


def times_of(wire, calls, count, between=lambda: None):
    """In seconds, of so many calls that take a millisecond: what most take, and the slowest."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        assert wire.call(SLEEP, sleep(calls)).status == OK
        times.append(time.monotonic() - began)
        between()
        time.sleep(0.01)
    times.sort()
    return times[count * 9 // 10], times[-1]


@pytest.mark.parametrize("path", [PARTS, COUNT])
@pytest.mark.parametrize("piece", [0, PART])
@pytest.mark.parametrize("options", [[], ["--workers", 2], ["--workers", 3, "--rings", 2]], ids=str)
def test_one_peer_does_not_hold_every_worker(start, calls, path, piece, options):
    server = start("test-server", *options, *limits(worker_wait_ms=2**32 - 1))
    with Wire(server) as honest:
        alone, _ = times_of(honest, calls, 30)
        with Takers(server, calls, streams=30, path=path, piece=piece) as takers:
            beside, slowest = times_of(honest, calls, 60, takers.step)
            assert not takers.ended
        assert beside < max(2 * alone, alone + 0.05)
        assert slowest < 5  # others use the machine too; an attack took a minute


@pytest.mark.parametrize("piece", [0, PART])
@pytest.mark.parametrize("workers, connections", [(1, 1), (1, 3), (4, 3), (10, 5)])
def test_several_peers_have_a_time_to_wait(start, calls, workers, connections, piece):
    server = start("test-server", "--workers", workers, *limits(worker_wait_ms=300))
    with Wire(server) as honest, Takers(server, calls, connections, piece=piece) as takers:
        over = time.monotonic() + 2
        while time.monotonic() < over:
            stream = honest.request(SLEEP, sleep(calls))
            began = time.monotonic()
            while not honest.streams[stream].is_over:
                takers.step()
                honest.poll()
                # those that wait in the queue before it have their time, too
                assert time.monotonic() - began < 10
                time.sleep(0.05)
            assert honest.streams[stream].status == OK
        assert takers.ended
        for answer in takers.ended:
            assert answer.reset == ENHANCE_YOUR_CALM or answer.status == RESOURCE_EXHAUSTED
            assert answer.status is None or answer.text.endswith("(worker_wait_ms)")


def test_a_slow_reader_that_nobody_waits_for(start, calls):
    server = start("test-server", "--workers", 1, *limits(worker_wait_ms=100))
    with Takers(server, calls, streams=1, piece=PART) as takers:
        for _ in range(20):
            takers.step()
            time.sleep(0.1)
        assert not takers.ended


def test_who_reads_on_keeps_its_worker(start, calls):
    """At some 300 KB a second: it waits nearly all the time, and so do others for the only worker."""
    server = start("test-server", "--workers", 1, *limits(worker_wait_ms=400))
    with Wire(server, window=0) as reader, Wire(server) as other:
        stream = reader.request(PARTS, calls.Number(value=40).SerializeToString())
        assert reader.ping()
        waiting = other.request(SLEEP, sleep(calls))
        answer = reader.streams[stream]
        began = time.monotonic()
        while not answer.is_over:
            reader.open_window(stream, PART)
            reader.poll()
            time.sleep(0.05)
            assert time.monotonic() - began < PATIENCE
        assert answer.status == OK and len(answer.data) > 40 * 16 * 1024
        assert time.monotonic() - began > 1.2
        assert other.answer(waiting).status == OK


@pytest.mark.parametrize("workers, at_once", [(1, 1), (2, 1), (5, 4)])
def test_one_connection_may_use_nearly_all(start, calls, workers, at_once):
    server = start("test-server", "--workers", workers)
    with Wire(server) as wire, Wire(server) as other:
        streams = [wire.request(SLEEP, sleep(calls, 1500)) for _ in range(2 * workers)]

        def running():
            return calls.StatsReply.FromString(bytes(other.call("/calls.Calls/Stats").data[5:])).running

        eventually(lambda: running() == at_once, "they run")
        if workers > 1:  # one is left, though the handlers are slow by themselves
            assert other.call(SLEEP, sleep(calls), grpc_timeout="1S").status == OK
        for stream in streams:
            wire.reset(stream)


def test_peers_that_do_not_read_are_no_measure_of_work(start, calls):
    """Nobody is refused for what others' calls have waited."""
    server = start("test-server", "--workers", 2, *limits(stall_ms=400, worker_wait_ms=2**32 - 1))
    with contextlib.ExitStack() as stack:
        for _ in range(3):  # each is over after its time
            with Takers(server, calls, streams=1) as takers:
                eventually(lambda: takers.step() or takers.ended, "it waits no longer")
        # more than there are threads, and each with less time than that
        wires = [stack.enter_context(Wire(server)) for _ in range(8)]
        asked = [wire.request(SLEEP, sleep(calls, 20), grpc_timeout="350m") for wire in wires]
        statuses = [wire.answer(stream).status for wire, stream in zip(wires, asked)]
        assert set(statuses) <= {OK, DEADLINE_EXCEEDED}
