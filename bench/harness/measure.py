# SPDX-License-Identifier: MIT
"""One measurement of one work on one contestant: figures by name, the unit last."""

import json
import pathlib
import subprocess
import time

from . import contestants
from .load import LoadFailed
from .servers import PATIENCE_SECONDS, Server, ServerFailed, pinned
from .stage import Usage, shown

SETTLE_SECONDS = 0.5  # before memory is looked at


class Unable(Exception):
    """The measurement makes no sense for this contestant, and why: not a failure."""


def latencies(report, key="latency_us", prefix=""):
    names = ("p50", "p90", "p99", "p999", "max")
    return {f"{prefix}{name}_us": report[key][name] for name in names}


# --- The kinds of work ------------------------------------------------------------------------


def closed(stage, contestant):
    """Calls follow each other as fast as they are answered."""
    if contestant.name in contestants.RAW:
        return raw(stage, contestant)
    server = stage.server(contestant)
    calls = stage.count(contestant, server)
    with Usage(server, stage.bench.cores) as usage:
        report = stage.run(server, "--calls", calls, seconds=stage.pace.seconds)
    figures = {
        **usage.figures(report["cpu_seconds"], report["calls"]),
        "calls_per_second": report["calls_per_second"],
        "load_busy": report["cpu_seconds"] / report["seconds"],
        "peak_rss_bytes": server.peak_rss(),
        **latencies(report),
    }
    if stage.work.calls.mix:
        figures |= latencies(report, "mix_latency_us", "slow_")
    return figures


def client(stage, contestant):
    """The contestant's own client, with Quoit's server: what it takes of the load's core."""
    if not contestant.client:
        raise Unable("it has no client here")
    server = stage.server(stage.bench.own)
    calls, pace = stage.work.calls, stage.pace
    words = [contestant.client, server.port, calls.method.rpartition("/")[2]]
    words += [calls.connections, calls.streams, pace.warmup_seconds, pace.seconds]
    command = pinned([stage.bench.cores[1]], words)
    stage.commands["load" if contestant is stage.bench.own else contestant.name] = shown(command)
    with Usage(server, stage.bench.cores) as usage:
        report = run_program(command, pace.warmup_seconds + pace.seconds)
    if not report["calls"]:
        raise LoadFailed("no call was answered")
    # it gets warm before it counts, as busily: strangers' part is of both
    counted = report["seconds"] / usage.seconds
    return {
        **usage.figures(report["cpu_seconds"] / counted, report["calls"] / counted),
        "cpu_us": report["cpu_seconds"] * 1e6 / report["calls"],
        "calls_per_second": report["calls"] / report["seconds"],
        "load_busy": report["cpu_seconds"] / report["seconds"],
    }


def run_program(command, seconds):
    """What it says, in JSON, when it is through."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS + seconds,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise LoadFailed(lines[-1] if lines else f"exit status {done.returncode}")
    return json.loads(done.stdout)


def raw(stage, contestant):
    """The same bytes to and fro, without HTTP/2 and gRPC."""
    server = stage.server(contestant)
    calls, seconds = stage.work.calls, stage.pace.seconds
    words = [stage.bench.raw_client, "--client", server.port, "--bytes", stage.work.raw_bytes]
    words += ["--connections", calls.connections, "--depth", calls.streams]
    command = pinned([stage.bench.cores[1]], [*words, "--seconds", seconds, "--json"])
    stage.commands["raw load"] = shown(command)
    with Usage(server, stage.bench.cores) as usage:
        report = run_program(command, seconds)
    # it gets warm before it counts, as busily: the server's CPU time is of both
    counted = report["seconds"] / usage.seconds
    return {
        **usage.figures(report["cpu_seconds"] / counted, report["messages"] / counted),
        "calls_per_second": report["messages_per_second"],
        "load_busy": report["cpu_seconds"] / report["seconds"],
        "peak_rss_bytes": server.peak_rss(),
    }


def open_loop(stage, contestant):
    """Calls come at a rate of their own; a server's stalls count for every call they delay."""
    own, best = stage.bench.peak(contestant.name), stage.bench.best_peak()
    peak = own if stage.work.of == "own" else best
    if own is None or peak is None:
        raise LoadFailed("the peak is not known")
    rate = peak * stage.work.percent / 100
    if rate > 0.95 * own:
        raise Unable(f"{rate:,.0f} calls/s are too many for it: its peak is {own:,.0f}")
    server = stage.server(contestant)
    stage.count(contestant, server)
    options = ["--rate", int(rate), "--duration", stage.pace.open_seconds]
    options += ["--warmup", stage.pace.warmup_seconds]
    with Usage(server, stage.bench.cores) as usage:
        report = stage.run(server, *options, seconds=stage.pace.open_seconds)
    calls = int(rate) * (stage.pace.open_seconds + stage.pace.warmup_seconds)
    return {
        "rate": rate,
        **usage.figures(report["cpu_seconds"], calls),
        "calls_per_second": report["calls_per_second"],
        "load_busy": report["cpu_seconds"] / (stage.pace.open_seconds + stage.pace.warmup_seconds),
        "behind_us": report["behind_seconds_max"] * 1e6,
        **latencies(report),
    }


def idle(stage, contestant):
    """What a server keeps resident for a connection on which one call was made."""
    connections = stage.pace.connections
    server = stage.start(contestant)
    stage.run(server, "--calls", 1000, seconds=1, connections=1)
    time.sleep(SETTLE_SECONDS)
    before = server.rss()
    command = stage.bench.load.command(stage.work, server.port, connections=connections)
    stage.commands["load"] = shown([*command, "--idle"])
    with stage.bench.load.idle(command):
        time.sleep(SETTLE_SECONDS)
        figures = {
            "connections": connections,
            "connection_bytes": (server.rss() - before) / connections,
            "rss_bytes": before,
        }
    server.stop()
    return figures


def startup(stage, contestant):
    """From exec to the first answered call; the load asks every millisecond."""
    taken = sorted(start_once(stage, contestant) for _ in range(stage.pace.starts))
    return {"startup_ms": taken[len(taken) // 2], "startup_max_ms": taken[-1]}


def start_once(stage, contestant):
    asking = []

    def command(port):
        load = stage.bench.load.command(stage.work, port)
        stage.commands["load"] = shown([*load, "--first-call"])
        asking.append(stage.bench.load.first_call(load))
        time.sleep(0.02)  # it asks by now
        asking.append(time.monotonic())
        return contestant.command(port)

    server = None
    try:
        server = Server(command, [stage.bench.cores[0]], stage.bench.folder / "start-up.log")
        _, stderr = asking[0].communicate(timeout=PATIENCE_SECONDS)
        seconds = time.monotonic() - asking[1]
        if asking[0].returncode:
            raise LoadFailed(stderr.decode().strip() or "no first call")
        return seconds * 1000
    except subprocess.TimeoutExpired:
        raise ServerFailed("no call was answered") from None
    finally:
        asking[0].kill()
        asking[0].wait()
        if server:
            server.stop()


def size(stage, contestant):
    """The program's file, and with the shared libraries it brings."""
    if not pathlib.Path(contestant.binary or "/none").exists():
        raise Unable("it names no file")
    stage.commands[contestant.name] = shown([contestant.binary])
    binary = contestants.file_bytes(contestant.binary)
    shared = contestants.libraries(contestant.binary)
    libraries = sum(contestants.file_bytes(path) for path in shared)
    return {"file_bytes": binary, "with_libraries_bytes": binary + libraries}


def rings(stage, contestant):
    """One thread on the server's core, then two on both cores, where the load has to run too: what
    it takes of them is not there for the server, so the speed-up has a limit below 2."""
    if contestant.name not in contestants.THREADED:
        raise Unable("its threads cannot be set")
    rates, busy, cpu = [], [], []
    server_core, load_core = stage.bench.cores
    for threads, cores, load_cores in (
        (1, [server_core], [load_core]),
        (2, *2 * [stage.bench.cores]),
    ):
        server = stage.server(contestant, threads, cores)
        calls = stage.count(contestant, server, threads, load_cores)
        with Usage(server, stage.bench.cores) as usage:
            report = stage.run(
                server, "--calls", calls, seconds=stage.pace.seconds, cores=load_cores
            )
        cpu.append(usage.cpu_ns / 1000 / report["calls"])
        rates.append(report["calls_per_second"])
        busy.append(report["cpu_seconds"] / report["seconds"])
    return {
        "calls_per_second": rates[0],
        "calls_per_second_2": rates[1],
        "cpu_us": cpu[0],
        "cpu_2_us": cpu[1],
        "speedup": rates[1] / rates[0],
        "speedup_limit": 2 - busy[1],
        "speedup_share": rates[1] / rates[0] / (2 - busy[1]),
        "load_busy": busy[0],
    }


KINDS = {
    "closed": closed,
    "client": client,
    "open": open_loop,
    "idle": idle,
    "startup": startup,
    "size": size,
    "rings": rings,
}


def measure(stage, contestant):
    """Its figures, or "failed" or "unable" and why."""
    try:
        return KINDS[stage.work.kind](stage, contestant)
    except Unable as why:
        return {"unable": str(why)}
    except (LoadFailed, ServerFailed) as why:
        stage.forget(contestant)
        return {"failed": str(why)}
