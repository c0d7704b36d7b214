# SPDX-License-Identifier: MIT
"""A build backend (PEP 517) that builds nothing: for `pip download` of an sdist whose own backend
would compile for minutes only to say its name. The sdist's PKG-INFO is that answer already."""

import email
import pathlib
import shutil


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = email.message_from_string(pathlib.Path("PKG-INFO").read_text(encoding="utf-8"))
    name = f"{info['Name'].replace('-', '_')}-{info['Version']}.dist-info"
    folder = pathlib.Path(metadata_directory, name)
    folder.mkdir()
    shutil.copyfile("PKG-INFO", folder / "METADATA")
    return name
