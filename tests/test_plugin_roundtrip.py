# SPDX-License-Identifier: MIT
"""Messages go from Python's protobuf through generated C code and back, and must be the same."""

import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from message_filler import Filler
from plugin_driver import write_driver
from plugin_kit import KITCHEN, WELL_KNOWN, Kit

PARSED, COPIED, CLEARED, DEFAULTS = range(4)
FAILED = 0xFFFFFFFF
FILES = KITCHEN + WELL_KNOWN


class World:
    """The test's .proto files, as Python sees them and as a C program does."""

    def __init__(self, kit, folder, **how):
        kit.protoc(folder, FILES, f"--descriptor_set_out={folder}/set", "--include_imports")
        self.pool = descriptor_pool.DescriptorPool()
        files = descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes())
        for file in files.file:
            self.pool.Add(file)
        self.messages = []
        for name in FILES:
            for message in self.pool.FindFileByName(name).message_types_by_name.values():
                self.collect(message)
        self.index = {m.full_name: i for i, m in enumerate(self.messages)}

        (folder / "driver.c").write_text(write_driver(FILES, self.messages, self.extensions_of))
        sources = [folder / "driver.c"] + [folder / f"{name[:-6]}.quoit.c" for name in FILES]
        self.program = folder / "driver"
        kit.program(folder, sources, self.program, **how)

    def collect(self, message):
        if message.GetOptions().map_entry:
            return
        self.messages.append(message)
        for nested in message.nested_types:
            self.collect(nested)

    def extensions_of(self, message):
        found = [e for e in self.pool.FindAllExtensions(message) if e.file.name in FILES]
        return sorted(found, key=lambda e: e.number)

    def new(self, message):
        return message_factory.GetMessageClass(message)()

    def run(self, requests):
        """@requests: (message's descriptor, mode, bytes). Bytes each, or None where parsing failed."""
        data = b"".join(
            struct.pack("III", self.index[m.full_name], mode, len(bytes_)) + bytes_
            for m, mode, bytes_ in requests
        )
        done = subprocess.run([self.program], input=data, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        answers, at = [], 0
        while at < len(done.stdout):
            (size,) = struct.unpack_from("I", done.stdout, at)
            at += 4
            answers.append(None if size == FAILED else done.stdout[at : at + size])
            at += 0 if size == FAILED else size
        assert len(answers) == len(requests)
        return answers


@pytest.fixture(scope="module", params=("as libquoit", "gcc, shared"))
def world(root, build, tmp_path_factory, request):
    """Also as a user of another compiler has it: the tables for the fast decoder work there too."""
    kit, how = Kit(root, build), {}
    if request.param != "as libquoit":
        if kit.sanitize != "none":
            pytest.skip("the sanitizers of two compilers do not mix")
        how = {"compiler": ["gcc"], "shared": True}
    return World(kit, tmp_path_factory.mktemp("roundtrip"), **how)


def filled(world, seed):
    for i, descriptor in enumerate(world.messages):
        yield descriptor, Filler(world.extensions_of, seed * 1000 + i).fill(world.new(descriptor), descriptor)


@pytest.mark.parametrize("mode", (PARSED, COPIED))
def test_random_messages_survive(world, mode):
    cases = [case for seed in range(40) for case in filled(world, seed)]
    answers = world.run([(d, mode, m.SerializeToString()) for d, m in cases])
    for (descriptor, message), answer in zip(cases, answers):
        assert answer is not None, f"{descriptor.full_name} did not parse:\n{message}"
        again = world.new(descriptor)
        again.ParseFromString(answer)
        assert again == message, descriptor.full_name


def test_every_field_alone_survives(world):
    cases = []
    for descriptor in world.messages:
        filler = Filler(world.extensions_of, descriptor.full_name)
        for field in list(descriptor.fields) + world.extensions_of(descriptor):
            message = world.new(descriptor)
            filler.fill_field(message, field, 0)
            cases.append((descriptor, message))
    answers = world.run([(d, COPIED, m.SerializePartialToString()) for d, m in cases])
    assert len(cases) > 400
    for (descriptor, message), answer in zip(cases, answers):
        again = world.new(descriptor)
        again.MergeFromString(answer)
        assert again == message, descriptor.full_name


def test_clear_leaves_nothing(world):
    cases = list(filled(world, 7))
    for answer in world.run([(d, CLEARED, m.SerializeToString()) for d, m in cases]):
        assert answer == b""


def test_defaults(world):
    proto2 = world.pool.FindMessageTypeByName("kitchen.Proto2")
    editions = world.pool.FindMessageTypeByName("kitchen.Editions")
    many = world.pool.FindMessageTypeByName("kitchen.Many")
    for descriptor, answer in zip(
        (proto2, editions, many), world.run([(d, DEFAULTS, b"") for d in (proto2, editions, many)])
    ):
        message = world.new(descriptor)
        message.ParseFromString(answer)
        checked = 0
        for field in list(descriptor.fields) + world.extensions_of(descriptor):
            if field.is_repeated or field.message_type or field.containing_oneof:
                continue
            if not field.has_presence:
                continue
            got = message.Extensions[field] if field.is_extension else getattr(message, field.name)
            present = message.HasExtension(field) if field.is_extension else message.HasField(field.name)
            assert present, field.full_name
            # repr: a NaN is not equal to itself, and -0.0 is to 0.0
            assert repr(got) == repr(field.default_value), field.full_name
            checked += 1
        assert checked


def test_unset_required_field_is_still_encodable(world):
    """upb, as Python's SerializePartialToString, does not check; the server does when it sends."""
    required = world.pool.FindMessageTypeByName("kitchen.Required")
    assert world.run([(required, COPIED, b"\x08\x01")]) == [b"\x08\x01"]


def test_utf8_is_checked_where_the_file_says_so(world):
    proto3 = world.pool.FindMessageTypeByName("kitchen.Proto3")
    editions = world.pool.FindMessageTypeByName("kitchen.Editions")
    bad = b"\xff\xfe"

    def field(number):
        tag = number << 3 | 2
        head = bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])
        return head + bytes([len(bad)]) + bad

    one_string = proto3.fields_by_name["one_string"].number
    assert world.run([(proto3, PARSED, field(one_string))]) == [None]
    assert world.run([(editions, PARSED, field(1))]) == [None]
    assert world.run([(editions, COPIED, field(8))]) == [field(8)]


def test_closed_enums_put_unknown_values_aside(world):
    """A parsed message keeps them as unknown fields; accessors do not see them."""
    proto2 = world.pool.FindMessageTypeByName("kitchen.Proto2")
    proto3 = world.pool.FindMessageTypeByName("kitchen.Proto3")
    closed = bytes([22 << 3 & 127 | 128, 22 >> 4, 99])
    assert world.run([(proto2, PARSED, closed), (proto2, COPIED, closed)]) == [closed, b""]
    number = proto3.fields_by_name["one_enum"].number
    opened = bytes([number << 3 & 127 | 128, number >> 4, 99])
    assert world.run([(proto3, COPIED, opened)]) == [opened]


def test_garbage_does_not_parse(world):
    proto3 = world.pool.FindMessageTypeByName("kitchen.Proto3")
    deep = b""
    number = proto3.fields_by_name["self"].number
    for _ in range(150):
        size = len(deep)
        tag = number << 3 | 2
        head = bytes([tag & 127 | 128, tag >> 7])
        length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
        deep = head + length + deep
    cases = [b"\x08", b"\xff" * 11, b"\x00", b"\x0a\x05ab", b"\x0b", deep]
    assert world.run([(proto3, PARSED, case) for case in cases]) == [None] * len(cases)
