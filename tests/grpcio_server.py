# SPDX-License-Identifier: MIT
"""grpcio's server, for clients of ours."""

import concurrent.futures
import contextlib

import grpc


@contextlib.contextmanager
def grpcio_server(add, servicer, threads=20, credentials=None, **options):
    """Its target; @add: of generated code, what gives a server the @servicer's methods."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(threads),
        options=[(f"grpc.{name}", value) for name, value in options.items()],
    )
    add(servicer, server)
    if credentials:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
