# SPDX-License-Identifier: MIT
"""`quoit call` with our servers, grpcio's and grpc-go's."""

import base64
import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2, text_format
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_status import rpc_status

from certificates import Certificate
from dynamic import Protos
from grpcio_server import grpcio_server
from quoit_command import Quoit
from servers import PATIENCE, Server, eventually, free_port
from test_interop import GRPC_GO
from test_interop_client import Foreign
from test_reflection import GRPCURL
from toolchains import go_install

USAGE = 2
CALL = 64  # and the call's status


@pytest.fixture(scope="module")
def quoit(build):
    return Quoit(build)


@pytest.fixture(scope="module")
def protoset(root, tmp_path_factory):
    """calls.proto's, for our test server, which has no reflection."""
    file = tmp_path_factory.mktemp("protoset") / "calls.binpb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}/tests/protos", "--include_imports"]
    subprocess.run([*command, f"--descriptor_set_out={file}", "calls.proto"], check=True)
    return file


@pytest.fixture(scope="module")
def server(build):
    started = Server(build / "tests/services/test-server")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def call(quoit, server, protoset):
    """call(method, ...) of calls.Calls."""
    return lambda method, *words, **options: quoit(
        "call", server.target, f"calls.Calls/{method}", "--protoset", protoset, *words, **options
    )


@pytest.fixture(scope="module")
def api_server(build):
    started = Server(build / "bin/quoit-api", "--port", 0)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = Certificate(folder, "ca", ca=True)
        server = Certificate(folder, "server", issuer=ca, names=["localhost", "IP:127.0.0.1"])
        client = Certificate(folder, "client", issuer=ca)

    return Pki


class Post:
    """parcels.Post, with the messages of @protos."""

    def __init__(self, protos):
        self.protos = protos
        self.Parcel = protos.message("parcels.Parcel")
        self.flaky = 0
        self.metadata = []

    def Send(self, parcel, context):
        self.metadata.append(context.invocation_metadata())
        return parcel

    def Track(self, parcel, context):
        for number in range(int(parcel.receiver)):
            yield self.Parcel(receiver=str(number))

    def Count(self, parcels, context):
        return self.Parcel(receiver=" ".join(parcel.receiver for parcel in parcels))

    def Refuse(self, parcel, context):
        bad = error_details_pb2.BadRequest(
            field_violations=[{"field": "receiver", "description": "who?"}]
        )
        details = [any_pb2.Any(), any_pb2.Any(type_url="x.example/no.such.Type", value=b"\1\2\3")]
        details[0].Pack(bad)
        book = self.protos.message("parcels.Book")(title="Momo")
        details.append(any_pb2.Any())
        details[2].Pack(book)
        context.abort_with_status(
            rpc_status.to_status(status_pb2.Status(code=3, message="no\nparcel\033[2J", details=details))
        )

    def Flaky(self, parcel, context):
        self.flaky += 1
        if self.flaky % 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return parcel

    def add_to(self, server):
        """As generated code does it; with reflection, v1alpha."""
        service = self.protos.pool.FindServiceByName("parcels.Post")
        handlers = {}
        for method in service.methods:
            kind = ("stream" if method.client_streaming else "unary") + "_"
            kind += "stream" if method.server_streaming else "unary"
            make = getattr(grpc, f"{kind}_rpc_method_handler")
            handlers[method.name] = make(
                getattr(self, method.name),
                request_deserializer=self.Parcel.FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service.full_name, handlers)])
        names = [service.full_name, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, server, pool=self.protos.pool)


@pytest.fixture(scope="module")
def protos(root, tmp_path_factory):
    return Protos(root / "tests/protos", "parcels_more.proto", tmp_path_factory.mktemp("parcels"))


@pytest.fixture(scope="module")
def post(protos):
    """grpcio's server; .target."""
    servicer = Post(protos)
    with grpcio_server(lambda one, server: one.add_to(server), servicer) as target:
        servicer.target = target
        yield servicer


# ---- kinds ----


def test_unary(quoit, api_server):
    """Reflection v1, the service without its package, flags everywhere."""
    words = [api_server.target, "Api/sayHello", "-d", '{"name":"Ada"}']
    assert quoit("call", *words).out == '{"message":"Hello Ada!"}\n'
    assert quoit("call", "--compact", *words, "-v").out == '{"message":"Hello Ada!"}\n'
    assert quoit("call", words[0], "--pretty", *words[1:]).out == '{\n  "message": "Hello Ada!"\n}\n'
    assert quoit("call", words[0], "/api.Api/sayHello").out == '{"message":"Hello !"}\n'
    assert quoit("call", words[0], "api.Api.getAll", "-d", "@", input='{"length":2}').json == {
        "items": [{"id": 1, "name": "name 1"}, {"id": 2, "name": "name 2"}]
    }


def test_streams(call, tmp_path):
    assert call("Count", "-d", '{"count":3}').documents == [{"value": str(i)} for i in (1, 2, 3)]
    numbers = tmp_path / "numbers.json"
    numbers.write_text('{"value":1}{"value":2}\n\n  {"value":\n3}')
    assert call("Sum", "-d", f"@{numbers}", "-d", '{"value":4}').json == {"value": "10"}
    assert call("Sum", "-d", "@", input='{"value":-1}\n{"value":5}').json == {"value": "4"}
    assert call("Sum").json == {}
    texts = [f"{'x' * 10_000}{number}" for number in range(500)]
    chat = call("Chat", "-d", "@", input="".join(json.dumps({"text": text}) for text in texts))
    assert [document["text"] for document in chat.documents] == texts


def test_talk(quoit, server, protoset):
    """Each answer is printed as it comes, while standard input stays open."""
    words = ["call", server.target, "calls.Calls/Chat", "--protoset", protoset, "-d", "@"]
    with quoit.start(*words) as process:
        for text in "one", "two":
            process.stdin.write(json.dumps({"text": text}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"text": text}
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_interrupt(quoit, server, protoset):
    words = ["call", server.target, "calls.Calls/Chat", "--protoset", protoset, "-d", "@"]
    with quoit.start(*words) as process:
        process.stdin.write('{"text":"one"}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == CALL + 1
        assert process.stderr.read() == "quoit: cancelled: interrupted after 1 message\n"


def test_closed_stdout(quoit, server, protoset):
    words = ["call", server.target, "calls.Calls/Count", "--protoset", protoset]
    with quoit.start(*words, "-d", '{"count":100000000}') as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


# ---- what is printed ----


def test_envelope(call, root):
    schema, *_ = re.findall(r"```json\n(.*?)```", (root / "docs/quoit.md").read_text(), re.DOTALL)
    request = {
        "headers": [{"name": "x-one", "value": base64.b64encode(b"1").decode()}] * 2,
        "trailers": [{"name": "x-two-bin", "value": base64.b64encode(b"\0\xff").decode()}],
    }
    document = call("Metadata", "--json", "-d", json.dumps(request)).json
    assert list(document) == json.loads(schema)["required"]
    assert document["method"] == "calls.Calls/Metadata"
    assert (document["kind"], document["tls"]) == ("unary", False)
    assert document["headers"]["x-one"] == ["1", "1"]
    assert document["trailers"]["x-two-bin"] == [base64.b64encode(b"\0\xff").decode()]
    assert document["status"] == {"code": 0, "name": "OK", "message": "", "details": []}
    assert (document["sent"], document["received"], len(document["messages"])) == (1, 1, 1)
    times = document["timings_ms"]
    assert list(times) == json.loads(schema)["properties"]["timings_ms"]["required"]
    assert 0 <= times["headers"] <= times["first_message"] <= times["call"]

    failed = call("Status", "--json", "-d", '{"code":5,"message":"no \\"x\\""}', status=CALL + 5)
    assert failed.json["status"] == {"code": 5, "name": "NOT_FOUND", "message": 'no "x"', "details": []}
    assert (failed.json["messages"], failed.json["timings_ms"]["first_message"]) == ([], None)
    assert failed.err == ""
    many = call("Count", "--json", "-d", '{"count":2,"code":9,"message":"x"}', status=CALL + 9).json
    assert many["messages"] == [{"value": "1"}, {"value": "2"}]
    assert (many["kind"], many["received"]) == ("server_streaming", 2)


def test_run_time_types(quoit, post):
    """Reflection v1alpha: Anys whose types no file imports, enums, extensions; and an Any of a type that nobody knows."""
    parcel = {
        "receiver": "Ada",
        "speed": "EXPRESS",
        "content": {
            "@type": "type.googleapis.com/parcels.Book",
            "title": "Momo",
            "bookmark": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"},
        },
        "weights": {"a": "1", "b": "-2"},
        "sentAt": "2026-01-02T03:04:05Z",
        "takes": "3600s",
        "seal": "AAEC",
        "sizes": [1.5, "Infinity"],
        "sameAs": {"receiver": "Bo"},
        "[parcels.note]": "fragile",
    }
    words = ["call", post.target, "parcels.Post/Send", "-d", json.dumps(parcel)]
    assert quoit(*words).json == parcel
    assert quoit(*words, "--reflect", "v1alpha", "--proto-names").json["sent_at"] == parcel["sentAt"]
    assert quoit(*words, "--enum-numbers").json["speed"] == 1
    refused = quoit(*words, "--reflect", "v1", status=USAGE - 1).err
    assert refused == f"quoit: {post.target} has no reflection; give its schema by --proto or --protoset\n"


def test_details(quoit, post):
    words = ["call", post.target, "Post/Refuse"]
    known = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "receiver", "description": "who?"}],
    }
    unknown = {"@type": "x.example/no.such.Type", "@value": "AQID"}
    book = {"@type": "type.googleapis.com/parcels.Book", "title": "Momo"}
    lines = quoit(*words, status=CALL + 3).err.splitlines()
    assert lines[0] == "quoit: INVALID_ARGUMENT: no?parcel?[2J"  # a terminal is safe from it
    assert [json.loads(line) for line in lines[1:]] == [known, unknown, book]
    status = quoit(*words, "--json", status=CALL + 3).json["status"]
    assert (status["message"], status["details"]) == ("no\nparcel\033[2J", [known, unknown, book])
    error = json.loads(quoit(*words, "-format-error", status=CALL + 3).err)
    assert error == {"code": 3, "message": "no\nparcel\033[2J", "details": [known, unknown, book]}


def test_text_format(quoit, post, protos):
    text = r"""
        receiver: "A\x64a" ' and \u00e9'  # a comment
        speed: EXPRESS, content { [type.googleapis.com/parcels.Book] { title: "Momo" } };
        weights { key: "a" value: -1 } weights < value: 0x10 key: "b" >
        sizes: [1.5, inf, -2e3] seal: "\000\377"
        same_as: { receiver: "Bo" same_as {} }
        [parcels.note]: "fragile"
    """
    out = quoit("call", post.target, "Post/Send", "--format", "text", "-d", text).out
    expected = text_format.Parse(text, post.Parcel(), descriptor_pool=protos.pool)
    assert text_format.Parse(out, post.Parcel(), descriptor_pool=protos.pool) == expected
    words = ["call", post.target, "Post/Count", "-format", "text", "-d", "@"]
    assert quoit(*words, input='receiver: "a"\036receiver: "b"').out == 'receiver: "a b"\n'
    for bad, where in [
        ("receiver: 5", "line 1, column 11: a string is expected"),
        ("speed: EXPRES", "column 8: no value EXPRES in parcels.Speed; did you mean EXPRESS?"),
        ("\nreciever: ''", "line 2, column 9: no field reciever in parcels.Parcel; did you mean receiver?"),
        ("same_as {", "the message is not closed"),
        ("sizes: [1", "] is expected"),
        ("weights { key: 1 }", "a string is expected"),
        ("same_as {" * 70, "nested too deeply"),
        (r"seal: '\q'", "no such escape"),
        ("receiver: 'x", "the string is not closed"),
    ]:
        error = quoit("call", post.target, "Post/Send", "--format", "text", "-d", bad, status=USAGE).err
        assert where in error and error.startswith("quoit: -d: ") and error.count("\n") == 1


def test_terminal(quoit, api_server):
    """Several lines and colours where stdout is a terminal."""

    def look(**env):
        main, side = pty.openpty()
        env = {**os.environ, "TERM": "xterm", **env}
        env.pop("NO_COLOR", None) if "NO_COLOR" not in env or not env["NO_COLOR"] else None
        words = ["call", api_server.target, "Api/getAll", "-d", '{"length":1}']
        subprocess.run(quoit.line(*words), stdout=side, env=env, check=True, timeout=PATIENCE)
        os.close(side)
        seen = b""
        with contextlib.suppress(OSError):
            while more := os.read(main, 4096):
                seen += more
        os.close(main)
        return seen.decode().replace("\r", "")

    coloured = look(NO_COLOR="")
    assert "\033[34m" in coloured
    plain = look(NO_COLOR="1")
    assert plain == '{\n  "items": [\n    {\n      "id": 1,\n      "name": "name 1"\n    }\n  ]\n}\n'
    assert re.sub(r"\033\[\d+m", "", coloured) == plain
    assert look(NO_COLOR="", TERM="dumb") == plain


# ---- what is sent ----


def test_metadata(quoit, call, post):
    sent = base64.b64encode(b"\0\1\2").decode()
    words = ["-H", "X-Plain: a b ", "-H", f"x-bytes-bin:{sent}", "-H", "x-env: ${WHO}!", "-expand-headers"]
    received = call("Metadata", *words, env={**os.environ, "WHO": "me"}).json["received"]
    fields = {field["name"]: base64.b64decode(field.get("value", "")) for field in received}
    assert fields["x-plain"] == b"a b"
    assert fields["x-bytes-bin"] == b"\0\1\2"
    assert fields["x-env"] == b"me!"
    post.metadata.clear()
    flags = ["-rpc-header", "x-call: 1", "-reflect-header", "x-reflection: 1", "-user-agent", "mine/1"]
    quoit("call", post.target, "Post/Send", *flags)
    (metadata,) = post.metadata
    assert ("x-call", "1") in metadata and "x-reflection" not in dict(metadata)
    assert dict(metadata)["user-agent"].startswith("mine/1 quoit/")
    assert call("Metadata", "-authority", "other.example").json["authority"] == "other.example"
    for bad, why in [
        ("x-a", "write 'NAME: VALUE'"),
        ("x-a-bin: $$", "the value is not base64"),
        ("grpc-x: 1", "no such metadata"),
    ]:
        assert why in call("Metadata", "-H", bad, status=USAGE).err


def test_limits(call, quoit, server, protoset):
    expired = call("Wait", "--max-time", "3000ms", status=CALL + 4)
    assert "DEADLINE_EXCEEDED" in expired.err
    left = int(call("Deadline", "-max-time", "20").json["leftNs"])
    assert 0 < left <= 20_000_000_000
    assert "RESOURCE_EXHAUSTED" in call("Big", "-d", '{"value":5000000}', status=CALL + 8).err
    assert len(call("Big", "-d", '{"value":5000000}', "-max-msg-sz", "8MiB").json["data"]) > 5_000_000
    for name in "gzip", "deflate", "zstd":
        payload = {"text": "x" * 10_000}
        assert call("Echo", "--compress", name, "-d", json.dumps(payload)).json == payload


def test_retry(quoit, post):
    post.flaky = 0
    assert "not now" in quoit("call", post.target, "Post/Flaky", status=CALL + 14).err
    post.flaky = 0
    assert quoit("call", post.target, "Post/Flaky", "--retry", "2").out == "{}\n"
    assert post.flaky == 3


# ---- where ----


def test_unix_socket(quoit, start, tmp_path):
    start("quoit-api", "--listen", f"unix:{tmp_path}/api%25.sock")
    for words in [[f"unix:{tmp_path}/api%25.sock"], ["-unix", f"{tmp_path}/api%.sock"]]:
        assert quoit("call", *words, "Api/sayHello").json == {"message": "Hello !"}


def test_tls(quoit, pki, protos):
    """TLS is found out; each way in which a server is not the right one is told."""
    credentials = grpc.ssl_server_credentials(
        [(pki.server.key_pem, pki.server.pem)], pki.ca.pem, require_client_auth=True
    )
    own = ["--cert", pki.client.file, "--key", pki.client.key_file]
    with grpcio_server(lambda one, server: one.add_to(server), Post(protos), credentials=credentials) as target:
        words = ["call", target, "Post/Track", "-d", '{"receiver":"2"}']
        assert quoit(*words, *own, "-cacert", pki.ca.file, "--json").json["tls"] is True
        assert len(quoit(*words, *own, "-insecure").documents) == 2
        error = quoit(*words, status=1).err
        assert f"cannot connect to {target}: in the clear: ipv4:{target}: " in error
        assert f"; by TLS: ipv4:{target}: TLS: " in error and "certificate" in error
        named = quoit(*words, *own, "-cacert", pki.ca.file, "-servername", "b.example", status=1).err
        assert "certificate" in named and "in the clear" not in named
        assert quoit(*words, "--plaintext", status=1).err.startswith("quoit: cannot connect")
        missing = quoit(*words, "--cacert", "/no/such.pem", status=USAGE).err
        assert "/no/such.pem" in missing


def test_mistyped_host(quoit, tmp_path):
    """The nearest target that was used before. Nobody looks up .onion (RFC 7686)."""
    known = tmp_path / "quoit/targets"
    known.parent.mkdir()
    known.write_text("momo.onion:443\nlocalhost:17\n")
    for target, meant in [("momoo.onion:443", "; did you mean momo.onion:443?"), ("momo.onion:443", ""), ("x.onion:1", "")]:
        for flags in [], ["--protocol", "connect"]:
            env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
            error = quoit("call", target, "a.B/C", *flags, status=1, env=env).err
            assert error.startswith(f"quoit: cannot connect to {target}: cannot resolve ")
            assert error.count("\n") == 1 and ("did you mean" in error) == bool(meant) and error.endswith(f"{meant}\n")


def test_unreachable(quoit):
    port = free_port()
    refused = f"ipv4:127.0.0.1:{port}: connect: Connection refused (ECONNREFUSED)"
    assert quoit("call", f"127.0.0.1:{port}", "a.B/C", status=1).err == (
        f"quoit: cannot connect to 127.0.0.1:{port}: {refused}\n"
    )
    both = quoit("call", f"localhost:{port}", "a.B/C", status=1).err
    assert refused in both
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = [f"127.0.0.1:{silent.getsockname()[1]}", "a.B/C", "--connect-timeout", "0.2s"]
        assert "cannot connect" in quoit("call", *words, status=1).err


def test_secrets_in_the_clear(quoit, api_server):
    """Only on this machine, or if the user says so. 0.0.0.0 is one, but does not look so."""
    words = [f"0.0.0.0:{api_server.port}", "Api/sayHello", "-H", "Authorization: x"]
    assert "speaks no TLS: 'authorization' would be sent in the clear" in quoit(
        "call", *words, status=USAGE
    ).err
    assert quoit("call", *words, "-plaintext").json
    assert quoit("call", api_server.target, *words[1:]).json


# ---- mistakes ----


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["Api/sayHelo"], "no method sayHelo: service api.Api; did you mean sayHello?"),
        (["api.Apj/sayHello"], "no service api.Apj: {target}; did you mean api.Api?"),
        (["sayHello"], "'sayHello' is no method; write pkg.Service/Method"),
        (["Api/getAll", "-d", '{"lenght":1}'], "-d: line 1, column 11: No such field: lenght; did you mean length?"),
        (["Api/getAll", "-d", "{}{}"], "api.Api.getAll takes one request, and -d has more"),
        (["Api/getAll", "-d", '{"length":'], "-d: line 1, column 11: Unexpected EOF"),
        (["Api/getAll", "-d", "@/no/file"], "-d: /no/file: No such file or directory"),
        (["Api/getAll", "--plantext"], "unknown flag --plantext; did you mean --plaintext?"),
        (["Api/getAll", "-protoset-out=x"], "quoit call has no flag -protoset-out=x; quoit export has it"),
        (["Api/getAll", "-o", "x"], "quoit call has no flag -o; quoit export has it"),
        (["list"], "write quoit list {target}"),
        (["describe", "api.Api"], "write quoit describe {target}"),
        (["Api/getAll", "--max-time"], "--max-time needs a value; see quoit call --help"),
        (["Api/getAll", "--max-time", "2x"], "--max-time: '2x' is not a time: 2s, 500ms, 1m30s, or a number of seconds"),
        (["Api/getAll", "-max-msg-sz", "4x"], "--max-msg-sz: '4x' is not a size: 4MiB, 64k, or a number of bytes"),
        (["Api/getAll", "--reflect", "off"], "no schema: reflection is off, and --proto and --protoset are missing"),
        (["Api/getAll", "--protoset", "/no/file"], "--protoset: /no/file: No such file or directory"),
        ([], "a method is missing: write quoit call HOST:PORT pkg.Service/Method"),
    ],
)  # fmt: skip
def test_mistakes(quoit, api_server, words, error):
    said = quoit("call", api_server.target, *words, status=USAGE)
    assert said.err == f"quoit: {error.format(target=api_server.target)}\n"
    assert said.out == ""


def test_mistake_in_a_stream(call):
    """It ends the call, and says which message it is."""
    failed = call("Sum", "-d", "@", input='{"value":1}{"value":2}{"valve":3}', status=USAGE)
    assert failed.err == (
        "quoit: standard input, message 3: line 1, column 10: No such field: valve; did you mean value?\n"
    )


def descriptor(name, *imports, **members):
    return descriptor_pb2.FileDescriptorProto(name=name, dependency=imports, **members)


SERVICE = {"name": "S", "method": [{"name": "M", "input_type": ".x.Missing", "output_type": ".x.Missing"}]}
# What a server answers to each name that it is asked for, and what is said of that.
BAD_ANSWERS = {
    "broken": (lambda name: b"\xff\xff", "a file's descriptor is broken"),
    "circle": (
        lambda name: descriptor("a", "b") if name != "b" else descriptor("b", "a"),
        "b: Depends on file 'a'",
    ),
    "no import": (lambda name: descriptor("a", "b"), "the import b is missing"),
    "endless": (lambda name: descriptor(name, name + "x"), "files import one another too deeply"),
    "no type": (lambda name: descriptor("a", package="x", service=[SERVICE]), "x.Missing"),
    "other": (lambda name: descriptor("a", package="y"), "there is no"),
    "silence": (None, "reflection does not answer"),
}  # fmt: skip


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_bad_reflection(quoit, answer):
    """One line, whatever the server says."""
    make, error = BAD_ANSWERS[answer]
    silence = threading.Event()

    def answer_all(requests, context):
        for request in requests:
            if make is None:
                silence.wait(PATIENCE)
                return
            response = reflection_pb2.ServerReflectionResponse()
            if request.list_services:
                response.list_services_response.service.add(name="x.S")
            else:
                proto = make(request.file_by_filename or request.file_containing_symbol)
                serialized = proto if isinstance(proto, bytes) else proto.SerializeToString()
                response.file_descriptor_response.file_descriptor_proto.append(serialized)
            yield response

    def add(handler, server):
        method = grpc.stream_stream_rpc_method_handler(
            handler,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        handlers = {"ServerReflectionInfo": method}
        name = "grpc.reflection.v1.ServerReflection"
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])

    with grpcio_server(add, answer_all) as target:
        words = ["--max-time", "5"] if make is None else []
        said = quoit("call", target, "x.S/M", *words, status=1)
        silence.set()
    assert error in said.err and said.err.count("\n") == 1


def test_command(quoit):
    assert re.fullmatch(r"quoit \d+\.\d+\.\d+\n", quoit("--version").out)
    assert "quoit call" in quoit("help").out
    help = quoit("help", "call").out
    assert help == quoit("call", "--help").out == quoit("call", "-help").out
    assert max(map(len, help.splitlines())) <= 80
    assert quoit("cal", status=USAGE).err == "quoit: no command cal; did you mean call?\n"
    for word in "-plaintext", "localhost:1":
        error = quoit(word, "list", status=USAGE).err
        assert error == f"quoit: {word}: a command comes first: quoit call, quoit list, quoit describe\n"


# ---- others ----


def test_protos(quoit, server, root):
    """By the machine's protoc."""
    words = ["call", server.target, "calls.Calls/Sum", "-d", '{"value":7}']
    protos = root / "tests/protos"
    for flags in ["-import-path", protos, "-proto", "calls.proto"], ["--proto", protos / "calls.proto"]:
        assert quoit(*words, *flags).json == {"value": "7"}
    bad = quoit(*words, "--proto", protos / "none.proto", status=USAGE).err
    assert "none.proto" in bad and bad.endswith("quoit: --proto: protoc could not read the file\n")
    alone = quoit(*words, "--proto", protos / "calls.proto", env={"PATH": "/none"}, status=USAGE).err
    assert alone == "quoit: --proto: protoc is not installed here; give a --protoset, or use reflection\n"


def test_same_as_grpcurl(quoit, api_server, post):
    """The same words give the same answer."""
    grpcurl = go_install("github.com/fullstorydev/grpcurl/cmd/grpcurl", GRPCURL)
    for words in [
        ["-plaintext", "-d", '{"length":2}', api_server.target, "api.Api/getAll"],
        ["-plaintext", "-emit-defaults", api_server.target, "api.Api/sayHello"],
        ["-plaintext", "-d", '{"receiver":"x","sizes":[1]}', post.target, "parcels.Post.Send"],
        ["-plaintext", "-max-time", "20", "-H", "a: b", api_server.target, "api.Api/getAll"],
    ]:
        theirs = subprocess.run([grpcurl, *words], capture_output=True, check=True, timeout=PATIENCE)
        assert quoit("call", *words).json == json.loads(theirs.stdout)
        assert quoit("call", *words, "--pretty").out == theirs.stdout.decode()


def test_go(quoit, root, tmp_path):
    """grpc-go's server of the interoperability tests: all four kinds, and a status."""
    program = go_install("google.golang.org/grpc/interop/server", GRPC_GO)
    go = Foreign(lambda port: [program, f"--port={port}"], tmp_path / "log")
    flags = ["-I", root / "proto", "--proto", "grpc/testing/test.proto"]
    name = "grpc.testing.TestService"
    try:

        def run(method, *words, **options):
            return quoit("call", f"localhost:{go.port}", f"{name}/{method}", *flags, *words, **options)

        assert run("EmptyCall").out == "{}\n"
        sized = {"responseSize": 3, "payload": {"body": "AAAA"}}
        assert run("UnaryCall", "-d", json.dumps(sized)).json["payload"]["body"] == "AAAA"
        many = {"responseParameters": [{"size": 1}, {"size": 2}]}
        assert len(run("StreamingOutputCall", "-d", json.dumps(many)).documents) == 2
        assert len(run("FullDuplexCall", "-d", "@", input=json.dumps(many) * 3).documents) == 6
        summed = run("StreamingInputCall", *["-d", '{"payload":{"body":"AAAA"}}'] * 2)
        assert summed.json == {"aggregatedPayloadSize": 6}
        told = {"responseStatus": {"code": 2, "message": "told so"}}
        assert run("UnaryCall", "-d", json.dumps(told), status=CALL + 2).err == "quoit: UNKNOWN: told so\n"
    finally:
        go.stop()
