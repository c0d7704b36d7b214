// SPDX-License-Identifier: MIT

// @connectrpc/connect-node's server, for clients to be tried against: over HTTP/1.1 it speaks Connect and gRPC-Web.
//
//     node server.js CALLS-DESCRIBED
//
// It prints its port. CALLS-DESCRIBED is a FileDescriptorSet of tests/protos/calls.proto.
import fs from 'node:fs';
import http from 'node:http';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(process.argv[2])));
const Payload = registry.getMessage('calls.Payload');

const calls = {
  echo(request, context) {
    context.responseHeader.set('x-head', context.requestHeader.get('x-sent') ?? '');
    context.responseTrailer.set('x-tail', 'z');
    return request;
  },
  status({ code, message }) {
    throw new ConnectError(message, code ?? Code.Unknown, undefined, [{ desc: Payload, value: { text: 'more' } }]);
  },
  async *count({ count }) {
    for (let value = 1n; value <= count; value++) yield { value };
  },
  async sum(numbers) {
    let value = 0n;
    for await (const number of numbers) value += number.value;
    return { value };
  },
  async *chat(payloads) {
    yield* payloads;
  },
};

const handler = connectNodeAdapter({
  routes: (router) => router.service(registry.getService('calls.Calls'), calls),
});
const server = http.createServer(handler).listen(0, '127.0.0.1', () => console.log(server.address().port));
