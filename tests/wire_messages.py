# SPDX-License-Identifier: MIT
"""Protobuf messages as bytes, made at random: all that may come over the wire for a type, valid or nearly so.

A message is a concatenation of pieces, each one field. Each type has a pool of pieces, from which messages are put together
quickly; pieces give way to new ones now and then.
"""

import struct

from google.protobuf.descriptor import FieldDescriptor as F

VARINT, I64, LEN, START, END, I32 = range(6)
WIRE_TYPES = {
    F.TYPE_DOUBLE: I64, F.TYPE_FIXED64: I64, F.TYPE_SFIXED64: I64,
    F.TYPE_FLOAT: I32, F.TYPE_FIXED32: I32, F.TYPE_SFIXED32: I32,
    F.TYPE_STRING: LEN, F.TYPE_BYTES: LEN, F.TYPE_MESSAGE: LEN, F.TYPE_GROUP: START,
}  # fmt: skip
LENGTHS = (0, 0, 1, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 126, 127, 128, 129)
LONG = (16382, 16383, 16384, 16385)
VERY_LONG = (2097150, 2097151, 2097152, 2097153)
INTEGERS = (
    [0, 1, 2, 3, 4, 5, 127, 128, 255, 16383, 16384, 2**21 - 1, 2**21, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**32]
    + [2**35, 2**56, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2, 2**64 - 2**31, 2**64 - 2**31 - 1, 2**64 - 5]
)  # fmt: skip
TEXTS = [t.encode() for t in ("a", "Grüße", "\0", "🥁", "名前", "\ud7ff\ue000", "\U0010ffff", "é" * 40)]
NOT_UTF8 = (
    b"\xff", b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xc3", b"abc\xf0\x9f\xa5",
)  # fmt: skip
REALS32 = [struct.pack("<I", v) for v in (0, 1 << 31, 0x7FC00000, 0x7F800001, 0xFFC12345, 0x7F800000, 0x3F800000, 1)]
REALS64 = [
    struct.pack("<Q", v)
    for v in (0, 1 << 63, 0x7FF8 << 48, (0x7FF0 << 48) + 1, 0xFFF8000000012345, 0x7FF0 << 48, 0x3FF0 << 48, 1)
]
POOL = 120
DEPTHS = (2, 10, 50, 97, 98, 99, 100, 101, 102, 120)


def varint(value, longer=0):
    """@longer bytes more than it takes."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    if longer:
        out[-1] |= 128
        out += b"\x80" * (longer - 1) + b"\0"
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def is_map(field):
    return field.message_type and field.message_type.GetOptions().map_entry


class Maker:
    """Messages of the types in a pool of descriptors, from a random.Random."""

    def __init__(self, extensions_of, random):
        self.random = random
        self.extensions_of = extensions_of
        self.fields = {}
        self.pools = {}

    # ---- the smallest parts

    def longer(self, value):
        """A varint, at times with more bytes than it takes, at times with more than it may have."""
        if self.random.random() < 0.95:
            return varint(value)
        return varint(value, self.random.choice((1, 1, 2, 3, 4, 5, 9, 10)))

    def length(self):
        r = self.random.random()
        return self.random.choice(LONG) if r < 0.01 else self.random.choice(LENGTHS)

    def delimited(self, number, data):
        return self.longer(number << 3 | LEN) + self.longer(len(data)) + data

    def integer(self):
        r = self.random
        return r.choice(INTEGERS) if r.random() < 0.7 else r.getrandbits(r.randint(1, 64))

    def string(self):
        r, size = self.random, self.length()
        kind = r.random()
        text = b"x" * size if kind < 0.5 else r.choice(TEXTS) * (size // 3)
        if kind > 0.97:
            at = r.randint(0, len(text))
            text = text[:at] + r.choice(NOT_UTF8) + text[at:]
        return text

    def value(self, field):
        """A field's value as it stands in a packed list, or behind a tag."""
        r = self.random
        wire_type = WIRE_TYPES.get(field.type, VARINT)
        if wire_type == I32:
            return r.choice(REALS32) if r.random() < 0.5 else r.randbytes(4)
        if wire_type == I64:
            return r.choice(REALS64) if r.random() < 0.5 else r.randbytes(8)
        if field.type == F.TYPE_ENUM and r.random() < 0.6:
            return self.longer(r.choice(field.enum_type.values).number % 2**64)
        if field.type == F.TYPE_BOOL and r.random() < 0.6:
            return self.longer(r.choice((0, 1)))
        return self.longer(self.integer())

    # ---- pieces: a field each

    def unknown(self, number, depth=0):
        r = self.random
        wire_type = r.choice((VARINT, I64, LEN, START, I32)) if r.random() < 0.97 else r.choice((END, 6, 7))
        head = self.longer(number << 3 | wire_type)
        if wire_type == VARINT:
            return head + self.longer(self.integer())
        if wire_type == I64:
            return head + r.randbytes(8)
        if wire_type == I32:
            return head + r.randbytes(4)
        if wire_type == LEN:
            data = r.randbytes(self.length())
            return head + self.longer(len(data)) + data
        if wire_type == START:
            inside = [self.unknown(r.randint(1, 40), depth + 1) for _ in range(r.randint(0, 2) if depth < 4 else 0)]
            end = number if r.random() < 0.98 else number + 1
            return head + b"".join(inside) + tag(end, END)
        return head

    def packed(self, field):
        r = self.random
        data = b"".join(self.value(field) for _ in range(r.choice((0, 1, 2, 3, 10, 40, 127, 128))))
        if r.random() < 0.03:
            data = data[:-1] if data else b"\x80"
        return self.delimited(field.number, data)

    def entry(self, field, depth):
        r = self.random
        key, value = (field.message_type.fields_by_number[n] for n in (1, 2))
        parts = [key, value]
        if r.random() < 0.25:
            parts = r.choices([key, value], k=r.randint(0, 4))
        data = [self.single(part, depth + 1) for part in parts]
        if r.random() < 0.05:
            data.insert(r.randint(0, len(data)), self.unknown(r.choice((1, 2, 3, 100)), depth))
        return self.delimited(field.number, b"".join(data))

    def single(self, field, depth):
        """One value, in the wire type that it has."""
        wire_type = WIRE_TYPES.get(field.type, VARINT)
        if field.type in (F.TYPE_STRING, F.TYPE_BYTES):
            return self.delimited(field.number, self.string())
        if wire_type == LEN:
            return self.delimited(field.number, self.inside(field.message_type, depth + 1))
        if wire_type == START:
            inside = self.inside(field.message_type, depth + 1)
            return self.longer(field.number << 3 | START) + inside + tag(field.number, END)
        return self.longer(field.number << 3 | wire_type) + self.value(field)

    def misfit(self, field, depth):
        """The field as another kind would have it: a group as LEN, a number as a string, a list packed that cannot be."""
        r = self.random
        if field.message_type and not is_map(field) and r.random() < 0.5:
            inside = self.inside(field.message_type, depth + 1)
            if field.type == F.TYPE_GROUP:
                return self.delimited(field.number, inside)
            return tag(field.number, START) + inside + tag(field.number, END)
        return self.unknown(field.number, depth)

    def item(self, descriptor, depth):
        """Of a message set."""
        r = self.random
        extensions = self.extensions_of(descriptor)
        number = r.choice([e.number for e in extensions] + [100, 2**29, 2**31 - 2, 0])
        inside = self.inside(extensions[0].message_type, depth + 1)
        parts = [tag(2, VARINT) + self.longer(number), tag(3, LEN) + self.longer(len(inside)) + inside]
        if r.random() < 0.4:
            parts = r.choices(parts + [self.unknown(r.randint(1, 5), depth)], k=r.randint(0, 4))
        return tag(1, START) + b"".join(parts) + tag(1, END)

    def chain(self, descriptor):
        """Nested about as deep as may be, where a message can hold its like."""
        r = self.random
        own = [f for f in self.all_fields(descriptor) if f.message_type is descriptor and not is_map(f)]
        data = b""
        for _ in range(r.choice(DEPTHS) - r.randint(0, 1)):
            if own and r.random() < 0.9:
                field = r.choice(own)
                if field.type == F.TYPE_GROUP:
                    data = tag(field.number, START) + data + tag(field.number, END)
                else:
                    data = tag(field.number, LEN) + varint(len(data)) + data
            else:
                data = tag(9999, START) + data + tag(9999, END)
                own = []
        return data

    def all_fields(self, descriptor):
        if descriptor.full_name not in self.fields:
            self.fields[descriptor.full_name] = list(descriptor.fields) + self.extensions_of(descriptor)
        return self.fields[descriptor.full_name]

    def piece(self, descriptor, depth):
        r = self.random
        fields = self.all_fields(descriptor)
        kind = r.random()
        if kind < 0.04 or not fields:
            known = [f.number for f in fields] + [5000]
            return self.unknown(max(1, r.choice(known) + r.choice((-1, 0, 1))) if kind < 0.03 else r.randint(1, 2**29 - 1))
        if kind < 0.045:
            return self.chain(descriptor)
        if descriptor.GetOptions().message_set_wire_format and kind < 0.8:
            return self.item(descriptor, depth)
        field = r.choice(fields)
        if kind < 0.08:
            return self.misfit(field, depth)
        if is_map(field):
            return self.entry(field, depth)
        packable = field.is_repeated and WIRE_TYPES.get(field.type, VARINT) not in (LEN, START)
        if packable and r.random() < (0.7 if field.is_packed else 0.3):
            return self.packed(field)
        if packable and r.random() < 0.5:
            return b"".join(self.single(field, depth) for _ in range(r.choice((1, 2, 3, 9, 40))))
        return self.single(field, depth)

    # ---- messages

    def inside(self, descriptor, depth=0):
        """Some pieces of a type's pool: what is deeper is smaller."""
        r = self.random
        if depth > 4:
            return b""
        pool = self.pools.setdefault((descriptor.full_name, depth), [])
        if len(pool) < POOL or r.random() < 0.2:
            new = self.piece(descriptor, depth)
            if len(pool) < POOL:
                pool.append(new)
            else:
                pool[r.randrange(POOL)] = new
        return b"".join(r.choices(pool, k=r.choice((0, 1, 1, 2, 3, 6, 12) if depth == 0 else (0, 1, 1, 2))))

    def message(self, descriptor):
        """Never the empty one: there is little to find in it."""
        return self.inside(descriptor) or self.piece(descriptor, 0)

    def very_long(self, descriptor):
        """Around the length that takes a fourth byte, behind and in front of other fields."""
        r = self.random
        size = r.choice(VERY_LONG)
        field = r.choice([f for f in self.all_fields(descriptor) if f.type != F.TYPE_GROUP] or [None])
        if not field:
            return tag(77777, LEN) + varint(size) + r.randbytes(size)
        before, behind = self.single(field, 1), self.single(field, 1)
        inside = b"\1" * size
        if field.message_type:
            head = tag(77777, LEN) + varint(size - 6)
            inside = head + inside[: size - len(head)]
        elif field.type in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
            inside = bytes(size)
        return before + tag(field.number, LEN) + varint(len(inside)) + inside + behind

    def mutated(self, data):
        """@data with a few bytes changed, lost, doubled or cut off."""
        r = self.random
        data = bytearray(data)
        for _ in range(r.choice((1, 1, 1, 1, 2, 4))):
            at = r.randrange(len(data)) if data else 0
            kind = r.randrange(12)
            if kind < 4 and data:
                data[at] ^= 1 << r.randrange(8)
            elif kind < 6 and data:
                data[at] = r.choice((0, 1, 127, 128, 255, r.randrange(256)))
            elif kind == 6:
                data[at:at] = r.choice((b"\x80", b"\x00", r.randbytes(1), r.randbytes(3)))
            elif kind == 7:
                del data[at : at + r.choice((1, 1, 2, 5))]
            elif kind == 8 and r.random() < 0.5:
                del data[at:]
            elif kind == 9 and data:
                data[at:at] = data[at : at + r.randint(1, 20)]
            elif kind == 10 and data and not data[at] & 128:
                data[at : at + 1] = bytes([data[at] | 128, 0])
            elif data:
                data[at : at + 1] = varint(self.integer())
        return bytes(data)
