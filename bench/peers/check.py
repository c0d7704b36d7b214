# SPDX-License-Identifier: MIT
"""Asks a peer's server all seven methods and compares the answers, byte for byte, with what Quoit's
handlers promise. Run by check, which has made the stubs."""

import argparse
import contextlib
import pathlib
import socket
import subprocess
import sys
import time

import api_pb2
import bench_pb2
import grpc

START_S = 20
TAKES_NO_THREADS = 2
MIB = 1 << 20


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Ended(Exception):
    """The server is not there any more; the argument is its exit status."""


def wait_ready(channel, server):
    ready = grpc.channel_ready_future(channel)
    deadline = time.monotonic() + START_S
    while True:
        try:
            return ready.result(timeout=0.05)
        except grpc.FutureTimeoutError:
            if server.poll() is not None:
                raise Ended(server.returncode) from None
            if time.monotonic() > deadline:
                raise


@contextlib.contextmanager
def serving(outdir, threads):
    """A channel to the server, which is gone afterwards."""
    port = free_port()
    server = subprocess.Popen([outdir / "serve", str(port), *threads])
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            wait_ready(channel, server)
            yield channel
        if server.poll() is not None:
            raise Ended(server.returncode)
    finally:
        server.terminate()
        try:
            server.wait(START_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Client:
    """Calls by path, with answers as they were on the wire."""

    def __init__(self, channel):
        self.channel = channel

    def _options(self, path):
        return {"method": path, "request_serializer": lambda message: message.SerializeToString()}

    def unary(self, path, request):
        return self.channel.unary_unary(**self._options(path))(request, timeout=START_S)

    def server_stream(self, path, request):
        return list(self.channel.unary_stream(**self._options(path))(request, timeout=START_S))

    def client_stream(self, path, requests):
        return self.channel.stream_unary(**self._options(path))(iter(requests), timeout=START_S)

    def bidi(self, path, requests):
        return self.channel.stream_stream(**self._options(path))(requests, timeout=START_S)


def same(got, expected):
    if got != expected:
        raise AssertionError(
            f"{got[:60]!r} (of {len(got)}), not {expected[:60]!r} ({len(expected)})"
        )


def items(length):
    return [api_pb2.Item(id=i, name=f"name {i}") for i in range(1, length + 1)]


def check_say_hello(client):
    for name in ("World", "", "Jürgen € 😀", "x" * 5000, "a\0b"):
        expected = api_pb2.Hello(message=f"Hello {name}!").SerializeToString()
        same(client.unary("/api.Api/sayHello", api_pb2.HelloRequest(name=name)), expected)


def check_get_all(client):
    for length in (-1, 0, 1, 100, 10000):
        expected = api_pb2.Items(items=items(length)).SerializeToString()
        same(client.unary("/api.Api/getAll", api_pb2.ApiRequest(length=length)), expected)


def check_get_stream(client):
    for length in (-1, 0, 1, 100, 10000):
        expected = [item.SerializeToString() for item in items(length)]
        same(
            client.server_stream("/api.Api/getStream", api_pb2.ApiRequest(length=length)), expected
        )


def bodies():
    return [b"", b"\0", bytes(range(256)) * 256, bytes(range(256)) * (MIB // 256)]


def check_echo(client):
    for body in bodies():
        payload = bench_pb2.Payload(body=body)
        same(client.unary("/bench.Bench/echo", payload), payload.SerializeToString())


def check_collect(client):
    for sent in ([], [b""], [b"x" * 100] * 100, bodies() * 3):
        summary = bench_pb2.Summary(messages=len(sent), bytes=sum(map(len, sent)))
        got = client.client_stream(
            "/bench.Bench/collect", [bench_pb2.Payload(body=body) for body in sent]
        )
        same(got, summary.SerializeToString())


def check_chat(client):
    """Ping-pong: the next is made only when the last has come back."""
    payloads = [bench_pb2.Payload(body=body) for body in bodies() + [b"x" * 100] * 100]
    answered = []

    def requests():
        for number, payload in enumerate(payloads):
            deadline = time.monotonic() + START_S
            while len(answered) < number:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.0001)
            yield payload

    for answer in client.bidi("/bench.Bench/chat", requests()):
        answered.append(answer)
    same(answered, [payload.SerializeToString() for payload in payloads])
    same(list(client.bidi("/bench.Bench/chat", iter([]))), [])


def check_pause(client):
    same(client.unary("/bench.Bench/pause", bench_pb2.Pause(milliseconds=0)), b"")
    start = time.monotonic()
    same(client.unary("/bench.Bench/pause", bench_pb2.Pause(milliseconds=100)), b"")
    took = time.monotonic() - start
    if took < 0.1:
        raise AssertionError(f"a pause of 100 ms took {took * 1000:.1f} ms")


CHECKS = {
    "sayHello": check_say_hello,
    "getAll": check_get_all,
    "getStream": check_get_stream,
    "echo": check_echo,
    "collect": check_collect,
    "chat": check_chat,
    "pause": check_pause,
}


def complain(outdir, name, problem):
    print(f"{outdir.name}: {name}: {problem}", file=sys.stderr)
    return 1


def check(outdir, threads):
    """How many methods fell short; one line for each of those and one for the peer."""
    wrong = 0
    try:
        with serving(outdir, threads) as channel:
            for name, function in CHECKS.items():
                try:
                    function(Client(channel))
                except AssertionError as problem:
                    wrong += complain(outdir, name, problem)
                except grpc.RpcError as error:
                    wrong += complain(outdir, name, f"{error.code().name}: {error.details()}")
    except Ended as status:
        if threads and status.args == (TAKES_NO_THREADS,):
            return 0
        print(f"{outdir.name}: the server ended with status {status}", file=sys.stderr)
        return 1
    words = f"{threads[0]} threads" if threads else "as it is"
    print(f"{outdir.name}, {words}: {len(CHECKS) - wrong} of {len(CHECKS)} methods right")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="check", description=__doc__)
    parser.add_argument("outdir", nargs="+", type=pathlib.Path, help="what was given to build")
    wrong = 0
    for outdir in parser.parse_args().outdir:
        if not (outdir / "serve").exists():
            parser.error(f"{outdir}/serve is not there: run the peer's build first")
        for threads in ([], ["2"]):
            wrong += check(outdir.resolve(), threads)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
