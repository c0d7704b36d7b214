# SPDX-License-Identifier: MIT
"""`quoit record` between grpcio's client and server, and `quoit replay` of what it has written."""

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from dynamic import Protos
from grpcio_server import grpcio_server
from quoit_command import Quoit
from servers import PATIENCE, eventually

DETAILS = b"\x08\x03\x12\x02no\x52\x01x"  # a google.rpc.Status with a field that nobody knows
REDACTED = b"<redacted>"
BYTES = bytes(range(256)) * 400  # no protobuf, and more than a frame
PIECES = 512  # of 64 KiB: more than all that can be on its way


class Notes:
    """Methods of bytes: they answer each request with itself, and .suffix."""

    def __init__(self):
        self.suffix = b""
        self.metadata = None
        self.deadline = None
        self.arrivals = []  # (when, which request)
        self.flooded = self.given = 0
        self.cancelled = threading.Event()

    def handle(self, name, requests, context):
        self.metadata = context.invocation_metadata()
        self.deadline = context.time_remaining()
        if name in ("Hang", "Still") and not context.add_callback(self.cancelled.set):
            self.cancelled.set()
        if name == "Plain":
            context.send_initial_metadata([("x-head", "1"), ("x-head", "2"), ("h-bin", b"\0\xff")])
            context.set_trailing_metadata([("t-bin", b"\xfe"), ("set-cookie", "c")])
        for request in requests if name != "Still" else ():
            self.arrivals.append((time.monotonic(), request))
            if name != "Mute":
                yield request + self.suffix
        while name == "Flood" and context.is_active():
            self.flooded += 1
            yield bytes(1 << 16)
        if name == "Refuse":
            context.set_trailing_metadata([("grpc-status-details-bin", DETAILS)])
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no é\n")
        if name in ("Hang", "Still"):
            self.cancelled.wait(PATIENCE)

    def service(self, details):
        name = details.method.rpartition("/")[2]
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: self.handle(name, requests, context))


class Recorder:
    """A running `quoit record`; .target."""

    def __init__(self, quoit, target, file, *words, within=()):
        line = [*within, *quoit.line("record", target, file, *words)]
        self.process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.fullmatch(rf"quoit: recording calls to (\S+) for {re.escape(target)} into {file}\n", line)
        assert found, line
        self.target = found[1]

    def stop(self, status=0):
        """What it says."""
        self.process.send_signal(signal.SIGINT)
        _, told = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, told
        return told


@pytest.fixture(scope="module")
def quoit(build):
    return Quoit(build)


@pytest.fixture(scope="module")
def notes():
    servicer = Notes()
    with grpcio_server(lambda one, server: server.add_generic_rpc_handlers([one]), servicer) as target:
        servicer.target = target
        yield servicer


@pytest.fixture
def changed(notes):
    """changed(suffix of the server's answers), in this test."""
    yield lambda suffix: setattr(notes, "suffix", suffix)
    notes.suffix = b""


@pytest.fixture
def record(quoit, notes, tmp_path):
    """record(FLAG...): a recorder of the server into a file of this test; `within` a command that runs it."""
    file = tmp_path / "calls.binlog"
    recorders = []

    def start(*words, **options):
        recorders.append(Recorder(quoit, notes.target, file, *words, **options))
        recorders[-1].file = file
        return recorders[-1]

    yield start
    for recorder in recorders:
        with recorder.process as process:
            process.kill()


def stream(channel, name):
    return channel.stream_stream(f"/notes.N/{name}")


def refuse(channel):
    with pytest.raises(grpc.RpcError) as caught:
        list(stream(channel, "Refuse")(iter([b"1", b"2"]), timeout=PATIENCE))
    return caught.value


@pytest.fixture(scope="module")
def Entry(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("binlog")
    return Protos(root / "proto", "grpc/binlog/v1/binarylog.proto", out).message("grpc.binarylog.v1.GrpcLogEntry")


def entries(Entry, file):
    """Those of a recording."""
    data, at, found = file.read_bytes(), 0, []
    while at < len(data):
        size = shift = 0
        while True:
            size |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 128:
                break
        found.append(Entry.FromString(data[at : at + size]))
        at += size
    return found


def delimited(*written):
    return b"".join(bytes([len(one) & 127 | 128, len(one) >> 7]) + one for one in (e.SerializeToString() for e in written))


def tape(Entry, file, *events):
    """Writes a recording of calls: events are (call, second, type, member of the entry)."""
    file.write_bytes(
        delimited(
            Entry(client_header={"metadata": {"entry": [{"key": "quoit-recording", "value": b"1"}]}}),
            *(Entry(call_id=call, timestamp={"seconds": 10**9 + second}, type=kind, **member) for call, second, kind, member in events),
        )
    )
    return file


def begin(method):
    return {"client_header": {"method_name": method}}


def said(data):
    return {"message": {"data": data, "length": len(data)}}


def fields(metadata):
    return [(field.key, field.value) for field in metadata.entry]


def test_the_proxy_is_not_seen(record, notes, Entry):
    """All four kinds, metadata both ways, details, compression, deadline, cancellation; and the file has it all."""
    recorder = record("--compress", "gzip")
    sent = [("k", "v 1"), ("k", "v 2"), ("k-bin", b"\1\xff"), ("authorization", "Bearer s"), ("x-api-key", "s")]
    with grpc.insecure_channel(recorder.target) as channel:
        call = stream(channel, "Plain")(iter([b"a", b"", BYTES]), timeout=PATIENCE, metadata=sent)
        assert list(call) == [b"a", b"", BYTES]
        got = [(field.key, field.value) for field in call.initial_metadata()]
        assert got == [("x-head", "1"), ("x-head", "2"), ("h-bin", b"\0\xff")]
        assert [(field.key, field.value) for field in call.trailing_metadata()] == [("t-bin", b"\xfe"), ("set-cookie", "c")]
        assert set(sent) <= {(field.key, field.value) for field in notes.metadata}
        assert 0 < notes.deadline < PATIENCE + 1
        packed = {"timeout": PATIENCE, "compression": grpc.Compression.Gzip}
        assert channel.unary_unary("/notes.N/One")(BYTES, **packed) == BYTES
        assert list(channel.unary_stream("/notes.N/Down")(b"1", timeout=PATIENCE)) == [b"1"]
        assert channel.stream_unary("/notes.N/Up")(iter([b"1"]), timeout=PATIENCE) == b"1"
        error = refuse(channel)
        assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "no é\n")
        assert ("grpc-status-details-bin", DETAILS) in [tuple(field) for field in error.trailing_metadata()]
        hanging = stream(channel, "Hang")(iter([b"x"]))
        assert next(hanging) == b"x"
        hanging.cancel()
        assert notes.cancelled.wait(PATIENCE)
        notes.cancelled.clear()
        with pytest.raises(grpc.RpcError) as caught:
            list(stream(channel, "Hang")(iter([]), timeout=1))
        assert caught.value.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
        assert notes.cancelled.wait(PATIENCE)
        notes.cancelled.clear()
    assert recorder.stop() == f"quoit: {recorder.file}: 7 calls, {recorder.file.stat().st_size} bytes\n"

    mark, *rest = entries(Entry, recorder.file)
    assert fields(mark.client_header.metadata) == [("quoit-recording", b"1")] and not mark.call_id
    calls = {number: [entry for entry in rest if entry.call_id == number] for number in range(1, 8)}
    assert sum(map(len, calls.values())) == len(rest)
    for call in calls.values():
        assert [entry.sequence_id_within_call for entry in call] == list(range(1, len(call) + 1))
        times = [entry.timestamp.ToNanoseconds() for entry in call]
        assert times == sorted(times) and call[0].peer.address == "127.0.0.1"
    first = calls[1]
    written = fields(first[0].client_header.metadata)
    assert [field for field in written if field[0] in ("k", "k-bin")] == [("k", b"v 1"), ("k", b"v 2"), ("k-bin", b"\1\xff")]
    assert ("authorization", REDACTED) in written and ("x-api-key", REDACTED) in written
    assert first[0].payload_truncated and first[0].client_header.method_name == "/notes.N/Plain"
    assert 0 < first[0].client_header.timeout.ToNanoseconds() < (PATIENCE + 1) * 10**9
    assert [entry.message.data for entry in first if entry.type == 3] == [b"a", b"", BYTES]
    assert [entry.message.data for entry in first if entry.type == 4] == [b"a", b"", BYTES]
    (head,) = [entry for entry in first if entry.type == 2]
    assert fields(head.server_header.metadata) == [("x-head", b"1"), ("x-head", b"2"), ("h-bin", b"\0\xff")]
    assert fields(first[-1].trailer.metadata) == [("t-bin", b"\xfe"), ("set-cookie", REDACTED)]
    end = calls[5][-1].trailer
    assert (end.status_code, end.status_message, end.status_details) == (3, "no é\n", DETAILS)
    assert calls[6][-1].type == 7
    late = calls[7][-1]  # all three have the deadline, and any may be the first one to end the call
    assert late.type == 7 or (late.type, late.trailer.status_code) in ((6, 4), (6, 1))


def test_connect(record):
    """A client of HTTP/1.1, whose connection has fields of its own."""
    address, _, port = record().target.rpartition(":")
    client = http.client.HTTPConnection(address, int(port), timeout=PATIENCE)
    client.request("POST", "/notes.N/One", BYTES, {"content-type": "application/proto", "connection": "keep-alive"})
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, BYTES)
    client.close()


def test_ctrl_c(record, notes, Entry):
    """It waits for calls that run, and the second one cancels them."""
    recorder = record()
    with grpc.insecure_channel(recorder.target) as channel:
        hanging = stream(channel, "Hang")(iter([b"x"]))
        assert next(hanging) == b"x"
        recorder.process.send_signal(signal.SIGINT)
        told = recorder.process.stderr.readline()
        assert told == "quoit: waiting for calls that run (1); once more, and they are cancelled\n"
        assert recorder.stop().count("\n") == 1
        assert notes.cancelled.wait(PATIENCE)
        notes.cancelled.clear()
        assert hanging.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
    assert entries(Entry, recorder.file)[-1].type == 7


def test_backpressure(record, notes):
    """Who does not read holds the other side up, through the proxy."""

    def stands_still(count):
        before = getattr(notes, count)
        time.sleep(0.3)
        return getattr(notes, count) == before > 0

    def many():
        for number in range(PIECES):
            notes.given = number
            yield bytes(1 << 16)

    with grpc.insecure_channel(record().target) as channel:
        call = stream(channel, "Flood")(iter([b"x"]), timeout=PATIENCE)
        assert next(call) == b"x"

        eventually(lambda: stands_still("flooded"), "the server waits")
        assert notes.flooded < PIECES
        call.cancel()
        call = stream(channel, "Still")(many(), timeout=PATIENCE)
        eventually(lambda: stands_still("given"), "the client waits")
        assert notes.given < PIECES - 1
        call.cancel()
        assert notes.cancelled.wait(PATIENCE)
        notes.cancelled.clear()


def test_a_killed_recorder(record, quoit, notes):
    """What was on its way is in the file, up to the last whole entry."""
    recorder = record()
    with grpc.insecure_channel(recorder.target) as channel:
        assert list(stream(channel, "Plain")(iter([b"1", b"2"]), timeout=PATIENCE)) == [b"1", b"2"]
        hanging = stream(channel, "Hang")(iter([b"x"]))
        assert next(hanging) == b"x"
        recorder.process.kill()
        recorder.process.wait(PATIENCE)
        hanging.cancel()
    assert notes.cancelled.wait(PATIENCE)
    notes.cancelled.clear()
    whole = "1 calls in N s: 1 agree, 0 differ; 1 of the file were left out\n"
    for cut in (0, 3):
        with recorder.file.open("r+b") as file:
            file.truncate(recorder.file.stat().st_size - cut)
        result = quoit("replay", recorder.file, notes.target, "--compare")
        assert re.sub(r"\d\.\d\d", "N", result.out) == whole
        assert bool(cut) == ("ends within an entry, at byte " in result.err) and result.err.count("\n") == bool(cut)


def test_a_file_that_is_there(record, tmp_path):
    """It is replaced, and only its owner can read it."""
    file = tmp_path / "calls.binlog"
    file.write_bytes(bytes(9999))
    file.chmod(0o644)
    record().stop()
    assert file.stat().st_mode & 0o777 == 0o600 and file.stat().st_size < 100


def test_a_full_disk(record, quoit, notes):
    """One line, and calls go on; what is in the file is whole."""
    recorder = record(within=["bash", "-c", 'trap "" XFSZ; ulimit -f 300; exec "$@"', "bash"])  # KiB
    with grpc.insecure_channel(recorder.target) as channel:
        for message in (b"1", *[BYTES] * 5):
            assert list(stream(channel, "Plain")(iter([message]), timeout=PATIENCE)) == [message]
    told = recorder.stop(status=1).splitlines()
    assert len(told) == 2 and re.search("File too large: the recording ends at [1-9]", told[0])
    result = quoit("replay", recorder.file, notes.target, "--compare")
    assert re.search(": [12] agree, 0 differ", result.out) and result.err == ""  # by what was in its last turn


def test_limits(record, quoit, notes):
    recorder = record("--max-file-size", "64k", "--max-message-size", "10k")
    with grpc.insecure_channel(recorder.target) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            list(stream(channel, "Plain")(iter([BYTES]), timeout=PATIENCE))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        for _ in range(20):
            assert list(stream(channel, "Plain")(iter([bytes(9000)]), timeout=PATIENCE)) == [bytes(9000)]
    told = recorder.stop().splitlines()
    assert len(told) == 2 and "--max-file-size: the recording ends at " in told[0]
    assert 40_000 < recorder.file.stat().st_size <= 65_536


# ---- replay ----


@pytest.fixture
def hello(record, root):
    """A recording: of api.Api/sayHello, whose answer is {"message": "Ada"}, of a call that is refused, and of one that is cancelled."""
    recorder = record()
    with grpc.insecure_channel(recorder.target) as channel:
        metadata = [("authorization", "Bearer old"), ("k", "v")]
        reply = channel.unary_unary("/api.Api/sayHello")(b"\x0a\x03Ada", timeout=PATIENCE, metadata=metadata)
        assert reply == b"\x0a\x03Ada"
        refuse(channel)
        call = stream(channel, "Plain")(iter([b"1"]), timeout=PATIENCE)
        assert next(call) == b"1"
        call.cancel()
    recorder.stop()
    return recorder.file


def test_answers_are_compared(quoit, notes, changed, hello, root, tmp_path):
    words = ["replay", hello, notes.target, "--compare", "--speed", "max"]
    agreed = quoit(*words, "-H", "authorization: Bearer new", "--method", "api.Api/*", "--json").json
    assert {**agreed, "seconds": 0} == {
        "target": notes.target,
        "differences": [],
        "calls": 1,
        "agreed": 1,
        "differed": 0,
        "left_out": 2,
        "statuses": {"OK": 1},
        "seconds": 0,
    }
    sent = [tuple(field) for field in notes.metadata]
    assert ("authorization", "Bearer new") in sent and ("k", "v") in sent
    assert ": 3 agree, 0 differ" in quoit(*words).out
    assert "authorization" not in dict(map(tuple, notes.metadata))
    assert re.search(r": \d OK, .*1 INVALID_ARGUMENT", quoit(*words[:3], "--speed", "10x").out)

    changed(b"\x0a\x02Bo")
    result = quoit(*words, "--method", "api.*", status=1)
    assert "call 1 api.Api/sayHello: reply 1: 5 bytes was recorded, now 9 bytes, others from byte 5 on\n" in result.out
    protoset = tmp_path / "api.binpb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}/proto", "--include_imports"]
    subprocess.run([*command, f"--descriptor_set_out={protoset}", "api.proto"], check=True)
    words += ["--method", "api.*", "--protoset", protoset]
    result = quoit(*words, status=1)
    assert result.out.splitlines()[0] == 'call 1 api.Api/sayHello: reply 1: message: "Ada" was recorded, now "Bo"'
    assert quoit(*words, "--json", status=1).json["differences"] == [
        {"call": 1, "method": "api.Api/sayHello", "what": "reply", "reply": 1, "field": "message", "recorded": '"Ada"', "now": '"Bo"'}
    ]
    assert ": 1 agree" in quoit(*words, "--ignore-field", "message").out
    changed(b"\x0a\x03Ada")  # other bytes, the same message
    assert ": 1 agree" in quoit(*words).out


def test_fields(quoit, notes, root, Entry, tmp_path):
    """Of all kinds, in lists, maps and messages; oneofs; fields that are not known, which extensions are."""
    parcels = Protos(root / "tests/protos", "parcels_more.proto", tmp_path)
    Parcel = parcels.message("parcels.Parcel")

    def compare(was, now, *words):
        was, now = (one if isinstance(one, bytes) else Parcel(**one).SerializeToString() for one in (was, now))
        call = [(1, 0, 1, begin("/parcels.Post/Send")), (1, 0, 3, said(now)), (1, 0, 4, said(was)), (1, 0, 5, {})]
        file = tape(Entry, tmp_path / "tape", *call, (1, 0, 6, {"trailer": {}}))
        words = ["replay", file, notes.target, "--compare", "--json", "--protoset", tmp_path / "described", *words]
        done = subprocess.run(quoit.line(*words), capture_output=True, text=True, timeout=PATIENCE)
        found = [(one["field"], one["recorded"], one["now"]) for one in json.loads(done.stdout)["differences"]]
        assert (done.returncode, done.stderr) == (bool(found), "")
        return found

    was = {
        "receiver": "a\n",
        "speed": 1,
        "weights": {"x": 1, "y": 2},
        "seal": b"\0",
        "sizes": [1, 0.1],
        "same_as": {"same_as": {"sizes": [1], "takes": {"seconds": 1}}},
    }
    now = {
        "speed": 0,
        "weights": {"z": -1, "y": 3},
        "seal": b"\xff",
        "sizes": [1.5],
        "same_as": {"same_as": {"sizes": [2], "takes": {"seconds": 2}}},
        "sent_at": {},
    }
    found = compare(was, now)
    assert sorted(found) == [
        ("receiver", '"a\\u000a"', "nothing"),
        ("same_as.same_as.sizes[0]", "1", "2"),
        ("same_as.same_as.takes.seconds", "1", "2"),
        ("seal", '"AA=="', '"/w=="'),
        ("sent_at", "nothing", "a message"),
        ("sizes[0]", "1", "1.5"),
        ("sizes[1]", "0.10000000000000001", "nothing"),
        ("speed", "EXPRESS", "SLOW"),
        ('weights["x"]', "1", "nothing"),
        ('weights["y"]', "2", "3"),
        ('weights["z"]', "nothing", "-1"),
    ]
    ignored = ["same_as.same_as.takes.seconds", "same_as.same_as.sizes", "weights", "seal", "sent_at", "sizes", "receiver"]
    flags = [word for name in ignored for word in ("--ignore-field", name)]
    assert compare(was, now, *flags) == [("speed", "EXPRESS", "SLOW")]
    assert compare({"none": False}, {"same_as": {}}) == [("none", "false", "nothing"), ("same_as", "nothing", "a message")]
    assert compare(b"\xa2\x06\1a", b"\xa2\x06\1b") == [("(unknown fields)", "other bytes", "these")]
    assert compare(b"\x10\1", b"\x10\0\x10\1") == []


def test_a_changed_end(quoit, notes, Entry, tmp_path):
    """Statuses and numbers of replies."""
    file = tape(
        Entry,
        tmp_path / "tape",
        (7, 0, 1, begin("/a.B/Plain")),
        (7, 0, 3, said(b"x")),
        (7, 0, 5, {}),
        (7, 0, 6, {"trailer": {"status_code": 5, "status_message": "none"}}),
        (9, 0, 1, begin("/a.B/Refuse")),
        (9, 0, 5, {}),
        (9, 0, 6, {"trailer": {"status_code": 3, "status_message": "no", "status_details": DETAILS}}),
    )
    *lines, end = quoit("replay", file, notes.target, "--compare", status=1).out.splitlines()
    assert ": 0 agree, 2 differ" in end
    assert sorted(lines) == [
        "call 1 a.B/Plain: replies: 0 was recorded, now 1",
        "call 1 a.B/Plain: status: NOT_FOUND was recorded, now OK",
        'call 2 a.B/Refuse: status message: "no" was recorded, now "no é\\u000a"',
    ]


def test_times(quoit, notes, Entry, tmp_path):
    """Half a minute between two requests becomes 0.3 s, or nothing; and no request overtakes a reply."""
    request, end = (1, 0, 3, said(b"1")), {"trailer": {}}
    file = tmp_path / "tape"
    tape(Entry, file, (1, 0, 1, begin("/a.B/Plain")), request, (1, 30, 3, said(b"2")), (1, 30, 5, {}), (1, 30, 6, end))
    for speed, least in (("100x", 0.3), ("max", 0)):
        notes.arrivals.clear()
        began = time.monotonic()
        quoit("replay", file, notes.target, "--speed", speed)
        (first, one), (second, two) = notes.arrivals
        assert (one, two) == (b"1", b"2") and least - 0.1 <= second - first
        assert second - began < 30
    notes.arrivals.clear()
    with quoit.start("replay", file, notes.target) as process:
        eventually(lambda: notes.arrivals, "the first request")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (1, "quoit: interrupted: calls that run are cancelled (1)\n")
        assert out.startswith("1 calls in ") and out.endswith(": 1 CANCELLED\n")
    tape(Entry, file, (1, 0, 1, begin("/a.B/Mute")), request, (1, 0, 4, said(b"1")), (1, 0, 3, said(b"2")), (1, 0, 6, end))
    notes.arrivals.clear()
    result = quoit("replay", file, notes.target, "--speed", "max", "--max-time", "500ms", "--compare", status=1)
    assert "status: OK was recorded, now DEADLINE_EXCEEDED" in result.out
    assert [data for _, data in notes.arrivals] == [b"1"]


def test_odd_times(quoit, notes, Entry, tmp_path):
    """They go back, or are as far from each other as can be."""

    def call(number, begins, ends, **header):
        header = {"client_header": {"method_name": "/a.B/Plain", **header}}
        return (number, begins, 1, header), (number, ends, 5, {}), (number, ends, 6, {"trailer": {}})

    file = tape(Entry, tmp_path / "tape", (1, 0, 1, begin("/a.B/Plain")), *call(2, 3, 3), *call(3, 1, 2))
    result = quoit("replay", file, notes.target, "--compare", "--speed", "10x")
    assert ": 2 agree, 0 differ; 1 of the file were left out" in result.out
    most = 9223372036  # and the nanoseconds below: all of 64 bits
    early, late = -most - 10**9, most - 10**9
    long = {"timeout": {"seconds": most, "nanos": 854775807}}
    tape(Entry, file, *call(1, early, late, **long), *call(2, late, early, **long), *call(3, early, early, **long))
    assert ": 3 agree, 0 differ" in quoit("replay", file, notes.target, "--compare", "--speed", "max").out
    assert notes.deadline > 10**6


def test_files_that_are_none(quoit, notes, hello, root, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.write_bytes(hello.read_bytes() + b"\x03\xff\xff\xff")
    empty = tmp_path / "empty"
    empty.touch()
    for file, told in (
        (root / "README.md", "no recording; quoit record makes one"),
        (empty, "no recording; quoit record makes one"),
        (damaged, rf"byte {hello.stat().st_size}: no entry of a recording; 3 calls are before it"),
        (tmp_path / "absent", "No such file or directory"),
    ):
        result = quoit("replay", file, notes.target, status=1)
        assert re.fullmatch(rf"quoit: {file}: {told}\n", result.err) and result.out == ""
    assert "--speed: 'fast' is not a speed" in quoit("replay", hello, notes.target, "--speed", "fast", status=2).err
    assert "the target is missing" in quoit("replay", hello, status=2).err
    assert "the file is missing" in quoit("record", notes.target, status=2).err
    refused = quoit("record", notes.target, tmp_path / "no/where", status=1).err
    assert refused == f"quoit: {tmp_path}/no/where: No such file or directory\n"


def test_fuzz_seeds(quoit, hello, tmp_path):
    """They have the forms of the fuzzers' inputs: fuzz/fuzz_decode.c, fuzz_framing.c, fuzz_session.c."""
    out = tmp_path / "seeds"
    assert quoit("replay", hello, "--fuzz-seeds", out).out == f"{out}: 9 new seeds\n"

    def seeds(name):
        return {file.read_bytes() for file in (out / name).iterdir()}

    messages = {b"\x0a\x03Ada", b"1", b"2"}
    assert seeds("decode") == {b"\0" + message for message in messages}
    assert seeds("framing") == {b"\xff\xff\0" + b"\0\0\0\0" + bytes([len(message)]) + message for message in messages}
    assert len(seeds("session")) == 3
    (unary,) = [seed for seed in seeds("session") if b"Ada" in seed]
    assert unary[:2] == b"\0\1" and b"/script.Script/Unary" in unary and b"\0\0\0\0\5\x0a\x03Ada" in unary and b"\0\1k\1v" in unary and b"Bearer" not in unary


def test_seeds_that_are_none(quoit, Entry, tmp_path):
    """Of a call with too much metadata there are only messages; what a full disk has cut does not stay."""
    large = begin("/a.B/Plain")
    large["client_header"]["metadata"] = {"entry": [{"key": "k-bin", "value": bytes(13000)}]}
    file = tape(Entry, tmp_path / "tape", (1, 0, 1, large), (1, 0, 3, said(b"x" * 9000)), (2, 0, 1, begin("/a.B/Plain")))
    line = quoit.line("replay", file, "--fuzz-seeds", tmp_path / "cut")
    full = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "bash", *line], capture_output=True, text=True)
    assert full.returncode == 1 and re.fullmatch(r"quoit: .*/decode/.*: File too large\n", full.stderr)
    assert not list((tmp_path / "cut/decode").iterdir())
    result = quoit("replay", file, "--fuzz-seeds", tmp_path / "seeds")
    assert result.err == "quoit: call 1 a.B/Plain: its metadata is over 16 KiB: no seed of it\n"
    assert result.out == f"{tmp_path / 'seeds'}: 3 new seeds\n"
