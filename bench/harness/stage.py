# SPDX-License-Identifier: MIT
"""What a measurement has at hand: servers that are warm, how long it may take, what it uses."""

import dataclasses
import os
import time

from . import contestants, machine
from .servers import Server


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long things take."""

    seconds: float = 1.0  # a closed-loop measurement
    warmup_seconds: float = 0.4
    open_seconds: float = 2.0
    starts: int = 5  # of a server, where its start-up is measured
    connections: int = 10000  # idle ones

    def expected_seconds(self, kind):
        """Of one measurement, roughly: for the progress line."""
        return {
            "closed": self.seconds + self.warmup_seconds / 2,
            "client": self.seconds + self.warmup_seconds,
            "open": self.open_seconds + self.warmup_seconds,
            "idle": 3,
            "startup": 0.2 * self.starts,
            "size": 0.01,
            "rings": 2 * self.seconds + self.warmup_seconds,
        }[kind]


class Stage:
    """One work being measured: a server for each contestant, started when it is first needed and
    there for all rounds, and what was learned of it while it got warm."""

    def __init__(self, work, bench):
        self.work = work
        self.bench = bench  # load, cores (server's, load's), folder, raw_client
        self.pace = bench.pace
        self.commands = {}
        self._servers = {}
        self._rates = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers.values():
            server.stop()

    def start(self, contestant, threads=None, cores=None):
        """A server that lives as long as the stage."""
        return self._add((contestant.name, time.monotonic_ns()), contestant, threads, cores)

    def server(self, contestant, threads=None, cores=None):
        """The one of all rounds; a new one after it failed."""
        key = (contestant.name, threads)
        if key in self._servers:
            return self._servers[key]
        return self._add(key, contestant, threads, cores)

    def _add(self, key, contestant, threads, cores):
        server = Server(
            lambda port: contestant.command(port, threads),
            cores or [self.bench.cores[0]],
            self.bench.folder / f"{contestant.name}.log",
        )
        self._servers[key] = server
        self.commands.setdefault(contestant.name, shown(server.command))
        return server.wait_listening()

    def forget(self, contestant):
        """After a failure: the next round starts anew."""
        for key in [key for key in self._servers if key[0] == contestant.name]:
            self._servers.pop(key).stop()
            self._rates.pop(key, None)

    def run(self, server, *options, seconds, **more):
        command = self.bench.load.command(self.work, server.port, *options, **more)
        self.commands["load"] = shown(command)
        return self.bench.load.run(command, seconds)

    def count(self, contestant, server, threads=None, cores=None):
        """How many calls take about the pace's seconds; the first time this warms the server."""
        key = (contestant.name, threads)
        if key not in self._rates:
            seconds = self.pace.warmup_seconds
            report = self.run(server, "--duration", seconds, seconds=seconds, cores=cores)
            self._rates[key] = report["calls_per_second"]
        in_flight = self.work.calls.connections * self.work.calls.streams
        return max(in_flight, int(self._rates[key] * self.pace.seconds))


class Usage:
    """What a server takes of its core inside the with, and what strangers take of both cores."""

    def __init__(self, server, cores):
        self.server = server
        self.cores = cores

    def __enter__(self):
        self.busy = machine.busy_seconds(self.cores)
        self.begun = time.monotonic()
        self.cpu_ns = self.server.cpu_ns()
        return self

    def __exit__(self, failure, *_):
        if failure:
            return
        self.cpu_ns = self.server.cpu_ns() - self.cpu_ns
        self.seconds = time.monotonic() - self.begun
        self.busy = machine.busy_seconds(self.cores) - self.busy

    def figures(self, load_cpu_seconds, calls):
        strangers = self.busy - self.cpu_ns / 1e9 - load_cpu_seconds
        return {
            "cpu_us": self.cpu_ns / 1000 / calls,
            "strangers": max(0.0, strangers / self.seconds),
        }


def shown(command):
    """As typed in the root of the tree."""
    return " ".join(
        (
            os.path.relpath(word, contestants.ROOT)
            if word.startswith("/") and os.path.exists(word)
            else word
        )
        for word in command
    )
