# SPDX-License-Identifier: MIT
"""SIGUSR2 where whoever has started the process waits for it, as tini, docker and shells do: it stays until the service ends."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from certificates import Certificate
from servers import PATIENCE, Server, eventually
from test_restart import Load, StuckStream, is_alive, reload

ADDRESS = ["--listen", "127.0.0.1:0", "--drain", "5m"]


class Kept(Server):
    """A server that is waited for by us; .main is the process that serves."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, env={"NOTIFY_SOCKET": ""}, **options)
        self.main = self.pid
        self.restarts = 0

    def taken_over(self):
        self.restarts += 1

        def lines():
            found = [line for line in list(self.log) if "has taken over" in line]
            return found if len(found) >= self.restarts else None

        old = self.main
        self.main = int(re.search(r"process (\d+) has", eventually(lines, "it has taken over")[-1])[1])
        return old

    def restart(self):
        """Told to the process that we know."""
        self.signal(signal.SIGUSR2)
        return self.taken_over()


@pytest.fixture
def kept(build):
    servers = []

    def start(*arguments, **options):
        servers.append(Kept(build / "bin" / "quoit-api", *ADDRESS, *arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def is_gone(pid):
    with contextlib.suppress(FileNotFoundError):
        return not is_alive(pid)
    return True


def test_no_call_fails(api, kept):
    served = kept()
    with Load(api, served.target, 4) as load, Load(api, served.target, 2, fresh=True) as fresh:
        for _ in range(4):
            old = served.restart()
            load.goes_on()
            fresh.goes_on(20)
            if old != served.pid:
                eventually(lambda old=old: is_gone(old), "it has drained, and is nobody's zombie for long")
        assert served.process.poll() is None
    assert served.logged(f"taken over from {served.pid}, which stays")
    served.signal()
    assert served.wait() == 0
    assert is_gone(served.main)


def test_it_keeps_little(api, kept):
    served = kept("--rings", 2)
    served.restart()
    eventually(lambda: served._line("finished its calls"), "it only waits")
    with open(f"/proc/{served.pid}/status") as status:
        threads = int(re.search(r"Threads:\s+(\d+)", status.read())[1])
    assert threads <= 2  # the log's, and itself
    ticks = lambda: sum(map(int, open(f"/proc/{served.pid}/stat").read().split()[13:15]))
    before = ticks()
    time.sleep(0.5)
    assert ticks() - before <= 1  # a tick may just be full


@pytest.mark.parametrize("to_all", [False, True], ids=["to the first", "to all"])
def test_a_stop_sees_out_all_calls(api, kept, to_all):
    """Also where it comes to every process, as by killall(1) or the terminal."""
    served = kept()
    first = StuckStream(api, served.target)
    served.restart()
    second = StuckStream(api, served.target)
    middle = served.restart()
    third = StuckStream(api, served.target)
    for pid in {served.pid, middle, served.main} if to_all else {served.pid}:
        os.kill(pid, signal.SIGINT if to_all else signal.SIGTERM)
    time.sleep(0.2)
    assert served.process.poll() is None and is_alive(middle) and is_alive(served.main)
    for stream in (third, second, first):
        stream.finish()
    assert served.wait() == 0
    assert is_gone(served.main) and is_gone(middle)


def test_a_second_stop_cancels(api, kept):
    served = kept()
    first = StuckStream(api, served.target)
    served.restart()
    second = StuckStream(api, served.target)
    served.signal()
    time.sleep(0.3)
    served.signal()
    for stream in (first, second):
        stream.is_cancelled()
    assert served.wait() == 0


def test_a_hangup_is_handed_on(kept, tmp_path):
    own = Certificate(tmp_path, "server", names=["localhost"])
    served = kept("--tls-cert", own.file, "--tls-key", own.key_file)
    served.restart()
    eventually(lambda: served._line("finished its calls"), "it only waits")
    served.signal(signal.SIGHUP)
    assert served.logged("TLS files were read again")


def test_reload_by_the_process_that_is_known(kept, build):
    served = kept()
    for _ in range(3):
        assert reload(build, served.pid).returncode == 0
        served.taken_over()


@pytest.mark.parametrize("drains", [False, True])
def test_the_service_has_died(api, kept, drains):
    """Who waits hears of it at once, and can start another one."""
    served = kept()
    stream = StuckStream(api, served.target)
    if not drains:
        stream.wire.socket.close()
    served.restart()
    os.kill(served.main, signal.SIGKILL)
    assert served.process.wait(PATIENCE) == 128 + signal.SIGKILL
    served.stop = lambda: None


def test_the_keeper_has_died(kept):
    """By SIGKILL: another one may be started at any time, so the service stops."""
    served = kept()
    served.restart()
    served.restart()
    served.process.kill()
    served.process.wait(PATIENCE)
    eventually(lambda: is_gone(served.main), "it has stopped too")
    served.stop = lambda: None


# ---- as those who wait do ----

# Waits for its one child, and ends with it: whoever is left then is killed, where it is the first of its namespace.
WAITER = """
import os, signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
for number in (signal.SIGTERM, signal.SIGUSR2):
    signal.signal(number, lambda number, _: child.send_signal(number))
while True:
    pid, status = os.wait()
    if pid == child.pid:
        os._exit(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture(params=["first", "below a waiter"])
def contained(request, build):
    """Of a container: the process that is the first or the child of the first, from outside."""
    program = [str(build / "bin" / "quoit-api"), *ADDRESS]
    own = [sys.executable, "-c", WAITER, *program] if request.param != "first" else program
    command = ["unshare", "--pid", "--fork", "--kill-child", *own]
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("no pid namespaces without root")
    server = Server(*command, env={"NOTIFY_SOCKET": ""})
    yield server
    server.process.kill()
    server.process.wait()


def inner(server):
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as children:
        return int(children.read().split()[0])


def test_a_container(api, contained):
    first = inner(contained)
    with Load(api, contained.target, 3) as load, Load(api, contained.target, 1, fresh=True) as fresh:
        for n in range(3):
            os.kill(first, signal.SIGUSR2)
            eventually(lambda n=n: sum("has taken over" in line for line in list(contained.log)) > n, "it has")
            load.goes_on()
            fresh.goes_on(10)
    stream = StuckStream(api, contained.target)
    os.kill(first, signal.SIGTERM)
    stream.finish()
    assert contained.process.wait(PATIENCE) == 0
