# SPDX-License-Identifier: MIT
"""./dev serve: the backend and the front end, side by side."""

import contextlib
import os
import pathlib
import signal
import subprocess
import urllib.request

import grpc
import pytest

from servers import PATIENCE, eventually, free_port


@pytest.fixture
def serve(root, build):
    """Runs ci/serve; .ports are the backend's and the front end's."""
    running = []

    def start(**env):
        ports = free_port(), free_port()
        env = {**os.environ, "BACKEND_HOST": "127.0.0.1", "BACKEND_PORT": str(ports[0]), "FRONTEND_HOST": "127.0.0.1", "FRONTEND_PORT": str(ports[1]), **env}
        process = subprocess.Popen([root / "ci/serve", build], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        process.ports = ports
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


def children(process):
    """{the program's name: its number}; the script's own "sleep", which comes and goes, is none of them."""
    names = {}
    for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names[pathlib.Path(f"/proc/{pid}/comm").read_text().strip()] = int(pid)
    return {name: pid for name, pid in names.items() if name.startswith("quoit-")}


def are_gone(pids):
    return not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_serve_until_a_signal(serve, api, number):
    process = serve()
    told = [process.stdout.readline() for _ in range(2)]
    backend, front = process.ports
    assert told == [f"backend:   127.0.0.1:{backend} (gRPC)\n", f"front end: http://127.0.0.1:{front}/\n"]
    with grpc.insecure_channel(f"127.0.0.1:{backend}") as channel:
        assert api.Stub(channel).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE).message == "Hello you!"
    # the second page, in a browser, may call it too
    origin = f"http://127.0.0.1:{front}"
    request = urllib.request.Request(f"http://127.0.0.1:{backend}/api.Api/sayHello", b'{"name": "you"}', {"content-type": "application/json", "origin": origin})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.headers["access-control-allow-origin"] == origin
    both = children(process)
    assert set(both) == {"quoit-api", "quoit-web"}
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0 and process.stdout.read() == ""
    eventually(lambda: are_gone(both.values()), "their end")


@pytest.mark.parametrize("name", ["quoit-api", "quoit-web"])
def test_one_does_not_stay_alone(serve, name):
    process = serve()
    process.stdout.readline()
    both = children(process)
    os.kill(both[name], signal.SIGKILL)
    assert process.wait(PATIENCE) == 128 + signal.SIGKILL
    eventually(lambda: are_gone(both.values()), "the other one's end")


def test_a_port_that_is_taken(serve):
    first = serve()
    first.stdout.readline()
    assert first.poll() is None
    second = serve(BACKEND_PORT=str(first.ports[0]))
    assert second.wait(PATIENCE) == 1
