# SPDX-License-Identifier: MIT
"""`quoit` with grpc-java's server, and with Envoy before it; test_quoit_call.py has Python's and Go's, test_quoit_http1.py Node's."""

import json
import subprocess

import pytest

import toolchains
from quoit_command import Quoit
from servers import PATIENCE, eventually, free_port

USAGE = 2
CALL = 64  # and the call's status
ENVOY = "type.googleapis.com/envoy.extensions"
MANAGER = "network.http_connection_manager.v3.HttpConnectionManager"

# Envoy's listeners: what they speak, a filter, and what quoit is to find out.
LISTENERS = [
    ("AUTO", None, "grpc"),
    ("HTTP1", ("grpc_web", "grpc_web.v3.GrpcWeb"), "grpc-web"),
    ("HTTP1", ("connect_grpc_bridge", "connect_grpc_bridge.v3.FilterConfig"), "connect"),
]


@pytest.fixture(scope="module")
def quoit(build):
    return Quoit(build)


@pytest.fixture(scope="module")
def java():
    """Its port."""
    source = toolchains.CLIENTS / "java" / "Server.java"
    command = [toolchains.tool("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", toolchains.java_jars(), source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield int(process.stdout.readline())
        process.terminate()


def listener(port, codec, filter_):
    def part(name, type_, **members):
        return {"name": f"envoy.filters.{name}", "typed_config": {"@type": f"{ENVOY}.filters.{type_}", **members}}

    filters = [part(f"http.{filter_[0]}", f"http.{filter_[1]}")] if filter_ else []
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "java", "timeout": "0s"}}]
    manager = part(
        "network.http_connection_manager",
        MANAGER,
        stat_prefix="quoit",
        codec_type=codec,
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        http_filters=[*filters, part("http.router", "http.router.v3.Router")],
    )
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"address": address, "filter_chains": [{"filters": [manager]}]}


@pytest.fixture(scope="module")
def envoy(java, tmp_path_factory):
    """The ports of LISTENERS."""
    program = toolchains.envoy()
    options = f"{ENVOY}.upstreams.http.v3.HttpProtocolOptions"
    address = {"socket_address": {"address": "127.0.0.1", "port_value": java}}
    cluster = {
        "name": "java",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": options,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": "java",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    ports = [free_port() for _ in LISTENERS]
    listeners = [listener(port, codec, filter_) for port, (codec, filter_, _) in zip(ports, LISTENERS)]
    folder = tmp_path_factory.mktemp("envoy")
    file = folder / "envoy.json"
    file.write_text(json.dumps({"static_resources": {"listeners": listeners, "clusters": [cluster]}}))
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen([program, "--disable-hot-restart", "-c", file], stdout=log, stderr=log)
        eventually(lambda: "starting main dispatch loop" in (folder / "log").read_text(), "Envoy is up", 2 * PATIENCE)
        yield ports
        process.terminate()
        process.wait(PATIENCE)


def answers(quoit, port, protocol):
    """What is asked of each server."""
    target = f"localhost:{port}"
    assert "grpc.testing.TestService\n" in quoit("list", target).out
    described = quoit("describe", target, "grpc.testing.TestService.UnaryCall").out
    assert "  rpc UnaryCall(SimpleRequest) returns (SimpleResponse);\n" in described
    assert quoit("health", target).out == "SERVING\n"
    words = ["call", target, "TestService/UnaryCall"]
    document = quoit(*words, "-d", '{"responseSize":3}', "--json").json
    assert (document["protocol"], document["messages"]) == (protocol, [{"payload": {"body": "AAAA"}}])
    refused = quoit(*words, "-d", '{"responseStatus":{"code":5,"message":"no"}}', status=CALL + 5).err
    assert refused == "quoit: NOT_FOUND: no\n"
    many = ["-d", '{"responseParameters":[{"size":1},{"size":2}]}']
    assert len(quoit("call", target, "TestService/StreamingOutputCall", *many).documents) == 2


def test_java(quoit, java):
    answers(quoit, java, "grpc")
    words = ["call", f"localhost:{java}"]
    assert "did you mean UnaryCall?" in quoit(*words, "TestService/UnaryCal", status=USAGE).err
    assert "did you mean grpc.testing.TestService?" in quoit(*words, "TestServic/UnaryCall", status=USAGE).err
    wrong = quoit(*words, "TestService/UnaryCall", "-d", '{"responsSize":3}', status=USAGE).err
    assert wrong == "quoit: -d: line 1, column 16: No such field: responsSize; did you mean responseSize?\n"


@pytest.mark.parametrize("number", range(len(LISTENERS)), ids=[found for *_, found in LISTENERS])
def test_envoy(quoit, envoy, number):
    answers(quoit, envoy[number], LISTENERS[number][2])
