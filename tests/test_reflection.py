# SPDX-License-Identifier: MIT
"""grpc.reflection.v1 and v1alpha, by a plain stub, by grpcio's descriptor database, and by grpcurl."""

import json
import subprocess
import sys
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from plugin_kit import GOOGLE, KITCHEN, PROTOS, WELL_KNOWN, Kit
from servers import PATIENCE, Server, eventually
from toolchains import go_install
from wire import Wire, message

GRPCURL = "v1.9.3"
NOT_FOUND, INVALID_ARGUMENT = 5, 3
OWN = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
Request = reflection_pb2.ServerReflectionRequest
Extension = reflection_pb2.ExtensionRequest


def ask(server, *requests, version="v1"):
    """The responses to @requests on one stream; both versions have the same messages."""
    with grpc.insecure_channel(server.target) as channel:
        method = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=Request.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        return list(method(iter(requests), timeout=PATIENCE))


def files_of(response):
    assert response.WhichOneof("message_response") == "file_descriptor_response", response
    bytes_ = response.file_descriptor_response.file_descriptor_proto
    return [descriptor_pb2.FileDescriptorProto.FromString(one) for one in bytes_]


def symbols_of(file):
    """Every name that @file defines, with its package."""
    prefix = f"{file.package}." if file.package else ""

    def of_enum(enum, scope):
        yield scope + enum.name
        yield from (scope + value.name for value in enum.value)

    def of_message(one, scope):
        inner = f"{scope}{one.name}."
        yield scope + one.name
        for part in (one.field, one.oneof_decl, one.extension):
            yield from (inner + field.name for field in part)
        for enum in one.enum_type:
            yield from of_enum(enum, inner)
        for nested in one.nested_type:
            yield from of_message(nested, inner)

    for one in file.message_type:
        yield from of_message(one, prefix)
    for enum in file.enum_type:
        yield from of_enum(enum, prefix)
    for service in file.service:
        yield prefix + service.name
        yield from (f"{prefix}{service.name}.{method.name}" for method in service.method)
    yield from (prefix + extension.name for extension in file.extension)


def extensions_of(file):
    """(extended type, number) of every extension that @file defines."""

    def of_message(one):
        yield from one.extension
        for nested in one.nested_type:
            yield from of_message(nested)

    for extension in [*file.extension, *(e for one in file.message_type for e in of_message(one))]:
        yield extension.extendee.lstrip("."), extension.number


@pytest.fixture(scope="module")
def api_server(build):
    server = Server(build / "bin" / "quoit-api", "--port", 0)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kitchen_server(root, build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reflection")
    kit, protos = Kit(root, build), ["kinds.proto", *KITCHEN, *WELL_KNOWN]
    kit.protoc(folder, protos)
    sources = [folder / proto.replace(".proto", ".quoit.c") for proto in protos]
    program = folder / "reflection_server"
    kit.program(folder, [root / "tests" / "reflection_server.c", *sources], program)
    server = Server(program)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """The files that kitchen_server is to know, as protoc describes them, by their names."""
    out = tmp_path_factory.mktemp("descriptors") / "set"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"-I{GOOGLE}"]
        + [f"--descriptor_set_out={out}", "--include_imports", "kinds.proto", *KITCHEN],
        check=True,
    )
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return {file.name: file for file in files}


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_list_services(api_server, version):
    request = Request(host="example", list_services="*")
    (response,) = ask(api_server, request, version=version)
    names = {service.name for service in response.list_services_response.service}
    assert {*OWN, "api.Api", "grpc.health.v1.Health"} <= names
    assert (response.valid_host, response.original_request) == ("example", request)


def test_every_file_as_protoc_has_it(kitchen_server, kitchen):
    names = sorted(kitchen)
    responses = ask(kitchen_server, *(Request(file_by_filename=name) for name in names))
    for name, response in zip(names, responses, strict=True):
        assert files_of(response)[0] == kitchen[name], name


def test_every_symbol(kitchen_server, kitchen):
    expected = {symbol: name for name, file in kitchen.items() for symbol in symbols_of(file)}
    assert len(expected) > 400
    requests = [Request(file_containing_symbol=symbol) for symbol in expected]
    responses = ask(kitchen_server, *requests)
    assert [files_of(response)[0].name for response in responses] == list(expected.values())


def test_every_extension(kitchen_server, kitchen):
    expected = {key: name for name, file in kitchen.items() for key in extensions_of(file)}
    assert len(expected) > 10
    requests = [
        Request(file_containing_extension=Extension(containing_type=type_, extension_number=number))
        for type_, number in expected
    ]
    responses = ask(kitchen_server, *requests)
    assert [files_of(response)[0].name for response in responses] == list(expected.values())

    types = sorted({type_ for type_, _ in expected})
    requests = [Request(all_extension_numbers_of_type=type_) for type_ in types]
    for type_, response in zip(types, ask(kitchen_server, *requests), strict=True):
        numbers = response.all_extension_numbers_response
        assert numbers.base_type_name == type_
        assert sorted(numbers.extension_number) == sorted(n for t, n in expected if t == type_)


def test_a_type_without_extensions(kitchen_server):
    (response,) = ask(kitchen_server, Request(all_extension_numbers_of_type="kinds.Number"))
    assert response.WhichOneof("message_response") == "all_extension_numbers_response"
    assert not response.all_extension_numbers_response.extension_number


def test_imports_come_once_a_stream(kitchen_server, kitchen):
    def imports(name):
        yield name
        for dependency in kitchen[name].dependency:
            yield from imports(dependency)

    ask_for = Request(file_by_filename="kitchen/editions.proto")
    first, again, other = ask(
        kitchen_server, ask_for, ask_for, Request(file_by_filename="kitchen/proto3.proto")
    )
    names = [file.name for file in files_of(first)]
    assert names[0] == "kitchen/editions.proto"
    assert sorted(names) == sorted(set(imports("kitchen/editions.proto")))
    assert "kitchen/forwarded.proto" in names  # of an import public, two steps away
    assert [file.name for file in files_of(again)] == ["kitchen/editions.proto"]
    assert [file.name for file in files_of(other)] == ["kitchen/proto3.proto"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request(file_by_filename="no.proto"), NOT_FOUND),
        (Request(file_by_filename=""), NOT_FOUND),
        (Request(file_containing_symbol="kinds"), NOT_FOUND),
        (Request(file_containing_symbol="kinds."), NOT_FOUND),
        (Request(file_containing_symbol=""), NOT_FOUND),
        (Request(file_containing_symbol=".kinds.Number"), NOT_FOUND),
        (Request(file_containing_symbol="kinds.Number.valu"), NOT_FOUND),
        (Request(file_containing_symbol="kinds.Number.value.more"), NOT_FOUND),
        (Request(file_containing_symbol="kindsNumber"), NOT_FOUND),
        (Request(file_containing_symbol="x" * 100_000), NOT_FOUND),
        (Request(file_containing_extension=Extension(containing_type="kitchen.Proto2", extension_number=1)), NOT_FOUND),
        (Request(file_containing_extension=Extension()), NOT_FOUND),
        (Request(all_extension_numbers_of_type="no.Type"), NOT_FOUND),
        (Request(all_extension_numbers_of_type=""), NOT_FOUND),
        (Request(host="only"), INVALID_ARGUMENT),
    ],
    ids=lambda value: str(value).strip()[:60] if isinstance(value, Request) else "",
)
@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_errors_leave_the_stream_open(kitchen_server, request_, code, version):
    error, fine = ask(kitchen_server, request_, Request(list_services=""), version=version)
    assert error.error_response.error_code == code
    assert error.error_response.error_message
    assert error.original_request == request_
    assert len(fine.list_services_response.service) == 3


def test_many_answers_that_nobody_reads_are_not_made(kitchen_server, kitchen, sanitized):
    """Each request of some bytes has an answer of many: it is read when there is room for that."""
    name, count = "kitchen/proto2.proto", 1500
    body = message(Request(file_by_filename=name).SerializeToString())
    answers = count * kitchen[name].ByteSize()
    assert len(body) * count < 65535 and answers > 6 << 20
    with Wire(kitchen_server, window=0) as wire:
        path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        stream = wire.request(path, end=False)
        before = kitchen_server.rss()
        for _ in range(count // 100):
            wire.data(stream, body * 100)
        wire.data(stream, b"", end=True)
        assert wire.ping()
        if not sanitized:
            assert kitchen_server.rss() < before + (2 << 20)
        wire.open_window(stream, (1 << 31) - 1)
        assert wire.answer(stream).status == 0
        assert len(wire.streams[stream].data) > answers


def test_a_program_that_knows_nothing_calls(api_server):
    """grpcio's descriptor database fetches what is needed, and a call is made with it."""
    with grpc.insecure_channel(api_server.target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "api.Api" in database.get_services()
        pool = DescriptorPool(database)
        method = pool.FindServiceByName("api.Api").FindMethodByName("sayHello")
        request, reply = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
        say_hello = channel.unary_unary(
            "/api.Api/sayHello",
            request_serializer=request.SerializeToString,
            response_deserializer=reply.FromString,
        )
        assert say_hello(request(name="World"), timeout=PATIENCE).message == "Hello World!"


def test_the_database_and_the_kitchen(kitchen_server, kitchen):
    with grpc.insecure_channel(kitchen_server.target) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        message_ = pool.FindMessageTypeByName("kitchen.Proto2")
        assert len(message_.fields) == len(
            next(m for m in kitchen["kitchen/proto2.proto"].message_type if m.name == "Proto2").field
        )
        numbers = {number for type_, number in extensions_of(kitchen["kitchen/proto2.proto"]) if type_ == "kitchen.Proto2"}
        assert {e.number for e in pool.FindAllExtensions(message_)} >= numbers


@pytest.fixture(scope="module")
def grpcurl(api_server):
    program = go_install("github.com/fullstorydev/grpcurl/cmd/grpcurl", GRPCURL)

    def run(*arguments):
        command = [program, "-plaintext", *arguments[:-1], api_server.target, arguments[-1]]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    return run


def test_grpcurl_lists(grpcurl):
    assert {*OWN, "api.Api"} <= set(grpcurl("list").split())


def test_grpcurl_describes(grpcurl, api_server):
    program = go_install("github.com/fullstorydev/grpcurl/cmd/grpcurl", GRPCURL)
    for symbol, part in [
        ("api.Api", "rpc getStream ( .api.ApiRequest ) returns ( stream .api.Item )"),
        ("api.HelloRequest", "string name = 1;"),
        ("api.Api.sayHello", "rpc sayHello ( .api.HelloRequest ) returns ( .api.Hello )"),
        ("grpc.health.v1.HealthCheckResponse.ServingStatus", "NOT_SERVING = 2;"),
    ]:
        command = [program, "-plaintext", api_server.target, "describe", symbol]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        assert part in done.stdout


def test_grpcurl_calls(grpcurl):
    answer = grpcurl("-d", '{"name": "World"}', "api.Api/sayHello")
    assert json.loads(answer) == {"message": "Hello World!"}
    items = grpcurl("-d", '{"length": 3}', "api.Api/getStream")
    assert items.count('"name"') == 3
    assert json.loads(grpcurl("grpc.health.v1.Health/Check")) == {"status": "SERVING"}


def test_quoit_api_without(start):
    server = start("quoit-api", "--port", 0, "--no-reflection")
    for version in ("v1", "v1alpha"):
        with pytest.raises(grpc.RpcError) as error:
            ask(server, Request(list_services=""), version=version)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
@pytest.mark.parametrize("asked", [False, True])
def test_an_open_stream_does_not_hold_up_a_stop(build, version, asked):
    """It waits for a question that may never come."""
    server = Server(build / "bin" / "quoit-api", "--port", 0)  # drain_ms is 30 s
    with Wire(server) as wire:
        question = Request(list_services="").SerializeToString() if asked else None
        path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        stream = wire.request(path, question, end=False)
        assert wire.ping()
        if asked:
            assert wire.read(lambda: wire.streams[stream].data, "an answer")
        began = time.monotonic()
        server.signal()
        answer = wire.answer(stream)
        assert (answer.status, answer.text) == (14, "the server is stopping")
        assert server.wait() == 0
        assert time.monotonic() - began < 20
