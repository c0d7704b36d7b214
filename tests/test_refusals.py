# SPDX-License-Identifier: MIT
"""Where io_uring is forbidden, or its memory is short: one line says what is in the way and what helps, and nothing aborts."""

import itertools
import os
import re
import subprocess
import time

import grpc
import pytest

from servers import PATIENCE, Server

REMEDY = "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile"
CALLS = ["io_uring_setup", "io_uring_enter", "io_uring_register"]


@pytest.fixture
def forbid(build):
    """forbid(WHAT..., quoit-api's arguments): runs it on io_uring, to its end, where that is really forbidden."""

    def run(*forbidden, arguments=("--listen", "127.0.0.1:0"), program="bin/quoit-api", engine="io_uring"):
        asked = ["--engine", engine] if engine else []
        return subprocess.run(
            [build / "tests/forbid", *forbidden, "--", build / program, *asked, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


def problem(result):
    """The one line about io_uring."""
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if "listening on" not in line]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.mark.parametrize("rings", [1, 3])
@pytest.mark.parametrize("error", ["EPERM", "EACCES", "ENOSYS"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_forbidden(forbid, call, error, rings):
    begin = time.monotonic()
    said = problem(forbid(f"{call}={error}", arguments=["--listen", "127.0.0.1:0", "--rings", rings]))
    assert time.monotonic() - begin < PATIENCE / 3
    assert f"{call} is forbidden" in said and "seccomp" in said and REMEDY in said
    assert ("policy" in said) == (error == "EACCES")  # then it may be that as well


@pytest.mark.parametrize("error", ["EINVAL", "EOPNOTSUPP", "EAGAIN"])
@pytest.mark.parametrize("call", CALLS)
def test_a_filter_that_answers_what_else(forbid, call, error):
    said = problem(forbid(f"{call}={error}"))
    assert f"{call} fails" in said and REMEDY in said


@pytest.mark.parametrize(
    "program, arguments",
    [("tests/services/test-server", ["--address", "127.0.0.1:0"]), ("bin/quoit-interop-server", ["--port", "0"])],
    ids=["test-server", "interop"],
)
@pytest.mark.parametrize("call", CALLS)
def test_other_programs(forbid, call, program, arguments):
    result = forbid(f"{call}=EPERM", arguments=arguments, program=program)
    assert result.returncode == 1 and REMEDY in result.stderr


@pytest.mark.parametrize("error", ["ENOMEM", "EAGAIN"])
@pytest.mark.parametrize("engine", ["io_uring", "auto", None])
def test_a_shortage_is_no_reason_for_epoll(forbid, engine, error):
    said = problem(forbid(f"io_uring_setup={error}", engine=engine))
    assert "epoll" not in said


@pytest.mark.parametrize("engine", ["io_uring", "epoll"])
def test_no_descriptor_for_a_ring(forbid, engine, sanitized):
    if sanitized:
        pytest.skip("a sanitizer wants descriptors of its own")
    said = problem(forbid("nofile=8", arguments=["--listen", "127.0.0.1:0", "--rings", 8], engine=engine))
    assert "RLIMIT_NOFILE" in said


def test_no_more_threads(other_user, sanitized):
    """Not told as a fault of io_uring."""
    if sanitized:
        pytest.skip("a sanitizer wants a thread of its own")
    _, run = other_user
    said = run("--listen", "127.0.0.1:0", "--rings", 16, forbid=["nproc=3"])
    assert "RLIMIT_NPROC" in said and "io_uring" not in said


# ---- memory ----


USERS = itertools.count(100_000 + os.getpid() * 100 % 1_000_000)  # nobody else's


@pytest.fixture
def counted(other_user):
    """starts(KIB, RINGS): a server with so little locked memory, None where it does not start. Of a user of its own: what a
    process had is given back some time after it is gone."""
    folder, _ = other_user
    servers = []

    def starts(kib, rings=1):
        forbidden = [f"memlock={kib}", f"uid={next(USERS)}", "--", folder / "quoit-api"]
        try:
            server = Server(
                folder / "forbid", *forbidden, "--engine", "io_uring", "--listen", "127.0.0.1:0", "--rings", rings
            )
        except AssertionError:
            return None
        servers.append(server)
        return server

    if starts(0) is not None:
        pytest.skip("this kernel does not count rings as locked memory")
    yield starts
    for server in servers:
        server.stop()


def entries(server):
    """Of a ring, by what the start said."""
    found = re.search(r"rings have (\d+) entries instead of 1024: no memory", server.log[0])
    return int(found.group(1)) if found else 1024


def test_with_less_memory_rings_are_smaller(counted):
    """Of the least that a start takes, and more: first 256 entries, then 512, then 1024."""
    seen = [entries(server) for server in map(counted, range(32, 193, 16)) if server]
    assert seen == sorted(seen) and set(seen) == {256, 512, 1024}


def test_all_rings_are_smaller_where_one_does_not_fit(counted):
    assert entries(counted(8192, 50)) == 1024
    # 512 would do, unless what the first try had is given back late
    assert entries(counted(8192, 90)) in (256, 512)
    assert entries(counted(8192, 160)) == 256


def test_small_rings_serve(api, counted):
    server = counted(140, 2)
    assert entries(server) == 256
    with grpc.insecure_channel(server.target) as channel:
        stub = api.Stub(channel)
        futures = [stub.sayHello.future(api.HelloRequest(name=str(i))) for i in range(2000)]
        assert [future.result(PATIENCE).message for future in futures] == [f"Hello {i}!" for i in range(2000)]


@pytest.mark.usefixtures("counted")
def test_the_arithmetic_is_told(forbid):
    said = problem(forbid("memlock=1000", arguments=["--listen", "127.0.0.1:0", "--rings", 64]))
    assert "64 rings need 3072 to 9216 KiB" in said and "RLIMIT_MEMLOCK is 1000 KiB" in said
    assert "LimitMEMLOCK=" in said and "use fewer rings" in said
    said = problem(forbid("memlock=20"))
    assert "1 ring needs 48 to 144 KiB" in said and "fewer" not in said
