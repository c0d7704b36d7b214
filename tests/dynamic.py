# SPDX-License-Identifier: MIT
"""Messages and stubs of a .proto without generated modules: a package like grpc.testing would hide
behind the installed grpc."""

import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

KINDS = {
    (False, False): "unary_unary",
    (False, True): "unary_stream",
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


class Protos:
    """What @name, below the folder @path, and its imports define."""

    def __init__(self, path, name, out):
        described = out / "described"
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{path}", "--include_imports"]
            + [f"--descriptor_set_out={described}", name],
            check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)

    def message(self, name):
        """The class of the message package.Name."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def stub(self, channel, service):
        """An object with a callable for each method of package.Service."""
        return Stub(channel, self.pool.FindServiceByName(service))


class Stub:
    def __init__(self, channel, service):
        for method in service.methods:
            kind = KINDS[method.client_streaming, method.server_streaming]
            call = getattr(channel, kind)(
                f"/{service.full_name}/{method.name}",
                request_serializer=message_factory.GetMessageClass(
                    method.input_type
                ).SerializeToString,
                response_deserializer=message_factory.GetMessageClass(
                    method.output_type
                ).FromString,
            )
            setattr(self, method.name, call)
