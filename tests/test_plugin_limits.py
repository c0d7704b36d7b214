# SPDX-License-Identifier: MIT
"""Messages and enums as large as they may be, and one larger: what does not fit a table is refused by name."""

import re
import resource
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

import plugin_kit
from plugin_kit import kit  # noqa: F401 (fixture)

F = descriptor_pb2.FieldDescriptorProto
MEMORY_BYTES_MAX = 256 << 20


def file_of(syntax="proto2"):
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["dir/t.proto"])
    return request, request.proto_file.add(name="dir/t.proto", package="p.q", syntax=syntax)


def answer_of(kit, request, memory_bytes_max=None):
    def limit():
        if memory_bytes_max and kit.sanitize == "none":
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))

    data = request.SerializeToString()
    done = subprocess.run([kit.plugin], input=data, capture_output=True, preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    return plugin_pb2.CodeGeneratorResponse.FromString(done.stdout)


def add_fields(message, count, **members):
    first = len(message.field) + 1
    for number in range(first, first + count):
        message.field.add(name=f"f{number}", number=number, label=F.LABEL_OPTIONAL, **members)


def big(shape, count):
    """A request with a message of that shape, @count large."""
    request, file = file_of("proto3" if shape in ("size", "oneof", "oneofs") else "proto2")
    message = file.message_type.add(name="Outer").nested_type.add(name="Big")
    file.message_type.add(name="Sub")
    if shape == "size":
        add_fields(message, count, type=F.TYPE_STRING)
    elif shape == "fields of one oneof":
        message.oneof_decl.add(name="o")
        add_fields(message, count, type=F.TYPE_BOOL, oneof_index=0)
    elif shape == "presence":
        add_fields(message, count, type=F.TYPE_BOOL)
    elif shape == "required":
        add_fields(message, count, type=F.TYPE_BOOL)
        for field in message.field:
            field.label = F.LABEL_REQUIRED
    elif shape == "types":
        message.oneof_decl.add(name="o")
        add_fields(message, count, type=F.TYPE_MESSAGE, type_name=".p.q.Sub", oneof_index=0)
    elif shape == "oneof":
        add_fields(message, count, type=F.TYPE_INT32)
        message.oneof_decl.add(name="o")
        message.field.add(name="x", number=100001, label=1, type=F.TYPE_INT32, oneof_index=0)
    elif shape == "oneofs":
        for i in range(count):
            message.oneof_decl.add(name=f"o{i}")
            message.field.add(name=f"x{i}", number=i + 1, label=1, type=F.TYPE_INT32, oneof_index=i)
    return request


# The largest that fits, and what the error says of one more.
LIMITS = {
    "size": (4095, r"Message size .* its fields take 65544 bytes: the limit is 65528"),
    "fields of one oneof": (65531, r"Too many fields: the limit is 65531"),
    "presence": (32704, r"presence is tracked: the limit is 32704"),
    "required": (63, r"Too many required fields: there are 64: the limit is 63"),
    "types": (21844, r"Submessage offset overflow: too many fields: the limit is 262136 bytes"),
    "oneof": (8189, r"beside a oneof: .* lies 32768 bytes into the message: the limit is 32767"),
    "oneofs": (4095, r"beside a oneof: .* lies 32768 bytes into the message: the limit is 32767"),
}  # fmt: skip


@pytest.mark.parametrize("shape", LIMITS)
def test_what_does_not_fit_a_table_is_refused(kit, shape):
    count, error = LIMITS[shape]
    answer = answer_of(kit, big(shape, count))
    assert not answer.error, answer.error
    answer = answer_of(kit, big(shape, count + 1))
    assert answer.error.startswith("protoc-gen-quoit: dir/t.proto: p.q.Outer.Big: "), answer.error[:300]
    assert re.search(error, answer.error), answer.error[-300:]
    assert not answer.file


@pytest.mark.parametrize("shape,count", [("fields of one oneof", n) for n in (65532, 65535, 65536, 65537, 70000)] + [("oneof", 8190), ("oneof", 16000), ("size", 4096), ("size", 65537)])
def test_far_beyond_is_refused_too(kit, shape, count):
    """Where 16 bits come round again."""
    assert re.search("the limit is [0-9]+", answer_of(kit, big(shape, count)).error)


def test_a_long_name_leaves_room_for_the_limit(kit):
    request = big("required", 64)
    request.proto_file[0].message_type[0].name = "M" * 900
    assert answer_of(kit, request).error.endswith("the limit is 63")


def test_the_largest_beside_a_oneof_works(kit, tmp_path):
    """No setter changes another field."""
    text = "".join(f"  int64 f{i} = {i};\n" for i in range(1, 4094))
    (tmp_path / "big.proto").write_text(f'syntax = "proto3"; message Big {{\n{text} oneof o {{ int64 x = 5000; string y = 5001; }} }}')
    kit.protoc(tmp_path, ["big.proto"], paths=[tmp_path])
    main = tmp_path / "main.c"
    main.write_text("""
#include "big.quoit.h"
int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        Big *big = Big_new(arena), *parsed;
        size_t size;
        char *bytes;

        Big_set_f1(big, 1);
        Big_set_f4093(big, 4093);
        if (Big_o_case(big) != Big_o_NOT_SET)
                return 1;
        Big_set_x(big, -1);
        if (Big_o_case(big) != Big_o_x || Big_f1(big) != 1 || Big_f4093(big) != 4093)
                return 2;
        bytes = Big_serialize(big, arena, &size);
        parsed = Big_parse(bytes, size, arena);
        if (!parsed || Big_o_case(parsed) != Big_o_x || Big_x(parsed) != -1 || Big_f4093(parsed) != 4093)
                return 3;
        for (int i = 0; i < 4093; i++)
                Big_clear_f1(parsed);
        upb_Arena_Free(arena);
        return 0;
}
""")
    program = tmp_path / "program"
    kit.program(tmp_path, [main, tmp_path / "big.quoit.c"], program)
    assert subprocess.run([program]).returncode == 0


# ---- memory --------------------------------------------------------------------------------------


def sparse_enum(request, file, numbers):
    enum = file.enum_type.add(name="E")
    for number in numbers:
        enum.value.add(name=f"V{number}".replace("-", "M"), number=number)


def sparse_fields(request, file, numbers):
    message = file.message_type.add(name="M")
    for number in numbers:
        message.field.add(name=f"f{number}", number=number, label=F.LABEL_OPTIONAL, type=F.TYPE_BOOL)


def sparse_ranges(request, file, numbers):
    message = file.message_type.add(name="M")
    for number in numbers:
        message.extension_range.add(start=number, end=number + 1)
    message.reserved_range.add(start=numbers[-1] + 1, end=2**29 - 1)
    file.extension.add(name="x", number=numbers[-1], extendee=".p.q.M", type=F.TYPE_BOOL, label=1)


SPARSE = {
    "one large value": (sparse_enum, [*range(6554), 200_000_000]),
    "the largest value": (sparse_enum, [*range(6554), 2**31 - 1]),
    "the smallest value": (sparse_enum, [*range(6554), -(2**31)]),
    "large values only": (sparse_enum, range(10_000_000, 2_000_000_000, 200_000)),
    "values 100 apart": (sparse_enum, range(0, 1_000_000, 100)),
    "negative values": (sparse_enum, range(-9000, 0)),
    "one large number": (sparse_fields, [*range(1, 6556), 2**29 - 1]),
    "large numbers only": (sparse_fields, range(1_000_000, 500_000_000, 100_000)),
    "extension ranges": (sparse_ranges, range(1, 500_000_000, 300_000)),
}


@pytest.mark.parametrize("shape", SPARSE)
def test_memory_follows_the_count_not_the_largest_number(kit, shape):
    make, numbers = SPARSE[shape]
    request, file = file_of()
    make(request, file, numbers)
    answer = answer_of(kit, request, memory_bytes_max=MEMORY_BYTES_MAX)
    assert not answer.error, answer.error[-300:]
    assert sum(len(f.content) for f in answer.file) < 3000 * len(numbers)


# ---- what protoc takes ---------------------------------------------------------------------------

LOOSE = """
syntax = "proto2";
message Json {
  optional int32 foo = 1; optional int32 foo_ = 2; optional string foo__ = 3; optional Json Foo = 4;
  repeated E a_b = 5; optional E aB = 6;
}
enum E { ZERO = 0; ONE = 1; LEAST = -2147483648; MOST = 2147483647; }
message Defaults {
  optional float tiny = 1 [default = 1e-40];
  optional float tiniest = 2 [default = -1.4e-45];
  optional float below = 3 [default = 1e-60];
  optional double small = 4 [default = 4.9e-324];
  optional double none = 5 [default = 1e-400];
  optional float inf = 6 [default = inf];
  optional float minus_inf = 7 [default = -inf];
  optional double nan = 8 [default = nan];
  optional double minus_zero = 9 [default = -0.0];
  optional float large = 10 [default = 3.4028235e38];
  optional float larger = 11 [default = 1e39];
  optional double largest = 12 [default = -1e999];
  optional float nan_float = 13 [default = nan];
  optional float third = 14 [default = 0.333333333];
  optional int64 least = 15 [default = -9223372036854775808];
  optional uint64 most = 16 [default = 0xffffffffffffffff];
  optional E least_value = 17 [default = LEAST];
  optional bytes raw = 18 [default = "\\000\\377??/\\"\\\\"];
}
"""
LOOSE_MAIN = """
#include <math.h>
#include <float.h>
#include "loose.quoit.h"
#define CHECK(x) if (!(x)) return __LINE__
int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        Json *json = Json_new(arena);
        Defaults *d = Defaults_new(arena);
        size_t size;
        char *bytes;

        Json_set_foo(json, 1);
        Json_set_foo_(json, 2);
        Json_set_Foo(json, Json_new(arena));
        Json_add_a_b(json, ONE, arena);
        Json_set_aB(json, MOST);
        bytes = Json_serialize(json, arena, &size);
        json = Json_parse(bytes, size, arena);
        CHECK(json && Json_foo(json) == 1 && Json_foo_(json) == 2 && Json_has_Foo(json) && !Json_has_foo__(json));
        CHECK(Json_aB(json) == MOST && Json_a_b(json, &size)[0] == ONE && size == 1);
        CHECK(Defaults_tiny(d) == 1e-40f && Defaults_tiny(d) > 0 && Defaults_tiny(d) < FLT_MIN);
        CHECK(Defaults_tiniest(d) == -1.4e-45f && Defaults_tiniest(d) < 0);
        CHECK(Defaults_below(d) == 0 && Defaults_none(d) == 0);
        CHECK(Defaults_small(d) == 4.9e-324 && Defaults_small(d) > 0);
        CHECK(isinf(Defaults_inf(d)) && Defaults_inf(d) > 0);
        CHECK(isinf(Defaults_minus_inf(d)) && Defaults_minus_inf(d) < 0);
        CHECK(isnan(Defaults_nan(d)) && isnan(Defaults_nan_float(d)));
        CHECK(Defaults_minus_zero(d) == 0 && signbit(Defaults_minus_zero(d)));
        CHECK(Defaults_large(d) == FLT_MAX && isinf(Defaults_larger(d)) && isinf(Defaults_largest(d)) && Defaults_largest(d) < 0);
        CHECK(Defaults_third(d) == 0.333333333f);
        CHECK(Defaults_least(d) == INT64_MIN && Defaults_most(d) == UINT64_MAX && Defaults_least_value(d) == INT32_MIN);
        CHECK(Defaults_raw(d).size == 7 && !memcmp(Defaults_raw(d).data, "\\0\\377?\\?/\\"\\\\", 7));
        upb_Arena_Free(arena);
        return 0;
}
"""


def test_what_protoc_takes_is_generated(kit, tmp_path):
    """JSON names that are one in proto2, and numbers at the edge of their type."""
    (tmp_path / "loose.proto").write_text(LOOSE)
    kit.protoc(tmp_path, ["loose.proto"], paths=[tmp_path])
    (tmp_path / "main.c").write_text(LOOSE_MAIN)
    for compiler in plugin_kit.compilers("c"):
        arguments = [compiler, "-std=gnu11", "-O1", *plugin_kit.C_WARNINGS]
        kit.compile(arguments, tmp_path / "loose.quoit.c", tmp_path / "loose.o", f"-I{tmp_path}")
    kit.program(tmp_path, [tmp_path / "main.c", tmp_path / "loose.quoit.c"], tmp_path / "program")
    assert subprocess.run([tmp_path / "program"]).returncode == 0


def test_json_names_that_are_one_are_refused_where_json_is_promised(kit):
    request, file = file_of("proto3")
    message = file.message_type.add(name="M")
    message.field.add(name="foo", number=1, type=F.TYPE_BOOL, label=1)
    message.field.add(name="foo_", number=2, type=F.TYPE_BOOL, label=1)
    assert answer_of(kit, request).error == "protoc-gen-quoit: dir/t.proto: p.q.M: duplicate json_name for (foo_) with original field name (foo)"
    message.options.deprecated_legacy_json_field_conflicts = True
    assert not answer_of(kit, request).error


def test_extensions_with_one_number_are_generated(kit, tmp_path):
    """In different files protoc can't always know, and warns."""
    (tmp_path / "base.proto").write_text('syntax = "proto2"; message M { extensions 10 to 20; }')
    for name in "ab":
        (tmp_path / f"{name}.proto").write_text(f'syntax = "proto2"; import "base.proto"; extend M {{ optional int32 {name} = 10; }}')
    kit.protoc(tmp_path, ["base.proto", "a.proto", "b.proto"], paths=[tmp_path])
    for name in "ab":
        kit.compile(["gcc", *plugin_kit.C_WARNINGS], tmp_path / f"{name}.quoit.c", tmp_path / "t.o", f"-I{tmp_path}")
