# SPDX-License-Identifier: MIT
"""What a message has beside its accessors: a parser that says why, a copy, and names of enums' values."""

import subprocess

import grpc
import pytest

from plugin_kit import C_WARNINGS, SERVE, serving
from plugin_kit import kit  # noqa: F401 (fixture)

PROTO = """
syntax = "proto2";
package m;
message Needs { required int32 a = 1; optional Needs sub = 2; repeated Needs subs = 3; }
message M {
  optional string bytes_like = 1; optional bytes raw = 2; repeated string texts = 3; map<string, M> map = 4; optional M sub = 5;
  optional E e = 6; repeated Needs needs = 7;
  extensions 100 to 200;
}
extend M { optional string note = 100; repeated int32 numbers = 101; }
enum E { option allow_alias = true; NONE = 0; ONE = 1; ALSO_ONE = 1; LEAST = -2147483648; MINUS = -1; MOST = 2147483647; FAR = 1000000; }
message Open { enum Kind { A = 0; } }
service S { rpc Notes(M) returns (M); }
"""

MAIN = r"""
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "m.quoit.h"
#define CHECK(x) if (!(x)) return __LINE__

static int checked(const char *bytes, size_t size, m_Needs **ret)
{
        static upb_Arena *arena;

        arena = arena ? arena : upb_Arena_New();
        return m_Needs_parse_checked(bytes, size, NULL, arena, ret);
}

static void *no_memory(upb_alloc *alloc, void *old, size_t old_size, size_t size, size_t *ret_size)
{
        (void)alloc, (void)old, (void)old_size, (void)size, (void)ret_size;
        return NULL;
}

static size_t nest(char *out, int depth)
{
        size_t size = 2;

        memcpy(out, "\x08\x01", 2);
        for (int i = 0; i < depth; i++) {
                char head[12] = "\x08\x01\x12";
                size_t n = 3;

                for (size_t left = size; ; left >>= 7) {
                        head[n++] = (char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
                        if (left <= 0x7f)
                                break;
                }
                memmove(out + n, out, size);
                memcpy(out, head, n);
                size += n;
        }
        return size;
}

static int check_parser(void)
{
        m_Needs *untouched = (m_Needs *)&untouched, *msg = untouched;
        char deep[1024];
        static _Alignas(16) char block[256];
        upb_alloc nothing = { no_memory };
        upb_Arena *full = upb_Arena_Init(block, sizeof(block), &nothing);

        CHECK(checked("\x08\x05", 2, &msg) == 0 && m_Needs_a(msg) == 5);
        msg = untouched;
        CHECK(checked("", 0, &msg) == -ENODATA);
        CHECK(checked("\x08\x01\x12\x00", 4, &msg) == -ENODATA);
        CHECK(checked("\x08\x01\x1a\x00", 4, &msg) == -ENODATA);
        CHECK(checked("\x08\x01\x12", 3, &msg) == -EBADMSG);
        CHECK(checked("\x08", 1, &msg) == -EBADMSG);
        CHECK(checked("\x0f\x01", 2, &msg) == -EBADMSG);
        CHECK(msg == untouched);
        /* In two parts: neither is whole. */
        CHECK(checked("\x08\x01\x12\x00\x12\x02\x08\x07", 8, &msg) == 0 && m_Needs_a(m_Needs_sub(msg)) == 7);
        CHECK(checked(deep, nest(deep, 100), &msg) == 0);
        CHECK(checked(deep, nest(deep, 101), &msg) == -E2BIG);
        CHECK(full && m_Needs_parse_checked(deep, nest(deep, 60), NULL, full, &msg) == -ENOMEM);
        CHECK(m_Needs_parse_checked(deep, 2, NULL, NULL, &msg) == -ENOMEM);
        return 0;
}

/* 20 kB of messages without anything in them become more. */
static int check_budget(void)
{
        static char many[20002];
        upb_Arena *arena = upb_Arena_New();
        quoit_budget budget;
        m_M *msg;

        for (int i = 0; i < 20000; i += 4)
                memcpy(many + i, "\x3a\x02\x08\x01", 4);
        CHECK(m_M_parse_checked(many, 20000, NULL, arena, &msg) == 0 && !upb_Arena_GetBudget(arena));
        quoit_budget_init(&budget, 100000);
        upb_Arena_SetBudget(arena, &budget.upb);
        CHECK(m_M_parse_checked(many, 20000, NULL, arena, &msg) == -ENOMEM && budget.exceeded);
        CHECK(upb_Arena_GetBudget(arena) == &budget.upb);
        upb_Arena_Free(arena);
        return 0;
}

static int check_extensions(void)
{
        static const char bytes[] = "\xa2\x06\x03key\xa8\x06\x07";
        upb_Arena *arena = upb_Arena_New();
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
        m_M *msg;

        CHECK(quoit_file_add_extensions(&m_proto_quoit_file, registry));
        CHECK(m_M_parse_checked(bytes, sizeof(bytes) - 1, NULL, arena, &msg) == 0 && !m_has_note(msg));
        CHECK(m_M_parse_checked(bytes, sizeof(bytes) - 1, registry, arena, &msg) == 0 && m_has_note(msg));
        upb_Arena_Free(arena);
        return 0;
}

/* All is in the copy's own arena, which ASan sees. */
static int check_copy(void)
{
        upb_Arena *arena = upb_Arena_New(), *other = upb_Arena_New();
        char *text = malloc(5);
        m_M *msg, *copy;
        char *before, *after;
        size_t before_size, after_size;

        memcpy(text, "stays", 5);
        /* Field 15 is unknown. */
        msg = m_M_parse("\x7a\x03new", 5, arena);
        m_M_set_raw(msg, upb_StringView_FromDataAndSize(text, 5));
        CHECK(m_M_add_texts(msg, upb_StringView_FromDataAndSize(text, 5), arena));
        CHECK(m_M_map_set(msg, upb_StringView_FromDataAndSize(text, 5), m_M_new(arena), arena));
        m_M_set_raw(m_M_mutable_sub(msg, arena), upb_StringView_FromDataAndSize(text, 5));
        CHECK(m_set_note(msg, upb_StringView_FromDataAndSize(text, 5), arena));
        before = m_M_serialize(msg, other, &before_size);
        copy = m_M_deep_copy(msg, other);
        memset(text, 'x', 5);
        free(text);
        upb_Arena_Free(arena);
        after = m_M_serialize(copy, other, &after_size);
        CHECK(before && after && before_size == after_size && before_size > 40);
        CHECK(!memcmp(before, after, after_size));
        upb_Arena_Free(other);
        return 0;
}

static int check_names(void)
{
        CHECK(!strcmp(m_E_value_name(m_NONE), "NONE") && !strcmp(m_E_value_name(1), "ONE"));
        CHECK(!strcmp(m_E_value_name(m_LEAST), "LEAST") && !strcmp(m_E_value_name(m_MOST), "MOST"));
        CHECK(!strcmp(m_E_value_name(-1), "MINUS") && !strcmp(m_E_value_name(1000000), "FAR"));
        CHECK(!m_E_value_name(2) && !m_E_value_name(-2) && !m_E_value_name(999999));
        CHECK(!strcmp(m_Open_Kind_value_name(0), "A") && !m_Open_Kind_value_name(1));
        return 0;
}

int main(void)
{
        int (*const checks[])(void) = { check_parser, check_budget, check_extensions, check_copy, check_names };

        for (int i = 0; i < 5; i++) {
                int line = checks[i]();

                if (line)
                        return fprintf(stderr, "line %d\n", line), 1;
        }
        return 0;
}
"""

SERVER = """
#include "m.quoit.h"
""" + SERVE + r"""
/* Answers how many numbers and whether a note came, as text. */
static void notes(quoit_call *call, const m_M *req, void *user)
{
        m_M *reply = m_M_new(quoit_call_arena(call));
        size_t size;

        (void)user;
        m_numbers(req, &size);
        m_M_set_bytes_like(reply, upb_StringView_FromString(!m_has_note(req) ? "none" : size == 2 ? "two" : "other"));
        m_S_Notes_reply(call, reply);
}

int main(int argc, char **argv)
{
        upb_Arena *arena = upb_Arena_New();
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
        quoit_server_options options = { .extensions = argc > 1 ? registry : NULL };
        m_S_service service = { .Notes = notes };
        int r;

        (void)argv;
        if (!quoit_file_add_extensions(&m_proto_quoit_file, registry) || quoit_server_new(&options, &server) ||
                m_S_register(server, &service, NULL))
                return 1;
        r = serve();
        upb_Arena_Free(arena);
        return r;
}
"""


@pytest.fixture(scope="module")
def folder(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("messages")
    (folder / "m.proto").write_text(PROTO)
    kit.protoc(folder, ["m.proto"], paths=[folder])
    return folder


def test_parser_copy_and_names(kit, folder):
    (folder / "main.c").write_text(MAIN)
    kit.program(folder, [folder / "main.c", folder / "m.quoit.c"], folder / "main")
    done = subprocess.run([folder / "main"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_libquoit_message_has_all_of_it(kit, installed, tmp_path):
    (tmp_path / "m.proto").write_text(PROTO)
    (tmp_path / "main.c").write_text(MAIN)
    kit.protoc(tmp_path, ["m.proto"], "--quoit_opt=messages_only", paths=[tmp_path])
    flags = installed.pkg_config("--cflags", "--libs", "quoit-message")
    installed.run("cc", *C_WARNINGS, "main.c", "m.quoit.c", "-o", "main", *flags, cwd=tmp_path)
    installed.run(tmp_path / "main")


@pytest.mark.parametrize("known", (False, True), ids=("unknown", "known"))
def test_a_server_with_a_registry_knows_extensions(kit, folder, known):
    (folder / "server.c").write_text(SERVER)
    program = folder / "server"
    if not program.exists():
        kit.program(folder, [folder / "server.c", folder / "m.quoit.c"], program)
    with serving(program, *["known"] * known) as channel:
        call = channel.unary_unary("/m.S/Notes")  # bytes in, bytes out
        assert call(b"\xa2\x06\x03key\xa8\x06\x07\xa8\x06\x08", timeout=20)[2:] == (b"two" if known else b"none")
        assert call(b"", timeout=20)[2:] == b"none"
        with pytest.raises(grpc.RpcError) as error:
            call(b"\x3a\x00", timeout=20)
        assert error.value.code() == grpc.StatusCode.INTERNAL
        assert error.value.details() == "the request message lacks a required field: m.Needs.a"
