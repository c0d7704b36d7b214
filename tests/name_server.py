# SPDX-License-Identifier: MIT
"""A server of DNS on 127.0.0.1, by UDP and TCP (RFC 1035), whose answers a test can change at any time."""

import ipaddress
import socket
import struct
import threading

A, TXT, AAAA, SRV = 1, 16, 28, 33
TYPES = {A: "A", AAAA: "AAAA", TXT: "TXT", SRV: "SRV"}
STRING_BYTES_MAX = 255
SERVFAIL, NXDOMAIN = 2, 3
UDP_BYTES_MAX = 512

SILENCE = object()  # in place of addresses


def read_question(query):
    """The name, its type, and the bytes of the question."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack_from("!H", query, at + 1)[0], query[12 : at + 5]


def data_of(kind, value):
    if kind == SRV:
        priority, weight, port, host = value
        labels = b"".join(bytes([len(label)]) + label.encode() for label in host.split(".") if label)
        return struct.pack("!HHH", priority, weight, port) + labels + b"\0"
    if kind == TXT:
        text = value.encode()
        strings = [text[at : at + STRING_BYTES_MAX] for at in range(0, len(text), STRING_BYTES_MAX)]
        return b"".join(bytes([len(string)]) + string for string in strings)
    return ipaddress.ip_address(value).packed


def record(kind, value):
    data = data_of(kind, value)
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(data)) + data


def message(query, question, records, code=0, flags=0):
    header = struct.pack("!HHHHHH", int.from_bytes(query[:2]), 0x8180 | flags | code, 1, len(records), 0, 0)
    return header + question + b"".join(records)


class NameServer:
    """@names: {name: {"A": [address, ...], "AAAA": ..., "SRV": [(priority, weight, port, host), ...], "TXT": [text, ...]}}; of a
    type that is not there, there is nothing. An error's code or SILENCE can stand in place of a list. @twist(answer), if set, is what goes out by UDP in place of an answer."""

    def __init__(self, names):
        self.names = names
        self.twist = None
        self.asked = []  # (name, type)
        self.asked_by_tcp = 0
        self.is_over = False
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def target(self, name, port):
        return f"dns://127.0.0.1:{self.port}/{name}:{port}"

    def _answer(self, query):
        """None: none."""
        name, kind, question = read_question(query)
        self.asked.append((name, TYPES.get(kind, kind)))
        if name not in self.names:
            return message(query, question, [], code=NXDOMAIN)
        found = self.names[name].get(TYPES.get(kind), [])
        if found is SILENCE:
            return None
        if isinstance(found, int):
            return message(query, question, [], code=found)
        return message(query, question, [record(kind, address) for address in found])

    def _serve_udp(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            if self.is_over:
                return
            answer = self._answer(query)
            if answer is None:
                continue
            if self.twist:
                answer = self.twist(answer)
            elif len(answer) > UDP_BYTES_MAX:
                answer = message(query, read_question(query)[2], [], flags=0x200)
            self.udp.sendto(answer, peer)

    def _serve_tcp(self):
        while True:
            peer, _ = self.tcp.accept()
            with peer:
                if self.is_over:
                    return
                peer.settimeout(5)
                stream = peer.makefile("rb")
                query = stream.read(int.from_bytes(stream.read(2)))
                if not query:
                    continue  # who asked has ended before
                self.asked_by_tcp += 1
                answer = self._answer(query)
                if answer is not None:
                    peer.sendall(struct.pack("!H", len(answer)) + answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.udp.sendto(b"", ("127.0.0.1", self.port))
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()
