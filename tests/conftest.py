# SPDX-License-Identifier: MIT
"""What every test under tests/ may ask for."""

import contextlib
import importlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import grpc
import pytest

from calling import Client
from installed import Installed
from servers import PATIENCE, Server, is_sanitized

# Ignored where a shell has started us in the background, or nohup: what we start would ignore them too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, lambda number, frame: None)

ROOT = pathlib.Path(__file__).resolve().parent.parent

API_MODES = {"plain": [], "rings": ["--rings", 2], "workers": ["--workers", 4]}
CALLS_MODES = {"plain": [], "rings": ["--rings", 2], "offloaded": ["--offload-all", "--rings", 2]}


@pytest.fixture(scope="session")
def root():
    """The source tree."""
    return ROOT


@pytest.fixture(scope="session")
def build():
    """The folder that ./dev built in: programs are in its bin/."""
    return pathlib.Path(os.environ.get("QUOIT_BUILD", ROOT / "build")).resolve()


@pytest.fixture(scope="session")
def sanitized(build):
    """Whether the build has AddressSanitizer: slower, and memory figures mean nothing."""
    return is_sanitized(build)


@pytest.fixture(scope="session")
def installed(build, sanitized, tmp_path_factory):
    """What `meson install` makes of the build."""
    if sanitized:
        pytest.skip("a sanitized libquoit is not one to install")
    if b"__llvm_prf" in (build / "libquoit" / "libquoit.so").read_bytes():
        pytest.skip("a libquoit that counts is not one to install")
    return Installed(build, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    """Imports the services' client stubs, made with the seed's own command."""
    folder = tmp_path_factory.mktemp("stubs")
    shutil.copytree(ROOT / "proto/google", folder / "proto/google")
    for proto in (ROOT / "proto/api.proto", ROOT / "proto/web.proto", ROOT / "tests/protos/calls.proto"):
        shutil.copy(proto, folder / "proto")
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", "-I./proto", "--python_out=."]
            + ["--grpc_python_out=.", f"./proto/{proto.name}"],
            cwd=folder,
            check=True,
        )
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def api(stubs):
    """api_pb2, with api_pb2_grpc's stub."""
    module = stubs("api_pb2")
    module.Stub = stubs("api_pb2_grpc").ApiStub
    return module


@pytest.fixture(scope="session")
def calls(stubs):
    """calls_pb2, with calls_pb2_grpc's stub."""
    module = stubs("calls_pb2")
    module.Stub = stubs("calls_pb2_grpc").CallsStub
    return module


@pytest.fixture(scope="session")
def client(build):
    """Quoit's client."""
    return Client(build)


@pytest.fixture
def start(build):
    """start(program, *arguments): a server that is stopped, and looked over, at the test's end."""
    with contextlib.ExitStack() as stack:

        def start_one(program, *arguments, **options):
            folder = "tests/services" if program == "test-server" else "bin"
            server = Server(build / folder / program, *arguments, **options)
            stack.callback(server.stop)
            return server

        yield start_one


@pytest.fixture(scope="module", params=API_MODES)
def api_server(request, build):
    """quoit-api in each of its modes."""
    server = Server(build / "bin" / "quoit-api", "--port", 0, *API_MODES[request.param])
    yield server
    server.stop()


@pytest.fixture(scope="module", params=CALLS_MODES)
def calls_server(request, build):
    """test-server in each of its modes; .mode says which."""
    # tests ask with PINGs how far it has read
    fences = ["--limit", "ping_strikes_max=4294967295"]
    server = Server(build / "tests/services/test-server", *CALLS_MODES[request.param], *fences)
    server.mode = request.param
    yield server
    server.stop()


@contextlib.contextmanager
def channel(target, **options):
    """A connection of its own, with none of grpcio's limits on messages unless @options say so."""
    settings = {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        "grpc.max_metadata_size": 1 << 20,
        "grpc.enable_http_proxy": 0,
    }
    settings.update({f"grpc.{name}": value for name, value in options.items()})
    with grpc.insecure_channel(target, options=list(settings.items())) as opened:
        yield opened


@pytest.fixture
def connect():
    """connect(server): a grpcio channel that is closed at the test's end."""
    with contextlib.ExitStack() as stack:
        yield lambda server, **options: stack.enter_context(channel(server.target, **options))


@pytest.fixture
def other_user(build):
    """A folder that another user may reach, and run(quoit-api's arguments), which runs it to its failure as that user,
    and returns the line that says why."""
    if os.getuid() != 0:
        pytest.skip("not root: no other user to be")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        helper, program = (shutil.copy(build / path, folder) for path in ("tests/forbid", "bin/quoit-api"))

        def run(*arguments, forbid=()):
            result = subprocess.run(
                [helper, "uid=12345", *forbid, "--", program, *map(str, arguments)],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            lines = [line for line in result.stderr.splitlines() if "listening on" not in line]
            assert result.returncode == 1 and len(lines) == 1, result
            return lines[0]

        yield pathlib.Path(folder), run
