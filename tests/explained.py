# SPDX-License-Identifier: MIT
"""Where Python's protobuf differs from ours, and the specification says that ours is right. As narrow as may be."""

from wire_messages import END, I32, I64, LEN, START, VARINT


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 128:
            return value, at


def fields(data):
    """(number, wire type, what is inside if that is LEN) of each field; tags inside groups too."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        wire_type, inside = tag & 7, b""
        if wire_type == VARINT:
            _, at = read_varint(data, at)
        elif wire_type == LEN:
            size, at = read_varint(data, at)
            inside, at = data[at : at + size], at + size
        else:
            at += {I64: 8, I32: 4, START: 0, END: 0}[wire_type]
        yield tag >> 3, wire_type, inside


def are_reordered(one, other):
    """Whether two encodings differ in the order of their parts alone.

    The order of fields is free. Ours and Python's upb keep a map's entry that has unknown fields as an unknown field of the
    message, encoded anew: maps inside it are in the order of hash tables, also where a deterministic order was asked for.
    """
    return sorted(one) == sorted(other)


def has_field_zero(descriptor, data):
    """Whether a field's number is 0, in a message whose type has no fields.

    Numbers begin at 1, and a parser must refuse 0: so say the encoding's description and the conformance suite
    (IllegalZeroFieldNum). Python's upb of 2025 does, but not where a type has no fields at all: there it takes whatever comes.
    """
    for number, wire_type, inside in fields(data):
        if not descriptor.fields and not descriptor.is_extendable:
            if number == 0:
                return True
            continue
        field = descriptor.fields_by_number.get(number)
        if wire_type == LEN and field and field.message_type and has_field_zero(field.message_type, inside):
            return True
    return False
