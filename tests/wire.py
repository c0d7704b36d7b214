# SPDX-License-Identifier: MIT
"""An HTTP/2 client that does just what it is told: frames out, frames in, no manners."""

import collections
import socket
import ssl
import struct
import time

import hpack
import hyperframe.frame as frames

from servers import PATIENCE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11
WINDOW_MAX = 2**31 - 1


def message(payload, flag=0, length=None):
    """A gRPC message with its prefix."""
    return struct.pack(">BI", flag, len(payload) if length is None else length) + payload


def messages(data):
    """[(flag, payload)] of the gRPC messages in @data, which are whole."""
    found, at = [], 0
    while at < len(data):
        flag, size = struct.unpack_from(">BI", data, at)
        found.append((flag, bytes(data[at + 5 : at + 5 + size])))
        assert len(found[-1][1]) == size
        at += 5 + size
    return found


def request_fields(path, **changes):
    """A gRPC request's fields; None in @changes leaves one out. Underscores stand for dashes."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    for name, value in changes.items():
        known = name.replace("_", "-")
        fields[f":{known}" if f":{known}" in fields else known] = value
    return [(name, value) for name, value in fields.items() if value is not None]


class Answer:
    """What came back on one stream."""

    def __init__(self):
        self.headers = {}
        self.trailers = {}
        self.data = bytearray()
        self.ended = False
        self.reset = None

    @property
    def status(self):
        """grpc-status as a number, or None."""
        status = self.trailers.get("grpc-status", self.headers.get("grpc-status"))
        return None if status is None else int(status)

    @property
    def text(self):
        return self.trailers.get("grpc-message", self.headers.get("grpc-message", ""))

    @property
    def http_status(self):
        return self.headers.get(":status")

    @property
    def is_over(self):
        return self.ended or self.reset is not None


class Wire:
    def __init__(
        self, server, start=True, window=WINDOW_MAX, total=WINDOW_MAX, receive_buffer=None, tls=None
    ):
        """@start: preface and SETTINGS; @window: what every stream of the server may send, @total:
        all of them together; @tls: what ssl.SSLContext.wrap_socket() takes, context included."""
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        if tls:
            rules = {"server_hostname": "localhost", **tls}
            self.socket = rules.pop("context").wrap_socket(self.socket, **rules)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.received = bytearray()
        self.streams = collections.defaultdict(Answer)
        self.settings = {}
        self.settings_acks = 0
        self.pongs = []
        self.pings = []
        self.goaways = []  # (last stream, error code)
        self.goaway_texts = []
        self.windows = collections.Counter()  # WINDOW_UPDATE increments by stream
        self.closed = False
        self.answers_settings = start
        self.answers_pings = True
        self.next_id = 1
        if start:
            self.send(PREFACE)
            self.frame(frames.SettingsFrame(settings={4: window, 1: 4096}))
            if total > 65535:
                self.frame(frames.WindowUpdateFrame(0, window_increment=total - 65535))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # ---- out ----

    def send(self, data):
        """Bytes; a server that has closed already is no error here."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    def frame(self, *several):
        self.send(b"".join(frame.serialize() for frame in several))

    def headers(self, fields, end=False, stream=None, huffman=True, step=1 << 20, whole=True):
        """A HEADERS frame, and CONTINUATIONs when it is over @step bytes; the stream's number is returned.
        Not @whole: there is to be one more CONTINUATION."""
        stream = stream or self.new_id()
        block = self.encoder.encode(fields, huffman=huffman)
        pieces = [block[i : i + step] for i in range(0, len(block), step)]
        kinds = [frames.HeadersFrame] + [frames.ContinuationFrame] * (len(pieces) - 1)
        built = [kind(stream, piece) for kind, piece in zip(kinds, pieces)]
        if whole:
            built[-1].flags.add("END_HEADERS")
        if end:
            built[0].flags.add("END_STREAM")
        self.frame(*built)
        return stream

    def new_id(self):
        self.next_id += 2
        return self.next_id - 2

    def data(self, stream, data=b"", end=False):
        """As many DATA frames as it takes; END_STREAM on the last."""
        pieces = [data[i : i + 16384] for i in range(0, len(data), 16384)] or [b""]
        for i, piece in enumerate(pieces):
            flags = ["END_STREAM"] if end and i == len(pieces) - 1 else []
            self.frame(frames.DataFrame(stream, piece, flags=flags))

    def request(self, path, body=b"", end=True, **changes):
        """A request with everything that it needs, and @body as one message unless None."""
        stream = self.headers(request_fields(path, **changes))
        if body is not None:
            self.data(stream, message(body), end)
        return stream

    def reset(self, stream, code=CANCEL):
        self.frame(frames.RstStreamFrame(stream, code))

    def open_window(self, stream, size):
        self.frame(frames.WindowUpdateFrame(stream, window_increment=size))

    # ---- in ----

    def read(self, until, what, seconds=PATIENCE):
        """Takes frames until @until() or the connection's end, and says which of them came."""
        end = time.monotonic() + seconds
        while not until():
            if self.closed:
                return False
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            except TimeoutError:
                raise AssertionError(f"not within {seconds} s: {what}") from None
            self.closed = not data
            self.received += data
            self._take_frames()
        return True

    def poll(self):
        """Takes what has come, without waiting."""
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(1 << 20)
            self.closed = not data
            self.received += data
            self._take_frames()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except ConnectionResetError:
            self.closed = True
        finally:
            self.socket.settimeout(PATIENCE)

    def answer(self, stream, seconds=PATIENCE):
        """The whole answer of @stream."""
        answer = self.streams[stream]
        assert self.read(lambda: answer.is_over, f"stream {stream}", seconds), (
            f"closed before the answer: {self.goaways}"
        )
        return answer

    def call(self, path, body=b"", **changes):
        return self.answer(self.request(path, body, **changes))

    def ping(self, opaque=b"12345678"):
        """Waits until the server has seen all that was sent; False: it closed instead."""
        self.frame(frames.PingFrame(0, opaque))
        count = len(self.pongs)
        return self.read(lambda: len(self.pongs) > count, "an answer to PING")

    def read_to_end(self, seconds=PATIENCE):
        """Until the server closes; whatever came by then is there to be looked at."""
        self.read(lambda: False, "the server closes", seconds)

    def _take_frames(self):
        at = 0
        view = memoryview(self.received)
        while len(view) - at >= 9:
            frame, length = frames.Frame.parse_frame_header(view[at : at + 9])
            if len(view) - at - 9 < length:
                break
            if isinstance(frame, frames.DataFrame):
                answer = self.streams[frame.stream_id]
                answer.data += view[at + 9 : at + 9 + length]
                answer.ended |= "END_STREAM" in frame.flags
            else:
                frame.parse_body(memoryview(bytes(view[at + 9 : at + 9 + length])))
                self._take(frame)
            at += 9 + length
        view.release()
        del self.received[:at]

    def _take(self, frame):
        if isinstance(frame, frames.HeadersFrame):
            answer = self.streams[frame.stream_id]
            fields = dict(self.decoder.decode(frame.data))
            if answer.headers:
                answer.trailers = fields
            else:
                answer.headers = fields
            answer.ended |= "END_STREAM" in frame.flags
        elif isinstance(frame, frames.RstStreamFrame):
            self.streams[frame.stream_id].reset = frame.error_code
        elif isinstance(frame, frames.SettingsFrame):
            if "ACK" in frame.flags:
                self.settings_acks += 1
            else:
                self.settings.update(frame.settings)
                if self.answers_settings:
                    self.frame(frames.SettingsFrame(flags=["ACK"]))
        elif isinstance(frame, frames.PingFrame):
            if "ACK" in frame.flags:
                self.pongs.append(frame.opaque_data)
                return
            self.pings.append(frame.opaque_data)
            if self.answers_pings:
                self.frame(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, frames.GoAwayFrame):
            self.goaways.append((frame.last_stream_id, frame.error_code))
            self.goaway_texts.append(frame.additional_data)
        elif isinstance(frame, frames.WindowUpdateFrame):
            self.windows[frame.stream_id] += frame.window_increment
