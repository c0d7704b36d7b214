# SPDX-License-Identifier: MIT
"""The unit files of deploy/, by systemd's own check."""

import shutil
import subprocess

import pytest


def test_units(root, build, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    units = [tmp_path / "quoit-api.service", tmp_path / "quoit-api.socket"]
    for unit in units:
        text = (root / "deploy" / unit.name).read_text()
        # it looks whether what is to be run and read is there
        text = text.replace("/usr/bin/quoit-api", str(build / "bin" / "quoit-api"))
        unit.write_text(text.replace("man:quoit-api(1)", f"file:{root}/docs/man/quoit-api.1"))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    said = [line for line in result.stderr.splitlines() if "quoit-api" in line]
    assert (result.returncode, said) == (0, []), result.stderr
