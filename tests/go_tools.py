# SPDX-License-Identifier: MIT
"""Programs of others in Go that tests drive Quoit with: built once, kept in .cache/go."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def go_tool(package, version):
    """The program of @package@@version. Where it can't be had the test is skipped, and says why."""
    folder = ROOT / ".cache" / "go" / f"{package.replace('/', '_')}@{version}"
    program = folder / pathlib.PurePath(package).name
    if program.exists():
        return str(program)
    if not shutil.which("go"):
        pytest.skip(f"{package}: no Go on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        ["go", "install", f"{package}@{version}"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"{package}@{version}: {done.stderr.strip().splitlines()[-1]}")
    return str(program)
