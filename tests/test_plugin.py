# SPDX-License-Identifier: MIT
"""protoc-gen-quoit as protoc sees it, and what it writes as compilers see it."""

import re
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

import plugin_kit
from plugin_kit import ALL
from plugin_kit import kit  # noqa: F401 (fixture)


@pytest.fixture(scope="module")
def generated(kit, tmp_path_factory):
    """Everything there is, generated once."""
    folder = tmp_path_factory.mktemp("generated")
    kit.protoc(folder, ALL, f"--descriptor_set_out={folder}/set", "--include_imports")
    return folder


def run(kit, *arguments, stdin=b""):
    return subprocess.run([kit.plugin, *arguments], input=stdin, capture_output=True)


def generate(kit, tmp_path, text, name="t.proto", check=True):
    """The header and the source for a .proto of that text."""
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / name).write_text(text)
    out = tmp_path / "out"
    done = kit.protoc(out, [name], paths=(tmp_path / "in", plugin_kit.GOOGLE), check=check)
    if not check:
        return done
    return (out / f"{name[:-6]}.quoit.h").read_text(), (out / f"{name[:-6]}.quoit.c").read_text()


# ---- the command ---------------------------------------------------------------------------------


def test_version_and_help(kit):
    version = run(kit, "--version")
    assert version.returncode == 0
    assert re.fullmatch(rb"protoc-gen-quoit \d+\.\d+\.\d+\n", version.stdout)
    usage = run(kit, "--help")
    assert usage.returncode == 0 and usage.stdout.startswith(b"Usage: protoc ")


def test_unknown_argument_is_one_line_and_failure(kit):
    done = run(kit, "--frobnicate")
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr == (
        b"protoc-gen-quoit: unknown argument '--frobnicate'; --help says what it takes\n"
    )


@pytest.mark.parametrize("garbage", (b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x7f", b"GET / HTTP/1.1\r\n"))
def test_garbage_is_one_line_and_failure(kit, garbage):
    done = run(kit, stdin=garbage)
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.startswith(b"protoc-gen-quoit: ") and done.stderr.count(b"\n") == 1


def test_unknown_option_is_an_error_in_the_response(kit, tmp_path):
    request = plugin_pb2.CodeGeneratorRequest(parameter="colour=red,x")
    done = run(kit, stdin=request.SerializeToString())
    assert done.returncode == 0 and done.stderr == b""
    response = plugin_pb2.CodeGeneratorResponse.FromString(done.stdout)
    assert response.error == (
        "protoc-gen-quoit: unknown option 'colour=red': there are messages_only, services=off, stubs=off, symbol_prefix=PREFIX "
        "and elsewhere=PATH"
    )
    assert not response.file

    protoc = kit.protoc(tmp_path, ["kinds.proto"], "--quoit_opt=colour=red", check=False)
    assert protoc.returncode != 0 and "unknown option 'colour=red'" in protoc.stderr


def test_messages_only(kit, tmp_path):
    """Nothing of services, in any place among options, and nothing that needs more than messages."""
    text = 'syntax = "proto3"; package p; message M { int32 x = 1; } service S { rpc R(M) returns (stream M); }'
    (tmp_path / "t.proto").write_text(text)
    whole, bare = tmp_path / "whole", tmp_path / "bare"
    kit.protoc(whole, ["t.proto"], paths=[tmp_path])
    kit.protoc(bare, ["t.proto"], "--quoit_opt=messages_only", paths=[tmp_path])
    assert "p_S_register" in (whole / "t.quoit.h").read_text()
    for name in ("t.quoit.h", "t.quoit.c"):
        assert not re.search("p_S|quoit/(service|stub).h|quoit_(out)?call|R_send", (bare / name).read_text())
    assert "p_M_set_x" in (bare / "t.quoit.h").read_text()
    kit.compile(["gcc", *plugin_kit.C_WARNINGS], bare / "t.quoit.c", tmp_path / "t.o", f"-I{bare}")
    done = kit.protoc(bare, ["t.proto"], "--quoit_opt=messages_only,hue", paths=[tmp_path], check=False)
    assert done.returncode != 0 and "unknown option 'hue'" in done.stderr


SERVICE = """
syntax = "proto3";
package p;
message M { int32 x = 1; }
// What it serves.
service S {
  // Asks.
  rpc Ask(M) returns (M);
  rpc List(M) returns (stream M);
  rpc Put(stream M) returns (M);
  rpc Chat(stream M) returns (stream M);
}
service Empty {}
"""
HALVES = {
    "": (True, True),
    "services=off": (False, True),
    "stubs=off": (True, False),
    "services=off,stubs=off": (False, False),
}


@pytest.mark.parametrize("language", ("c", "c++"))
@pytest.mark.parametrize("options", HALVES)
def test_each_half_of_services_can_be_left_out(kit, tmp_path, options, language):
    """With all that it includes; what is left compiles alone."""
    serves, calls = HALVES[options]
    (tmp_path / "t.proto").write_text(SERVICE)
    kit.protoc(tmp_path, ["t.proto"], *[f"--quoit_opt={options}"] * bool(options), paths=[tmp_path])
    header = (tmp_path / "t.quoit.h").read_text()
    server = {"p_S_service", "p_S_register", "p_S_Ask_reply", "p_S_Put_handler", "p_S_Chat_send"}
    client = {"p_S_Ask_start", "p_S_Ask_blocking", "p_S_List_receiver", "p_S_Put_send_request", "p_S_Chat_start"}
    for names, has in ((server, serves), (client, calls)):
        assert {name for name in names if re.search(rf"\b{name}\b", header)} == (names if has else set())
    assert ("What it serves." in header) == ("Asks." in header) == (serves or calls)
    source = tmp_path / "unit.cc" if language == "c++" else tmp_path / "t.quoit.c"
    if language == "c++":
        source.write_text('#include "t.quoit.h"\n')
    for compiler in plugin_kit.compilers(language):
        flags = [compiler, *(plugin_kit.C_WARNINGS if language == "c" else [*plugin_kit.WARNINGS, "-std=c++17"]), f"-I{tmp_path}"]
        kit.compile(flags, source, tmp_path / "t.o", "-MD", "-MF", tmp_path / "t.d")
        read = set(re.findall(r"quoit/(\w+\.h)", (tmp_path / "t.d").read_text()))
        assert ("call.h" in read, "service.h" in read) == (serves, serves)
        assert ("client.h" in read, "stub.h" in read) == (calls, calls)
        assert not read & {"server.h", "interceptor.h", "tls.h"}


def test_an_import_that_is_missing_is_told_how_to_be_made(kit, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.proto").write_text('syntax = "proto3"; message Other {}')
    (tmp_path / "t.proto").write_text('syntax = "proto3"; import "sub/other.proto"; message M { Other o = 1; }')
    kit.protoc(tmp_path / "out", ["t.proto"], paths=[tmp_path])
    for compiler in plugin_kit.compilers("c"):
        with pytest.raises(AssertionError, match="t.quoit.h needs sub/other.quoit.h: .*protoc --quoit_out=... sub/other.proto"):
            kit.compile([compiler], tmp_path / "out" / "t.quoit.c", tmp_path / "t.o", f"-I{tmp_path}/out")


def test_a_source_as_cpp_is_an_error_in_one_line(kit, generated, tmp_path):
    for compiler in plugin_kit.compilers("c++"):
        with pytest.raises(AssertionError, match="this is C, not C.*: give it to a C compiler"):
            kit.compile([compiler, "-xc++"], generated / "kinds.quoit.c", tmp_path / "t.o", f"-I{generated}")


def test_features_are_announced(kit):
    response = plugin_pb2.CodeGeneratorResponse.FromString(run(kit).stdout)
    assert response.supported_features == (
        plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
        | plugin_pb2.CodeGeneratorResponse.FEATURE_SUPPORTS_EDITIONS
    )
    assert response.minimum_edition == descriptor_pb2.EDITION_PROTO2
    assert response.maximum_edition >= descriptor_pb2.EDITION_2023


def test_inconsistent_files_are_an_error_in_the_response(kit):
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["a.proto"])
    request.proto_file.add(name="a.proto", dependency=["missing.proto"])
    response = plugin_pb2.CodeGeneratorResponse.FromString(
        run(kit, stdin=request.SerializeToString()).stdout
    )
    assert "missing.proto" in response.error and not response.file


def test_wanted_file_that_did_not_come_is_an_error_in_the_response(kit):
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["a.proto"])
    response = plugin_pb2.CodeGeneratorResponse.FromString(
        run(kit, stdin=request.SerializeToString()).stdout
    )
    assert response.error == "protoc-gen-quoit: no descriptor of 'a.proto'"


def test_same_input_same_bytes(kit, generated, tmp_path):
    """Also when other files, or the same in another order, are asked for in the same run."""
    kit.protoc(tmp_path, list(reversed(ALL)))
    kit.protoc(tmp_path / "alone", ["kitchen/editions.proto"])
    for name in ALL:
        for suffix in (".quoit.h", ".quoit.c"):
            path = name[:-6] + suffix
            assert (tmp_path / path).read_bytes() == (generated / path).read_bytes()
    path = "kitchen/editions.quoit.c"
    assert (tmp_path / "alone" / path).read_bytes() == (generated / path).read_bytes()


# ---- what compilers say --------------------------------------------------------------------------


@pytest.mark.parametrize("compiler", plugin_kit.compilers("c"))
def test_source_compiles_without_a_warning(kit, generated, tmp_path, compiler):
    for name in ALL:
        kit.compile(
            [compiler, "-std=gnu11", "-O1", *plugin_kit.C_WARNINGS],
            generated / f"{name[:-6]}.quoit.c",
            tmp_path / "out.o",
            f"-I{generated}",
        )


@pytest.mark.parametrize("compiler", plugin_kit.compilers("c++"))
def test_header_is_one_for_cpp(kit, generated, tmp_path, compiler):
    source = tmp_path / "all.cc"
    source.write_text("".join(f'#include "{name[:-6]}.quoit.h"\n' for name in ALL) * 2)
    arguments = [compiler, "-std=c++17", *plugin_kit.WARNINGS]
    kit.compile(arguments, source, tmp_path / "out.o", f"-I{generated}")


def test_another_libquoit_is_refused(kit, generated, tmp_path):
    source = tmp_path / "old.c"
    source.write_text(
        "#include <quoit/message.h>\n#undef QUOIT_GENCODE_VERSION\n#define QUOIT_GENCODE_VERSION 0\n"
        '#include "kinds.quoit.h"\n'
    )
    with pytest.raises(AssertionError, match="kinds.quoit.h was made by protoc-gen-quoit .* regenerate it"):
        kit.compile(["gcc"], source, tmp_path / "out.o", f"-I{generated}")


# ---- what the files say --------------------------------------------------------------------------


def test_comments_are_carried_over(generated):
    header = (generated / "comments.quoit.h").read_text()
    for text in (
        "A licence, say.",
        "About the package.",
        "Leading comment of the message.",
        "Before the field.",
        "Behind the field.",
        "In a block,",
        "Of the oneof.",
        "Nested message.",
        "Deep field.",
        "Nested enum.",
        "The zero.",
        "The one.",
        "A map.",
        "Of the service.",
        "Of the method.",
        "Of the stream.",
    ):
        assert header.count(text) == 1, text

    # Each stands right before what it is about.
    assert re.search(r"Before the field\.\n \*\n \* Behind the field\.\n \*/\nstatic inline int32_t comments_Commented_field\(", header)
    assert re.search(r"/\* The one\. \*/\n        comments_Commented_ONE = 1,", header)
    assert re.search(r"/\* Of the method\. \*/\n        void \(\*Say\)", header)
    assert re.search(r"/\* Of the stream\. \*/\n        comments_Talk_Listen_handler Listen;", header)
    assert re.search(r"/\* Deep field\. \*/\nstatic inline int32_t comments_Commented_Inner_deep\(", header)
    assert "a star-slash * / and a slash-star / * in it." in header


def test_names_that_clash_get_an_underscore(generated):
    header = (generated / "names.quoit.h").read_text()
    defined = set(re.findall(r"^(?:static inline |int )[^;{]*?(\w+)\(", header, re.M))
    defined |= set(re.findall(r"^} (\w+);", header, re.M))
    for name in (
        "int_", "int__int", "int__new", "int__new_", "int__parse_", "NULL_", "EOF_", "errno_", "malloc_", "msg_",
        "signed_", "Clash_clear_x", "Clash_clear_x_", "Clash_set_x_", "Clash_has_x_", "Clash_add_list_",
        "Clash_table_size", "Clash_table_size_", "Clash_new", "Clash_new_", "Clash_mutable_sub_",
        "Clash_b", "Clash__b", "Clash____b", "Clash_set_b",
        "delete_new_reply", "delete_register", "delete_register_send",
    ):  # fmt: skip
        assert name in defined, name
    assert "        TRUE_ = 0,\n        stdin_ = 1,\n        INT_MAX_ = 2,\n        SIGINT_ = 3,\n" in header
    # Members: `new` gives way twice, as `new_` is another method's.
    for member in ("(*new__)(", "(*new_)(", "delete_delete_handler delete_;", "(*register_)("):
        assert member in header, member


def test_types_may_be_called_as_what_is_written_calls_its_locals(kit, tmp_path):
    text = """syntax = "proto3";
        message handler {} message call {} message message {} message state {} message implementation {}
        service S { rpc A(stream handler) returns (handler); rpc B(call) returns (stream message);
                    rpc C(stream state) returns (stream implementation); rpc D(message) returns (call); }
        """
    generate(kit, tmp_path, text)
    out = tmp_path / "out"
    compiler = plugin_kit.compilers("c")[0]
    kit.compile([compiler, "-std=gnu11", *plugin_kit.C_WARNINGS], out / "t.quoit.c", tmp_path / "t.o", f"-I{out}")


def test_names_that_clash_with_themselves(generated):
    header = (generated / "scopes.quoit.h").read_text()
    for text in (
        "void Odd_clear_clear_(Odd *msg)", "void Odd_clear__clear(Odd *msg)",
        "Odd_kind_case__ = 2,", "Odd_kind_case_ = 3,", "Odd_kind_NOT_SET_ = 4,", "Odd_kind_oneofcases_ = 5,",
        "int32_t Odd_b_ext(const Odd *msg)", "int32_t Odd_b_(const Odd *msg)",
        "extern const upb_MiniTableExtension *const quoit_Odd__b_ext;", "#define Odd_b__ext quoit_Odd__b_ext",
        "extern const upb_MiniTableExtension *const quoit_top_ext;", "#define top_ext quoit_top_ext",
    ):  # fmt: skip
        assert header.count(text) == 1, text


def test_identifiers_are_defined_once(generated):
    for name in ALL:
        header = (generated / f"{name[:-6]}.quoit.h").read_text()
        functions = re.findall(r"^(?:static inline |int )[^;{]*?(\w+)\(", header, re.M)
        assert len(functions) == len(set(functions)), name


def test_upb_names_stay(kit, generated):
    """Where upb's own generator makes code that compiles, ours has the same names."""
    header = (generated / "google/protobuf/descriptor.quoit.h").read_text()
    upb = (kit.root / "subprojects/upb-35.1/google/protobuf/descriptor.upb.h").read_text()
    ours = set(re.findall(r"^static inline [^;{]*?(\w+)\(", header, re.M))
    theirs = set(re.findall(r"^UPB_INLINE [^;{]*?(\w+)\(", upb, re.M))
    theirs = {n for n in theirs if not n.startswith("_")}  # upb's private ones
    assert len(theirs) > 800
    assert theirs <= ours, sorted(theirs - ours)


def test_descriptor_is_kept_without_comments(generated):
    """It is what protoc itself writes, to the byte, but for source locations."""
    files = descriptor_pb2.FileDescriptorSet.FromString((generated / "set").read_bytes())
    for file in files.file:
        source = (generated / f"{file.name[:-6]}.quoit.c").read_text()
        literal = re.search(r"_bytes\[\] =\n((?:\s+\".*\"\n?)+);", source).group(1)
        text = "".join(re.findall(r'^\s+"(.*)"$', literal, re.M))
        text = text.replace("\\?", "?")  # Python knows no escape for it
        data = text.encode().decode("unicode_escape").encode("latin-1")
        assert descriptor_pb2.FileDescriptorProto.FromString(data) == file, file.name


def test_paths_are_kept(kit, tmp_path):
    (tmp_path / "in" / "a-b" / "c").mkdir(parents=True)
    (tmp_path / "in" / "a-b" / "c" / "d.e.proto").write_text('syntax = "proto3"; message D {}')
    (tmp_path / "in" / "3.proto").write_text(
        'syntax = "proto3"; import "a-b/c/d.e.proto"; message Three { D d = 1; }'
    )
    out = tmp_path / "out"
    kit.protoc(out, ["3.proto", "a-b/c/d.e.proto"], paths=(tmp_path / "in",))
    assert "a_b_c_d_e_proto_quoit_file" in (out / "a-b" / "c" / "d.e.quoit.h").read_text()
    kit.compile(["gcc", "-Wall", "-Werror"], out / "3.quoit.c", tmp_path / "3.o", f"-I{out}")


def test_empty_file(kit, tmp_path):
    header, _ = generate(kit, tmp_path, 'syntax = "proto3";')
    assert "#define t_proto_quoit_file quoit_file_t_1proto\n" in header
    kit.compile(["gcc", *plugin_kit.C_WARNINGS], tmp_path / "out" / "t.quoit.c", tmp_path / "t.o")


def test_ten_thousand_fields(kit, tmp_path):
    fields = "".join(f"  int32 field_{i} = {i};\n" for i in range(1, 10001))
    header, _ = generate(kit, tmp_path, f'syntax = "proto3";\nmessage M {{\n{fields}}}\n')
    assert header.count("static inline void M_set_") == 10000
