# SPDX-License-Identifier: MIT
"""What ci/setup changes in apt, and that ci/undo-setup takes it back: with the machine's own apt and dpkg, on a Debian
in a folder, whose archives are folders too."""

import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

TRIXIE = {"libllhttp-dev": "9.2-1", "libllhttp9.2": "9.2-1", "liburing-dev": "2.9-1", "liburing2": "2.9-1", "linux-libc-dev": "6.12-1"}
BOOKWORM = {"liburing-dev": "2.3-3", "liburing2": "2.3-3", "linux-libc-dev": "6.1-1"}
DEPENDS = {"libllhttp-dev": "Depends: libllhttp9.2\n", "liburing-dev": "Depends: liburing2, linux-libc-dev\n"}
ONLY_TRIXIE = "newcomer"  # a package that bookworm does not have


def machine():
    lines = pathlib.Path("/etc/os-release").read_text().splitlines() if os.path.exists("/etc/os-release") else []
    return dict(line.split("=", 1) for line in lines if "=" in line).get("VERSION_CODENAME")


class Debian:
    """@root/apt.conf has apt look, and dpkg install, into @root; ci/setup finds every package on this machine but liburing and llhttp."""

    def __init__(self, source, root):
        self.root, self.tree = root, root / "tree"
        for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
                       "var/cache/apt/archives/partial", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log/apt"):  # fmt: skip
            (root / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (root / "apt.conf").write_text(
            f'Dir "{root}";\nDPkg::Options {{ "--root={root}"; "--log={root}/dpkg.log"; }};\nAPT::Sandbox::User "root";\n'
        )
        (root / "etc/apt/sources.list.d/debian.sources").write_text(
            f"Types: deb\nURIs: file:{root}/archive\nSuites: bookworm\nComponents: main\nTrusted: yes\n"
        )
        self.make_suite("bookworm", BOOKWORM)
        self.make_suite("trixie", {**TRIXIE, ONLY_TRIXIE: "1"})
        self.tree.mkdir()
        for path in "ci", "subprojects/fetch":
            (self.tree / path).parent.mkdir(exist_ok=True)
            copy = shutil.copytree if (source / path).is_dir() else shutil.copy
            copy(source / path, self.tree / path)
        # Downloads are not what this is about: these are there.
        (self.tree / ".cache/venv/bin").mkdir(parents=True)
        for name in "python", "pip":
            shutil.copy(shutil.which("true"), self.tree / ".cache/venv/bin" / name)
        (self.tree / "subprojects/fetch").write_text("")
        self.make_pkg_config()

    def make_pkg_config(self):
        """A folder of all that pkg-config finds on this machine, but liburing and llhttp."""
        (self.root / "pc").mkdir()
        for name in "openssl", "libssl", "libcrypto", "zlib", "libzstd", "libcares", "cmocka":
            done = subprocess.run(["pkg-config", "--variable=pcfiledir", name], capture_output=True, text=True)
            if done.returncode == 0:
                shutil.copy(f"{done.stdout.strip()}/{name}.pc", self.root / "pc")

    def make_suite(self, suite, versions):
        folder = self.root / f"archive/dists/{suite}/main/binary-amd64"
        folder.mkdir(parents=True)
        paragraphs = []
        for package, version in versions.items():
            content = self.root / f"{package}-{suite}"
            (content / "DEBIAN").mkdir(parents=True)
            control = f"Package: {package}\nVersion: {version}\nArchitecture: all\n{DEPENDS.get(package, '')}"
            control += "Maintainer: x <x@x>\nDescription: x\n"
            (content / "DEBIAN/control").write_text(control)
            if package in DEPENDS:
                library = package.removesuffix("-dev")
                (content / "usr/lib/pkgconfig").mkdir(parents=True)
                (content / f"usr/lib/pkgconfig/{library}.pc").write_text(
                    f"Name: {library}\nDescription: x\nVersion: {version.partition('-')[0]}\n"
                )
            deb = self.root / f"archive/{package}_{version}_all.deb"
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", content, deb], check=True, capture_output=True)
            digest = hashlib.sha256(deb.read_bytes()).hexdigest()
            paragraphs.append(control + f"Filename: {deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n")
        (folder / "Packages").write_text("\n".join(paragraphs))
        index = (folder / "Packages").read_bytes()
        (folder.parent.parent / "Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: amd64\nSHA256:\n"
            f" {hashlib.sha256(index).hexdigest()} {len(index)} main/binary-amd64/Packages\n"
        )

    def run(self, *command, check=True):
        environment = {
            **os.environ,
            "APT_CONFIG": str(self.root / "apt.conf"),
            "DPKG_ADMINDIR": str(self.root / "var/lib/dpkg"),
            "PKG_CONFIG_LIBDIR": f"{self.root}/pc:{self.root}/usr/lib/pkgconfig",
        }
        environment.pop("PKG_CONFIG_PATH", None)
        done = subprocess.run(
            list(map(str, command)), cwd=self.tree, env=environment, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def versions(self):
        lines = self.run("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", check=False).split("\n")
        return dict(line.split() for line in lines if line)

    def files(self):
        folder = self.root / "etc/apt"
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def debian(root, tmp_path):
    if machine() != "bookworm" or os.geteuid() != 0:
        pytest.skip("this is not Debian 12, or not root")
    return Debian(root, tmp_path)


def test_setup_and_back(debian):
    before = debian.files()
    debian.run("ci/setup", "build")
    assert debian.versions() == TRIXIE
    added = set(debian.files()) - set(before)
    assert added == {"sources.list.d/quoit-trixie.sources", "preferences.d/quoit-trixie"}
    assert all("undo-setup" in debian.files()[path] for path in added)

    told = debian.run("ci/undo-setup")
    assert debian.files() == before
    assert debian.versions() == {**TRIXIE, **BOOKWORM}
    for package, version in BOOKWORM.items():
        assert f" {package}={version}" in told and f"purge {' '.join(sorted(TRIXIE))}" in told
    assert "has changed nothing" in debian.run("ci/undo-setup")
    debian.run("ci/setup", "build")  # and once more
    assert debian.versions() == TRIXIE


def test_nothing_else_comes_from_debian_13(debian):
    """Not even what this Debian does not have: neither by its name nor as somebody's dependency."""
    debian.run("ci/setup", "build")
    policy = debian.run("apt-cache", "policy", ONLY_TRIXIE, "liburing-dev")
    other, ours = policy.split("liburing-dev:")
    assert "Candidate: (none)" in other and "1 -1" in other, policy
    assert f"{TRIXIE['liburing-dev']} 50" in ours and f"{BOOKWORM['liburing-dev']} 500" in ours, policy
    debian.run("apt-get", "install", "-y", ONLY_TRIXIE, check=False)
    assert ONLY_TRIXIE not in debian.versions()


def test_undo_tells_what_was_there_before_from_what_was_installed(debian):
    debian.run("apt-get", "update")
    debian.run("apt-get", "install", "-y", "linux-libc-dev")
    debian.run("ci/setup", "build")
    told = debian.run("ci/undo-setup")
    assert debian.versions() == {**TRIXIE, **BOOKWORM}
    assert "stay: libllhttp-dev libllhttp9.2 liburing-dev liburing2\n" in told


def test_a_pin_of_an_earlier_version_is_widened(debian):
    """It was made when fewer packages came from Debian 13."""
    debian.run("ci/setup", "build")
    debian.run("apt-get", "purge", "-y", "libllhttp-dev", "libllhttp9.2")
    pin = debian.root / "etc/apt/preferences.d/quoit-trixie"
    whole = pin.read_text()
    pin.write_text(whole.replace(" libllhttp-dev libllhttp9.2", ""))
    debian.run("ci/setup", "build")
    assert debian.versions() == TRIXIE and pin.read_text() == whole


def test_undo_leaves_what_the_user_has_from_elsewhere(debian):
    """Whoever has Debian 13 in apt's sources without us wants its packages."""
    mine = debian.root / "etc/apt/sources.list.d/mine.sources"
    mine.write_text((debian.root / "etc/apt/sources.list.d/debian.sources").read_text().replace("bookworm", "trixie"))
    before = debian.files()
    debian.run("ci/setup", "build")
    debian.run("ci/undo-setup")
    assert debian.files() == before
    assert debian.versions() == TRIXIE


def test_without_root_the_missing_packages_are_named(root, tmp_path):
    """Where nothing can be installed no command is tried that fails."""
    tools, tree = tmp_path / "bin", tmp_path / "tree"
    tools.mkdir()
    for folder in "/usr/bin", "/bin":
        for program in pathlib.Path(folder).iterdir():
            if program.name != "sudo" and not (tools / program.name).exists():
                (tools / program.name).symlink_to(program)
    shutil.copytree(root / "ci", tree / "ci")
    for folder in tmp_path, *tmp_path.parents:
        if folder.name.startswith(("pytest-", "popen-", "test_")):  # pytest keeps others out of its folders
            folder.chmod(0o755)
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*nobody, tree / "ci/setup", "build"],
        env={"PATH": str(tools), "PKG_CONFIG_LIBDIR": "/nowhere", "HOME": "/"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    for package in "libssl-dev", "liburing-dev", "zlib1g-dev", "libzstd-dev", "libc-ares-dev":
        assert package in lines[0]
    assert "apt-get" not in lines[0] and "ninja-build" not in lines[0]
