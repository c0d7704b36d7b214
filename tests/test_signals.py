# SPDX-License-Identifier: MIT
"""Signals mean the same whenever they come, and whatever mask and dispositions a program is started with."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from certificates import Certificate
from servers import PATIENCE, TIME

SERVERS = ["quoit-api", "quoit-interop-server"]
STOPS = [signal.SIGTERM, signal.SIGINT]
TLS_READ = "TLS files were read again"


@pytest.fixture
def tls(tmp_path):
    own = Certificate(tmp_path, "server", names=["localhost"])
    return ["--tls-cert", own.file, "--tls-key", own.key_file]


@pytest.fixture
def begin(build):
    """begin(program, *arguments): it runs, and does not listen yet; what it says is a pipe."""
    processes = []

    def begin_one(program, *arguments, **options):
        command = [str(build / "bin" / program), "--port", "0", *map(str, arguments)]
        env = {**os.environ, "NOTIFY_SOCKET": "@quoit-nobody-listens"}  # as under systemd, which a process need not stay for
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, **options))
        return processes[-1]

    yield begin_one
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def in_main(process):
    """It has begun with main(), no more than that: the first thing there, or nearly, is to ignore SIGPIPE."""
    while process.poll() is None:
        text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        ignored = re.search(r"SigIgn:\s+(\w+)", text)
        if ignored and int(ignored[1], 16) >> (signal.SIGPIPE - 1) & 1:
            return


def until(process, *parts):
    """What it has said by the time that all of @parts are there."""
    said = ""
    while not all(part in said for part in parts):
        line = process.stderr.readline()
        assert line, f"it has ended: {said}"
        said += line
    return said


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0


# ---- early ones ----


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
@pytest.mark.parametrize("program", SERVERS)
def test_an_early_stop(begin, program, number):
    for _ in range(5):
        process = begin(program)
        in_main(process)
        stop(process, number)


def test_a_stop_while_it_waits_for_a_file(begin, tls):
    """No matter how long that takes."""
    fifo = tls[1].parent / "fifo"
    os.mkfifo(fifo)
    process = begin("quoit-api", "--tls-cert", fifo, "--tls-key", tls[3])
    in_main(process)
    time.sleep(0.2)
    began = time.monotonic()
    stop(process)
    assert time.monotonic() - began < 5
    assert re.fullmatch(TIME + "quoit-api: stopped\n", process.stderr.read())


def test_an_early_reload(begin, tls):
    for _ in range(5):
        process = begin("quoit-api", *tls)
        in_main(process)
        process.send_signal(signal.SIGHUP)
        until(process, TLS_READ, "listening on")
        stop(process)


def test_an_early_restart(begin):
    for _ in range(3):
        process = begin("quoit-api")
        in_main(process)
        process.send_signal(signal.SIGUSR2)
        pid = int(re.search(r"process (\d+) has taken over", until(process, "has taken over"))[1])
        assert process.wait(PATIENCE) == 0
        os.kill(pid, signal.SIGTERM)
        assert process.stderr.read().endswith("quoit-api: stopped\n")


def test_all_at_once(begin, tls):
    process = begin("quoit-api", *tls)
    in_main(process)
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    assert process.wait(PATIENCE) == 0


def child_of(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            for child in (task / "children").read_text().split():
                return int(child)
    return None


def test_a_successor_is_not_ended_by_what_comes_early(begin, tls):
    """By SIGHUP to all processes of that name, say."""
    process = begin("quoit-api", *tls)
    until(process, "listening on")
    process.send_signal(signal.SIGUSR2)
    parent = pid = None
    while not parent and process.poll() is None:  # else we have missed it: it is quick, or we are slow
        parent = child_of(process.pid)
    for _ in range(20 if parent else 0):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # the parent, once the child serves
            pid = pid or child_of(parent)
            os.kill(parent, signal.SIGHUP)
        if pid:
            os.kill(pid, signal.SIGHUP)
    line = until(process, "has taken over")
    assert f"process {pid or ''}" in line
    pid = int(re.search(r"process (\d+) has taken over", line)[1])
    assert process.wait(PATIENCE) == 0
    os.kill(pid, signal.SIGTERM)
    assert process.stderr.read().endswith("quoit-api: stopped\n")


# ---- what was inherited ----


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
@pytest.mark.parametrize("program", SERVERS)
def test_blocked_by_who_started_it(begin, program, number):
    everything = signal.valid_signals()
    process = begin(program, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, everything))
    until(process, "listening on")
    stop(process, number)


def test_hangup_and_restart_blocked_by_who_started_it(begin, tls):
    everything = signal.valid_signals()
    process = begin("quoit-api", *tls, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, everything))
    until(process, "listening on")
    process.send_signal(signal.SIGHUP)
    until(process, TLS_READ)
    process.send_signal(signal.SIGUSR2)
    pid = int(re.search(r"process (\d+) has taken over", until(process, "has taken over"))[1])
    os.kill(pid, signal.SIGHUP)  # the mask of a restart's process is sane
    until(process, TLS_READ)
    os.kill(pid, signal.SIGTERM)
    assert process.stderr.read().endswith("quoit-api: stopped\n")


def ignoring(*numbers):
    def ignore():
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    return ignore


def test_a_hangup_that_is_ignored_stays_so(begin, tls):
    """As by nohup(1), which a terminal's end must not reach; SIGINT as by a shell's "&"."""
    process = begin("quoit-api", *tls, preexec_fn=ignoring(signal.SIGHUP, signal.SIGINT))
    until(process, "listening on")
    process.send_signal(signal.SIGUSR2)
    pid = int(re.search(r"process (\d+) has taken over", until(process, "has taken over"))[1])
    assert process.wait(PATIENCE) == 0
    for _ in range(2):
        os.kill(pid, signal.SIGHUP)
        os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(pid, signal.SIGTERM)
    assert TLS_READ not in process.stderr.read()


@pytest.mark.parametrize("program", SERVERS)
def test_a_stop_that_is_ignored_is_sent_on_purpose(begin, program):
    process = begin(program, preexec_fn=ignoring(signal.SIGTERM, signal.SIGPIPE, signal.SIGUSR2))
    until(process, "listening on")
    stop(process)
