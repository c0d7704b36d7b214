# SPDX-License-Identifier: MIT
"""Quoit as `meson install` leaves it, and programs made with that alone."""

import os
import re
import subprocess

from neighbours import one_at_a_time


def needed(file):
    """The libraries that @file asks the loader for."""
    done = subprocess.run(["readelf", "-d", file], check=True, stdout=subprocess.PIPE, text=True)
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout))


class Installed:
    """Under @root, as a package of a distribution would be: /usr/local is @prefix."""

    def __init__(self, build, root):
        self.root, self.prefix = root, root / "usr" / "local"
        with one_at_a_time(build / "meson-logs" / "install.lock"):
            self.install(build)

    def install(self, build):
        log = build / "meson-logs" / "install-log.txt"  # what `ninja uninstall` goes by: not ours to overwrite
        kept = log.read_bytes() if log.exists() else None
        subprocess.run(
            ["meson", "install", "-C", build, "--no-rebuild", "--quiet"],
            env={**os.environ, "DESTDIR": str(self.root)},
            check=True,
        )
        log.unlink()
        if kept is not None:
            log.write_bytes(kept)

    @property
    def environment(self):
        """With it pkg-config, the loader and the shell find what is here, as if it were at /usr/local."""
        return {
            **os.environ,
            "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig"),
            "PKG_CONFIG_SYSROOT_DIR": str(self.root),
            "CMAKE_PREFIX_PATH": str(self.prefix),
            "LD_LIBRARY_PATH": str(self.prefix / "lib"),
            "PATH": f"{self.prefix / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }

    def library(self, name):
        return self.prefix / "lib" / name

    def run(self, *command, cwd=None):
        """What the command prints."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def pkg_config(self, *arguments):
        return self.run("pkg-config", *arguments).split()
