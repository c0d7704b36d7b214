# SPDX-License-Identifier: MIT
"""Fills messages of Python's protobuf at random."""

import random
import struct

from google.protobuf.descriptor import FieldDescriptor as F

from plugin_driver import is_map

INT_RANGES = {
    F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    F.CPPTYPE_UINT32: (0, 2**32 - 1),
    F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
REALS = (0.0, -0.0, 1.0, -2.5, 1e30, float("inf"), float("-inf"), 3.4028234663852886e38, 1e-40)
TEXTS = ("", "a", "Grüße", "\0 inside", "🥁" * 5, "x" * 300, "名前", "\u2028")


class Filler:
    """Fills messages at random, from a seed."""

    def __init__(self, extensions_of, seed):
        self.extensions_of = extensions_of
        self.random = random.Random(seed)

    def value(self, field):
        r = self.random
        if field.cpp_type in INT_RANGES:
            low, high = INT_RANGES[field.cpp_type]
            return r.choice((low, high, 0, 1, r.randint(low, high), r.randint(0, 300)))
        if field.cpp_type == F.CPPTYPE_BOOL:
            return r.random() < 0.5
        if field.cpp_type == F.CPPTYPE_ENUM:
            return r.choice(field.enum_type.values).number
        if field.cpp_type == F.CPPTYPE_FLOAT:
            return struct.unpack("f", struct.pack("f", r.choice(REALS)))[0]
        if field.cpp_type == F.CPPTYPE_DOUBLE:
            return r.choice(REALS + (r.random(), 5e-324))
        if field.type == F.TYPE_BYTES:
            return r.randbytes(r.choice((0, 1, 20, 200)))
        return r.choice(TEXTS)

    def fill_map(self, target, field, depth):
        key = field.message_type.fields_by_name["key"]
        value = field.message_type.fields_by_name["value"]
        for _ in range(self.random.randint(1, 12)):
            if value.message_type:
                self.fill(target[self.value(key)], value.message_type, depth + 1)
            else:
                target[self.value(key)] = self.value(value)

    def fill_field(self, message, field, depth):
        target = message.Extensions if field.is_extension else None
        at = target[field] if target is not None and (field.is_repeated or field.message_type) else None
        if at is None and (field.is_repeated or field.message_type):
            at = getattr(message, field.name)
        if is_map(field):
            self.fill_map(at, field, depth)
        elif field.is_repeated:
            for _ in range(self.random.randint(1, 9)):
                if field.message_type:
                    self.fill(at.add(), field.message_type, depth + 1)
                else:
                    at.append(self.value(field))
        elif field.message_type:
            at.SetInParent()
            self.fill(at, field.message_type, depth + 1)
        elif target is not None:
            target[field] = self.value(field)
        else:
            setattr(message, field.name, self.value(field))

    def fill(self, message, descriptor, depth=0):
        fields = list(descriptor.fields) + self.extensions_of(descriptor)
        chance = (0.6, 0.2, 0.06)[depth] if depth < 3 else 0
        for field in fields:
            if field.is_required or self.random.random() < chance:
                self.fill_field(message, field, depth)
        return message
