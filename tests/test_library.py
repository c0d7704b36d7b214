# SPDX-License-Identifier: MIT
"""The libraries as `meson install` leaves them: their names, headers, pkg-config files and licences."""

import re
import shutil
import subprocess

import pytest

from installed import needed

# What a stock Debian has; "linux-vdso" and the loader are the kernel's and libc's.
RUNTIME = {
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libcares.so.2",
    "libssl.so.3",
    "libcrypto.so.3",
    "libz.so.1",
    "libzstd.so.1",
}

VERSION = """
#include <quoit/quoit.h>
#include <stdio.h>

int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        int arena_works = upb_Arena_Malloc(arena, 100) != NULL;

        upb_Arena_Free(arena);
        puts(quoit_version());
        return !arena_works;
}
"""

# Messages both ways, with what takes most of upb: maps, unknown fields, UTF-8.
NOTE_PROTO = """
syntax = "proto3";
package note;
message Note { string text = 1; map<string, Note> parts = 2; repeated int64 at = 3; }
"""
NOTE = """
#include <stdio.h>
#include "note.quoit.h"

int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        note_Note *note = note_Note_new(arena), *part = note_Note_new(arena);
        size_t size;

        note_Note_set_text(part, upb_StringView_FromString("part"));
        note_Note_parts_set(note, upb_StringView_FromString("one"), part, arena);
        note_Note_add_at(note, 77, arena);
        const char *bytes = note_Note_serialize(note, arena, &size);
        note = note_Note_parse(bytes, size, arena);
        if (!note || !note_Note_parts_get(note, upb_StringView_FromString("one"), &part))
                return 1;
        printf("%.*s %lld\\n", (int)note_Note_text(part).size, note_Note_text(part).data,
                (long long)note_Note_at(note, &size)[0]);
        upb_Arena_Free(arena);
        return 0;
}
"""
# The same, and JSON of it, and text of that.
NOTE_AS_TEXT = """
#include <quoit/json.h>
#include <quoit/text.h>
""" + NOTE.replace("        upb_Arena_Free(arena);", """
        static const quoit_file_descriptor *const files[] = { &note_proto_quoit_file };
        const upb_MiniTable *type = &quoit_note__Note_msg_init;
        quoit_schema *schema;
        quoit_problem problem;
        upb_StringView text;
        upb_Message *again;

        if (quoit_schema_new(files, 1, &schema, &problem) < 0 ||
                quoit_json_print(schema, UPB_UPCAST(note), type, 0, arena, &text, &problem) < 0 ||
                strcmp(text.data, "{\\"parts\\":{\\"one\\":{\\"text\\":\\"part\\"}},\\"at\\":[\\"77\\"]}") ||
                quoit_json_parse(schema, text, type, 0, arena, &again, &problem) < 0 ||
                quoit_text_print(schema, again, type, QUOIT_TEXT_ONE_LINE, arena, &text, &problem) < 0 ||
                strcmp(text.data, "parts { key: \\"one\\" value { text: \\"part\\" } } at: 77 "))
                return 3;
        quoit_schema_free(schema);
        upb_Arena_Free(arena);""")
# With a server in it.
NOTE_AND_SERVER, NOTE_AND_SERVER_AS_TEXT = (text.replace(
    "int main(void)\n{", "#include <quoit/quoit.h>\nint main(void)\n{\n        quoit_server *server;\n"
    "        if (quoit_server_new(NULL, &server) < 0)\n                return 2;\n"
    "        quoit_server_free(server);\n",
) for text in (NOTE, NOTE_AS_TEXT))


# Each with a function that it has.
LIBRARIES = {"libquoit": "quoit_version", "libquoit-message": "quoit_version", "libquoit-json": "quoit_json_parse"}


def defined_symbols(*nm_options):
    output = subprocess.run(
        ["nm", "--defined-only", "--format=posix", *nm_options],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    # "name type value size"; an archive's member titles have one word, version nodes type A
    rows = [line.split() for line in output.splitlines()]
    return [row[0] for row in rows if len(row) > 1 and row[1] != "A"]


@pytest.mark.parametrize("name", LIBRARIES)
def test_shared_library_shows_only_its_own_names(installed, name):
    names = defined_symbols("-D", installed.library(f"{name}.so"))
    assert len(names) > 100
    assert [name for name in names if not name.startswith("quoit_")] == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_shared_library_keeps_upb_in_a_node_of_its_version(installed, name):
    names = defined_symbols("-D", installed.library(f"{name}.so"))
    ours = [name for name in names if name.endswith("@QUOIT_0")]
    assert f"{LIBRARIES[name]}@@QUOIT_0" in ours
    assert [name for name in ours if re.match("quoit_+(k?[Uu]pb|utf8)", name)] == []


def test_what_is_built_has_probes(build):
    """In the library and in the programs: ./dev build brings <sys/sdt.h>."""
    for file in (build / "libquoit" / "libquoit.so", build / "bin" / "quoit-api"):
        notes = subprocess.run(["readelf", "-n", file], check=True, stdout=subprocess.PIPE, text=True).stdout
        for name in ("call_start", "call_end", "connection_open", "receive"):
            assert re.search(rf"Provider: quoit\n\s+Name: {name}\n", notes), f"{name} in {file.name}"


@pytest.mark.parametrize("name", LIBRARIES)
def test_shared_library_has_one_soname(installed, name):
    dynamic = installed.run("readelf", "-d", installed.library(f"{name}.so"))
    assert f"[{name}.so.0]" in dynamic


@pytest.mark.parametrize("name", LIBRARIES)
def test_static_library_shows_our_names_only(installed, name):
    names = defined_symbols("-g", installed.library(f"{name}.a"))
    assert LIBRARIES[name] in names
    assert len([name for name in names if "upb_" in name.lower()]) > 100
    assert [name for name in names if not name.startswith("quoit_")] == []


def test_all_of_libquoit_message_is_in_libquoit(installed):
    """So nobody has to link both."""
    for options, suffix in (["-g"], "a"), (["-D"], "so"):
        small, large = (
            set(defined_symbols(*options, installed.library(f"{name}.{suffix}")))
            for name in ("libquoit-message", "libquoit")
        )
        assert small < large


def test_what_is_installed_starts_on_a_stock_debian(installed):
    """So liburing, which there is too old, and llhttp, which it has not, are in it."""
    assert needed(installed.library("libquoit.so")) <= RUNTIME
    assert needed(installed.prefix / "bin/quoit-api") <= RUNTIME
    for file in installed.library("libquoit-message.so"), installed.prefix / "bin/protoc-gen-quoit":
        assert needed(file) == {"libc.so.6"}


def test_who_has_messages_alone_does_not_carry_json(installed):
    """Neither that, nor upb's reflection: it is in a library of its own, and in a server's, which is called by JSON."""
    for options, suffix in (["-g"], "a"), (["-D"], "so"):
        names = [set(defined_symbols(*options, installed.library(f"{name}.{suffix}"))) for name in LIBRARIES]
        server, message, json = ({name.partition("@")[0] for name in symbols} for symbols in names)
        assert {"quoit_upb_DefPool_New", "quoit_upb_JsonEncode", "quoit_upb_TextEncode"} < json
        assert json.isdisjoint(message) and json < server


# pkg-config's words, and whether the program then needs libquoit.so
LINKS = {
    "plain": (["quoit"], False),
    "static": (["--static", "quoit"], False),
    "shared": (["quoit-shared"], True),
}


@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang-19", "clang++-19"])
@pytest.mark.parametrize("link", LINKS)
def test_installed_library_serves_a_program(installed, tmp_path, compiler, link):
    plus = "++" in compiler
    words, shared = LINKS[link]
    source, program = tmp_path / ("program.cc" if plus else "program.c"), tmp_path / "program"
    source.write_text(VERSION)
    language = ["-std=c++17"] if plus else ["-std=gnu11"]
    flags = installed.pkg_config("--cflags", "--libs", *words)
    installed.run(compiler, *language, "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags)
    assert needed(program) - RUNTIME - {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1"} == (
        {"libquoit.so.0"} if shared else set()
    )
    assert installed.run(program).split() == installed.pkg_config("--modversion", "quoit")


def test_a_program_may_have_no_shared_library_at_all(installed, tmp_path):
    (tmp_path / "program.c").write_text(VERSION)
    flags = installed.pkg_config("--static", "--cflags", "--libs", "quoit")
    installed.run("cc", "-static", tmp_path / "program.c", "-o", tmp_path / "program", *flags)
    assert needed(tmp_path / "program") == set()
    assert installed.run(tmp_path / "program").split() == installed.pkg_config("--modversion", "quoit")


@pytest.fixture(scope="module")
def note(installed, tmp_path_factory):
    """link(text, package...): a program of messages, linked with these of pkg-config's packages."""
    folder = tmp_path_factory.mktemp("note")
    (folder / "note.proto").write_text(NOTE_PROTO)
    installed.run("protoc", "--quoit_out=.", "note.proto", cwd=folder)

    def link(text, *packages):
        (folder / "main.c").write_text(text)
        flags = installed.pkg_config("--cflags", "--libs", *packages)
        warnings = ["-Wall", "-Wextra", "-Werror"]
        installed.run("cc", *warnings, "main.c", "note.quoit.c", "-o", "note", *flags, cwd=folder)
        assert installed.run(folder / "note") == "part 77\n"
        return needed(folder / "note")

    return link


def test_messages_alone_need_nothing_but_libc(note):
    assert note(NOTE, "quoit-message") == {"libc.so.6"}
    assert note(NOTE, "--static", "quoit-message") == {"libc.so.6"}
    assert note(NOTE, "quoit-message-shared") == {"libc.so.6", "libquoit-message.so.0"}


@pytest.mark.parametrize(
    "packages",
    [
        ["quoit"],
        ["quoit", "quoit-message"],
        ["quoit-message", "quoit"],
        ["quoit-message-shared", "quoit-shared"],
        ["quoit-message-shared", "quoit"],
        ["quoit-message", "quoit-shared"],
    ],
)
def test_both_libraries_may_be_in_one_program(note, packages):
    note(NOTE_AND_SERVER, *packages)


@pytest.mark.parametrize(
    "packages, libraries",
    [
        (["quoit-json"], set()),
        (["--static", "quoit-json"], set()),
        (["quoit-json-shared"], {"libquoit-json.so.0", "libquoit-message.so.0"}),
        (["quoit", "quoit-json"], RUNTIME),
        (["quoit-json", "quoit"], RUNTIME),
        (["quoit-shared", "quoit-json-shared"], {"libquoit.so.0", "libquoit-json.so.0", "libquoit-message.so.0"}),
    ],
)
def test_json_comes_to_messages_or_to_a_server(note, packages, libraries):
    server = "quoit" in packages or "quoit-shared" in packages
    text = NOTE_AND_SERVER_AS_TEXT if server else NOTE_AS_TEXT
    assert note(text, *packages) - {"libm.so.6"} <= libraries | {"libc.so.6"}


def test_programs_are_installed_and_say_the_same_version(installed):
    (version,) = installed.pkg_config("--modversion", "quoit")
    for name in ("protoc-gen-quoit", "quoit-api"):
        program = shutil.which(name, path=installed.prefix / "bin")
        assert program, f"{name} is not installed"
        assert version in installed.run(program, "--version")


def test_the_licences_of_all_that_is_in_it_are_installed(installed, root):
    folder = installed.prefix / "share/doc/quoit/licenses"
    readme = (root / "README.md").read_text()
    for name, words in {
        "quoit": "The Quoit authors",
        "liburing": "Jens Axboe",
        "llhttp": "Fedor Indutny",
        "nghttp2": "Tatsuhiro Tsujikawa",
        "sfparse": "sfparse contributors",
        "upb": "Google Inc",
        "utf8_range": "Yibo Cai",
    }.items():
        assert words in (folder / f"{name}.txt").read_text()
        assert name in readme or name == "quoit"
