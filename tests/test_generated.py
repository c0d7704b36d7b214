# SPDX-License-Identifier: MIT
"""docs/generated.md has every function that is made of its example, as it is."""

import re

import pytest

from plugin_kit import Kit
from test_readme import block

PROTOTYPE = re.compile(r"^(?:static inline )?((?:const )?\w+ (?:const )?\**(?:const \*)?)(\w+)\(([^)]*)\)(?:;|\n\{)", re.M)


def prototypes(text):
    """By name: the type that it returns, and its parameters, without spaces of no meaning."""
    text = re.sub(r"\(\n\s*|,\n\s*", lambda found: "(" if found[0][0] == "(" else ", ", text)
    return {name: (returned.strip(), arguments) for returned, name, arguments in PROTOTYPE.findall(text)}


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs/generated.md").read_text()


@pytest.fixture(scope="module")
def folder(root, build, page, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    (folder / "zoo.proto").write_text(block(page, "proto"))
    Kit(root, build).protoc(folder, ["zoo.proto"], paths=[folder])
    return folder


def told(page):
    return "".join(re.findall(r"^```c\n(.*?)^```$", page, re.M | re.S))


def test_it_has_all_functions_as_they_are(page, folder):
    made = prototypes((folder / "zoo.quoit.h").read_text())
    described = prototypes(told(page))
    assert len(described) == len(told(page).strip().split("\n")) > 70
    kinds = {name: made[name] for name in made if not re.match(r"zoo_(Page|Animal_Tag)_", name)}
    assert described == kinds


def test_names_of_groups_and_tables(root, build, page, tmp_path):
    """All that the page says of its second example."""
    (tmp_path / "farm.proto").write_text(re.findall(r"^```proto\n(.*?)^```$", page, re.M | re.S)[1])
    (tmp_path / "my.proto").write_text('syntax = "proto3"; package my; message _Msg {}')
    kit = Kit(root, build)
    kit.protoc(tmp_path, ["farm.proto", "my.proto"], paths=[tmp_path])
    prose = page.split("## Groups of proto2")[1]
    functions = sorted(set(re.findall(r"`(farm_\w+)\(\)", prose)))
    types = sorted(set(re.findall(r"`(farm_[A-Z]\w+|farm_Cow_Ear__Tag|my_\w+)`", prose)))
    tables = sorted(set(re.findall(r"`(quoit_farm\w+)`", prose)))
    assert (len(functions), len(types), len(tables)) == (6, 3, 1)
    taken = [f"(void *)&{name}" for name in functions + tables]
    (tmp_path / "main.c").write_text(
        '#include "farm.quoit.h"\n#include "my.quoit.h"\n'
        + "".join(f"const {name} *of_{name};\n" for name in types)
        + f"int main(void) {{ void *all[] = {{ {', '.join(taken)} }}; return !all[0]; }}\n"
    )
    kit.program(tmp_path, [tmp_path / "main.c", tmp_path / "farm.quoit.c"], tmp_path / "main", warnings=["-Wall", "-Werror"])


@pytest.mark.parametrize("suffix, flags", ((".c", ["-std=gnu17"]), (".cc", ["-std=c++17"])))
def test_the_compiler_agrees(root, build, page, folder, suffix, flags):
    source = folder / f"main{suffix}"
    pointers = "".join(f"{kind} (*take_{name})({arguments}) = {name};\n" for name, (kind, arguments) in prototypes(told(page)).items())
    other = "const quoit_file_descriptor *file = &zoo_proto_quoit_file;\nconst upb_MiniTable *type = &quoit_zoo__Animal_msg_init;\n"
    constants = "int cases[] = { zoo_Animal_home_cage, zoo_Animal_home_pond, zoo_Animal_home_NOT_SET, zoo_DIET_PLANTS };\n"
    source.write_text(f'#include "zoo.quoit.h"\n{pointers}{other}{constants}')
    Kit(root, build).compile(["gcc" if suffix == ".c" else "g++", "-Wall", "-Wextra", "-Werror", *flags], source, folder / "main.o", f"-I{folder}")
