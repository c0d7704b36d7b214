# SPDX-License-Identifier: MIT
"""symbol_prefix: all names in C begin with it."""

import re
import subprocess

import pytest

import plugin_kit
from plugin_kit import GOOGLE, KITCHEN, OTHERS
from plugin_kit import kit  # noqa: F401 (fixture)
from test_well_known import SHIPPED

OWN = [name for name in KITCHEN + OTHERS if name != "kitchen/edition2024.proto"]


@pytest.fixture(scope="module")
def copies(kit, tmp_path_factory):
    """All files without a prefix, and with two of them."""
    folder = tmp_path_factory.mktemp("prefix")
    for prefix in ("", "a_", "Bee"):
        options = [f"--quoit_opt=symbol_prefix={prefix}"] if prefix else []
        kit.protoc(folder / f"copy{prefix}", OWN, *options)
    return folder


def stems(files):
    return [name[: -len(".proto")] for name in files]


@pytest.mark.parametrize("prefix", ("a_", "Bee"))
def test_each_name_gets_it_and_nothing_else_changes(copies, prefix):
    for stem in set(stems(OWN)) - {"names"}:  # has words of C, which are none behind a prefix
        for suffix in (".quoit.h", ".quoit.c"):
            plain = (copies / "copy" / f"{stem}{suffix}").read_text()
            text = (copies / f"copy{prefix}" / f"{stem}{suffix}").read_text()
            text = text.replace(f" --quoit_opt=symbol_prefix={prefix}", "")
            assert text != plain and re.sub(rf"\b{prefix}", "", text) == plain


@pytest.mark.parametrize("language", ("c", "c++"))
def test_copies_live_in_one_source(kit, copies, tmp_path, language):
    source = tmp_path / f"t.{language}"
    source.write_text("".join(f'#include "copy{p}/{s}.quoit.h"\n' for s in stems(OTHERS) for p in ("", "a_", "Bee")))
    flags = plugin_kit.C_WARNINGS if language == "c" else [*plugin_kit.WARNINGS, "-std=c++17"]
    for compiler in plugin_kit.compilers(language):
        kit.compile([compiler, *flags], source, tmp_path / "t.o", f"-I{copies}")


@pytest.mark.parametrize("compiler", plugin_kit.compilers("c"))
def test_copies_link_into_one_program(kit, copies, tmp_path, compiler):
    objects = []
    for prefix in ("", "a_"):
        for stem in stems(OWN):
            objects.append(tmp_path / f"{prefix}{stem.replace('/', '-')}.o")
            kit.compile([compiler, *plugin_kit.C_WARNINGS], copies / f"copy{prefix}" / f"{stem}.quoit.c", objects[-1], f"-I{copies / f'copy{prefix}'}")
            seen = subprocess.run(["nm", "-g", "--defined-only", "-j", objects[-1]], check=True, stdout=subprocess.PIPE, text=True).stdout
            assert seen and all(name.startswith(prefix + "quoit_") for name in seen.split())
    (tmp_path / "main.c").write_text("""
#include "copy/kinds.quoit.h"
#include "copya_/kinds.quoit.h"
int main(void)
{
        return kinds_proto_quoit_file.size != a_kinds_proto_quoit_file.size ||
               &kinds_proto_quoit_file == &a_kinds_proto_quoit_file;
}
""")
    kit.program(copies, [tmp_path / "main.c", *objects], tmp_path / "program")
    assert subprocess.run([tmp_path / "program"]).returncode == 0


def test_what_libquoit_has_keeps_its_names(kit, installed, tmp_path):
    """Whether it is made in the same run or not."""
    (tmp_path / "t.proto").write_text('syntax = "proto3"; import "google/protobuf/timestamp.proto"; package t; message M { google.protobuf.Timestamp at = 1; }')
    (tmp_path / "main.c").write_text("""
#include "t.quoit.h"
int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        acme_t_M *m = acme_t_M_new(arena);
        google_protobuf_Timestamp *at = acme_t_M_mutable_at(m, arena);
        google_protobuf_Timestamp_set_seconds(at, 7);
        return google_protobuf_Timestamp_seconds(acme_t_M_at(m)) != 7;
}
""")
    flags = installed.pkg_config("--cflags", "--libs", "quoit-message")
    for own in ([], ["google/protobuf/timestamp.proto"]):
        kit.protoc(tmp_path, ["t.proto", *own], "--quoit_opt=symbol_prefix=acme_,messages_only", paths=[tmp_path, GOOGLE])
        sources = [f"{stem}.quoit.c" for stem in stems(["t.proto", *own])]
        installed.run("cc", "-I.", *plugin_kit.C_WARNINGS, "main.c", *sources, "-o", "program", *flags, cwd=tmp_path)
        installed.run(tmp_path / "program")


def test_the_plugin_knows_what_libquoit_has(root, build, installed):
    code = (root / "codec" / "plugin" / "shipped.c").read_text()
    assert sorted(re.findall('"(.*\\.proto)"', code)) == sorted(SHIPPED)
    folder = installed.prefix / "include" / "quoit"
    headers = [str(path.relative_to(folder)) for path in folder.glob("google/**/*.quoit.h")]
    assert sorted(headers) == sorted(f"{stem}.quoit.h" for stem in stems(SHIPPED))


@pytest.mark.parametrize("prefixes", (("", "a_"), ("a_", ""), ("a_", "b_")), ids=str)
def test_an_import_with_another_prefix_is_told(kit, tmp_path, prefixes):
    (tmp_path / "base.proto").write_text('syntax = "proto3"; message Base {}')
    (tmp_path / "t.proto").write_text('syntax = "proto3"; import "base.proto"; message M { Base b = 1; }')
    for name, prefix in zip(("base.proto", "t.proto"), prefixes):
        kit.protoc(tmp_path, [name], *[f"--quoit_opt=symbol_prefix={prefix}"] * bool(prefix), paths=[tmp_path])
    for compiler in plugin_kit.compilers("c"):
        with pytest.raises(AssertionError, match="base.quoit.h and t.quoit.h were made with different symbol_prefix"):
            kit.compile([compiler], tmp_path / "t.quoit.c", tmp_path / "t.o", f"-I{tmp_path}")


@pytest.mark.parametrize("language", ("c", "c++"))
@pytest.mark.parametrize(
    "options, words",
    [
        ("", ""),
        ("symbol_prefix=a_", " --quoit_opt=symbol_prefix=a_"),
        ("messages_only", " --quoit_opt=messages_only"),
        ("symbol_prefix=a_,messages_only", " --quoit_opt=messages_only,symbol_prefix=a_"),
        ("services=off,stubs=off", " --quoit_opt=messages_only"),
        ("stubs=off", " --quoit_opt=stubs=off"),
        ("elsewhere=a/:b_,symbol_prefix=a_,services=off,elsewhere=c.proto", " --quoit_opt=services=off,symbol_prefix=a_,elsewhere=a/:b_,elsewhere=c.proto"),
    ],
)
def test_a_forgotten_import_is_told_once(kit, tmp_path, options, words, language):
    """And how to make it: with the same options. Nothing else is wrong yet."""
    (tmp_path / "base.proto").write_text('syntax = "proto3"; message Base {}')
    (tmp_path / "t.proto").write_text('syntax = "proto3"; import "base.proto"; message M { Base b = 1; }')
    kit.protoc(tmp_path, ["t.proto"], *[f"--quoit_opt={options}"] * bool(options), paths=[tmp_path])
    source = tmp_path / f"main.{language}"
    source.write_text('#include "t.quoit.h"\n')
    for compiler in plugin_kit.compilers(language):
        with pytest.raises(AssertionError) as told:
            kit.compile([compiler], source, tmp_path / "t.o", f"-I{tmp_path}")
        errors = [line for line in str(told.value).splitlines() if "error: " in line]
        assert len(errors) == 2 and "base.quoit.h" in errors[1] and re.search("no such file|not found", errors[1], re.I)
        assert f"t.quoit.h needs base.quoit.h: make that too, protoc{words} --quoit_out=... base.proto, and" in errors[0]


@pytest.mark.parametrize(
    "options, words",
    [
        ("symbol_prefix", "symbol_prefix='' cannot begin names in C"),
        ("symbol_prefix=", "symbol_prefix='' cannot begin names in C"),
        ("symbol_prefix=1a", "symbol_prefix='1a' cannot begin names in C"),
        ("symbol_prefix=_a", "symbol_prefix='_a' cannot begin names in C"),
        ("symbol_prefix=a-b", "symbol_prefix='a-b' cannot begin names in C"),
        ("symbol_prefix=a=b", "symbol_prefix='a=b' cannot begin names in C"),
        ("symbol_prefix=é", "symbol_prefix='é' cannot begin names in C"),
        ("symbol_prefix=" + 65 * "a", "64 characters at most"),
        ("symbol_prefix=a,symbol_prefix=b", "symbol_prefix is given twice"),
        ("messages_only,symbol_prefix=a,x", "unknown option 'x'"),
        ("symbol_prefixes=a", "unknown option 'symbol_prefixes=a'"),
        ("messages_only=yes", "messages_only takes no value, but there is 'yes'"),
        ("messages_only=", "messages_only takes no value, but there is ''"),
        ("services", "services takes the value off, not ''"),
        ("stubs=on", "stubs takes the value off, not 'on'"),
        ("stubs=offf", "stubs takes the value off, not 'offf'"),
        ("elsewhere", "elsewhere='' names no file"),
        ("elsewhere=:a_", "elsewhere=':a_' names no file"),
        ('elsewhere=a".proto', "names no file"),
        ("elsewhere=a.proto:", "the prefix of elsewhere=, '' cannot begin names in C"),
        ("elsewhere=a.proto:1", "the prefix of elsewhere=, '1' cannot begin names in C"),
    ],
)
def test_bad_options_are_named(kit, tmp_path, options, words):
    (tmp_path / "t.proto").write_text('syntax = "proto3"; message M {}')
    done = kit.protoc(tmp_path, ["t.proto"], f"--quoit_opt={options}", paths=[tmp_path], check=False)
    assert done.returncode != 0 and "protoc-gen-quoit: " in done.stderr and words in done.stderr
    assert not (tmp_path / "t.quoit.h").exists()


def test_the_longest_prefix_is_taken(kit, tmp_path):
    (tmp_path / "t.proto").write_text('syntax = "proto3"; message M {}')
    kit.protoc(tmp_path, ["t.proto"], f"--quoit_opt=symbol_prefix={64 * 'a'}", paths=[tmp_path])
    assert f"{64 * 'a'}M_new(" in (tmp_path / "t.quoit.h").read_text()


def test_a_prefix_may_look_like_ours(kit, tmp_path):
    """upb_Arena, quoit_call and so on are there already."""
    (tmp_path / "t.proto").write_text('syntax = "proto3"; message Arena {} message call {} message Map {}')
    for prefix in ("upb_", "quoit_"):
        kit.protoc(tmp_path, ["t.proto"], f"--quoit_opt=symbol_prefix={prefix}", paths=[tmp_path])
        kit.compile(["gcc", *plugin_kit.C_WARNINGS], tmp_path / "t.quoit.c", tmp_path / "t.o", f"-I{tmp_path}")


# ---- made elsewhere ------------------------------------------------------------------------------


@pytest.fixture
def library(kit, tmp_path):
    """A folder of headers and sources that another library has made: one folder with a prefix of its own, and a file without one."""
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "base.proto").write_text('syntax = "proto3"; package common; message Base { int32 x = 1; } enum Kind { NONE = 0; }')
    (tmp_path / "common" / "bare.proto").write_text('syntax = "proto3"; package common; message Bare { int32 x = 1; }')
    (tmp_path / "t.proto").write_text("""
syntax = "proto3"; package t;
import "common/base.proto"; import "common/bare.proto";
message M { common.Base base = 1; common.Bare bare = 2; common.Kind kind = 3; }
service S { rpc Ask(common.Base) returns (common.Bare); }
""")
    kit.protoc(tmp_path / "library", ["common/base.proto"], "--quoit_opt=symbol_prefix=lib_", paths=[tmp_path])
    kit.protoc(tmp_path / "library", ["common/bare.proto"], paths=[tmp_path])
    return tmp_path


ELSEWHERE = "--quoit_opt=symbol_prefix=own_,elsewhere=common/:lib_,elsewhere=common/bare.proto"


@pytest.mark.parametrize("language", ("c", "c++"))
def test_an_import_that_is_made_elsewhere(kit, library, language):
    kit.protoc(library, ["t.proto"], ELSEWHERE, paths=[library])
    text = """#include "t.quoit.h"
int use(upb_Arena *arena, own_t_M *m);
int use(upb_Arena *arena, own_t_M *m)
{
        lib_common_Base_set_x(own_t_M_mutable_base(m, arena), 1);
        common_Bare_set_x(own_t_M_mutable_bare(m, arena), lib_common_NONE);
        return lib_common_Base_x(own_t_M_base(m));
}
"""
    unit = library / f"unit.{language}"
    unit.write_text(text)
    for compiler in plugin_kit.compilers(language):
        flags = plugin_kit.C_WARNINGS if language == "c" else [*plugin_kit.WARNINGS, "-std=c++17"]
        kit.compile([compiler, *flags], unit, library / "t.o", f"-I{library}", f"-I{library / 'library'}")
        if language == "c":
            kit.compile([compiler, *flags], library / "t.quoit.c", library / "t.o", f"-I{library}", f"-I{library / 'library'}")


def test_an_import_of_elsewhere_that_is_missing_is_told_once(kit, library):
    kit.protoc(library, ["t.proto"], ELSEWHERE, paths=[library])
    for compiler in plugin_kit.compilers("c"):
        with pytest.raises(AssertionError) as told:
            kit.compile([compiler], library / "t.quoit.c", library / "t.o", f"-I{library}")
        errors = [line for line in str(told.value).splitlines() if "error: " in line]
        assert len(errors) == 2
        assert "t.quoit.h needs common/base.quoit.h, which is made elsewhere (elsewhere=common/): give the compiler its folder" in errors[0]


def test_an_import_of_elsewhere_with_another_prefix_is_told(kit, library):
    kit.protoc(library, ["t.proto"], "--quoit_opt=elsewhere=common/", paths=[library])
    for compiler in plugin_kit.compilers("c"):
        with pytest.raises(AssertionError, match="common/base.quoit.h and t.quoit.h were made with different symbol_prefix"):
            kit.compile([compiler], library / "t.quoit.c", library / "t.o", f"-I{library}", f"-I{library / 'library'}")


def test_what_libquoit_has_may_be_made_elsewhere(kit, tmp_path):
    (tmp_path / "t.proto").write_text('syntax = "proto3"; import "google/protobuf/timestamp.proto"; message M { google.protobuf.Timestamp at = 1; }')
    kit.protoc(tmp_path, ["t.proto"], "--quoit_opt=elsewhere=google/protobuf/:my_", paths=[tmp_path, GOOGLE])
    kit.protoc(tmp_path / "other", ["google/protobuf/timestamp.proto"], "--quoit_opt=elsewhere=google/protobuf/:my_", paths=[tmp_path, GOOGLE])
    kit.compile(["gcc", *plugin_kit.C_WARNINGS], tmp_path / "t.quoit.c", tmp_path / "t.o", f"-I{tmp_path}", f"-I{tmp_path / 'other'}")
    assert "my_google_protobuf_Timestamp *" in (tmp_path / "t.quoit.h").read_text()
