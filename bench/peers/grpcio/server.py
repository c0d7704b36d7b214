# SPDX-License-Identifier: MIT
"""On grpcio: the server that Quoit's first example comes from, and the bench's service."""

import sys
import time
from concurrent import futures

import grpc
from api_pb2 import Hello, Item, Items
from api_pb2_grpc import ApiServicer, add_ApiServicer_to_server
from bench_pb2 import Payload, Summary
from bench_pb2_grpc import BenchServicer, add_BenchServicer_to_server


class ApiServer(ApiServicer):
    def getAll(self, request, context):
        data = []
        for i in range(1, request.length + 1):
            data.append(Item(id=i, name=f"name {i}"))
        return Items(items=data)

    def getStream(self, request, context):
        for i in range(1, request.length + 1):
            yield Item(id=i, name=f"name {i}")

    def sayHello(self, request, context):
        return Hello(message=f"Hello {request.name}!")


class BenchServer(BenchServicer):
    def echo(self, request, context):
        return request

    def collect(self, request_iterator, context):
        summary = Summary()
        for message in request_iterator:
            summary.messages += 1
            summary.bytes += len(message.body)
        return summary

    def chat(self, request_iterator, context):
        yield from request_iterator

    def pause(self, request, context):
        time.sleep(max(0, request.milliseconds) / 1000)
        return Payload()


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    add_ApiServicer_to_server(ApiServer(), server)
    add_BenchServicer_to_server(BenchServer(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1])
