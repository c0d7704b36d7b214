# SPDX-License-Identifier: MIT
"""What is measured, as data: each work is one row of the report's tables."""

import dataclasses

from . import messages
from .contestants import ON_EPOLL, RAW


@dataclasses.dataclass(frozen=True)
class Calls:
    """Options of quoit-load; its --help explains them."""

    method: str
    connections: int
    streams: int
    message: bytes = b""
    kind: str = "unary"
    messages: int = 1
    expect: tuple = ()  # quoit-load's --expect-... options
    mix: tuple = ()  # quoit-load's --mix

    @property
    def shape(self):
        return f"{self.connections} × {self.streams}"


@dataclasses.dataclass(frozen=True)
class Work:
    """@kind is the function of measure.py that measures it."""

    name: str
    title: str
    kind: str
    calls: Calls
    limits: tuple = ()  # what is shown beside the peers: see contestants.py
    quick: bool = False  # part of --quick
    needs: str = ""  # another work whose result it starts from
    raw_bytes: int = 0  # what raw TCP echoes, to compare
    percent: int = 0  # open loop: of the peak
    of: str = ""  # open loop: whose peak, "own" or "best"


def hello(connections, streams, mix=()):
    expect = ("--expect-hex", messages.text(1, "Hello World!").hex())
    message = messages.text(1, "World")
    return Calls("/api.Api/sayHello", connections, streams, message, expect=expect, mix=mix)


def get_all(length, connections, streams):
    expect = ("--expect-messages", 1, "--expect-bytes", len(messages.items(length)))
    message = messages.integer(1, length)
    return Calls("/api.Api/getAll", connections, streams, message, expect=expect)


def get_stream(length, connections, streams):
    size = sum(len(messages.item(number)) for number in range(1, length + 1))
    expect = ("--expect-messages", length, "--expect-bytes", size)
    message = messages.integer(1, length)
    return Calls("/api.Api/getStream", connections, streams, message, "server-stream", 1, expect)


def echo(size, connections, streams):
    message = messages.payload(size)
    expect = ("--expect-messages", 1, "--expect-bytes", len(message))
    return Calls("/bench.Bench/echo", connections, streams, message, expect=expect)


def collect(count, size, connections, streams):
    summary = messages.integer(1, count) + messages.integer(2, count * size)
    expect = ("--expect-hex", summary.hex())
    message = messages.payload(size)
    return Calls(
        "/bench.Bench/collect", connections, streams, message, "client-stream", count, expect
    )


def chat(count, size, connections, streams):
    message = messages.payload(size)
    expect = ("--expect-messages", count, "--expect-bytes", count * len(message))
    return Calls("/bench.Bench/chat", connections, streams, message, "bidi", count, expect)


SLOW = (1, "/bench.Bench/pause", messages.integer(1, 5).hex())
PEAK = "sayHello-10x100"  # where the peaks of the open-loop works come from


def _closed(name, title, calls, **more):
    limits = (*more.pop("limits", ()), ON_EPOLL)
    return Work(name, f"{title}, {calls.shape}", "closed", calls, limits=limits, **more)


def _open(of, percent):
    whose = {"own": "its own peak", "best": "the best peer's peak"}[of]
    name, title = f"open-{of}-{percent}", f"sayHello at {percent} % of {whose}"
    quick = (of, percent) == ("best", 75)
    calls = hello(10, 100)
    return Work(name, title, "open", calls, quick=quick, needs=PEAK, percent=percent, of=of)


def _client(name, title, calls):
    return Work(f"client-{name}", f"{title}, {calls.shape}", "client", calls)


def _rings(name, title, calls):
    return Work(f"rings-{name}", f"{title}, {calls.shape}: 1 → 2 threads", "rings", calls)


WORKS = [
    _closed(PEAK, "sayHello", hello(10, 100), limits=("floor",), quick=True),
    _closed("sayHello-64x1", "sayHello", hello(64, 1), limits=("floor",), quick=True),
    _closed("sayHello-1x1", "sayHello", hello(1, 1), limits=("floor",)),
    _closed("getAll-100", "getAll(100)", get_all(100, 10, 100), quick=True),
    _closed("getAll-10000", "getAll(10,000)", get_all(10000, 4, 8)),
    _closed("getStream-100", "getStream(100)", get_stream(100, 10, 100), quick=True),
    _closed("getStream-10000", "getStream(10,000)", get_stream(10000, 4, 8)),
    _closed(
        "echo-64KiB",
        "echo of 64 KiB",
        echo(65536, 4, 8),
        limits=RAW,
        quick=True,
        raw_bytes=65536,
    ),
    _closed("echo-1MiB", "echo of 1 MiB", echo(1 << 20, 4, 2), limits=RAW, raw_bytes=1 << 20),
    _closed("collect", "collect, 100 messages of 100 bytes", collect(100, 100, 4, 8), quick=True),
    _closed("chat", "chat, 100 messages of 100 bytes to and fro", chat(100, 100, 4, 8)),
    _closed("slow-1-percent", "sayHello, 1 % of the calls pause 5 ms", hello(10, 100, mix=SLOW)),
    *[_open(of, percent) for of in ("own", "best") for percent in (25, 50, 75)],
    _client("sayHello-10x100", "sayHello", hello(10, 100)),
    _client("sayHello-1x1", "sayHello", hello(1, 1)),
    _client("getAll-100", "getAll(100)", get_all(100, 10, 100)),
    _client("getStream-100", "getStream(100)", get_stream(100, 10, 100)),
    Work("idle", "10,000 idle connections", "idle", hello(10000, 1), quick=True),
    Work("start-up", "start to first answered call", "startup", hello(1, 1), quick=True),
    Work("size", "the program's file", "size", hello(1, 1), quick=True),
    _rings("sayHello", "sayHello", hello(10, 100)),
    _rings("getAll-100", "getAll(100)", get_all(100, 10, 100)),
    _rings("getAll-10000", "getAll(10,000)", get_all(10000, 8, 4)),
]


MICRO = ("micro-codec", "micro-transport", "micro-echo")  # programs of bench/micro/


def select_micro(only=(), quick=False):
    """Which of these are run."""
    return [name for name in MICRO if not quick and (not only or any(p in name for p in only))]


def named(part):
    """The work of that name, or else all that have it in theirs."""
    exact = [work for work in WORKS if work.name == part]
    return exact or [work for work in WORKS if part in work.name]


def select(only=(), quick=False):
    """The works of these names, with what they need; all without @only."""
    asked = [work for part in only for work in named(part)] if only else WORKS
    wanted = {work.name for work in asked if work.quick or not quick}
    wanted |= {work.needs for work in WORKS if work.name in wanted and work.needs}
    return [work for work in WORKS if work.name in wanted]
