# SPDX-License-Identifier: MIT
"""Starts a server program, watches it from outside, and stops it."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

# what the lines of a program begin with, once it knows its options
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
PATIENCE = 30  # seconds for what should take none: the machine may be busy


def eventually(condition, what, seconds=PATIENCE):
    """Waits until @condition() is true, and returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def free_port():
    """One that is to be free a moment later too: the kernel gives none below its range to who asks for any."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def descriptors(pid):
    """What the descriptors of a process are, as its links say; without those that are closed meanwhile."""
    links = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(link))
    return links


# What the servers of all tests run on; "io_uring" and "epoll" run the same tests, "" leaves it to the server.
ENGINE = os.environ.get("QUOIT_TEST_ENGINE", "")
WITH_ENGINE = {
    "conformance-client",
    "conformance-server",
    "flood-client",
    "quoit-api",
    "quoit-interop-client",
    "quoit-interop-server",
    "quoit-web",
    "test-server",
}


def with_engine(words):
    """The command line @words of a server, with the engine that the tests are to run on."""
    words = list(map(str, words))
    if not ENGINE or "--engine" in words:
        return words
    for at, word in enumerate(words):
        if pathlib.PurePath(word).name in WITH_ENGINE:
            return [*words[: at + 1], "--engine", ENGINE, *words[at + 1 :]]
    return words


class Server:
    """A running server; its stderr is in .log, one string a line."""

    def __init__(self, program, *arguments, env=None, preexec=None, **options):
        self.process = subprocess.Popen(
            with_engine([program, *arguments]),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            preexec_fn=preexec,
            text=True,
            **options,
        )
        self.log = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        line = eventually(lambda: self._line("listening on") or self._over(), "listening")
        assert line and line is not True, f"ended at once: {self.log}"
        self.address = line.split("listening on ")[1]
        if self.address.startswith(("unix", "vsock:")):
            self.target = self.address
        else:
            self.port = int(self.address.rpartition(":")[2])
            self.target = f"127.0.0.1:{self.port}"

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def _line(self, part):
        return next((line for line in list(self.log) if part in line), None)

    def _over(self):
        if self.process.poll() is None:
            return False
        self.reader.join()
        return self._line("listening on") or True

    @property
    def pid(self):
        return self.process.pid

    def whole_log(self):
        """All that it says until its end, which this brings about."""
        self.stop()
        return self.log

    def logged(self, part):
        """The first line with @part in it, which may still be on its way."""
        return eventually(lambda: self._line(part), f"{part!r} in {self.log}")

    def rss(self):
        """Resident memory in bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        """Its exit status."""
        status = self.process.wait(seconds)
        self.reader.join()
        return status

    def stop(self):
        """Gracefully; a sanitizer's complaint, a crash or a server that hangs fails the test."""
        if self.process.poll() is None:
            self.signal()
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"it did not stop: {self.log}") from None
        assert status == 0, "\n".join([f"exit status {status}", *self.log])


def is_sanitized(build):
    return b"__asan_init" in (build / "libquoit" / "libquoit.so").read_bytes()
