# SPDX-License-Identifier: MIT
"""What a StrictServer's answers are made with where it does wrong: a Peer, acts on one, and Acts that follow each other."""

import contextlib
import itertools
import socket
import time

import hyperframe.frame as frames

from wire import message

GRPC = [(":status", "200"), ("content-type", "application/grpc")]
ANSWER = message(b"\x12\x01x")  # a Payload with text "x"


class Peer:
    """What a wrong answer is made with."""

    def __init__(self, server, stream):
        self.server = server
        self.stream = stream

    def headers(self, fields, end=False):
        block = self.server.encoder.encode(fields)
        flags = ["END_HEADERS"] + (["END_STREAM"] if end else [])
        pieces = [block[at : at + 16_000] for at in range(0, len(block), 16_000)] or [b""]
        flags = flags if len(pieces) == 1 else [flag for flag in flags if flag != "END_HEADERS"]
        self.server.send(frames.HeadersFrame(self.stream, pieces[0], flags=flags))
        for number, piece in enumerate(pieces[1:], 2):
            last = ["END_HEADERS"] if number == len(pieces) else []
            self.server.send(frames.ContinuationFrame(self.stream, piece, flags=last))

    def data(self, data, end=False):
        self.server.send(frames.DataFrame(self.stream, data, flags=["END_STREAM"] if end else []))

    def ok(self, *fields):
        self.headers([("grpc-status", "0"), *fields], end=True)

    def reset(self, code):
        self.server.send(frames.RstStreamFrame(self.stream, error_code=code))

    def goaway(self, last, code=0, text=b""):
        self.server.send(
            frames.GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=text)
        )

    def hang_up(self):
        with contextlib.suppress(OSError):
            self.server.socket.shutdown(socket.SHUT_RDWR)


def http(status, content_type="text/html"):
    fields = [(":status", str(status))] + ([("content-type", content_type)] if content_type else [])

    def act(peer):
        peer.headers(fields)
        peer.data(b"<html>", end=True)

    return act


def trailers_only(*fields):
    return lambda peer: peer.headers([*GRPC, *fields], end=True)


def whole(body, *fields, head=()):
    def act(peer):
        peer.headers([*GRPC, *head])
        if body:
            peer.data(body)
        peer.headers(list(fields), end=True)

    return act


def reset_at_once(code):
    return lambda peer: peer.reset(code)


def hang_up(peer):
    peer.hang_up()


class Acts:
    """Does one act a request, and answers the others. Notes when they came, their fields and bodies."""

    def __init__(self, *acts):
        self.acts = iter(acts)
        self.times = []
        self.fields = []
        self.bodies = []

    def __call__(self, server, stream, request):
        self.times.append(time.monotonic())
        self.fields.append(request.fields)
        self.bodies.append(bytes(request.body))
        act = next(self.acts, None)
        if act:
            act(Peer(server, stream))
        else:
            server.answer_echo(stream, request)

    @property
    def attempts(self):
        return [fields.get("grpc-previous-rpc-attempts") for fields in self.fields]

    @property
    def pauses(self):
        return [later - earlier for earlier, later in itertools.pairwise(self.times)]
