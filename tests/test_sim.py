# SPDX-License-Identifier: MIT
"""The simulator (tests/sim): the same seed is the same run, and some seeds are clean."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIM = pathlib.Path(os.environ.get("QUOIT_BUILD", ROOT / "build")) / "tests/sim/sim"

pytestmark = pytest.mark.skipif(not SIM.exists(), reason="the simulator is not built")


def run(*arguments):
    done = subprocess.run([SIM, *arguments], capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def events(trace):
    """Without the figures at its end, which tell how long it took."""
    return [line for line in trace.splitlines() if not line.startswith(b"sim: ")]


@pytest.mark.parametrize("seed", ["1", "25", "27", "1743"])  # 25: a client, names and TLS
def test_a_seed_is_the_same_run_each_time(seed):
    trace = events(run("--seed", seed, "--trace"))
    assert len(trace) > 50
    # another process, with its objects at other addresses, while the machine does other things
    with subprocess.Popen([SIM, "--from", "1", "--count", "100"], stdout=subprocess.DEVNULL) as load:
        assert events(run("--seed", seed, "--trace")) == trace
        load.wait()


def test_a_seed_does_not_depend_on_those_before_it():
    many = events(run("--from", "1", "--count", "30", "--hashes"))
    assert len(many) == 30
    assert events(run("--from", "20", "--count", "1", "--hashes")) == [many[19]]
    assert len(set(line.split()[1] for line in many)) == 30


def test_seeds_that_have_found_something():
    run("--list", ROOT / "tests/sim/regressions")
