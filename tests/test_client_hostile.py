# SPDX-License-Identifier: MIT
"""Servers that do wrong, at each point of a call: what the caller hears, and that the next call goes through."""

import base64
import contextlib
import gzip
import json
import socket
import struct
import threading

import hyperframe.frame as frames
import pytest

from misbehaving import ANSWER, GRPC, Acts, Peer, hang_up, http, reset_at_once, trailers_only, whole
from servers import PATIENCE
from strict_server import StrictServer
from wire import message

NUMBER = message(b"\x08\x05")  # a Number


def reset_behind_headers(code):
    def act(peer):
        peer.headers(GRPC)
        peer.reset(code)

    return act


def reset_behind_data(code):
    def act(peer):
        peer.headers(GRPC)
        peer.data(ANSWER)
        peer.reset(code)

    return act


def interim(peer):
    peer.headers([(":status", "103"), ("link", "x")])
    peer.headers(GRPC)
    peer.data(ANSWER)
    peer.ok()


def push(peer):
    block = peer.server.encoder.encode([(":method", "GET"), (":path", "/")])
    peer.server.send(
        frames.PushPromiseFrame(peer.stream, promised_stream_id=2, data=block, flags=["END_HEADERS"])
    )


def data_first(peer):
    peer.data(ANSWER)


def hang_up_amid(peer):
    peer.headers(GRPC)
    peer.data(ANSWER[:4])
    peer.hang_up()


def other_content_type(peer):
    peer.headers([(":status", "200"), ("content-type", "Application/GRPC+proto")])
    peer.data(ANSWER)
    peer.ok()


def goaway_above(peer):
    """It was processed: it is answered."""
    peer.goaway(peer.stream)
    peer.headers(GRPC)
    peer.data(ANSWER)
    peer.ok()


def goaway_with_code(peer):
    peer.goaway(peer.stream, 11, b"too_many_pings")
    peer.hang_up()


def bad_frame(peer):
    peer.server.socket.sendall(b"\x00\x00\x01\x06\x00\x00\x00\x00\x00x")  # a PING of one byte


def huge_frame(peer):
    peer.server.socket.sendall(struct.pack(">I", 16_000_000)[1:] + b"\x00\x00\x00\x00\x00\x01")


OK = ("grpc-status", "0")
WRONG = {
    # name: (what the server does, the status, a part of the text)
    "http-400": (http(400), "INTERNAL", 'HTTP status 400 and content-type "text/html"'),
    "http-401": (http(401), "UNAUTHENTICATED", "HTTP status 401"),
    "http-403": (http(403), "PERMISSION_DENIED", "HTTP status 403"),
    "http-404": (http(404), "UNIMPLEMENTED", 'HTTP status 404 and content-type "text/html", which is not gRPC (ipv4:127.0.0.1:'),
    "http-418": (http(418), "UNKNOWN", "HTTP status 418"),
    "http-429": (http(429), "UNAVAILABLE", "HTTP status 429"),
    "http-431": (http(431), "INTERNAL", "HTTP status 431"),
    "http-502": (http(502), "UNAVAILABLE", "HTTP status 502"),
    "http-503": (http(503), "UNAVAILABLE", "HTTP status 503"),
    "http-504": (http(504), "UNAVAILABLE", "HTTP status 504"),
    "http-503-grpc": (http(503, "application/grpc"), "UNAVAILABLE", "HTTP status 503"),
    "content-type": (http(200), "UNKNOWN", 'content-type "text/html", which is not gRPC'),
    "content-type-web": (http(200, "application/grpc-web"), "UNKNOWN", "application/grpc-web"),
    "no-content-type": (http(200, None), "UNKNOWN", "no content-type"),
    "no-status": (whole(ANSWER, ("x-y", "z")), "UNKNOWN", "without grpc-status"),
    "no-status-only": (trailers_only(), "UNKNOWN", "without grpc-status"),
    "bad-status": (trailers_only(("grpc-status", "x")), "UNKNOWN", "not a number"),
    "unknown-status": (trailers_only(("grpc-status", "99")), "UNKNOWN", "UNKNOWN"),
    "message": (
        trailers_only(("grpc-status", "5"), ("grpc-message", "a%20%C3%A4%0")),
        "NOT_FOUND",
        "NOT_FOUND: a \u00e4%0",
    ),
    "no-message": (whole(b"", OK), "UNIMPLEMENTED", "no message"),
    "no-message-only": (trailers_only(OK), "UNIMPLEMENTED", "no message"),
    "two-messages": (whole(ANSWER * 2, OK), "UNIMPLEMENTED", "more than one message"),
    "half-message": (whole(ANSWER[:-1], OK), "INTERNAL", "ends within a message"),
    "half-prefix": (whole(ANSWER[:3], OK), "INTERNAL", "ends within a message"),
    "long-message": (
        whole(message(b"", length=5 << 20), OK),
        "RESOURCE_EXHAUSTED",
        "message_receive_bytes_max",
    ),
    "longest-message": (
        whole(message(b"", length=2**32 - 1), OK),
        "RESOURCE_EXHAUSTED",
        "message_receive_bytes_max",
    ),
    "bad-flag": (whole(message(b"", 2), OK), "INTERNAL", "malformed message prefix"),
    "no-encoding": (whole(message(b"x", 1), OK), "INTERNAL", "without grpc-encoding"),
    "unknown-encoding": (
        whole(message(b"x", 1), OK, head=[("grpc-encoding", "snappy")]),
        "INTERNAL",
        "grpc-encoding",
    ),
    "not-gzip": (
        whole(message(b"xyz", 1), OK, head=[("grpc-encoding", "gzip")]),
        "INTERNAL",
        "decompress",
    ),
    "bomb": (
        whole(message(gzip.compress(bytes(64 << 20)), 1), OK, head=[("grpc-encoding", "gzip")]),
        "RESOURCE_EXHAUSTED",
        "when decompressed",
    ),
    "not-protobuf": (whole(message(b"\xff\xff"), OK), "INTERNAL", "does not parse"),
    "large-headers": (
        whole(ANSWER, OK, head=[("x", "y" * 9_000)]),
        "RESOURCE_EXHAUSTED",
        "header_bytes_max",
    ),
    "many-headers": (
        whole(ANSWER, OK, head=[("x", "")] * 140),
        "RESOURCE_EXHAUSTED",
        "header_fields_max",
    ),
    "huge-headers": (
        whole(ANSWER, OK, head=[(f"x-{n}", "y" * 1_000) for n in range(40)]),
        "RESOURCE_EXHAUSTED",
        "header_bytes_hard_max",
    ),
    "large-trailers": (whole(ANSWER, OK, ("x", "y" * 9_000)), "RESOURCE_EXHAUSTED", "header_bytes_max"),
    "bad-field": (whole(ANSWER, OK, head=[("Upper", "x")]), "INTERNAL", "malformed"),
    "reset-no-error": (reset_at_once(0), "INTERNAL", "before the call's end"),
    "reset-protocol": (reset_at_once(1), "INTERNAL", "PROTOCOL_ERROR"),
    "reset-internal": (reset_at_once(2), "INTERNAL", "INTERNAL_ERROR"),
    "reset-cancel": (reset_at_once(8), "CANCELLED", "CANCEL"),
    "reset-calm": (reset_at_once(11), "RESOURCE_EXHAUSTED", "ENHANCE_YOUR_CALM"),
    "reset-security": (reset_at_once(12), "PERMISSION_DENIED", "INADEQUATE_SECURITY"),
    "reset-unknown": (reset_at_once(4711), "INTERNAL", "reset the stream"),
    "reset-behind-headers": (reset_behind_headers(7), "UNAVAILABLE", "REFUSED_STREAM"),
    "reset-behind-data": (reset_behind_data(2), "INTERNAL", "INTERNAL_ERROR"),
    "push": (push, "UNAVAILABLE", "PROTOCOL_ERROR"),
    "data-first": (data_first, "UNAVAILABLE", "stream not opened"),
    "hang-up": (hang_up, "UNAVAILABLE", "was lost"),
    "hang-up-amid": (hang_up_amid, "UNAVAILABLE", "was lost"),
    "goaway-with-code": (goaway_with_code, "UNAVAILABLE", "ENHANCE_YOUR_CALM: too_many_pings"),
    "bad-frame": (bad_frame, "UNAVAILABLE", "FRAME_SIZE_ERROR"),
    "huge-frame": (huge_frame, "UNAVAILABLE", "FRAME_SIZE_ERROR"),
    "interim": (interim, "OK", "OK"),
    "goaway-above": (goaway_above, "OK", "OK"),
    "other-content-type": (other_content_type, "OK", "OK"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answer(client, calls, name):
    act, status, text = WRONG[name]
    with StrictServer(window=65535, answer=Acts(act)) as server:
        wrong, right = client.run(
            server.target, "Echo", calls.Payload(text="x"), calls=2, backoff=10, wait_for_ready=True
        )
    assert (wrong.status, text in wrong.text) == (status, True), wrong.text
    assert len(wrong.messages) == (status == "OK")
    assert right.text == "OK"


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answer_to_a_blocking_call(client, calls, name):
    act, status, text = WRONG[name]
    with StrictServer(window=65535, answer=Acts(act)) as server:
        wrong = client(server.target, "Echo", calls.Payload(text="x"), blocking=True)
    assert (wrong.status, text in wrong.text) == (status, True), wrong.text


# where it makes a difference that many replies may come
OF_STREAMS = WRONG | {
    "no-message": (whole(b"", OK), "OK", "OK"),
    "no-message-only": (trailers_only(OK), "OK", "OK"),
    "two-messages": (whole(ANSWER * 2, OK), "OK", "OK"),
}


@pytest.mark.parametrize("name", OF_STREAMS)
def test_wrong_answer_to_a_stream_that_a_thread_reads(client, calls, name):
    act, status, text = OF_STREAMS[name]
    with StrictServer(window=65535, answer=Acts(act)) as server:
        wrong = client(server.target, "Chat", calls.Payload(text="x"), blocking=True)
    assert (wrong.status, text in wrong.text) == (status, True), wrong.text


# ---- requests that were not processed ----


def refuse(peer):
    peer.reset(7)


def goaway_below(peer):
    peer.goaway(peer.stream - 2 if peer.stream > 1 else 0)
    peer.hang_up()



@pytest.mark.parametrize("act", [refuse, goaway_below])
def test_unprocessed_calls_are_made_again(client, calls, act):
    answer = Acts(act)
    payload = calls.Payload(text="x" * 20_000)
    with StrictServer(answer=answer, window=65535) as server:
        call = client(server.target, "Echo", payload, backoff=10)
    assert call.text == "OK"
    assert call.messages == [payload.SerializeToString()]
    assert len(answer.times) == 2


def test_refused_twice(client, calls):
    answer = Acts(refuse, refuse)
    with StrictServer(answer=answer) as server:
        call = client(server.target, "Echo", calls.Payload(text="x"))
    assert call.status == "UNAVAILABLE"
    assert "REFUSED_STREAM" in call.text
    assert len(answer.times) == 2


def test_more_than_is_kept_is_not_made_again(client, calls):
    answer = Acts(refuse)
    with StrictServer(answer=answer, window=1 << 20, connection_window=1 << 20) as server:
        call = client(server.target, "Echo", calls.Payload(text="x" * 300_000))
    assert call.status == "UNAVAILABLE"
    assert len(answer.times) == 1


def no_status(peer):
    return trailers_frame(peer, ("x", "y"))


def bad_status(peer):
    return trailers_frame(peer, ("grpc-status", "x"))


def half_a_message(peer):
    return frames.DataFrame(peer.stream, ANSWER[:4], flags=["END_STREAM"]).serialize()


def reset(peer):
    return frames.RstStreamFrame(peer.stream, error_code=2).serialize()


def trailers_frame(peer, *fields):
    block = peer.server.encoder.encode(fields)
    flags = ["END_HEADERS", "END_STREAM"]
    return frames.HeadersFrame(peer.stream, block, flags=flags).serialize()


@pytest.mark.parametrize(
    ("end", "status"),
    [(no_status, "UNKNOWN"), (bad_status, "UNKNOWN"), (half_a_message, "UNKNOWN"), (reset, "INTERNAL")],
)
def test_messages_before_a_wrong_end_are_delivered(client, calls, end, status):
    """All of it comes at once."""

    def act(peer):
        block = peer.server.encoder.encode(GRPC)
        answer = frames.HeadersFrame(peer.stream, block, flags=["END_HEADERS"]).serialize()
        answer += frames.DataFrame(peer.stream, NUMBER * 3).serialize()
        peer.server.socket.sendall(answer + end(peer))

    with StrictServer(window=65535, answer=Acts(act)) as server:
        call = client(server.target, "Count", calls.CountRequest(count=3))
    assert call.status == status
    assert len(call.messages) == 3


def test_details_of_a_status(client, calls):
    details = b"\x08\x05\x12\x02no"
    encoded = base64.b64encode(details).rstrip(b"=").decode()
    act = trailers_only(("grpc-status", "5"), ("grpc-status-details-bin", encoded), ("grpc-other", "x"))
    with StrictServer(answer=Acts(act)) as server:
        call = client(server.target, "Echo", calls.Payload(text="x"))
    assert call.status == "NOT_FOUND"
    assert call.trailers == [("grpc-status-details-bin", details)]


# ---- a server that holds its client to what it announced ----


@pytest.mark.parametrize("table", [0, 100, 4096])
@pytest.mark.parametrize("window", [7, 1000, 65535])
def test_limits_of_the_server(client, calls, window, table):
    """Two streams at a time, small windows: 50 calls at once wait for each other, and keep to all of it."""
    payload = calls.Payload(text="x" * 100)
    with StrictServer(streams=2, window=window, table=table) as server:
        results = client.run(server.target, "Echo", payload, parallel=50)
        assert server.faults == []
        assert server.served == 50
    assert {call.text for call in results} == {"OK"}
    assert all(call.messages == [payload.SerializeToString()] for call in results)


def test_request_fields(client, calls):
    """Pseudo fields first, and nothing that nobody asked for (PROTOCOL-HTTP2, "Requests")."""
    seen = []

    def answer(server, stream, request):
        seen.append(request.fields)
        server.answer_echo(stream, request)

    with StrictServer(window=65535, answer=answer) as server:
        payload = calls.Payload(text="x" * 1000)
        client(server.target, "Echo", payload)
        client(
            server.target, "Echo", payload, timeout=20_000, metadata=[("x-a-bin", b"\0"), ("x-b", b"c d")]
        )
        target = server.target
    own = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/calls.Calls/Echo",
        ":authority": target,
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": "quoit/0.1.0",
        "grpc-accept-encoding": "identity,deflate,gzip,zstd",
    }
    assert dict(seen[0]) == own
    timeout = dict(seen[1]).pop("grpc-timeout")
    assert dict(seen[1]) == {**own, "x-a-bin": "AA", "x-b": "c d", "grpc-timeout": timeout}
    parts_of_ms = {"n": 1e6, "u": 1e3, "m": 1}[timeout[-1]]
    assert 15_000 < int(timeout[:-1]) / parts_of_ms <= 20_000
    assert all([name[0] for name in list(dict(fields))[:4]] == [":"] * 4 for fields in seen)


# ---- servers that are none ----


@contextlib.contextmanager
def raw_server(*says, hang_up=True, connections=None):
    """Says that, to each connection, and hangs up. @connections: a list that gets an entry for each."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if connections is not None:
                connections.append(connection)
            with contextlib.suppress(OSError):
                for part in says:
                    connection.sendall(part)
                if hang_up:
                    connection.recv(65536)
                    connection.close()
                else:
                    kept.append(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 'does not speak HTTP/2: it answers "HTTP/1.1 400 Bad Request"'),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", 'does not speak HTTP/2: it answers "SSH-2.0-OpenSSH_9.2p1"'),
        (b"\x15\x03\x01\x00\x02\x02\x16 and more", "does not speak HTTP/2"),
        (bytes(range(256)) * 100, "does not speak HTTP/2"),
        (b"", "closed the connection"),
        (frames.SettingsFrame(flags=["ACK"]).serialize(), "does not speak HTTP/2"),
        (frames.PingFrame(0, b"12345678").serialize(), "does not speak HTTP/2"),
    ],
)
def test_no_server(client, calls, says, text):
    with raw_server(says) as target:
        call = client(target, "Echo", calls.Payload(text="x"))
    assert call.status == "UNAVAILABLE"
    assert text in call.text
    assert "the next attempt is in " in call.text


def test_silent_server(client, calls):
    with raw_server(hang_up=False) as target:
        call = client(target, "Echo", calls.Payload(text="x"), connect=200)
    assert call.status == "UNAVAILABLE"
    assert "no HTTP/2 preface and SETTINGS in time" in call.text


def test_farewell_at_once_does_not_make_a_loop(client, calls):
    """SETTINGS, and a GOAWAY that processes nothing, for each connection: soon attempts come with pauses."""
    hello = frames.SettingsFrame(settings={}).serialize()
    farewell = frames.GoAwayFrame(0, last_stream_id=0, error_code=0).serialize()
    connections = []
    with raw_server(hello, farewell, connections=connections) as target:
        call = client(
            target, "Echo", calls.Payload(text="x"), backoff=100, timeout=700, wait_for_ready=True
        )
    assert call.status == "DEADLINE_EXCEEDED"
    assert "the server sent GOAWAY" in call.text
    assert 4 <= len(connections) <= 18  # ten without a pause, and then some


@pytest.mark.parametrize("policy", ["pick_first", "round_robin", "ring_hash_experimental"])
def test_farewells_of_several_addresses_do_not_make_a_loop(client, calls, policy):
    """Each is READY, takes the call and says that it has not processed it: pauses of one do not end with another's turn."""
    streams = []

    def answer(server, stream, _request):
        streams.append(stream)
        Peer(server, stream).goaway(0)
        Peer(server, stream).hang_up()

    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(StrictServer(window=65535, answer=answer)) for _ in range(3)]
        call = client(
            f"ipv4:{','.join(server.target for server in servers)}",
            "Echo",
            calls.Payload(text="x"),
            service_config=json.dumps({"loadBalancingConfig": [{policy: {}}]}),
            backoff=300,
            timeout=2000,
            wait_for_ready=True,
        )
    assert call.status == "DEADLINE_EXCEEDED"
    assert "the server sent GOAWAY" in call.text
    assert 4 <= len(streams) <= 3 * 20  # ten of each without a pause, and then some


def test_hpack_that_is_none(client, calls):
    def act(peer):
        peer.server.send(frames.HeadersFrame(peer.stream, b"\xff" * 20, flags=["END_HEADERS"]))

    with StrictServer(answer=Acts(act)) as server:
        call = client(server.target, "Echo", calls.Payload(text="x"))
    assert call.status == "UNAVAILABLE"
    assert "COMPRESSION_ERROR" in call.text
