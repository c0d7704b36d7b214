# SPDX-License-Identifier: MIT
"""Quoit's client and names: servers that come and go, and servers of DNS of all kinds."""

import concurrent.futures
import json
import random
import time

import pytest

from name_server import SERVFAIL, SILENCE, NameServer
from servers import free_port

NAME = "backend.test"


@pytest.fixture
def names():
    with NameServer({}) as server:
        yield server


@pytest.fixture
def echo(calls):
    return calls.Payload(data=b"x")


def timed(function):
    begin = time.monotonic()
    return function(), time.monotonic() - begin


def test_addresses_change_amid_calls(client, names, start, echo):
    """Three times one of two servers is replaced, as an orchestrator does it. No call fails."""
    port = free_port()

    def serve(number):
        return start("test-server", "--address", f"127.0.0.{number}:{port}")

    servers = [serve(1), serve(2)]
    names.names[NAME] = {"A": ["127.0.0.1", "127.0.0.2"]}
    options = {"for": 6000, "parallel": 20, "timeout": 20_000, "resolution_min": 50}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        run = pool.submit(client.run, names.target(NAME, port), "Echo", echo, wait_for_ready=True, **options)
        for number in 3, 4, 5:
            time.sleep(1)
            servers.append(serve(number))
            names.names[NAME] = {"A": [f"127.0.0.{number - 1}", f"127.0.0.{number}"]}
            servers.pop(0).stop()
        made = run.result()
    assert {call.status for call in made} == {"OK"}
    assert len(made) > 100
    assert len(names.asked) >= 4


def test_servers_that_are_added_are_seen(client, names, start, echo):
    """The old one goes on, but has no name any more: by the period alone."""
    port = free_port()
    old = start("test-server", "--address", f"127.0.0.1:{port}")
    names.names[NAME] = {"A": ["127.0.0.1"]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        run = pool.submit(
            client.run, names.target(NAME, port), "Echo", echo, **{"for": 3000, "resolution_period": 100}
        )
        time.sleep(1)
        start("test-server", "--address", f"127.0.0.2:{port}")
        names.names[NAME] = {"A": ["127.0.0.2"]}
        time.sleep(1)
        old.stop()
        made = run.result()
    assert {call.status for call in made} == {"OK"}


def test_a_family_that_never_answers(client, names, start, echo):
    server = start("test-server", "--address", "127.0.0.1:0")
    for silent, spoken, address in ("AAAA", "A", "127.0.0.1"), ("A", "AAAA", "::1"):
        names.names[NAME] = {silent: SILENCE, spoken: [address]}
        call, seconds = timed(lambda: client(names.target(NAME, server.port), "Echo", echo))
        assert 0.25 <= seconds < 10
        if spoken == "A":
            assert call.status == "OK"
        else:
            assert call.status == "UNAVAILABLE" and "ECONNREFUSED" in call.text


def test_a_name_that_never_answers(client, names, echo):
    """The call ends by its deadline, and the client without waiting for the lookup's 30 seconds."""
    names.names[NAME] = {"A": SILENCE, "AAAA": SILENCE}
    call, seconds = timed(lambda: client(names.target(NAME, 1), "Echo", echo, timeout=300))
    assert call.status == "DEADLINE_EXCEEDED" and seconds < 10
    call = client(names.target(NAME, 1), "Echo", echo, resolution=500)
    assert call.text.startswith(
        f"UNAVAILABLE: cannot resolve {NAME}: no server has answered within 0.5 s; the next attempt is in "
    )


def test_more_addresses_than_a_packet_holds(client, names, start, echo):
    """By TCP. The last one has a server, the others refuse."""
    server = start("test-server", "--address", "127.0.0.77:0")
    names.names[NAME] = {"A": [f"127.0.0.{number}" for number in range(20, 78)]}
    call = client(names.target(NAME, server.port), "Echo", echo)
    assert call.status == "OK", call.text
    assert names.asked_by_tcp == 1


def test_more_addresses_than_a_channel_takes(client, names, echo):
    port = free_port()
    names.names[NAME] = {"A": [f"127.0.{number}.1" for number in range(200)]}
    call = client(names.target(NAME, port), "Echo", echo)
    assert call.status == "UNAVAILABLE" and "ECONNREFUSED" in call.text


def test_a_server_that_fails(client, names, start, echo):
    """With a retry it finds the addresses once the server has them."""
    server = start("test-server", "--address", "127.0.0.1:0")
    names.names[NAME] = {"A": SERVFAIL, "AAAA": SERVFAIL}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        target = names.target(NAME, server.port)
        run = pool.submit(client, target, "Echo", echo, wait_for_ready=True, backoff=50)
        time.sleep(0.5)
        assert not run.done()
        names.names[NAME] = {"A": ["127.0.0.1"]}
        assert run.result().status == "OK"


def twisted(chance, answer):
    """Something like @answer, which is for the question nevertheless."""
    answer = bytearray(answer)
    for _ in range(chance.randrange(1, 6)):
        what = chance.randrange(4)
        if what == 0:
            answer[chance.randrange(2, len(answer))] = chance.randrange(256)
        elif what == 1:
            del answer[chance.randrange(12, len(answer) + 1) :]
        elif what == 2:
            answer[6:12] = bytes(chance.randrange(256) for _ in range(6))
        else:
            answer += bytes(chance.randrange(256) for _ in range(chance.randrange(400)))
    return bytes(answer)


def test_answers_that_make_no_sense(client, names, start, echo):
    server = start("test-server", "--address", "127.0.0.1:0")
    chance = random.Random(1)
    names.names[NAME] = {"A": [f"127.0.0.{number}" for number in range(1, 9)], "AAAA": ["::1"]}
    names.twist = lambda answer: twisted(chance, answer)
    for _ in range(10):
        made = client.run(names.target(NAME, server.port), "Echo", echo, calls=5, backoff=10, resolution=100)
        assert {call.status for call in made} <= {"OK", "UNAVAILABLE"}
    names.twist = None
    assert client(names.target(NAME, server.port), "Echo", echo).status == "OK"


SERVICE = f"_grpc._tcp.{NAME}"
CONFIG = f"_grpc_config.{NAME}"


def test_a_service_moves(client, names, start, echo):
    """By SRV, to other ports of other hosts, amid calls. None fails."""
    names.names["one.test"] = {"A": ["127.0.0.1"]}
    names.names["two.test"] = {"A": ["127.0.0.2"], "AAAA": ["::1"]}
    old = start("test-server", "--address", "127.0.0.1:0")
    names.names[SERVICE] = {"SRV": [(1, 1, old.port, "one.test")]}
    options = {"for": 3000, "resolution_period": 50, "srv": True, "wait_for_ready": True, "timeout": 20_000}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        run = pool.submit(client.run, names.target(NAME, 1), "Echo", echo, **options)
        time.sleep(1)
        new = start("test-server", "--address", "127.0.0.2:0")
        names.names[SERVICE] = {"SRV": [(1, 1, new.port, "two.test")]}
        time.sleep(1)
        old.stop()
        made = run.result()
    assert {call.status for call in made} == {"OK"}


def test_no_service(client, names, start, echo):
    server = start("test-server", "--address", "127.0.0.1:0")
    names.names[NAME] = {"A": ["127.0.0.1"]}
    assert client(names.target(NAME, server.port), "Echo", echo, srv=True).status == "OK"
    names.names[SERVICE] = {"SRV": [(0, 0, 0, ".")]}
    call = client(names.target(NAME, server.port), "Echo", echo, srv=True)
    assert call.status == "UNAVAILABLE" and "nobody offers the service" in call.text


def config(**values):
    return "grpc_config=" + json.dumps([{"clientLanguage": ["c"], "serviceConfig": values}])


def test_a_config_of_dns(client, names, start, echo):
    """One that is longer than a packet of UDP. It says that calls wait for a server that is not there yet."""
    port = free_port()
    name = {"service": "quoit.calls.Calls"}
    others = [{"name": [{"service": f"other.Service{number}"}], "timeout": "1s"} for number in range(100)]
    names.names[NAME] = {"A": ["127.0.0.1"]}
    names.names[CONFIG] = {
        "TXT": ["v=spf1 -all", config(methodConfig=[*others, {"name": [name, {}], "waitForReady": True}])]
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        target = names.target(NAME, port)
        run = pool.submit(client, target, "Echo", echo, txt=True, backoff=50, timeout=20_000)
        time.sleep(0.5)
        assert not run.done()
        start("test-server", "--address", f"127.0.0.1:{port}")
        assert run.result().status == "OK"
    assert names.asked_by_tcp >= 1


def test_a_bad_config_of_dns(client, names, start, echo):
    server = start("test-server", "--address", "127.0.0.1:0")
    names.names[NAME] = {"A": ["127.0.0.1"]}
    names.names[CONFIG] = {"TXT": [config(methodConfig=3)]}
    call = client(names.target(NAME, server.port), "Echo", echo, txt=True)
    assert call.status == "UNAVAILABLE", call.text
    assert "its service config: [0].serviceConfig.methodConfig: an array is wanted" in call.text
    assert client(names.target(NAME, server.port), "Echo", echo).status == "OK"


def test_records_that_make_no_sense(client, names, start, echo):
    server = start("test-server", "--address", "127.0.0.1:0")
    chance = random.Random(2)
    names.names["one.test"] = {"A": ["127.0.0.1"]}
    names.names[SERVICE] = {"SRV": [(1, number, server.port, "one.test") for number in range(8)]}
    names.names[CONFIG] = {"TXT": [config(retryThrottling={"maxTokens": 10, "tokenRatio": 0.5})]}
    names.twist = lambda answer: twisted(chance, answer)
    options = {"srv": True, "txt": True}
    for _ in range(10):
        target = names.target(NAME, server.port)
        made = client.run(target, "Echo", echo, calls=5, backoff=10, resolution=100, **options)
        assert {call.status for call in made} <= {"OK", "UNAVAILABLE"}
    names.twist = None
    assert client(names.target(NAME, server.port), "Echo", echo, **options).status == "OK"
