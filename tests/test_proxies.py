# SPDX-License-Identifier: MIT
"""The configurations of deploy/proxies/, each in its program, before two servers."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess

import grpc
import pytest

from servers import PATIENCE, eventually, free_port
from toolchains import envoy

COMMANDS = {
    "haproxy.cfg": ["haproxy", "-db", "-f"],
    "nginx.conf": ["nginx", "-e", "stderr", "-g", "daemon off; pid nginx.pid;", "-p", ".", "-c"],
    "envoy.yaml": ["envoy", "--disable-hot-restart", "-c"],
}
CALLS = 40


class Proxy:
    """@name of deploy/proxies/, as it is but for the ports."""

    def __init__(self, root, folder, name, servers):
        words = COMMANDS[name]
        program = envoy() if words[0] == "envoy" else self._find(words[0])
        port = free_port()
        text = (root / "deploy" / "proxies" / name).read_text()
        # for the addresses that a name has, with one port: two ports
        text = re.sub(r"^( *- endpoint: .*)quoit-api(.*)50051(.*)$", r"\g<1>127.0.0.1\g<2>50051\3\n\g<1>127.0.0.1\g<2>50052\3", text, flags=re.M)
        for number, server in enumerate(servers, 50051):
            text = re.sub(rf"\b{number}\b", str(server.port), text)
        text = re.sub(r"\b(50050|9901)\b", lambda found: str(port if found[1] == "50050" else 0), text)
        (folder / name).write_text(text)
        self.log = folder / "log"
        self.target = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [program, *words[1:], str(folder / name)], cwd=folder, stdout=self.log.open("w"), stderr=subprocess.STDOUT
        )
        eventually(lambda: self._is_up(port), "the proxy listens")

    @staticmethod
    def _find(name):
        program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
        if not program:
            pytest.skip(f"{name} is missing")
        return program

    def _is_up(self, port):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.connect(("127.0.0.1", port))
            return True
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Balanced:
    """Two servers and the proxy; .served says how many calls each has had."""

    def __init__(self, start, root, folder, name):
        self.logs = [folder / f"calls-{number}" for number in (1, 2)]
        self.servers = [start("quoit-api", "--port", 0, "--access-log", log) for log in self.logs]
        self.proxy = Proxy(root, folder, name, self.servers)

    @property
    def served(self):
        return [log.read_text().count("/api.Api/sayHello") for log in self.logs]


@pytest.fixture(params=COMMANDS)
def balanced(request, start, root, tmp_path):
    made = Balanced(start, root, tmp_path, request.param)
    yield made
    made.proxy.stop()


@pytest.fixture
def stub(api, balanced):
    with grpc.insecure_channel(balanced.proxy.target) as channel:
        made = api.Stub(channel)
        # until the proxy knows that its servers are well
        eventually(lambda: is_served(api, made), "a call goes through")
        yield made


def say_hello(api, stub):
    return stub.sayHello(api.HelloRequest(name="you"), timeout=PATIENCE).message


def is_served(api, stub):
    try:
        return say_hello(api, stub)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return False


def test_calls(api, stub):
    assert say_hello(api, stub) == "Hello you!"
    assert len(stub.getAll(api.ApiRequest(length=2_000), timeout=PATIENCE).items) == 2_000
    items = stub.getStream(api.ApiRequest(length=2_000), timeout=PATIENCE)
    assert [item.id for item in items] == list(range(1, 2_001))


def test_an_error_is_the_servers(api, stub):
    with pytest.raises(grpc.RpcError) as error:
        stub.getAll(api.ApiRequest(length=2**31 - 1), timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error.value


def test_the_calls_of_one_connection_are_balanced(api, balanced, stub):
    for _ in range(CALLS):
        say_hello(api, stub)
    eventually(lambda: min(balanced.served) >= CALLS // 4, f"each has its part: {balanced.served}")


def test_a_server_that_stops_costs_no_call(api, balanced, stub):
    balanced.servers[0].stop()
    for _ in range(CALLS):
        assert say_hello(api, stub)


def test_without_a_server_calls_are_unavailable(api, balanced, stub):
    for server in balanced.servers:
        server.stop()
    with pytest.raises(grpc.RpcError) as error:
        say_hello(api, stub)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE, error.value
