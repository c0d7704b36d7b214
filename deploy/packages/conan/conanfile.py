# SPDX-License-Identifier: MIT
"""Conan 2's recipe of Quoit, of the tree that it lies in: docs/building.md."""

import pathlib
import re
import sys

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, rm, rmdir
from conan.tools.gnu import PkgConfigDeps
from conan.tools.layout import basic_layout
from conan.tools.meson import Meson, MesonToolchain

TREE = ["meson.build", "meson_options.txt", "LICENSE", "subprojects/*", "licenses/*", "docs/man/*", "docs/reference/*", "proto/*"]
TREE += [f"{room}/*" for room in "apps bin call client codec core front include libquoit link schema server services transport".split()]


class Quoit(ConanFile):
    name = "quoit"
    description = "gRPC for C on modern Linux"
    license = "MIT"
    topics = ("grpc", "protobuf", "io_uring", "http2")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    @property
    def _root(self):
        return pathlib.Path(self.recipe_folder).parents[2]

    def set_version(self):
        self.version = re.search(r"^    version: '(.*)',$", (self._root / "meson.build").read_text(), re.M)[1]

    def export(self):
        copy(self, "meson.build", self._root, self.export_folder)  # the version

    def export_sources(self):
        for pattern in TREE:
            copy(self, pattern, self._root, f"{self.export_sources_folder}/src", excludes="*/__pycache__/*")

    def configure(self):
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("Quoit is for Linux")

    def requirements(self):
        self.requires("openssl/[>=3.0 <4]")
        self.requires("zlib/[>=1.2.11 <2]")
        self.requires("zstd/[>=1.5 <2]")
        self.requires("c-ares/[>=1.18 <2]")
        # built in: a program that links the archive does not need these
        self.requires("liburing/[>=2.9 <3]", visible=False)
        self.requires("llhttp/[>=9.2 <10]", visible=False)

    def build_requirements(self):
        self.tool_requires("meson/[>=1.0 <2]")
        self.tool_requires("pkgconf/[>=1.8 <3]")
        self.tool_requires("protobuf/[>=3.21]")  # protoc

    def layout(self):
        basic_layout(self, src_folder="src")

    def source(self):
        # upb and nghttp2, by their hashes; nothing, if the tree had them already
        self.run(f'"{sys.executable}" subprojects/fetch')

    def generate(self):
        toolchain = MesonToolchain(self)
        toolchain.project_options["tests"] = "false"
        toolchain.project_options["reference"] = "disabled"
        toolchain.project_options.pop("default_library", None)  # it makes both
        toolchain.generate()
        PkgConfigDeps(self).generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        package = pathlib.Path(self.package_folder)
        Meson(self).install()
        copy(self, "*", package / "share/doc/quoit/licenses", package / "licenses")
        copy(self, "LICENSE", self.source_folder, package / "licenses")
        for folder in "share/doc", "share/man", "lib/pkgconfig":
            rmdir(self, package / folder)
        rm(self, "*.a" if self.options.shared else "*.so*", package / "lib")

    def package_info(self):
        # find_package(quoit) is lib/cmake/quoit, which has quoit_generate() too
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/quoit"]
        self.cpp_info.includedirs = ["include", "include/quoit-upb"]
        self.cpp_info.libs = ["quoit"]
        self.cpp_info.system_libs = ["pthread"]
