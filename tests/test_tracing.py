# SPDX-License-Identifier: MIT
"""Spans of calls, which a collector gets by OTLP: OpenTelemetry's own messages, in a server of grpcio's."""

import base64
import concurrent.futures
import os
import re
import subprocess
import threading
import time

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from misbehaving import Peer, whole
from servers import PATIENCE, Server, eventually, free_port
from strict_server import StrictServer
from test_exposition import SCRAPERS, scrape, value
from test_http import get
from tls import Pki
from wire import Wire, message

TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
CALLER = bytes.fromhex("b7ad6b7169203331")
Kind = trace_pb2.Span.SpanKind


def traceparent(flags=1):
    return "traceparent", f"00-{TRACE.hex()}-{CALLER.hex()}-{flags:02x}"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it gets, in .exports and .spans."""

    def __init__(self, target="127.0.0.1:0", credentials=None):
        self.exports, self.metadata = [], []
        self.answers = []  # an errno of gRPC's, or a response, for each export; then OK
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        self.port = self.server.add_secure_port(target, credentials) if credentials else self.server.add_insecure_port(target)
        self.server.start()
        self.endpoint = f"{'https' if credentials else 'http'}://localhost:{self.port}"

    def Export(self, request, context):
        self.may_answer.wait(PATIENCE)
        self.metadata.append(dict(context.invocation_metadata()))
        answer = self.answers.pop(0) if self.answers else otlp.ExportTraceServiceResponse()
        if isinstance(answer, grpc.StatusCode):
            context.abort(answer, "as it was told to")
        self.exports.append(request)
        return answer

    @property
    def spans(self):
        return [span for export in list(self.exports) for of in export.resource_spans for scope in of.scope_spans for span in scope.spans]

    def wait(self, count):
        eventually(lambda: len(self.spans) >= count, f"{count} spans, not {len(self.spans)}")
        return self.spans


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.may_answer.set()
    made.server.stop(0).wait()


def attributes(of):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of.attributes}


SOON = {"OTEL_BSP_SCHEDULE_DELAY": "1"}


@pytest.fixture
def traced(start, collector):
    """quoit-api with the collector, and these variables."""

    def start_it(*arguments, **env):
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **SOON, **env}
        return start("quoit-api", "--port", 0, *arguments, env=env)

    return start_it


def test_a_span_of_a_call(api, connect, traced, collector):
    server = traced(OTEL_SERVICE_NAME="shop", OTEL_RESOURCE_ATTRIBUTES="deployment.environment=a%20b, service.name=other,x=1")
    before = time.time_ns()
    api.Stub(connect(server)).sayHello(api.HelloRequest(name="Ann"), metadata=[traceparent()], timeout=PATIENCE)
    (span,) = collector.wait(1)
    after = time.time_ns()
    resource = collector.exports[0].resource_spans[0]
    told = attributes(resource.resource)
    assert re.fullmatch(r"\d+\.\d+\.\d+", told.pop("telemetry.sdk.version"))
    assert told == {
        "service.name": "shop",
        "telemetry.sdk.name": "quoit",
        "telemetry.sdk.language": "c",
        "deployment.environment": "a b",
        "x": "1",
    }
    assert resource.scope_spans[0].scope.name == "quoit"
    assert (span.name, span.kind) == ("api.Api/sayHello", Kind.SPAN_KIND_SERVER)
    assert (span.trace_id, span.parent_span_id) == (TRACE, CALLER)
    assert len(span.span_id) == 8 and span.span_id != CALLER and span.flags == 1
    assert before - 10**9 < span.start_time_unix_nano <= span.end_time_unix_nano < after + 10**9
    told = attributes(span)
    assert told.pop("network.peer.address") in ("127.0.0.1", "::ffff:127.0.0.1", "::1") and told.pop("network.peer.port") > 0
    assert told == {"rpc.system": "grpc", "rpc.service": "api.Api", "rpc.method": "sayHello", "rpc.grpc.status_code": 0}
    assert span.status.code == trace_pb2.Status.STATUS_CODE_UNSET


def test_the_environments_of_two_kinds(api, connect, start, collector):
    """What is for traces alone goes before; an option goes before both. The name is the program's where there is none."""
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:1",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://192.0.2.1:2",
        "OTEL_EXPORTER_OTLP_HEADERS": "x=0",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Authorization=Bearer%20abc,x-key = 1",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        **SOON,
    }
    server = start("quoit-api", "--port", 0, "--otlp-endpoint", collector.endpoint + "/", env=env)
    api.Stub(connect(server)).sayHello(api.HelloRequest())
    collector.wait(1)
    assert collector.metadata[0]["authorization"] == "Bearer abc" and collector.metadata[0]["x-key"] == "1" and "x" not in collector.metadata[0]
    assert attributes(collector.exports[0].resource_spans[0].resource)["service.name"] == "quoit-api"


@pytest.mark.parametrize("env", [{"OTEL_SDK_DISABLED": "TRUE"}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}])
def test_no_spans(api, connect, traced, collector, env):
    server = traced(**env)
    api.Stub(connect(server)).sayHello(api.HelloRequest())
    server.stop()
    assert not collector.exports and len(server.log) == 2


# ---- which trace it is ----


def test_a_call_without_a_trace_begins_one(api, connect, traced, collector):
    server = traced()
    stub = api.Stub(connect(server))
    for bad in [], [("traceparent", "00-" + "0" * 32 + "-" + "1" * 16 + "-01")], [("traceparent", "x")]:
        stub.sayHello(api.HelloRequest(), metadata=bad)
    spans = collector.wait(3)
    assert len({span.trace_id for span in spans}) == len({span.span_id for span in spans}) == 3
    assert all(len(span.trace_id) == 16 and not span.parent_span_id and span.flags & 1 for span in spans)


def test_a_binary_trace(api, connect, traced, collector):
    binary = bytes([0, 0, *TRACE, 1, *CALLER, 2, 1])
    api.Stub(connect(traced())).sayHello(api.HelloRequest(), metadata=[("grpc-trace-bin", binary)])
    (span,) = collector.wait(1)
    assert (span.trace_id, span.parent_span_id) == (TRACE, CALLER)


@pytest.mark.parametrize(
    "sampler, argument, brought, sampled",
    [
        (None, None, None, True),
        (None, None, 0, False),
        ("always_off", None, 1, False),
        ("always_on", None, 0, True),
        ("parentbased_always_off", None, None, False),
        ("parentbased_always_off", None, 1, True),
        ("traceidratio", "0", 1, False),
        ("traceidratio", "1", 0, True),
        ("parentbased_traceidratio", "0", 1, True),
        # the trace's id is 1/32 of the way
        ("traceidratio", "0.04", 1, True),
        ("traceidratio", "0.03", 1, False),
    ],
)
def test_samplers(api, connect, traced, collector, sampler, argument, brought, sampled):
    """A trace that is not sampled has no span; the server's end sends what there is."""
    env = {"OTEL_TRACES_SAMPLER": sampler or "", "OTEL_TRACES_SAMPLER_ARG": argument or "", "OTEL_BSP_SCHEDULE_DELAY": "3600000"}
    server = traced(**env)
    metadata = [] if brought is None else [("traceparent", f"00-{'1' * 16}{0x08 << 56:016x}-{'2' * 16}-{brought:02x}")]
    api.Stub(connect(server)).sayHello(api.HelloRequest(), metadata=metadata)
    server.stop()
    assert len(collector.spans) == sampled


def test_the_access_log_names_the_servers_own_trace(api, connect, traced, collector, tmp_path):
    log = tmp_path / "log"
    server = traced("--access-log", log)
    api.Stub(connect(server)).sayHello(api.HelloRequest())
    (span,) = collector.wait(1)
    server.stop()
    assert f" trace={span.trace_id.hex()} " in log.read_text()


# ---- where /metrics leads to it ----


def test_exemplars(api, connect, traced, collector):
    """The last sampled call of each bucket, in OpenMetrics alone."""
    durations = "grpc_server_call_duration_seconds"
    server = traced("--metrics")
    stub = api.Stub(connect(server))
    for sampled in 1, 1, 0:
        stub.sayHello(api.HelloRequest(), metadata=[traceparent(sampled)], timeout=PATIENCE)
    spans = {span.span_id.hex(): span for span in collector.wait(2)}
    with Wire(server) as wire:
        eventually(lambda: value(scrape(wire, "text/plain"), durations, durations + "_count") == 3, "three calls")
        assert not any(sample.exemplar for sample in scrape(wire, "text/plain")[durations].samples)
        told = [(sample, sample.exemplar) for sample in scrape(wire, SCRAPERS[1])[durations].samples if sample.exemplar]
    assert told and {exemplar.labels["span_id"] for _, exemplar in told} <= set(spans)
    for sample, exemplar in told:
        span = spans[exemplar.labels["span_id"]]
        assert exemplar.labels["trace_id"] == TRACE.hex() and 0 < exemplar.value <= float(sample.labels["le"])
        assert exemplar.value == (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        assert abs(float(exemplar.timestamp) - span.end_time_unix_nano / 1e9) < 10


# ---- how it ended ----


def test_errors(connect, traced, collector):
    """A server is not at fault for what a client does wrong, but for what it does not have."""
    channel = connect(traced())
    for method, request in ("/api.Api/getAll", b"\x08\xff\xff\xff\x7f"), ("/api.Api/nothing", b""), ("/a.B/c", b""):
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(method)(request, timeout=PATIENCE)
    spans = collector.wait(3)
    told = [(span.name, attributes(span)["rpc.grpc.status_code"], span.status.code) for span in spans]
    error, unset = trace_pb2.Status.STATUS_CODE_ERROR, trace_pb2.Status.STATUS_CODE_UNSET
    assert told == [("api.Api/getAll", 8, unset), ("other", 12, error), ("other", 12, error)]
    assert "rpc.method" not in attributes(spans[1])


def test_a_unix_socket_has_no_address(api, start, collector, tmp_path):
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **SOON}
    server = start("quoit-api", "--listen", f"unix:{tmp_path}/socket", env=env)
    with grpc.insecure_channel(server.target) as channel:
        api.Stub(channel).sayHello(api.HelloRequest())
    assert not any(name.startswith("network") for name in attributes(collector.wait(1)[0]))


def test_a_call_by_connect(traced, collector):
    """Has the words of that protocol."""
    with Wire(traced()) as wire:
        for body, path in (b"{}", "sayHello"), (b'{"length": 2147483647}', "getAll"):
            get(wire, f"/api.Api/{path}", method="POST", body=body, content_type="application/json")
    first, second = map(attributes, collector.wait(2))
    assert first["rpc.system"] == second["rpc.system"] == "connect_rpc" and "rpc.connect_rpc.error_code" not in first
    assert second["rpc.connect_rpc.error_code"] == "resource_exhausted" and "rpc.grpc.status_code" not in second


# ---- the collector ----


def test_batches_by_size(api, connect, traced, collector):
    """No time passes: two whole batches, and the rest at the end."""
    server = traced(OTEL_BSP_SCHEDULE_DELAY="3600000", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10")
    stub = api.Stub(connect(server))
    for _ in range(25):
        stub.sayHello(api.HelloRequest())
    collector.wait(20)
    assert [len(export.resource_spans[0].scope_spans[0].spans) for export in collector.exports] == [10, 10]
    server.stop()
    assert len(collector.spans) == 25


def test_a_collector_that_takes_none(api, connect, traced, collector):
    """Calls go on; what there is no room for is dropped, and told; the end does not wait."""
    collector.may_answer.clear()
    server = traced(OTEL_BSP_MAX_QUEUE_SIZE="8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4", OTEL_EXPORTER_OTLP_TIMEOUT="60000")
    stub = api.Stub(connect(server))
    for _ in range(30):
        stub.sayHello(api.HelloRequest(), timeout=PATIENCE)
    server.signal()
    assert server.wait() == 0
    lost = [line for line in server.log if "tracing: " in line]
    assert any("spans are lost" in line for line in lost) and any(re.search(r"tracing: (18|19|2\d) spans were dropped", line) for line in lost)


def test_a_collector_that_comes_later(api, connect, start):
    port = free_port()
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{port}", **SOON}
    server = start("quoit-api", "--port", 0, env=env)
    api.Stub(connect(server)).sayHello(api.HelloRequest())
    server.logged("Connection refused")
    late = Collector(f"127.0.0.1:{port}")
    late.wait(1)
    late.server.stop(0)


def test_an_export_is_tried_again(api, connect, traced, collector):
    """As OTLP's specification says: of these statuses only."""
    collector.answers = [grpc.StatusCode.UNAVAILABLE]
    stub = api.Stub(connect(traced()))
    stub.sayHello(api.HelloRequest())
    collector.wait(1)
    assert len(collector.metadata) == 2


def test_an_export_that_is_refused(api, connect, traced, collector):
    collector.answers = [
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNAUTHENTICATED,
        otlp.ExportTraceServiceResponse(partial_success=otlp.ExportTracePartialSuccess(rejected_spans=1, error_message="too old")),
    ]
    server = traced()
    stub = api.Stub(connect(server))
    for count in range(1, 4):
        stub.sayHello(api.HelloRequest())
        eventually(lambda: len(collector.metadata) == count, "an export")
    server.logged("tracing: the collector did not want 1 of 1 spans: too old")
    server.stop()
    assert [bool(re.search("spans are lost, and so will others be: UNAUTHENTICATED: as it was told to", line)) for line in server.log].count(True) == 1
    assert server.logged("tracing: spans are exported again; 2 were lost")


def test_a_collector_by_tls(api, connect, start, tmp_path):
    pki = Pki(tmp_path)
    credentials = grpc.ssl_server_credentials([(pki.server.key_pem, pki.server.pem)], pki.ca.pem, True)
    secure = Collector("localhost:0", credentials)
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"localhost:{secure.port}",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": pki.ca.file,
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": pki.client.file,
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": pki.client.key_file,
        **SOON,
    }
    server = start("quoit-api", "--port", 0, env={name: str(value) for name, value in env.items()})
    api.Stub(connect(server)).sayHello(api.HelloRequest())
    secure.wait(1)
    secure.server.stop(0)


@pytest.mark.parametrize(
    "env, problem",
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://x"}, "tracing: .*ftp://x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://"}, "tracing: endpoint 'http://' is not http://HOST:PORT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:1/v1/traces"}, "is not http://HOST:PORT"),
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "tracing: sampler 'sometimes' is not always_on"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}, "tracing: sampler 'traceidratio' is not"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "nothing"}, "tracing: headers 'nothing' is not NAME=VALUE"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=1,=2"}, "tracing: resource attributes 'a=1,=2' is not"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=1,b=%ff"}, "tracing: resource attributes 'a=1,b=%ff' is not UTF-8"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "%c3=1"}, "tracing: resource attributes '%c3=1' is not UTF-8"),
        ({"OTEL_RESOURCE_ATTRIBUTES": b"a=\xe2\x82"}, "tracing: resource attributes 'a=\ufffd\ufffd' is not UTF-8"),
        ({"OTEL_SERVICE_NAME": b"\xff!"}, "tracing: service name '\ufffd!' is not UTF-8"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://x", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such"}, "/no/such"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x.example", "grpc_proxy": "ftp://y"}, "tracing: INVALID_ARGUMENT: proxy .* grpc_proxy: its scheme is not"),
    ],
)
def test_what_cannot_be(build, env, problem):
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", **env}
    told = subprocess.run([build / "bin/quoit-api", "--port", "0"], env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 1 and len(told.stderr.splitlines()) == 1 and re.search(problem, told.stderr), told.stderr


@pytest.mark.parametrize(
    "name, value, problem",
    [
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "it is not a number from 1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "it is not a number from 1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "4294967296", "it is not a number from 1"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "yes", "it is not true or false"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "it is not gzip or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "it is not grpc"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "it is not otlp or none"),
    ],
)
def test_values_that_are_ignored(traced, name, value, problem):
    server = traced(**{name: value})
    assert server.logged(f"warning: {name}='{value}' is ignored: {problem}")


# ---- outcalls ----


@pytest.fixture
def relay(build, collector, tmp_path, request):
    """examples/traced before a service of grpcio's: a channel to it, and the metadata that the service has got."""
    seen = []

    def greet(name, context):
        seen.append(list(context.invocation_metadata()))
        if not name:
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody is here")
        return b""

    backend = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    handler = grpc.unary_unary_rpc_method_handler(greet)
    backend.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("guide.Guide", {"Greet": handler})])
    port = backend.add_insecure_port("127.0.0.1:0")
    backend.start()
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **SOON, **getattr(request, "param", {})}
    server = Server(build / "examples/traced", f"127.0.0.1:{port}", f"unix:{tmp_path}/here", env=env)
    with grpc.insecure_channel(server.target) as channel:
        yield channel.unary_unary("/guide.Guide/Greet"), seen, port
    server.stop()
    backend.stop(None)


def test_a_span_of_an_outcall(relay, collector):
    call, seen, port = relay
    metadata = [traceparent(), ("tracestate", "a=1"), ("tracestate", "b=2")]
    call(b"\x0a\x01x", metadata=metadata, timeout=PATIENCE)
    spans = {span.kind: span for span in collector.wait(2)}
    outer, inner = spans[Kind.SPAN_KIND_SERVER], spans[Kind.SPAN_KIND_CLIENT]
    assert outer.trace_id == inner.trace_id == TRACE
    assert (outer.parent_span_id, inner.parent_span_id) == (CALLER, outer.span_id)
    assert outer.start_time_unix_nano <= inner.start_time_unix_nano <= inner.end_time_unix_nano
    told = attributes(inner)
    assert told["network.peer.address"] == "127.0.0.1" and told["network.peer.port"] == port and told["rpc.method"] == "Greet"
    passed = [(name, value) for name, value in seen[0] if name in ("traceparent", "tracestate")]
    assert sorted(passed) == [
        ("traceparent", f"00-{TRACE.hex()}-{inner.span_id.hex()}-01"),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ]


def test_the_binary_trace_of_an_outcall(build, start, collector, tmp_path):
    """Has the same ids; and there is none where the caller has none."""
    seen = []

    def answer(server, stream, request):
        seen.append(dict(request.fields))
        whole(message(b""), ("grpc-status", "0"))(Peer(server, stream))

    with StrictServer(window=65535, answer=answer) as backend:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **SOON}
        server = Server(build / "examples/traced", backend.target, f"unix:{tmp_path}/here", env=env)
        with grpc.insecure_channel(server.target) as channel:
            call = channel.unary_unary("/guide.Guide/Greet")
            call(b"\x0a\x01x", metadata=[traceparent(), ("grpc-trace-bin", b"old")], timeout=PATIENCE)
            call(b"\x0a\x01x", metadata=[traceparent()], timeout=PATIENCE)
        server.stop()
    span = bytes.fromhex(seen[0]["traceparent"].split("-")[2])
    binary = base64.b64decode(seen[0]["grpc-trace-bin"] + "===")
    assert binary == bytes([0, 0, *TRACE, 1, *span, 2, 1]) and "grpc-trace-bin" not in seen[1]


def test_an_outcall_that_fails(relay, collector):
    """Its client's span is an error; the server's is not: it has only handed on what there is not."""
    call, _, _ = relay
    with pytest.raises(grpc.RpcError):
        call(b"", timeout=PATIENCE)
    spans = {span.kind: span for span in collector.wait(2)}
    inner, outer = spans[Kind.SPAN_KIND_CLIENT], spans[Kind.SPAN_KIND_SERVER]
    assert (inner.status.code, inner.status.message) == (trace_pb2.Status.STATUS_CODE_ERROR, "nobody is here")
    assert outer.status.code == trace_pb2.Status.STATUS_CODE_UNSET and attributes(outer)["rpc.grpc.status_code"] == 5


def test_a_peers_text_may_be_no_utf8(build, collector, tmp_path):
    """A span is text of protobuf: one with any bytes of a peer would cost all that are sent with it."""
    texts = iter([b"%ff!", b"x" * 126 + "ä".encode()])

    def answer(server, stream, request):
        whole(b"", ("grpc-status", "5"), ("grpc-message", next(texts)))(Peer(server, stream))

    with StrictServer(window=65535, answer=answer) as backend:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **SOON}
        server = Server(build / "examples/traced", backend.target, f"unix:{tmp_path}/here", env=env)
        with grpc.insecure_channel(server.target) as channel:
            for _ in range(2):
                with pytest.raises(grpc.RpcError):
                    channel.unary_unary("/guide.Guide/Greet")(b"", timeout=PATIENCE)
        spans = collector.wait(4)
        server.stop()
    told = [span.status.message for span in spans if span.kind == Kind.SPAN_KIND_CLIENT]
    assert sorted(told) == ["x" * 126, "\ufffd!"]


@pytest.mark.parametrize("relay", [{"OTEL_TRACES_SAMPLER": "always_off"}], indirect=True)
def test_a_trace_that_is_not_sampled_goes_on(relay, collector):
    """So that nobody behind it samples it; and a tracestate without a sound trace does not."""
    call, seen, _ = relay
    call(b"\x0a\x01x", metadata=[traceparent(1)], timeout=PATIENCE)
    call(b"\x0a\x01x", metadata=[("tracestate", "a=1")], timeout=PATIENCE)
    first, second = ({name: value for name, value in fields} for fields in seen)
    assert re.fullmatch(rf"00-{TRACE.hex()}-[0-9a-f]{{16}}-00", first["traceparent"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-02", second["traceparent"]) and "tracestate" not in second
    assert not collector.exports
