# SPDX-License-Identifier: MIT
"""What libquoit and libquoit-message have made already: files that everybody imports."""

import functools

import pytest

from plugin_kit import C_WARNINGS, GOOGLE, WELL_KNOWN

SHIPPED = [
    *WELL_KNOWN,
    *(f"google/protobuf/{name}.proto" for name in ("api", "descriptor", "source_context", "type")),
    *(f"google/api/{name}.proto" for name in ("annotations", "http")),
    *(f"google/rpc/{name}.proto" for name in ("code", "error_details", "status")),
]

MINE = f"""syntax = "proto3"; package mine;
{"".join(f'import "{name}";' for name in SHIPPED)}
message Mine {{
  google.protobuf.Timestamp at = 1;
  google.rpc.Status status = 2;
  google.protobuf.Struct struct = 3;
}}"""

MAIN = f"""
#include "mine.quoit.h"
int main(void)
{{
        upb_Arena *arena = upb_Arena_New();
        mine_Mine *mine = mine_Mine_new(arena);
        google_rpc_BadRequest *bad = google_rpc_BadRequest_new(arena);
        google_rpc_BadRequest_FieldViolation *violation = google_rpc_BadRequest_add_field_violations(bad, arena);
        size_t size;
        char *bytes;

        google_protobuf_Timestamp_set_seconds(mine_Mine_mutable_at(mine, arena), 7);
        google_rpc_Status_set_code(mine_Mine_mutable_status(mine, arena), google_rpc_NOT_FOUND);
        google_rpc_BadRequest_FieldViolation_set_field(violation, upb_StringView_FromString("colour"));
        bytes = mine_Mine_serialize(mine, arena, &size);
        mine = mine_Mine_parse(bytes, size, arena);
        if (!mine || google_protobuf_Timestamp_seconds(mine_Mine_at(mine)) != 7)
                return 1;
        if (google_rpc_Status_code(mine_Mine_status(mine)) != 5)
                return 2;
        if (!google_rpc_BadRequest_serialize(bad, arena, &size) || size != 10)
                return 3;
        upb_Arena_Free(arena);
        return mine_proto_quoit_file.dependency_count == {len(SHIPPED)} ? 0 : 4;
}}
"""

LINKS = [
    ["quoit"],
    ["quoit-shared"],
    ["quoit-message"],
    ["quoit-message-shared"],
    ["quoit-message", "quoit"],
]


@pytest.fixture(scope="module")
def program(installed, root, tmp_path_factory):
    """Makes and runs a program of MINE, with its own code for the files @own."""

    @functools.lru_cache
    def made(own):
        """A folder with that code, and objects of what is not MINE."""
        folder = tmp_path_factory.mktemp("well-known")
        (folder / "mine.proto").write_text(MINE)
        (folder / "main.c").write_text(MAIN)
        paths = [f"-I{path}" for path in (folder, root / "proto", root / "proto" / "well-known", GOOGLE)]
        installed.run("protoc", *paths, "--quoit_out=.", "mine.proto", *own, cwd=folder)
        sources = [f"{name[:-6]}.quoit.c" for name in own]
        if own:
            flags = installed.pkg_config("--cflags", "quoit-message")
            installed.run("cc", "-I.", *C_WARNINGS, "-c", *sources, *flags, cwd=folder)
        return folder, sorted(path.name for path in folder.glob("*.o"))

    def make(packages, own=()):
        folder, objects = made(tuple(own))
        assert len(objects) == len(own)
        flags = installed.pkg_config("--cflags", "--libs", *packages)
        installed.run("cc", "-I.", *C_WARNINGS, "main.c", "mine.quoit.c", *objects, "-o", "program", *flags, cwd=folder)
        installed.run(folder / "program")

    return make


@pytest.mark.parametrize("packages", LINKS, ids="+".join)
def test_imports_of_well_known_files_need_no_run(program, packages):
    program(packages)


@pytest.mark.parametrize("packages", LINKS, ids="+".join)
def test_a_program_may_have_its_own(program, packages):
    program(packages, own=SHIPPED)


@pytest.mark.parametrize("packages", LINKS, ids="+".join)
def test_a_program_may_have_some_of_its_own(program, packages):
    program(packages, own=["google/protobuf/any.proto", "google/rpc/code.proto"])
