# SPDX-License-Identifier: MIT
"""The goals for Quoit, and whether it reaches them."""

import dataclasses

from .contestants import ON_EPOLL, OWN, RAW

BEST, RAW_TCP = "the best peer", "the best TCP echo"


@dataclasses.dataclass(frozen=True)
class Bar:
    work: str
    metric: str
    title: str  # of the metric
    text: str  # what must be reached
    limit: float
    against: str = BEST  # or a limit's name, or "" where the figure stands alone
    higher: bool = False  # whether more is better


@dataclasses.dataclass(frozen=True)
class Verdict:
    bar: Bar
    value: object  # a stats.Spread, None where it was not measured
    against: str  # the peer that was the best, or the limit

    @property
    def reached(self):
        """None where that cannot be said."""
        if self.value is None:
            return None
        if self.bar.higher:
            return self.value.median >= self.bar.limit
        return self.value.median <= self.bar.limit


CPU, RATE, SPEEDUP = "CPU a call", "throughput", "speed-up"
# 1.8 of two cores. The load runs on the same two: what it takes is not there for the server.
ROOM = "≥ 0.9 of the cores that the load leaves"

BARS = [
    Bar("sayHello-10x100", "cpu_us", CPU, "≤ 1/4 of every peer's", 1 / 4),
    Bar("sayHello-10x100", "cpu_us", CPU, "epoll's ≤ 1.35 × io_uring's", 1 / 1.35, ON_EPOLL, True),
    Bar("sayHello-64x1", "cpu_us", CPU, "≤ 1.2 × the floor's", 1.2, "floor"),
    Bar("sayHello-1x1", "cpu_us", CPU, "≤ 1.2 × the floor's", 1.2, "floor"),
    Bar("getAll-100", "cpu_us", CPU, "≤ 1/3.5 of the best peer's", 1 / 3.5),
    Bar("getAll-10000", "cpu_us", CPU, "≤ 1/2 of the best peer's", 1 / 2),
    Bar("getStream-100", "cpu_us", CPU, "≤ 1/6 of the best peer's", 1 / 6),
    Bar("getStream-10000", "cpu_us", CPU, "≤ 1/6 of the best peer's", 1 / 6),
    Bar("echo-64KiB", "cpu_us", CPU, "≤ 2/3 of the best peer's", 2 / 3),
    Bar("echo-64KiB", "calls_per_second", RATE, "≥ 80 % of raw TCP's", 0.8, RAW_TCP, True),
    Bar("echo-1MiB", "cpu_us", CPU, "≤ 2/3 of the best peer's", 2 / 3),
    Bar("echo-1MiB", "calls_per_second", RATE, "≥ 80 % of raw TCP's", 0.8, RAW_TCP, True),
    Bar("idle", "connection_bytes", "resident bytes a connection", "≤ 10 KiB", 10240, ""),
    Bar("open-best-75", "p99_us", "p99", "≤ 1/2 of the best peer's", 1 / 2),
    Bar("rings-sayHello", "speedup_share", SPEEDUP, ROOM, 0.9, "", True),
    Bar("rings-getAll-100", "speedup_share", SPEEDUP, ROOM, 0.9, "", True),
    Bar("rings-getAll-10000", "speedup_share", SPEEDUP, ROOM, 0.9, "", True),
]


def judge(figures, bar):
    """@figures are a stats.Figures."""
    if not figures.work(bar.work):
        return Verdict(bar, None, "")
    if not bar.against:
        return Verdict(bar, figures.spread(bar.work, OWN, bar.metric), "")
    candidates = {BEST: figures.peers(), RAW_TCP: RAW}.get(bar.against, [bar.against])
    against = figures.best(bar.work, bar.metric, candidates, lower=not bar.higher)
    if not against:
        return Verdict(bar, None, "")
    return Verdict(bar, figures.ratio(bar.work, bar.metric, OWN, against), against)


def verdicts(figures):
    """Of all bars whose work was measured."""
    return [judge(figures, bar) for bar in BARS if figures.work(bar.work)]
