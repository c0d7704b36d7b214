# SPDX-License-Identifier: MIT
"""The server of gRPC's "Negative HTTP/2 Interop Test Case Descriptions": UnaryCall of grpc.testing.TestService, with what the
case says instead of manners. Built on the package h2, which holds the client to HTTP/2 and to the limits that it was told."""

import contextlib
import socket
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from servers import PATIENCE
from wire import message

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
TRAILERS = [("grpc-status", "0")]
CASES = ["goaway", "max_streams", "ping", "rst_after_data", "rst_after_header", "rst_during_data"]


class NegativeServer:
    """.port to connect to; .faults: what clients did wrong; .served: the calls of each connection; .pings: those that no client
    has answered; .streams_most: the most that were open at once. @answer(size): SimpleResponse with so many zeros, encoded."""

    def __init__(self, case, size_of, answer):
        self.case, self.size_of, self.answer = case, size_of, answer
        self.faults, self.served = [], []
        self.pings = self.pings_sent = self.streams_most = 0
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._run(self._accept)

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(PATIENCE)

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.served.append(0)
            self._run(Connection(self, len(self.served) - 1, peer).serve)


class Connection:
    def __init__(self, server, number, peer):
        self.server, self.number, self.socket = server, number, peer
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.bodies = {}  # of requests, by stream
        self.unsent = {}  # of replies
        self.over = self.leaving = False

    def serve(self):
        self.h2.initiate_connection()
        if self.server.case == "max_streams":
            self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        with self.socket, contextlib.suppress(ConnectionError):
            self.flush()
            while not self.over and (data := self.socket.recv(65536)):
                self.take(data)
                self.flush()

    def take(self, data):
        if self.leaving:  # h2 takes nothing more then
            return
        try:
            for event in self.h2.receive_data(data):
                self.take_event(event)
        except h2.exceptions.ProtocolError as error:
            self.server.faults.append(repr(error))
            self.over = True

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def take_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.bodies[event.stream_id] = bytearray()
            self.server.streams_most = max(self.server.streams_most, self.h2.open_inbound_streams)
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.answer(event.stream_id, bytes(self.bodies.pop(event.stream_id)))
        elif isinstance(event, h2.events.PingAckReceived):
            self.server.pings -= 1
        elif isinstance(event, h2.events.WindowUpdated):
            for stream in list(self.unsent):
                self.send(stream)

    # ---- answers ----

    def answer(self, stream, body):
        case = self.server.case
        data = message(self.server.answer(self.server.size_of(body[5:])))
        self.server.served[self.number] += 1
        self.ping()
        self.h2.send_headers(stream, HEADERS)
        self.ping()
        if case == "rst_after_header":
            self.h2.reset_stream(stream, 0)
            return
        self.ping()
        self.unsent[stream] = data[: len(data) // 2] if case == "rst_during_data" else data
        self.send(stream)

    def send(self, stream):
        data = self.unsent[stream]
        while data:
            size = min(
                self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data)
            )
            if size == 0:
                break
            self.h2.send_data(stream, data[:size])
            data = data[size:]
        self.unsent[stream] = data
        if not data:
            del self.unsent[stream]
            self.end(stream)

    def end(self, stream):
        self.ping()
        if self.server.case.startswith("rst_"):
            self.h2.reset_stream(stream, 0)
            return
        self.h2.send_headers(stream, TRAILERS, end_stream=True)
        if self.server.case == "goaway":
            self.h2.close_connection(last_stream_id=stream)
            self.leaving = True

    def ping(self):
        if self.server.case == "ping":
            self.server.pings += 1
            self.server.pings_sent += 1
            self.h2.ping(b"interop!")
