# SPDX-License-Identifier: MIT
"""Runs quoit-load on a core of its own and reads what it found out."""

import contextlib
import json
import pathlib
import subprocess

from .servers import PATIENCE_SECONDS, pinned

HEX_MAX_BYTES = 512  # longer messages go by file: a command line holds only so much


class LoadFailed(Exception):
    pass


class Load:
    """@program is quoit-load; @folder keeps the messages that are too long for a command line."""

    def __init__(self, program, cores, folder):
        self.program = program
        self.cores = cores
        self.folder = pathlib.Path(folder)

    def command(self, work, port, *options, cores=None, connections=None):
        calls = work.calls
        words = ["--connections", connections or calls.connections, "--streams", calls.streams]
        words += ["--kind", calls.kind] if calls.kind != "unary" else []
        words += ["--messages", calls.messages] if calls.messages != 1 else []
        words += self._message(work.name, calls.message)
        words += calls.expect
        words += ["--mix", ",".join(map(str, calls.mix))] if calls.mix else []
        words += [*options, f"127.0.0.1:{port}", calls.method]
        return pinned(cores or self.cores, [self.program, *words])

    def _message(self, name, message):
        if len(message) <= HEX_MAX_BYTES:
            return ["--message-hex", message.hex()]
        path = self.folder / f"{name}.bin"
        if not path.exists() or path.read_bytes() != message:
            path.write_bytes(message)
        return ["--message-file", path]

    def run(self, command, seconds):
        """To its end, which should come after about @seconds."""
        try:
            done = subprocess.run(
                [*command, "--json"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS + 10 * seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise LoadFailed(f"the load did not end within {error.timeout:.0f} s") from None
        report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        if done.returncode or not report.get("calls"):
            raise LoadFailed(failure(report, done.stderr, done.returncode))
        return report

    @contextlib.contextmanager
    def idle(self, command):
        """Opens the connections and holds them inside the with."""
        process = subprocess.Popen(
            [*command, "--idle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            if process.stdout.readline().strip() != "idle":
                process.wait()
                raise LoadFailed(failure({}, process.stderr.read(), process.returncode))
            yield
        finally:
            process.kill()
            process.communicate()

    def first_call(self, command):
        """Starts asking for a first answer; wait() for it."""
        return subprocess.Popen(
            [*command, "--first-call"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


def failure(report, stderr, status):
    """What went wrong, in a line."""
    if report.get("failed"):
        worst = max(report.get("errors", {}).items(), key=lambda error: error[1], default=("", 0))
        return f"{report['failed']} of {report['calls']} calls failed: {worst[0]}"
    lines = stderr.strip().splitlines()
    return lines[-1] if lines else f"quoit-load: exit status {status}, no calls"
