# SPDX-License-Identifier: MIT
"""The machine's own systemd, as process 1 of private namespaces, with units of ours alone. It takes root, and a second."""

import os
import pathlib
import shutil
import subprocess

import pytest

from servers import eventually

SYSTEMD = "/lib/systemd/systemd"

# In namespaces of its own: nothing of it is seen outside, and nothing of the machine can be changed but by files.
BOOT = r"""
set -e
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount --bind /sys /sys
mount -o remount,ro,bind /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero full random urandom tty; do
        touch "$1/dev/$device"
        mount --bind "/dev/$device" "$1/dev/$device"
done
mkdir "$1/dev/shm" "$1/dev/pts"
touch "$1/dev/console" "$1/dev/kmsg"
ln -s /proc/self/fd "$1/dev/fd"
ln -s pts/ptmx "$1/dev/ptmx"
mount --move "$1/dev" /dev
mount -t tmpfs -o mode=755 tmpfs /run
cp -r "$1/run/." /run/
exec env -i container=quoit PATH="$PATH" SYSTEMD_UNIT_PATH=/run/units \
        /lib/systemd/systemd --system --unit=test.target --log-target=kmsg --show-status=no
"""

TARGETS = ["sysinit", "basic", "shutdown", "sockets", "multi-user", "test"]


class Systemd:
    """.run is /run there, when it has booted; .log what it says."""

    def __init__(self, folder):
        self.folder, self.process, self.init = folder, None, None
        (folder / "dev").mkdir()
        self.units = folder / "run" / "units"
        self.units.mkdir(parents=True)
        for target in TARGETS:
            (self.units / f"{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        self.cgroup = None

    def boot(self):
        self._enter_cgroup()
        namespaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup"]
        command = ["unshare", *namespaces, "--fork", "--kill-child", "sh", "-c", BOOT, "sh", str(self.folder)]
        self.process = subprocess.Popen(
            command,
            stdout=(self.folder / "boot").open("w"),
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text("0"),
        )
        eventually(self._is_up, "systemd is up")
        self.run = pathlib.Path(f"/proc/{self.init}/root/run")

    def _enter_cgroup(self):
        """Its root is a cgroup below ours."""
        for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            if os.path.exists(f"{root}/cgroup.procs") and os.path.exists(f"{root}/cgroup.controllers"):
                own = next(line for line in open("/proc/self/cgroup") if line.startswith("0::"))
                self.cgroup = pathlib.Path(root + own[3:].strip()) / f"quoit-test-{os.getpid()}"
                self.cgroup.mkdir()
                return
        pytest.skip("no cgroup v2 to give to systemd")

    def _is_up(self):
        if self.process.poll() is not None:
            pytest.skip("systemd does not boot in namespaces here: " + (self.folder / "boot").read_text().strip()[-200:])
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            return False
        self.init = int(children[0])
        return self.ctl("is-system-running").stdout.strip() == "running"

    def ctl(self, *words):
        command = ["nsenter", "-t", str(self.init), "-a", "systemctl", *words]
        return subprocess.run(command, capture_output=True, text=True)

    @property
    def log(self):
        return pathlib.Path(f"/proc/{self.init}/root/dev/kmsg").read_text(errors="replace")

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        if self.cgroup and self.cgroup.exists():
            for folder, *_ in sorted(os.walk(self.cgroup), reverse=True):
                eventually(lambda folder=folder: self._remove(folder), "its cgroups are empty")

    @staticmethod
    def _remove(folder):
        try:
            os.rmdir(folder)
        except OSError:
            return False
        return True


def skip_without_systemd():
    if os.geteuid() != 0:
        pytest.skip("systemd as process 1 takes root")
    for program in (SYSTEMD, "systemctl", "unshare", "nsenter"):
        if not shutil.which(program):
            pytest.skip(f"no {program}")
