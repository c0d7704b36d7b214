# SPDX-License-Identifier: MIT
"""quoit-api gives the seed's answers to a stock client, in every mode, to many at once."""

import asyncio
import concurrent.futures
import contextlib
import functools

import grpc
import pytest

from conftest import channel
from servers import PATIENCE, eventually
from wire import Wire

MIB = 1 << 20


@pytest.fixture(scope="module")
def stub(api, api_server):
    with channel(api_server.target) as opened:
        yield api.Stub(opened)


def pairs(items):
    return [(item.id, item.name) for item in items]


def expected(length):
    return [(i, f"name {i}") for i in range(1, length + 1)]


@pytest.mark.parametrize(
    "name",
    ["Gonzalo", "", "😀 Zoë 漢字", "a\0b", "%s%n", "x" * MIB],
    ids=["plain", "empty", "emoji", "nul", "percent", "megabyte"],
)
def test_say_hello(api, stub, name):
    assert stub.sayHello(api.HelloRequest(name=name)).message == f"Hello {name}!"


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 1, 10, 127, 128, 10_000])
def test_get_all(api, stub, length):
    assert pairs(stub.getAll(api.ApiRequest(length=length)).items) == expected(length)


@pytest.mark.parametrize("length", [-(2**31), -5, 0, 1, 100, 5_000])
def test_get_stream(api, stub, length):
    assert pairs(stub.getStream(api.ApiRequest(length=length))) == expected(length)


def varint(value):
    groups = bytearray()
    while value >= 128:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes(groups + bytearray([value]))


@functools.lru_cache
def stream_bytes(length):
    """What getStream sends, by hand: prefix, field 1 as a varint, field 2 as bytes."""
    names = (b"name %d" % i for i in range(1, length + 1))
    items = (b"\x08%b\x12%c%b" % (varint(i), len(n), n) for i, n in enumerate(names, 1))
    return b"".join(b"\0\0\0\0%c%b" % (len(item), item) for item in items)


def test_get_stream_of_a_million_to_the_byte(api, api_server):
    """A frame reader keeps up where grpcio takes a minute."""
    request = api.ApiRequest(length=1_000_000).SerializeToString()
    with Wire(api_server) as wire:
        answer = wire.call("/api.Api/getStream", request)
    assert answer.status == 0
    assert answer.data == stream_bytes(1_000_000)


@functools.lru_cache
def length_over(size_max):
    """The smallest length whose answer takes more than @size_max bytes."""
    length, size = 0, 0
    while size <= size_max:
        length += 1
        size += 2 + 1 + len(varint(length)) + 2 + len(f"name {length}")
    return length


def test_get_all_up_to_the_message_limit(api, stub):
    """The largest length that 4 MiB hold is answered, the next is refused."""
    length = length_over(4 * MIB)
    assert len(stub.getAll(api.ApiRequest(length=length - 1)).items) == length - 1
    with pytest.raises(grpc.RpcError) as caught:
        stub.getAll(api.ApiRequest(length=length))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("length", [1_000_000, 2**31 - 1])
def test_get_all_over_the_message_limit_is_refused_before_memory_is_spent(
    api, api_server, stub, length, sanitized
):
    before = api_server.rss()
    for _ in range(20):
        with pytest.raises(grpc.RpcError) as caught:
            stub.getAll(api.ApiRequest(length=length), timeout=PATIENCE)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "limit" in caught.value.details() and "getStream" in caught.value.details()
    assert api_server.rss() - before < (64 if sanitized else 2) * MIB


def test_answers_that_are_not_taken_wait_in_bounded_memory(api, start, sanitized):
    server = start("quoit-api", "--port", 0)
    length, count = 100_000, 100
    request = api.ApiRequest(length=length).SerializeToString()
    before = server.rss()
    with Wire(server, window=0) as wire:
        streams = [wire.request("/api.Api/getAll", request) for _ in range(count)]
        assert wire.ping()
        # 100 answers of 2 MB would be 200 MB, and what they are made from five times as much
        assert server.rss() - before < (300 if sanitized else 80) * MIB
        with channel(server.target) as other:
            assert api.Stub(other).sayHello(api.HelloRequest(name="x"), timeout=PATIENCE)
        for stream in streams:
            wire.open_window(stream, 2**31 - 1)
        for stream in streams:
            answer = wire.answer(stream)
            assert answer.status == 0
            assert len(api.Items.FromString(bytes(answer.data[5:])).items) == length
            answer.data = None


def test_a_stream_that_is_not_read_takes_bounded_memory(api, api_server, stub, sanitized):
    before = api_server.rss()
    streams = [stub.getStream(api.ApiRequest(length=10_000_000)) for _ in range(4)]
    for stream in streams:
        for i in range(1, 1001):
            assert next(stream).id == i
    # nobody reads: the server fills what windows and queues hold, and no more
    assert stub.sayHello(api.HelloRequest(name="meanwhile"), timeout=PATIENCE)
    for _ in range(50):
        stub.getAll(api.ApiRequest(length=10), timeout=PATIENCE)
    for stream in streams:
        assert next(stream).id == 1001
    assert api_server.rss() - before < (200 if sanitized else 20) * MIB
    for stream in streams:
        stream.cancel()
        with pytest.raises(grpc.RpcError) as caught:
            drain(stream)
        assert caught.value.code() == grpc.StatusCode.CANCELLED


def drain(stream):
    for _ in stream:
        pass


def call_of_a_kind(api, stub, number):
    """One call, its kind told by @number: whether the answer is right."""
    if number % 4 == 0:
        return pairs(stub.getAll(api.ApiRequest(length=number % 50)).items) == expected(number % 50)
    if number % 4 == 1:
        return pairs(stub.getStream(api.ApiRequest(length=number % 300))) == expected(number % 300)
    return stub.sayHello(api.HelloRequest(name=str(number))).message == f"Hello {number}!"


def test_a_thousand_concurrent_calls_on_fifty_connections(api, api_server):
    descriptors = api_server.descriptors()
    with contextlib.ExitStack() as stack:
        stubs = [api.Stub(stack.enter_context(channel(api_server.target))) for _ in range(50)]
        futures = [
            stubs[number % 50].sayHello.future(api.HelloRequest(name=str(number)), timeout=PATIENCE)
            for number in range(1000)
        ]
        assert [future.result().message for future in futures] == [f"Hello {i}!" for i in range(1000)]
        assert api_server.descriptors() - descriptors == 50
    eventually(lambda: api_server.descriptors() <= descriptors, "connections are closed")


def test_calls_of_all_kinds_at_once(api, api_server):
    with contextlib.ExitStack() as stack:
        stubs = [api.Stub(stack.enter_context(channel(api_server.target))) for _ in range(8)]
        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            results = threads.map(lambda i: call_of_a_kind(api, stubs[i % 8], i), range(400))
            assert all(results)


def test_asyncio_client(api, api_server):
    async def hello(stub, number):
        reply = await stub.sayHello(api.HelloRequest(name=str(number)))
        return reply.message == f"Hello {number}!"

    async def run():
        async with grpc.aio.insecure_channel(api_server.target) as opened:
            stub = api.Stub(opened)
            assert all(await asyncio.gather(*(hello(stub, i) for i in range(200))))
            reply = await stub.getAll(api.ApiRequest(length=10_000))
            assert pairs(reply.items) == expected(10_000)
            items = [(item.id, item.name) async for item in stub.getStream(api.ApiRequest(length=5000))]
            assert items == expected(5000)

    asyncio.run(run())


def test_unknown_method_and_service(api, api_server, connect):
    for path in ("/api.Api/sayGoodbye", "/api.Nobody/sayHello", "/"):
        call = connect(api_server).unary_unary(path)
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=PATIENCE)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
