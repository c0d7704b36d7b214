# SPDX-License-Identifier: MIT
"""A server under test: started on cores of its own, watched from outside, stopped."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

PATIENCE_SECONDS = 30
CPUCLOCK_SCHED = 2  # of <linux/posix-timers_types.h>: a clock of a whole process


class ServerFailed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(cores, command):
    return ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]


class Server:
    """@command takes a port: a function from one to a list of words."""

    def __init__(self, command, cores, log):
        self.port = free_port()
        self.command = pinned(cores, command(self.port))
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # its own group: the terminal's Ctrl-C is the driver's, which stops it
                start_new_session=True,
            )

    def wait_listening(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self.process.poll() is not None:
                raise ServerFailed(f"the server ended at once: {self.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > end:
                    raise ServerFailed("the server does not listen") from None
            time.sleep(0.005)

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self.process.returncode}"

    def cpu_ns(self):
        """CPU time of all its threads, those that have ended too: the sum of
        /proc/PID/task/*/schedstat, from the clock the kernel keeps of it."""
        try:
            return time.clock_gettime_ns(~self.process.pid << 3 | CPUCLOCK_SCHED)
        except OSError:
            raise ServerFailed(f"the server is gone: {self.last_words()}") from None

    def _status(self, field):
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            status = ""
        found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
        if not found:
            raise ServerFailed(f"the server is gone: {self.last_words()}")
        return int(found[1]) * 1024

    def rss(self):
        return self._status("VmRSS")

    def peak_rss(self):
        return self._status("VmHWM")

    def stop(self):
        """No grace: some servers wait long for their clients. Its whole group, and only once."""
        if self.process.returncode is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
