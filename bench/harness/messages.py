# SPDX-License-Identifier: MIT
"""The few protobuf messages the works send and expect, encoded without protobuf."""


def varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def integer(field, value):
    return varint(field << 3) + varint(value) if value else b""


def text(field, value):
    data = value if isinstance(value, bytes) else value.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data if data else b""


def item(number):
    """api.Item, as the seed's server makes it."""
    return integer(1, number) + text(2, f"name {number}")


def items(length):
    """api.Items of @length items."""
    return b"".join(text(1, item(number)) for number in range(1, length + 1))


def payload(size):
    """bench.Payload with a body of @size bytes, not all the same."""
    return text(1, bytes(i * 31 % 251 for i in range(size)))
