# SPDX-License-Identifier: MIT
"""A gRPC server that holds its client to every limit it announced, and answers in awkward pieces.

It serves one connection at a time: each call gets the message it sent, once all of it has come.
"""

import socket
import threading

import hpack
import hyperframe.frame as frames

from servers import PATIENCE
from wire import PREFACE

FRAME_BYTES_MAX = 16384
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 3, 4


class Request:
    def __init__(self, fields, window):
        self.fields = fields
        self.body = bytearray()
        self.window = window


class StrictServer:
    """.port to connect to; .faults: what clients did wrong; .served: calls that were answered.

    @answer(server, stream, request) answers a request; .answer_echo unless told.
    """

    def __init__(self, streams=2, window=7, connection_window=65535, table=0, answer=None):
        self.settings = {
            HEADER_TABLE_SIZE: table,
            MAX_CONCURRENT_STREAMS: streams,
            INITIAL_WINDOW_SIZE: window,
        }
        self.answer = answer or StrictServer.answer_echo
        self.faults = []
        self.served = 0
        self.pongs = 0
        self.paths = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)

    # ---- answers ----

    def answer_echo(self, stream, request):
        """Padded and split wherever that may be done, with a PING amid it."""
        headers = self.encoder.encode(
            [(":status", "200"), ("content-type", "application/grpc"), ("x-more", "y" * 40)]
        )
        trailers = self.encoder.encode([("grpc-status", "0"), ("x-call", str(self.served))])
        self.send(frames.HeadersFrame(stream, headers[:1], flags=["PADDED"], pad_length=3))
        self.send(frames.ContinuationFrame(stream, headers[1:], flags=["END_HEADERS"]))
        body = bytes(request.body)
        self.send(frames.DataFrame(stream, body[:3]))
        self.send(frames.PingFrame(0, b"in-amid!"))
        for at in range(3, len(body), 10_000):
            piece = body[at : at + 10_000]
            self.send(frames.DataFrame(stream, piece, flags=["PADDED"], pad_length=200))
        self.send(frames.DataFrame(stream, b""))
        self.served += 1  # the client may be gone, and looked at, as soon as it has the trailers
        self.send(frames.HeadersFrame(stream, trailers, flags=["END_STREAM", "END_HEADERS"]))

    def answer_status(self, stream, status, text=""):
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        fields += [("grpc-status", str(status)), ("grpc-message", text)]
        self.send(
            frames.HeadersFrame(
                stream, self.encoder.encode(fields), flags=["END_STREAM", "END_HEADERS"]
            )
        )

    def send(self, frame):
        """Two writes, so that the client sees the frame in pieces."""
        data = frame.serialize()
        self.socket.sendall(data[: len(data) // 2])
        self.socket.sendall(data[len(data) // 2 :])

    # ---- the connection ----

    def _serve(self):
        while True:
            try:
                self.socket, _ = self.listener.accept()
            except OSError:
                return
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
            self.requests = {}
            self.window = 65535
            self.last = 0
            self.acknowledged = False
            with self.socket:
                try:
                    self._converse()
                except (ConnectionError, OSError):
                    pass

    def _converse(self):
        if self._read(len(PREFACE)) != PREFACE:
            self.faults.append("no preface")
            return
        self.send(frames.SettingsFrame(settings=self.settings))
        while True:
            header = self._read(9)
            if header is None:
                return
            frame, length = frames.Frame.parse_frame_header(memoryview(header))
            if length > FRAME_BYTES_MAX:
                self.faults.append(f"a frame of {length} bytes")
            frame.parse_body(memoryview(self._read(length)))
            self._take(frame)

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                return None
            data += more
        return bytes(data)

    def _take(self, frame):
        if isinstance(frame, frames.SettingsFrame):
            if "ACK" in frame.flags:
                self.acknowledged = True
                self.decoder.max_allowed_table_size = self.settings[HEADER_TABLE_SIZE]
            else:
                self.send(frames.SettingsFrame(flags=["ACK"]))
        elif isinstance(frame, frames.PingFrame):
            self.pongs += "ACK" in frame.flags and frame.opaque_data == b"in-amid!"
        elif isinstance(frame, frames.HeadersFrame):
            self._take_request(frame)
        elif isinstance(frame, frames.DataFrame):
            self._take_data(frame)

    def _take_request(self, frame):
        if not self.acknowledged:
            self.faults.append("a request before our SETTINGS were read")
        if len(self.requests) >= self.settings[MAX_CONCURRENT_STREAMS]:
            self.faults.append("too many streams")
        if frame.stream_id <= self.last or frame.stream_id % 2 == 0:
            self.faults.append(f"stream {frame.stream_id} after {self.last}")
        self.last = frame.stream_id
        try:
            fields = dict(self.decoder.decode(frame.data))
        except hpack.HPACKError as error:
            self.faults.append(f"header block: {error!r}")
            fields = {}
        for name, value in {":method": "POST", "te": "trailers", ":scheme": "http"}.items():
            if fields.get(name) != value:
                self.faults.append(f"{name} is {fields.get(name)}")
        self.paths.add(fields.get(":path"))
        request = Request(fields, self.settings[INITIAL_WINDOW_SIZE])
        self.requests[frame.stream_id] = request
        if request.window == 0:
            self._open(frame.stream_id, request, 1)

    def _take_data(self, frame):
        request = self.requests.get(frame.stream_id)
        size = frame.flow_controlled_length
        if request is None:
            self.faults.append(f"DATA on stream {frame.stream_id}")
            return
        self.window -= size
        request.window -= size
        if self.window < 0 or request.window < 0:
            self.faults.append(f"windows: {self.window}, {request.window}")
        request.body += frame.data
        if "END_STREAM" in frame.flags:
            del self.requests[frame.stream_id]
            self.answer(self, frame.stream_id, request)
        elif request.window == 0:
            self._open(frame.stream_id, request, 1000)
        if self.window == 0:
            self.window += 3000
            self.send(frames.WindowUpdateFrame(0, window_increment=3000))

    def _open(self, stream, request, size):
        request.window += size
        self.send(frames.WindowUpdateFrame(stream, window_increment=size))


