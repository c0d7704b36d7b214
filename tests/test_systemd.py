# SPDX-License-Identifier: MIT
"""The units of deploy/ under a real systemd: reload, restart and stop lose no call."""

import shutil
import threading

import grpc
import pytest

from servers import PATIENCE, eventually, free_port, is_sanitized
from systemd import Systemd, skip_without_systemd
from test_restart import Load, StuckStream

SERVICE = "quoit-api.service"
WEB = "quoit-web.service"


class Deployed(Systemd):
    def __init__(self, folder, root, build):
        super().__init__(folder)
        port = free_port()
        self.target = f"127.0.0.1:{port}"
        (folder / "run" / "bin").mkdir()
        for program in ("quoit-api", "quoit-web"):
            shutil.copy(build / "bin" / program, folder / "run" / "bin" / program)
        for name in (SERVICE, "quoit-api.socket", WEB):
            text = (root / "deploy" / name).read_text()
            (self.units / name).write_text(text.replace("/usr/bin/", "/run/bin/"))
        self.drop_in("quoit-api.socket", f"[Socket]\nListenStream=\nListenStream={self.target}\n")
        self.web_port = free_port()
        self.drop_in(WEB, f"[Service]\nEnvironment=FRONTEND_PORT={self.web_port} BACKEND_PORT={port}\n")

    def drop_in(self, unit, text):
        folder = self.units / f"{unit}.d"
        folder.mkdir()
        (folder / "ports.conf").write_text(text)

    @property
    def main(self):
        return int(self.ctl("show", "-P", "MainPID", SERVICE).stdout)

    def processes(self):
        group = self.cgroup / "system.slice" / SERVICE / "cgroup.procs"
        return group.read_text().split() if group.exists() else []


@pytest.fixture(scope="module")
def booted(root, build, tmp_path_factory):
    skip_without_systemd()
    if is_sanitized(build):
        pytest.skip("a sanitized quoit-api does not start with the unit's MemoryDenyWriteExecute=")
    deployed = Deployed(tmp_path_factory.mktemp("systemd"), root, build)
    try:
        deployed.boot()
        started = deployed.ctl("start", "quoit-api.socket", SERVICE)
        assert started.returncode == 0, started.stderr + deployed.log
        yield deployed
    finally:
        deployed.end()


@pytest.fixture
def deployed(booted):
    booted.ctl("reset-failed", SERVICE)
    assert booted.ctl("start", SERVICE).returncode == 0, booted.log
    return booted


def well(result):
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("verb, reloads", [("stop", 1), ("restart", 2)])
def test_a_stop_behind_a_reload_sees_out_all_calls(api, deployed, verb, reloads):
    said = len(deployed.log)
    streams = [StuckStream(api, deployed.target)]
    for _ in range(reloads):
        before = deployed.main
        well(deployed.ctl("reload", SERVICE))
        assert deployed.main != before
        streams.append(StuckStream(api, deployed.target))
    assert len(deployed.processes()) > 1
    results = []
    stop = threading.Thread(target=lambda: results.append(deployed.ctl(verb, SERVICE)))
    stop.start()
    for stream in reversed(streams):
        stream.finish()
    stop.join(PATIENCE)
    well(results[0])
    log = deployed.log[said:]
    assert "not our child" not in log and "Killing process" not in log and "SIGKILL" not in log, log
    assert deployed.ctl("is-failed", SERVICE).stdout.strip() != "failed"


def test_no_call_fails(api, deployed):
    with Load(api, deployed.target, 3) as load, Load(api, deployed.target, 1, fresh=True) as fresh:
        for verb in ("reload", "restart", "reload", "restart"):
            well(deployed.ctl(verb, SERVICE))
            load.goes_on()
            fresh.goes_on(10)


def test_a_reload_that_fails(api, deployed):
    program = deployed.run / "bin" / "quoit-api"
    kept = program.with_name("kept")
    program.rename(kept)
    try:
        for text in ("#!/bin/sh\nexit 3\n", ""):
            program.write_text(text)
            program.chmod(0o755)
            result = deployed.ctl("reload", SERVICE)
            assert result.returncode != 0
            program.unlink()
        with grpc.insecure_channel(deployed.target) as channel:
            api.Stub(channel).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE)
        assert deployed.ctl("is-active", SERVICE).stdout.strip() == "active"
    finally:
        kept.rename(program)
    well(deployed.ctl("reload", SERVICE))


def test_clients_wait_while_it_is_stopped(api, deployed):
    """The socket starts it again."""
    well(deployed.ctl("stop", SERVICE))
    with grpc.insecure_channel(deployed.target) as channel:
        api.Stub(channel).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE)
    eventually(lambda: deployed.ctl("is-active", SERVICE).stdout.strip() == "active", "it is up")


def test_the_front_end(api, deployed):
    """It reaches its backend from within its confinement, and stops gracefully."""
    well(deployed.ctl("start", WEB))
    with grpc.insecure_channel(f"127.0.0.1:{deployed.web_port}") as channel:
        stub = api.Stub(channel)
        assert stub.sayHello(api.HelloRequest(name="you"), timeout=PATIENCE, wait_for_ready=True).message == "Hello you!"
    well(deployed.ctl("stop", WEB))
    assert deployed.ctl("is-failed", WEB).stdout.strip() != "failed", deployed.log
