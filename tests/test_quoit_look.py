# SPDX-License-Identifier: MIT
"""quoit list, describe, export, health, top: against quoit-api, grpcio's server, and files that protoc has made."""

import concurrent.futures
import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from plugin_kit import GOOGLE, KITCHEN, PROTOS
from servers import PATIENCE, Server, eventually, free_port
from tls import Pki

DESCRIBED = PROTOS / "described"
OTHERS = ["comments.proto", "scopes.proto", "kinds.proto", "names.proto", "mutated.proto", "mutated_open.proto", "tables.proto"]
REFLECTION = [f"grpc.reflection.{version}.ServerReflection" for version in ("v1", "v1alpha")]
NOT_CONNECTED, CALL_FAILED, NOT_SERVING = 2, 3, 4


@pytest.fixture(scope="module")
def quoit(build):
    """quoit(*arguments) -> (exit status, stdout, stderr)."""

    def run(*arguments, **options):
        done = subprocess.run(
            [build / "bin" / "quoit", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            **options,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def api(build):
    server = Server(build / "bin" / "quoit-api", "--port", 0)
    yield server
    server.stop()


def protoc(names, roots, out, *options):
    """What protoc makes of .proto files: {name: FileDescriptorProto}."""
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *(f"-I{root}" for root in roots), f"-I{GOOGLE}"]
        + ["--include_imports", f"--descriptor_set_out={out}", *options, *names],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return {file.name: file for file in files}


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """A protoset of described.proto, with its comments."""
    out = tmp_path_factory.mktemp("described") / "described.binpb"
    protoc(["described.proto"], [DESCRIBED], out, "--include_source_info")
    return out


@pytest.fixture(scope="module")
def python_server(described):
    """grpcio's server with the services of described.proto, none of which has a method, and its own; .health sets what it says."""
    files = descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    pool.AddSerializedFile(reflection_pb2.DESCRIPTOR.serialized_pb)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    server.health = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(server.health, server)
    channelz.add_channelz_servicer(server)
    names = ["described.deep.Talk", reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server, pool=pool)
    server.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield server
    server.stop(None).wait()


# ---- list ----


def test_list(quoit, api, python_server):
    own = ["grpc.channelz.v1.Channelz", "grpc.health.v1.Health"]
    assert quoit("list", api.target) == (0, "\n".join(["api.Api", *own, *REFLECTION, ""]), "")
    assert quoit("list", python_server.target)[1].split() == ["described.deep.Talk", REFLECTION[1]]
    for name in ("api.Api", "Api"):
        assert quoit("list", api.target, name)[1].split() == ["api.Api.sayHello", "api.Api.getAll", "api.Api.getStream"]
    assert json.loads(quoit("list", api.target, "--json")[1])["services"][0] == "api.Api"
    shown = json.loads(quoit("list", "--json", api.target, "api.Api")[1])
    assert shown["service"] == "api.Api" and shown["methods"][2] == {
        "name": "api.Api.getStream",
        "kind": "server_streaming",
        "request": "api.ApiRequest",
        "reply": "api.Item",
    }


def test_list_says_what_is_wrong(quoit, api, described, tmp_path):
    """One line, with the place and the nearest name, and nothing on stdout."""
    port = free_port()
    for arguments, status, told in (
        (["list", api.target, "api.Apii"], 2, r"no api\.Apii at .*; did you mean api\.Api\?"),
        (["list", api.target, "api.Api", "x"], 2, "one service only"),
        (["list"], 2, "a target is missing"),
        (["list", f"127.0.0.1:{port}"], 1, rf"127\.0\.0\.1:{port}.*Connection refused"),
        (["list", "--protoset", tmp_path / "none"], 2, "none: No such file"),
        (["describe", api.target, "api.Hallo"], 2, r"no api\.Hallo at .*; did you mean api\.Hello\?"),
        (["describe", "--protoset", described, "described.deep.Level", "--template"], 2, "neither a message nor a method"),
        (["top", api.target, "x"], 2, "write quoit top HOST:PORT"),
        (["health"], 2, "a target is missing"),
    ):
        got, out, err = quoit(*arguments)
        assert (got, out) == (status, "") and len(err.splitlines()) == 1, (arguments, got, out, err)
        assert re.search(told, err), (arguments, err)


# ---- describe ----


def test_describe(quoit, api):
    head = 'syntax = "proto3";\n\npackage api;\n\n'
    assert quoit("describe", api.target, "api.Item") == (
        0,
        head + "message Item {\n  int32 id = 1;\n  string name = 2;\n}\n",
        "",
    )
    assert quoit("describe", api.target, ".api.Item.name")[1] == head + "message Item {\n  string name = 2;\n}\n"
    for name in ("api.Api/getAll", "/api.Api/getAll", "api.Api.getAll", "Api/getAll"):
        assert quoit("describe", api.target, name)[1].replace('import "google/api/annotations.proto";\n\n', "") == (
            f'{head}service Api {{\n  rpc getAll(ApiRequest) returns (Items) {{\n    option (google.api.http) = {{ get: "/v1/items" }};\n  }}\n}}\n'
        )
    whole = quoit("describe", api.target, "api.proto")[1]
    assert "service Api {" in whole and "message Hello {" in whole
    all_of_it = quoit("describe", api.target)[1]
    assert all(f"// {name}\n" in all_of_it for name in ["api.Api", *REFLECTION])
    shown = json.loads(quoit("describe", api.target, "api.Item", "--json")[1])
    assert (shown["symbol"], shown["kind"], shown["file"]) == ("api.Item", "message", "api.proto")
    assert shown["text"].endswith("string name = 2;\n}\n")


def test_describe_each_kind_of_symbol(quoit, described, python_server):
    """From a file, with comments, and the same without them by reflection."""
    expected = {
        "described.deep.BELOW": ("enum_value", "// Before a value.\n  NOTHING = 0 [deprecated = true];\n  BELOW = -1;"),
        "described.deep.Level": ("enum", "  reserved -10 to -5, 100, 1000 to max;"),
        "described.deep.Everything.text": ("field", '[default = "say \\"hi\\"\\n\\001\\302\\205", json_name = "TEXT"];'),
        "described.deep.Everything.choice": ("oneof", "  // Of a oneof.\n  oneof choice { // Behind a oneof's brace."),
        "described.deep.Everything.Picked.text": ("field", "  oneof choice {\n    group Picked = 13 {\n      optional string text = 1;"),
        "described.deep.Everything.ByNumberEntry": ("message", "  // Of a map.\n  map<int32, Before> by_number = 10"),
        "described.deep.names": ("extension", "extend Everything {\n  // Of an extension.\n  repeated string names = 100;\n}"),
        "described.deep.Last.nested": ("extension", "message Last {\n  extend Everything {\n    optional group Nested = 150 {"),
        "described.deep.Talk": ("service", 'service Talk {\n  option (described.deep.of_service) = "talk";'),
        "described.deep.Talk.Both": ("method", 'import "google/protobuf/timestamp.proto";\n\nservice Talk {\n  rpc Both('),
    }

    def without_comments(text):
        return re.sub(r" *//.*\n|(?<=[{;]) // .*", "", text).replace("\n\n", "\n")

    for symbol, (kind, part) in expected.items():
        status, out, err = quoit("describe", "--protoset", described, symbol)
        assert status == 0 and part in out, (symbol, out, err)
        assert json.loads(quoit("describe", "--protoset", described, symbol, "--json")[1])["kind"] == kind
    for symbol in ("described.deep.Level", "described.deep.Talk", "described.deep.names"):
        status, out, err = quoit("describe", python_server.target, symbol)
        lines = {line.split(" //")[0].strip() for line in without_comments(expected[symbol][1]).splitlines()}
        assert status == 0 and all(line in out for line in lines), (symbol, out, err)


def test_template(quoit, described, api):
    """It is JSON of that message: Python takes it, and a message within itself does not go on for ever."""
    assert json.loads(quoit("describe", api.target, "api.Api/getAll", "--template")[1]) == {"length": 0}
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    for name in ("Everything", "Notes", "Hiding", "Last"):
        full = f"described.deep.{name}"
        status, out, err = quoit("describe", "--protoset", described, full, "-msg-template")
        message = message_factory.GetMessageClass(pool.FindMessageTypeByName(full))()
        assert status == 0, err
        json_format.Parse(out, message)
    shown = json.loads(quoit("describe", "--protoset", described, "described.deep.Everything", "--template")[1])
    assert shown["level"] == "BELOW" and shown["byNumber"] == {"0": {}} and shown["part"][0]["inner"] == {"level": "NONE"}
    assert shown["name"] == "" and "again" not in shown
    assert json.loads(quoit("describe", "--protoset", described, "described.deep.Notes", "--template")[1])["more"] == {}


# ---- export, and the text of .proto files ----


def with_options(files):
    """A printer of FileDescriptorProto that knows the custom options of @files; two nan are alike."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.values():
        pool.AddSerializedFile(file.SerializeToString())
    for name in files:
        pool.FindFileByName(name)
    known = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto"))

    def show(file):
        copy = descriptor_pb2.FileDescriptorProto()
        copy.CopyFrom(file)
        copy.ClearField("source_code_info")
        return text_format.MessageToString(known.FromString(copy.SerializeToString()), print_unknown_fields=True)

    return show


# Of described.proto: of an `extend` as such; and those of groups, which are there a second time, at their messages.
LEFT_OUT = {(7,), (4, 0), (4, 2, 3, 3)}


def comments_of(file):
    return {
        tuple(one.path): (one.leading_comments.strip(), one.trailing_comments.strip(), list(one.leading_detached_comments))
        for one in file.source_code_info.location
        if (one.leading_comments or one.trailing_comments or one.leading_detached_comments)
        and (file.name != "described.proto" or tuple(one.path) not in LEFT_OUT)
    }


def test_describe_on_a_terminal(build, quoit, described):
    """Colours, and none under NO_COLOR; the text is the same."""
    words = ["describe", "--protoset", described, "described.proto"]

    def look(*flags, **environment):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [build / "bin/quoit", *words, *flags],
            stdout=slave,
            env={**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **environment},
        )
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # its end
            while more := os.read(master, 4096):
                seen += more
        os.close(master)
        assert process.wait(PATIENCE) == 0
        return seen.decode().replace("\r", "")

    coloured, plain = look(TERM="xterm"), quoit(*words)[1]
    assert "\033[35msyntax\033[0m = \033[32m\"proto" in coloured
    assert "\033[35mmessage\033[0m " in coloured and "\033[2m//" in coloured
    assert re.sub(r"\033\[\d+m", "", coloured) == plain
    assert look(TERM="xterm", NO_COLOR="1") == look("--no-color", TERM="xterm") == plain


@pytest.mark.parametrize("info", [["--include_source_info"], []], ids=["with comments", "without"])
def test_export_round_trip(quoit, tmp_path, info):
    """protoc makes the same descriptors of what quoit makes of descriptors: custom options, groups, maps, names that hide others, editions."""
    names = ["described.proto", "google/protobuf/descriptor.proto", *OTHERS, *KITCHEN]
    before = protoc(names, [DESCRIBED, PROTOS], tmp_path / "before", *info)
    assert quoit("export", "--protoset", tmp_path / "before", *names, "-o", f"{tmp_path}/tree/") == (0, "", "")
    assert not (tmp_path / "tree" / "google").exists()
    after = protoc(names, [tmp_path / "tree"], tmp_path / "after", "--include_source_info")
    show = with_options(before)
    for name, file in before.items():
        assert show(file) == show(after[name])
    if info:
        for name in ("described.proto", "comments.proto"):
            assert comments_of(before[name]) == comments_of(after[name])


def test_export_from_a_server(quoit, api, python_server, tmp_path):
    out = tmp_path / "api.binpb"
    assert quoit("export", api.target, "-o", out) == (0, "", "")
    files = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file}
    assert {"api.proto", "google/api/http.proto", "google/protobuf/descriptor.proto"} <= set(files)
    assert list(files).index("google/api/http.proto") < list(files).index("api.proto")
    assert quoit("list", "--protoset", out)[1] == quoit("list", api.target)[1]
    assert quoit("export", api.target, "grpc.health.v1.Health", "-o", out) == (0, "", "")
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    assert file.name == "grpc/health/v1/health.proto"
    (tmp_path / "tree").mkdir()
    assert quoit("export", python_server.target, "-o", tmp_path / "tree") == (0, "", "")
    assert "service Talk {" in (tmp_path / "tree" / "described.proto").read_text()
    assert quoit("export", api.target, "api.None", "-o", out)[0] == 2
    status, _, err = quoit("export", api.target, "-o", tmp_path / "no" / "file")
    assert status == 1 and "No such file" in err


def test_export_leaves_out_what_cannot_be_described(quoit, tmp_path):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    names = ["a.Missing", reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    status, _, err = quoit("export", target, "-o", tmp_path / "all.binpb")
    assert status == 1 and err.startswith("quoit: a.Missing is left out: ") and err.count("\n") == 1
    (file,) = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "all.binpb").read_bytes()).file
    assert file.service[0].name == "ServerReflection"
    assert quoit("list", target, "--max-time", "20")[0] == 0
    server.stop(None).wait()


def test_export_stays_in_its_folder(quoit, tmp_path):
    """And a comment does not control the terminal."""
    for name in ("../evil.proto", "/evil.proto", "a//b.proto", "a/./b.proto", "a\x1b.proto"):
        file = descriptor_pb2.FileDescriptorProto(name=name, package="evil", syntax="proto3")
        file.message_type.add(name="Evil")
        (tmp_path / "set").write_bytes(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
        status, out, err = quoit("export", "--protoset", tmp_path / "set", "evil.Evil", "-o", f"{tmp_path}/tree/")
        assert status == 1 and "no file is written" in err and "\x1b" not in err, err
        assert not any(tmp_path.glob("**/*.proto"))
    file.name = "good.proto"
    file.source_code_info.location.add(path=[4, 0], span=[1, 1, 1], leading_comments=" red \x1b[31m\u009b31m \u202e\n")
    (tmp_path / "set").write_bytes(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
    assert "// red ?[31m?31m ?\nmessage Evil {" in quoit("describe", "--protoset", tmp_path / "set", "evil.Evil")[1]


# ---- health ----


def test_health(quoit, api, python_server, start, tmp_path):
    assert quoit("health", api.target) == (0, "SERVING\n", "")
    assert quoit("health", api.target, "api.Api", "--json") == (0, '{"service":"api.Api","status":"SERVING"}\n', "")
    status, out, err = quoit("health", api.target, "no.Such")
    assert (status, out) == (CALL_FAILED, "") and "no.Such: NOT_FOUND" in err
    python_server.health.set("down", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert quoit("health", python_server.target, "down") == (NOT_SERVING, "NOT_SERVING\n", "")
    assert quoit("health", "-q", python_server.target, "down") == (NOT_SERVING, "", "")
    bare = start("quoit-api", "--port", 0, "--no-health")
    status, out, err = quoit("health", bare.target)
    assert (status, out) == (CALL_FAILED, "") and "UNIMPLEMENTED" in err
    status, out, err = quoit("health", f"127.0.0.1:{free_port()}", "--connect-timeout", "1s")
    assert (status, out) == (NOT_CONNECTED, "") and "Connection refused" in err
    pki = Pki(tmp_path)
    secure = start("quoit-api", "--port", 0, "--tls-cert", pki.server.file, "--tls-key", pki.server.key_file)
    assert quoit("health", secure.target, "--cacert", pki.ca.file) == (0, "SERVING\n", "")
    assert quoit("health", secure.target, "--cacert", pki.other_ca.file)[0] == NOT_CONNECTED


def test_health_in_time(quoit):
    """A server that accepts and says nothing; and one that does not answer the call."""

    class Slow(health_pb2_grpc.HealthServicer):
        def Check(self, request, context):
            eventually(lambda: not context.is_active(), "the end of the call")

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(Slow(), server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    status, out, err = quoit("health", target, "--rpc-timeout", "300ms")
    assert (status, out) == (CALL_FAILED, "") and "DEADLINE_EXCEEDED" in err
    server.stop(None).wait()


def test_health_watch(build, python_server):
    python_server.health.set("watched", health_pb2.HealthCheckResponse.SERVING)
    with contextlib.closing(
        subprocess.Popen(
            [build / "bin" / "quoit", "health", "--watch", python_server.target, "watched"],
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    ) as out:
        assert out.readline() == "SERVING\n"
        python_server.health.set("watched", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert out.readline() == "NOT_SERVING\n"
        python_server.health.set("watched", health_pb2.HealthCheckResponse.SERVING)
        assert out.readline() == "SERVING\n"


# ---- top ----


def test_top(quoit, api, python_server):
    with grpc.insecure_channel(api.target) as channel:
        hello = channel.unary_unary("/api.Api/sayHello")
        for _ in range(20):
            hello(b"", timeout=PATIENCE)
        status, out, err = quoit("top", api.target, "--once", "--json", "--interval", "100ms")
    assert status == 0, err
    (server,) = json.loads(out)["servers"]
    assert server["calls_started"] >= 20 and server["calls_succeeded"] >= 20 and server["connections"] >= 2
    assert server["calls_per_s"] > 0  # its own calls at least
    busiest = max(json.loads(out)["connections"], key=lambda one: one["calls_started"])
    assert busiest["calls_started"] >= 20 and busiest["remote"].startswith("127.0.0.1:")
    for target in (api.target, python_server.target):
        status, out, err = quoit("top", target, "--once", "-i", "0.1")
        assert status == 0 and out.splitlines()[0].split() == "SERVER CONNECTIONS CALLS/S FAILED/S RUNNING CALLS FAILED".split()
        assert all(len(line) <= 80 for line in out.splitlines()) and "\x1b" not in out, (out, err)


def test_top_with_latencies(quoit, api, start):
    """Of calls between two looks, by the server's own /metrics, or any other."""
    server = start("test-server", "--http", "--metrics")
    metrics = f"http://{server.target}/metrics"
    assert json.loads(quoit("top", api.target, "--once", "--json", "-i", "0.1", "--metrics", "none")[1])["latency_ms"] is None
    with grpc.insecure_channel(server.target) as channel, concurrent.futures.ThreadPoolExecutor(1) as pool:
        echo = channel.unary_unary("/calls.Calls/Echo")
        is_over = threading.Event()

        def call_on():
            while not is_over.is_set():
                echo(b"", timeout=PATIENCE)

        calling = pool.submit(call_on)
        try:
            status, out, err = quoit("top", api.target, "--once", "--json", "--metrics", metrics)
            shown = json.loads(out)["latency_ms"]
            assert status == 0 and 0 < shown["p50"] <= shown["p90"] <= shown["p99"] <= shown["p999"], err
            assert "latency, ms: p50 " in quoit("top", server.target, "--once")[1]
        finally:
            is_over.set()
        calling.result()


def test_top_without_channelz(quoit, start):
    bare = start("quoit-api", "--port", 0, "--no-channelz")
    status, out, err = quoit("top", bare.target, "--once")
    assert (status, out) == (64 + 12, "") and "no channelz" in err


def test_top_on_a_terminal(build, api):
    """It is drawn in place; without colours under NO_COLOR."""
    for environment, is_bold in ({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [build / "bin" / "quoit", "top", api.target, "--interval", "50ms"],
            stdout=slave,
            env={**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **environment},
        )
        os.close(slave)
        seen = b""
        while seen.count(b"SERVER ") < 3:
            seen += os.read(master, 4096)
        process.terminate()
        process.wait(PATIENCE)
        os.close(master)
        assert re.search(rb"\x1b\[[5-9]A\x1b\[J", seen), seen
        assert (b"\x1b[1m" in seen) == is_bold, seen
