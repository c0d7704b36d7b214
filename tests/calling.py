# SPDX-License-Identifier: MIT
"""Runs test-client, which is Quoit's client."""

import json
import subprocess

from servers import ENGINE, PATIENCE


class Call:
    """What a call of the client came to."""

    def __init__(self, line):
        said = json.loads(line)
        self.status = said["status"]
        self.text = said["text"]
        self.handshakes = said["handshakes"]  # with TLS, of its channel
        self.resumed = said["resumed"]  # of these
        self.messages = [bytes.fromhex(message) for message in said["messages"]]
        self.headers = [(name, bytes.fromhex(value)) for name, value in said.get("headers", [])]
        self.trailers = [(name, bytes.fromhex(value)) for name, value in said.get("trailers", [])]


class Client:
    """client(target, method, requests..., option=value): a list of calls, one unless there are to be more."""

    def __init__(self, build):
        self.program = build / "tests/client/test-client"

    def run(self, target, method, *requests, metadata=(), **options):
        words = [self.program]
        if ENGINE:
            words += ["--engine", ENGINE]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        for name, value in metadata:
            words += ["--metadata", f"{name}={value.hex()}"]
        words += [target, method]
        lines = "".join(request.SerializeToString().hex() + "\n" for request in requests)
        result = subprocess.run(words, input=lines, capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 0, result.stderr
        self.log = result.stderr.splitlines()  # with log=True
        return [Call(line) for line in result.stdout.splitlines()]

    def __call__(self, *arguments, **options):
        (call,) = self.run(*arguments, **options)
        return call
