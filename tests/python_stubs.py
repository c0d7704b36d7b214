# SPDX-License-Identifier: MIT
"""Python's modules of a .proto: messages and stubs, by protoc of grpcio-tools."""

import importlib
import subprocess
import sys


def python_stubs(protos, name, folder):
    """Of NAME.proto in @protos, made in @folder: NAME_pb2 and NAME_pb2_grpc."""
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"--python_out={folder}"]
        + [f"--grpc_python_out={folder}", f"{name}.proto"],
        check=True,
    )
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")
    finally:
        sys.path.remove(str(folder))
