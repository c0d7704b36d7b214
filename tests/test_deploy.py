# SPDX-License-Identifier: MIT
"""The unit files of deploy/, by systemd's own check."""

import configparser
import re
import shutil
import subprocess

import pytest


def test_units(root, build, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    units = [tmp_path / name for name in ("quoit-api.service", "quoit-api.socket", "quoit-web.service")]
    for unit in units:
        text = (root / "deploy" / unit.name).read_text()
        # it looks whether what is to be run and read is there
        text = text.replace("/usr/bin/", f"{build}/bin/")
        unit.write_text(re.sub(r"man:([\w-]+)\(1\)", rf"file:{root}/docs/man/\1.1", text))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    said = [line for line in result.stderr.splitlines() if "quoit-" in line]
    assert (result.returncode, said) == (0, []), result.stderr


def test_the_service_has_memory_for_rings(root):
    """Some kernels count 144 KiB a ring as locked memory: enough for one on each of 128 cores, twice while a reload lasts."""
    text = (root / "deploy" / "quoit-api.service").read_text()
    limit = re.search(r"^LimitMEMLOCK=(\d+)M$", text, re.M)
    assert int(limit.group(1)) * 1024 >= 2 * 128 * 144


def unit(root, name):
    """Of several values with the same name the last one."""
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read(root / "deploy" / name)
    return parsed


def test_a_restart_leaves_the_sockets_open(root):
    """What would stop them with the service, by systemd.unit(5)."""
    ties = {"PartOf", "BindsTo", "Requires", "Requisite", "StopPropagatedFrom", "ConsistsOf"}
    assert ties & set(unit(root, "quoit-api.socket")["Unit"]) == set()
    assert {"StopPropagatedTo", "PropagatesStopTo", "Conflicts"} & set(unit(root, "quoit-api.service")["Unit"]) == set()


@pytest.mark.parametrize("service", ["quoit-api.service", "quoit-web.service"])
def test_the_service_is_confined(root, service):
    """By systemd's own measure, from 0 to 10: what is left is that it serves on the network."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager"]
    result = subprocess.run([*command, root / "deploy" / service], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-300:] + result.stderr
