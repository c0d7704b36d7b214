# SPDX-License-Identifier: MIT
"""How quoit looks: on terminals of 80 and 200 columns, which tmux makes, without colours under NO_COLOR, and piped."""

import collections
import contextlib
import os
import re
import shlex
import shutil
import subprocess

import pytest

from servers import PATIENCE, Server, eventually

NAMES = ["call", "list", "describe", "export", "health", "top", "bench", "record", "replay", "doctor"]
WIDE, NARROW = 200, 80
END = "=== end"
PAINT = r"\x1b\[[\d;]*m"
TERM = {"LC_ALL": "C.UTF-8", "TERM": "screen-256color"}

pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is missing")

Look = collections.namedtuple("Look", "text painted")


def commands(target):
    """{a name: (the words, whether it says the same each time)}."""
    hello = ["api.Api/sayHello", "-d", '{"name": "World"}']
    return {
        "help": (["help"], True),
        **{f"help {name}": (["help", name], True) for name in NAMES},
        "call": (["call", target, *hello], True),
        "no such method": (["call", target, "api.Api/sayHelo"], True),
        "list": (["list", target], True),
        "list of one": (["list", target, "api.Api"], True),
        "describe": (["describe", target, "api.Api"], True),
        "health": (["health", target], True),
        "top": (["top", target, "--once", "--interval", "300ms"], False),
        "bench": (["bench", target, *hello, "--duration", "1500ms", "-c", "2"], False),
        "doctor": (["doctor", target], False),
    }


@contextlib.contextmanager
def terminal(folder, columns, script, **environment):
    """Runs a script in a terminal of so many columns; capture(*options) -> its text, as far as it has come."""
    tmux = ["tmux", "-u", "-f", "/dev/null", "-S", folder / f"tmux-{columns}"]
    clean = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
    start = ["set", "-g", "history-limit", "5000", ";", "new-session", "-d"]
    start += ["-x", str(columns), "-y", "50", f"sh {script}; exec sleep 1000"]
    subprocess.run([*tmux, *start], check=True, env=clean | TERM | environment, timeout=PATIENCE)

    def capture(*options):
        words = [*tmux, "capture-pane", "-p", "-S", "-", *options]
        return subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE).stdout.decode()

    try:
        yield capture
    finally:
        subprocess.run([*tmux, "kill-server"], timeout=PATIENCE)


def by_command(text):
    """What each has shown; lines that the terminal has broken are whole."""
    parts = re.split(rf"^(?:{PAINT})*=== (.*)$", text, flags=re.M)
    return {name.strip(): "\n".join(map(str.rstrip, part.splitlines())).strip("\n") for name, part in zip(parts[1::2], parts[2::2])}


def seen(capture):
    return {name: Look(re.sub(PAINT, "", painted), painted) for name, painted in by_command(capture("-J", "-e")).items()}


@pytest.fixture(scope="module")
def api(build):
    server = Server(build / "bin" / "quoit-api", "--port", 0)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def looks(build, api, tmp_path_factory):
    """(narrow, wide without colours, piped): what each command shows; and the narrow progress of bench."""
    folder = tmp_path_factory.mktemp("terminal")
    script = folder / "script"
    asked = commands(api.target)
    lines = [f"echo '=== {name}'; {shlex.join([str(build / 'bin' / 'quoit'), *words])}" for name, (words, _) in asked.items()]
    script.write_text("\n".join([*lines, f"echo '{END}'"]))
    progress = []

    def has_progress(capture):
        progress[:] = [line for line in capture("-J").splitlines() if "calls/s   p50" in line]
        return progress

    with terminal(folder, NARROW, script) as narrow, terminal(folder, WIDE, script, NO_COLOR="1") as wide:
        eventually(lambda: has_progress(narrow), "bench says how it goes")
        for capture in (narrow, wide):
            eventually(lambda capture=capture: END in capture(), "all have run")
        piped = subprocess.run(["sh", script], capture_output=True, text=True, timeout=PATIENCE, env=os.environ | TERM)
        return seen(narrow), seen(wide), by_command(piped.stdout), piped.stderr, list(progress)


def words_of(text):
    """Without what differs from run to run, and from width to width."""
    return re.sub(r"[\d.,:]+(?: [µm]?s\b)?", "#", text).split()


def test_nothing_breaks_at_80_columns(looks):
    for name, look in looks[0].items():
        if name not in ("call", "describe"):  # JSON and .proto text: to be copied
            assert [line for line in look.text.splitlines() if len(line) > NARROW] == [], name


def test_nothing_is_cut(looks, api):
    """Where there is less room lines break between words, and no word is lost."""
    narrow, wide, piped, errors, _ = looks
    assert wide.keys() == narrow.keys() == piped.keys() == commands(api.target).keys() | {"end"}
    for name, (_, is_same) in commands(api.target).items():
        assert narrow[name].text, name
        if is_same or name == "doctor":
            assert words_of(narrow[name].text) == words_of(wide[name].text), name
        if is_same and name not in ("call", "no such method"):
            assert wide[name].text == piped[name], name
    assert piped["call"] == '{"message":"Hello World!"}'
    assert errors.strip() == narrow["no such method"].text.replace("\n", "")


def test_tables_are_aligned(looks):
    for look in (looks[0], looks[1]):
        header, server = look["top"].text.splitlines()[:2]
        assert header.startswith("SERVER ") and len(header) == len(server)
        latency = look["bench"].text.partition("latency\n")[2].splitlines()
        assert [line.split()[0] for line in latency] == ["mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
        assert len({line.index(line.split()[1]) for line in latency}) == 1


def test_colours(looks):
    """On a terminal, but not under NO_COLOR, and not elsewhere."""
    narrow, wide, piped, errors, _ = looks
    assert "\x1b[" in narrow["call"].painted and "\x1b[" in narrow["doctor"].painted
    for name, look in wide.items():
        assert "\x1b" not in look.painted, name
    assert "\x1b" not in errors + "".join(piped.values())


def test_progress_goes_away(looks):
    """It is one line, on a terminal only, and the report stands where it was."""
    narrow, wide, piped, errors, progress = looks
    assert len(progress) == 1 and len(progress[0]) <= NARROW
    for text in (narrow["bench"].text, wide["bench"].text, piped["bench"], errors):
        assert "in flight" not in text and "calls/s   p50" not in text
