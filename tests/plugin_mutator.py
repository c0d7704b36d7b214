# SPDX-License-Identifier: MIT
"""Damages a CodeGeneratorRequest at random: as a tree, where a field of any message in it may become anything, and as bytes."""

from google.protobuf.descriptor import FieldDescriptor as F

INTEGERS = (0, 1, -1, 2, 3, 5, 100, 127, 128, 1000, 19000, 65535, 65536, 2**29 - 1, 2**29, 2**31 - 1, -(2**31))
NAMES = (
    "", "a", "x y", "1a", "a.b", ".", "..", "int", "M", "M_fields", "__LINE__", "x" * 300, "NULL", "clear_number", "é",
    "*/ int evil; /*", "a\"b", "a\\", "a\nb", "??/", "//", "/*", "\x00", "\u202e", "\u2028", "Entry", "key", "value",
)  # fmt: skip
TYPE_NAMES = (".mut.M", "mut.M", ".mut.Closed", ".mut.M.ByNameEntry", ".mut.M.number", ".mut.S", ".mut", ".mut.Nothing", ".")
FILES = ("a.proto", "x*/y.proto", "../a.proto", "/a.proto", "a//b.proto", "a\"b.proto", "ü.proto", "a b.proto", "mutated-open.proto")


def nodes(message, found):
    """@message and all messages in it."""
    found.append(message)
    for field, value in message.ListFields():
        if field.message_type:
            for item in value if field.is_repeated else (value,):
                nodes(item, found)
    return found


def copied(message):
    """What @message holds, apart from it: the target may be in it."""
    return type(message).FromString(message.SerializePartialToString())


class Mutator:
    def __init__(self, random, request):
        self.random = random
        plain = copied(request)
        for file in plain.proto_file:
            file.ClearField("source_code_info")  # of which there is more than of all else
        self.requests = [plain] * 9 + [request]

    def text(self, old, everywhere):
        r = self.random
        kind = r.randrange(7)
        if kind == 0 and old:
            at = r.randrange(len(old))
            return old[:at] + r.choice(NAMES) + old[at:]
        if kind == 1:
            return r.choice(TYPE_NAMES)
        if kind == 2:
            return r.choice(FILES)
        if kind < 5:
            return r.choice(NAMES)
        strings = [v for m in everywhere for f, v in m.ListFields() if f.type == F.TYPE_STRING and not f.is_repeated]
        return r.choice(strings or NAMES)

    def value(self, field, old, everywhere):
        r = self.random
        if field.type == F.TYPE_STRING:
            return self.text(old, everywhere)
        if field.type == F.TYPE_BYTES:
            return r.choice(NAMES).encode()
        if field.type == F.TYPE_BOOL:
            return not old
        if field.type == F.TYPE_ENUM:
            return r.choice(field.enum_type.values).number
        if field.cpp_type in (F.CPPTYPE_DOUBLE, F.CPPTYPE_FLOAT):
            return r.choice((0.0, -1.0, float("nan")))
        number = r.choice((r.choice(INTEGERS), old + r.choice((-1, 1))))
        if field.cpp_type in (F.CPPTYPE_UINT32, F.CPPTYPE_UINT64):
            return abs(number) % 2**32
        return max(-(2**31), min(number, 2**31 - 1))

    def mutate_list(self, field, items, everywhere):
        r = self.random
        kind = r.randrange(4)
        if kind == 0 and items:
            del items[r.randrange(len(items))]
        elif kind == 1 and field.message_type:
            same = [m for m in everywhere if m.DESCRIPTOR is field.message_type]
            new = copied(r.choice(same)) if same else None
            items.add()
            if new:
                items[-1].CopyFrom(new)
        elif kind == 1:
            items.append(self.value(field, r.choice(items) if items else field.default_value or ("" if field.type == F.TYPE_STRING else 0), everywhere))
        elif kind == 2 and len(items) > 1 and field.message_type:
            i, j = r.randrange(len(items)), r.randrange(len(items))
            copy = copied(items[i])
            items[i].CopyFrom(copied(items[j]))
            items[j].CopyFrom(copy)
        elif items and not field.message_type:
            at = r.randrange(len(items))
            items[at] = self.value(field, items[at], everywhere)

    def mutate_tree(self, request):
        r = self.random
        everywhere = nodes(request, [])
        message = r.choice(everywhere)
        present = [field for field, _ in message.ListFields()]
        field = r.choice(present if present and r.random() < 0.7 else list(message.DESCRIPTOR.fields))
        if field.is_repeated:
            self.mutate_list(field, getattr(message, field.name), everywhere)
        elif r.random() < 0.2:
            message.ClearField(field.name)
        elif field.message_type:
            same = [m for m in everywhere if m.DESCRIPTOR is field.message_type]
            new = copied(r.choice(same)) if same else type(getattr(message, field.name))()
            getattr(message, field.name).CopyFrom(new)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, self.value(field, getattr(message, field.name), everywhere))

    def mutate_bytes(self):
        r = self.random
        data = bytearray(r.choice(self.requests).SerializeToString())
        for _ in range(r.randint(1, 4)):
            at = r.randrange(len(data))
            kind = r.randrange(4)
            if kind == 0:
                data[at] = r.randrange(256)
            elif kind == 1:
                data[at] ^= 1 << r.randrange(8)
            elif kind == 2:
                data[at:at] = r.randbytes(r.randint(1, 3))
            else:
                del data[at : at + r.randint(1, 8)]
        return bytes(data)

    def mutated(self):
        if self.random.random() < 0.2:
            return self.mutate_bytes()
        request = copied(self.random.choice(self.requests))
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 6))):
            self.mutate_tree(request)
        return request.SerializePartialToString()
