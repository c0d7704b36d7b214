# SPDX-License-Identifier: MIT
"""Runs the command `quoit`."""

import dataclasses
import json
import subprocess

from servers import ENGINE, PATIENCE

# Each of these takes --engine.
CONNECTING = {"call", "record", "replay"}


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def documents(self):
        """Those on stdout, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]


class Quoit:
    def __init__(self, build):
        self.program = build / "bin/quoit"

    def line(self, command, *words):
        """The command line."""
        engine = ["--engine", ENGINE] if ENGINE and command in CONNECTING else []
        return [self.program, command, *engine, *map(str, words)]

    def __call__(self, *words, status=0, input="", **options):
        """Runs it to its end, which has to be @status."""
        done = subprocess.run(
            self.line(*words), input=input, capture_output=True, text=True, timeout=2 * PATIENCE, **options
        )
        assert done.returncode == status, done
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *words, **options):
        """A process, with pipes for all three of its streams."""
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        return subprocess.Popen(self.line(*words), text=True, **{**pipes, **options})
