# SPDX-License-Identifier: MIT
"""An HTTP proxy that knows CONNECT (RFC 9110, section 9.3.6), on 127.0.0.1."""

import base64
import contextlib
import socket
import threading

from servers import PATIENCE

OPENED = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n"
BLOCK_BYTES_MAX = 16_384


class ConnectProxy:
    """@ways: {"HOST:PORT" as it is asked for: the port of 127.0.0.1 that this is}; others are refused with 502. @user:
    "USER:PASSWORD" that is wanted. @act(peer), if set, is done with the client's socket in place of an answer.
    """

    def __init__(self, ways=(), user=None, act=None):
        self.ways = dict(ways)
        self.user = user
        self.act = act
        self.asked = []  # (target, {field: value}) of each request
        self.opened = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for one in list(self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[peer], daemon=True).start()

    def _serve(self, peer):
        self.sockets.add(peer)
        try:
            with peer, contextlib.suppress(OSError):
                peer.settimeout(PATIENCE)
                self._answer(peer)
        finally:
            self.sockets.discard(peer)

    def _read(self, peer):
        """The request: its target and fields. Not a byte more may come before it is answered."""
        block = b""
        while not block.endswith(b"\r\n\r\n"):
            part = peer.recv(BLOCK_BYTES_MAX)
            assert part, f"half a request: {block}"
            block += part
            assert len(block) <= BLOCK_BYTES_MAX
        line, *lines = block.decode().split("\r\n")[:-2]
        method, target, version = line.split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        fields = dict(line.split(": ", 1) for line in lines)
        assert fields["Host"] == target
        self.asked.append((target, fields))
        return target, fields

    def _refusal(self, target, fields):
        wanted = f"Basic {base64.b64encode(self.user.encode()).decode()}" if self.user else None
        if wanted and fields.get("Proxy-Authorization") != wanted:
            return b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n'
        if target not in self.ways:
            return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 7\r\n\r\nnobody\n"
        return None

    def _answer(self, peer):
        target, fields = self._read(peer)
        if self.act:
            self.act(peer)
            return
        refusal = self._refusal(target, fields)
        if refusal:
            peer.sendall(refusal)
            return
        with socket.create_connection(("127.0.0.1", self.ways[target])) as server:
            peer.sendall(OPENED)
            self.opened += 1
            splice(peer, server)


def pour(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def splice(one, other):
    """Bytes both ways, until one of them ends."""
    one.settimeout(None)
    back = threading.Thread(target=pour, args=[other, one], daemon=True)
    back.start()
    pour(one, other)
    back.join(PATIENCE)
