# SPDX-License-Identifier: MIT
"""What quoit's words become by TAB: in bash, which really reads the script, and by quoit __complete, as zsh and fish call it."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from servers import PATIENCE


@pytest.fixture(scope="module")
def quoit(build):
    return build / "bin/quoit"


@pytest.fixture
def home(tmp_path):
    """An empty folder for what is kept, in the environment."""
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


@pytest.fixture
def candidates(quoit, home):
    """candidates(words of the line): {what the last one may become: what it is}."""

    def ask(*words):
        done = subprocess.run([quoit, "__complete", *words], capture_output=True, text=True, env=home, timeout=60)
        assert done.returncode == 0
        return dict(line.partition("\t")[::2] for line in done.stdout.splitlines())

    return ask


@pytest.fixture
def bash(quoit, home, root):
    """bash(line): what bash's function puts into COMPREPLY, with the cursor at the line's end."""
    script = root / "apps/quoit/complete/quoit.bash"

    def ask(line, current=None):
        # what readline takes for the word: from the last of its word breaks on, or from an open quote
        if current is None:
            current = re.split(r"[ :=]", line)[-1]
        code = (
            f'source "{script}"; COMP_LINE=$1; COMP_POINT=${{#COMP_LINE}}; _quoit "$2" "$3" ""; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", code, "bash", line, str(quoit), current],
            capture_output=True,
            text=True,
            env=home,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [line for line in done.stdout.split("\n") if line]

    return ask


@pytest.fixture
def target(start):
    return start("quoit-api", "--listen", "127.0.0.1:0").target


def test_commands(candidates, quoit):
    listed = subprocess.run([quoit, "help"], capture_output=True, text=True).stdout
    names = set(re.findall(r"^  quoit (\w+) ", listed, re.M))
    found = candidates("")
    assert "doctor" in names and set(found) == names | {"help"}
    assert all(found.values()) and "__complete" not in listed
    assert set(candidates("doc")) == {"doctor"}
    assert set(candidates("help", "c")) == {name for name in names if name.startswith("c")}
    assert candidates("nonsense", "") == candidates("zzz") == candidates() == {}


def test_flags(candidates, quoit):
    found = candidates("call", "--")
    listed = subprocess.run([quoit, "call", "--help"], capture_output=True, text=True).stdout
    told = set(re.findall(r"^  (?:   |-\w,) (--[\w-]+)", listed, re.M))
    assert set(found) == told | {"--help"} and all(found.values())
    assert set(candidates("call", "--plain")) == {"--plaintext"}
    assert set(candidates("call", "--reflect", "v1")) == {"v1", "v1alpha"}
    assert candidates("call", "--cacert", "") == {}  # files: the shell's own


def test_methods_come_from_reflection(candidates, target):
    assert set(candidates("call", target, "")) == {"api.Api/sayHello", "api.Api/getAll", "api.Api/getStream", "api.Api/"}
    assert set(candidates("call", target, "api.Api/g")) == {"api.Api/getAll", "api.Api/getStream"}
    assert candidates("call", target, "api.Api/say") == {"api.Api/sayHello": "api.HelloRequest"}
    assert "grpc.health.v1.Health/" in candidates("call", target, "grpc.")
    # flags before and between
    assert set(candidates("call", "--plaintext", target, "--max-msg-sz", "4MiB", "api.Api/s")) == {"api.Api/sayHello"}
    assert candidates("call", "127.0.0.1:1", "") == {}


def test_services_and_symbols(candidates, target):
    assert set(candidates("list", target, "")) == {"api.Api"}
    found = candidates("describe", target, "api.")
    assert {"api.Api", "api.HelloRequest", "api.Hello"} <= set(found)
    assert set(candidates("describe", target, "api.Api", "api.HelloR")) == {"api.HelloRequest"}
    assert set(candidates("health", target, "grpc.health")) == {"grpc.health.v1.Health"}


def test_fields_come_from_reflection(candidates, target):
    call = ["call", target, "api.Api/sayHello", "-d"]
    assert candidates(*call, "{") == {'{"name":"': "string"}
    assert set(candidates(*call, '{"na')) == {'{"name":"'}
    assert set(candidates(*call, "")) == {"{"}
    assert candidates(*call, '{"x') == candidates(*call, "@fi") == candidates(*call, '{"a":{') == {}
    check = ["call", target, "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "-d"]
    assert '{"fileContainingExtension":{' in candidates(*check, "{")
    assert set(candidates(*check, '{"fileContainingExtension":{"')) == {
        '{"fileContainingExtension":{"containingType":"',
        '{"fileContainingExtension":{"extensionNumber":',
    }


def test_schemas_are_kept(candidates, start, tmp_path):
    server = start("quoit-api", "--listen", "127.0.0.1:0")
    methods = candidates("call", server.target, "")
    server.stop()
    (kept,) = (tmp_path / "cache/quoit").glob("schema-*")
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700
    # nobody is asked; nor is there anybody
    assert candidates("call", server.target, "") == methods
    # an old one is used where the server is away, and one that is too old is removed
    os.utime(kept, (time.time() - 3600,) * 2)
    assert candidates("call", server.target, "") == methods
    os.utime(kept, (time.time() - 100_000,) * 2)
    assert candidates("call", server.target, "") == {}
    assert not kept.exists()
    kept.write_bytes(b"\xff" * 100)
    assert candidates("call", server.target, "") == {}


def test_bash(bash, target):
    host, port = target.split(":")
    assert "call " in bash("quoit ")
    assert bash("quoit doct") == ["doctor "]
    assert bash("quoit call --plain") == ["--plaintext "]
    assert bash(f"quoit call {target} api.Api/say") == ["api.Api/sayHello "]
    assert bash(f"quoit call {target} 'api.Api/say", "api.Api/say") == ["api.Api/sayHello"]
    # the second one keeps bash from closing the quote
    assert bash(f"quoit call {target} api.Api/sayHello -d '{{\"na", '{"na') == ['{"name":"', '{"name":"...']
    assert bash("quoit call --cacert ") == []
    assert bash("quoit") == bash("quoit 'a\" b") == []


def press(terminal, keys, wanted):
    """What comes after the keys, up to the pattern @wanted."""
    os.write(terminal, keys.encode())
    printed, limit = "", time.monotonic() + PATIENCE
    while not re.search(wanted, printed):
        assert time.monotonic() < limit, printed
        if select.select([terminal], [], [], 1)[0]:
            printed += os.read(terminal, 65536).decode(errors="replace")
    return printed


def test_bash_at_a_terminal(quoit, home, root, target):
    """TAB completes a whole line, and a target is known once it was used."""
    path = f"{quoit.parent}:{os.environ['PATH']}"
    env = {**home, "PATH": path, "TERM": "dumb", "PS1": "$ ", "INPUTRC": "/dev/null", "COLUMNS": "200"}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], env)
    try:
        press(terminal, f"source {root}/apps/quoit/complete/quoit.bash; bind 'set bell-style none'; echo re''ady\n", "ready\r\n")
        press(terminal, f"quoit call {target} api.Api/say\t", "sayHello ")
        press(terminal, "-d '{\"na\t", 'name":"')
        press(terminal, "Ann\"}'\n", "Hello Ann!")
        host, port = target.split(":")
        # the part behind the ':' alone is what bash replaces
        press(terminal, f"quoit call {host}:{port[:2]}\t", f"{port[2:]} ")
        press(terminal, "api.Api/sayH\t-d '{}'\n", "Hello")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    kept = pathlib.Path(home["XDG_CACHE_HOME"]) / "quoit/targets"
    assert kept.read_text() == f"{target}\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_scripts(shell, root, quoit, home, target):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is missing")
    folder = root / "apps/quoit/complete"
    path = {**home, "PATH": f"{quoit.parent}:{os.environ['PATH']}"}
    if shell == "fish":
        code = f"source {folder}/quoit.fish; complete -C 'quoit call {target} api.Api/say'"
    else:
        code = f"autoload -U compinit; compinit -u; source {folder}/_quoit; print $_comps[quoit]"
    done = subprocess.run([shell, "-c", code], capture_output=True, text=True, env=path, timeout=60)
    assert done.returncode == 0 and ("sayHello" in done.stdout or done.stdout == "_quoit\n")
