// SPDX-License-Identifier: MIT

// A @grpc/grpc-js client of quoit-interop-server: calls of every kind, and says how each check went.
//
//     node client.js ADDRESS PROTOS ADDRESS-OF-TEST-SERVER [CA CERTIFICATE KEY]
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const MIB = 1 << 20;
const PATIENCE_MS = 30000;
const [address, protos, testServer, ...files] = process.argv.slice(2);

const definition = loader.loadSync('grpc/testing/test.proto', { includeDirs: [protos], defaults: true });
const { TestService } = grpc.loadPackageDefinition(definition).grpc.testing;
const [ca, certificate, key] = files.map((file) => fs.readFileSync(file));
const security = ca
  ? grpc.credentials.createSsl(ca, key, certificate)
  : grpc.credentials.createInsecure();
const options = {
  'grpc.max_receive_message_length': 32 * MIB,
  'grpc.max_send_message_length': 32 * MIB,
};
const stub = new TestService(address, security, options);

// ---- calls as promises; a failed call is a value too ----

const soon = () => ({ deadline: Date.now() + PATIENCE_MS });

// What a call that has one answer came to: { error, reply, headers, trailers }.
function single(start) {
  return new Promise((resolve) => {
    const outcome = {};
    const call = start((error, reply) => Object.assign(outcome, { error, reply }));
    call.on('metadata', (headers) => Object.assign(outcome, { headers }));
    call.on('status', (status) => resolve(Object.assign(outcome, { trailers: status.metadata })));
  });
}

const unaryCall = (request, metadata = new grpc.Metadata()) =>
  single((done) => stub.UnaryCall(request, metadata, soon(), done));

// What a call that streams its answers came to: { error, sizes }.
function received(call, onMessage = () => {}) {
  return new Promise((resolve) => {
    const outcome = { sizes: [], error: null };
    call.on('data', (message) => {
      outcome.sizes.push(message.payload.body.length);
      onMessage(outcome.sizes.length);
    });
    call.on('error', (error) => Object.assign(outcome, { error }));
    call.on('status', () => resolve(outcome));
  });
}

const payload = (size) => ({ body: Buffer.alloc(size, 'x') });
const asking = (...sizes) => ({ responseParameters: sizes.map((size) => ({ size })) });

async function pingPong(count) {
  const call = stub.FullDuplexCall(soon());
  call.write(asking(1));
  const outcome = await received(call, (n) => (n < count ? call.write(asking(n + 1)) : call.end()));
  assert.equal(outcome.error, null);
  assert.deepEqual(outcome.sizes, Array.from({ length: count }, (_, i) => i + 1));
}

// ---- the checks ----

const checks = {
  async unary() {
    const { error, reply } = await unaryCall({ responseSize: 1000 });
    assert.equal(error, null);
    assert.equal(reply.payload.body.length, 1000);
  },

  async server_streaming() {
    const { error, sizes } = await received(stub.StreamingOutputCall(asking(0, 1, 100000, 3), soon()));
    assert.equal(error, null);
    assert.deepEqual(sizes, [0, 1, 100000, 3]);
  },

  async client_streaming() {
    const { error, reply } = await single((done) => {
      const call = stub.StreamingInputCall(soon(), done);
      for (const size of [0, 1, 100000, 3]) call.write({ payload: payload(size) });
      call.end();
      return call;
    });
    assert.equal(error, null);
    assert.equal(reply.aggregatedPayloadSize, 100004);
  },

  bidi: () => pingPong(20),

  async metadata() {
    const [initial, trailing] = ['x-grpc-test-echo-initial', 'x-grpc-test-echo-trailing-bin'];
    const bytes = Buffer.from([0, 1, 254, 255, 44]);
    const metadata = new grpc.Metadata();
    metadata.set(initial, 'text');
    metadata.set(trailing, bytes);
    for (const code of [grpc.status.OK, grpc.status.NOT_FOUND]) {
      const { error, headers, trailers } = await unaryCall({ responseStatus: { code } }, metadata);
      assert.equal(error ? error.code : 0, code);
      assert.deepEqual(headers.get(initial), ['text']);
      assert.deepEqual(trailers.get(trailing), [bytes]);
    }
  },

  async large_messages() {
    let { error, reply } = await unaryCall({ responseSize: 20 * MIB, payload: payload(10 * MIB) });
    assert.equal(error, null);
    assert.equal(reply.payload.body.length, 20 * MIB);
    ({ error } = await unaryCall({ payload: payload(17 * MIB) }));
    assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
  },

  async status() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈, 100 %\t\n';
    for (let code = 1; code <= 16; code++) {
      const { error } = await unaryCall({ responseStatus: { code, message } });
      assert.deepEqual([error.code, error.details], [code, message]);
    }
  },

  async unimplemented() {
    const { error } = await single((done) => stub.UnimplementedCall({}, soon(), done));
    assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  },

  async deadline() {
    const request = asking(1, 1);
    request.responseParameters[1].intervalUs = 1000000;
    const call = stub.StreamingOutputCall(request, { deadline: Date.now() + 100 });
    const { error } = await received(call);
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  },

  async cancellation() {
    const call = stub.FullDuplexCall(soon());
    call.write(asking(1));
    const { error, sizes } = await received(call, () => call.cancel());
    assert.equal(error.code, grpc.status.CANCELLED);
    assert.deepEqual(sizes, [1]);
    await checks.unary(); // the connection is as good as before
  },

  // What the server expects, and what it is asked for, is compressed.
  async compression() {
    const gzip = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
    const packing = new TestService(address, security, { ...options, ...gzip });
    const request = {
      responseSize: 100000,
      payload: payload(100000),
      expectCompressed: { value: true },
      responseCompressed: { value: true },
    };
    const { error, reply } = await single((done) => packing.UnaryCall(request, soon(), done));
    packing.close();
    assert.equal(error, null);
    assert.equal(reply.payload.body.length, 100000);
  },

  // Of calls.Calls.Details: code 3, message "no", violations {"name": "empty"}.
  async error_details() {
    const client = new grpc.Client(testServer, grpc.credentials.createInsecure());
    const request = Buffer.from('\x08\x03\x12\x02no\x1a\x0d\x0a\x04name\x12\x05empty', 'latin1');
    const same = (bytes) => bytes;
    const path = '/calls.Calls/Details';
    const { error } = await single((done) =>
      client.makeUnaryRequest(path, same, same, request, new grpc.Metadata(), soon(), done));
    client.close();
    assert.deepEqual([error.code, error.details], [grpc.status.INVALID_ARGUMENT, 'no']);
    const [details] = error.metadata.get('grpc-status-details-bin');
    assert.ok(details.includes('type.googleapis.com/google.rpc.BadRequest'));
    assert.ok(details.includes('name') && details.includes('empty'));
  },

  // More streams at once, on one connection, than the server takes: the client's have to wait.
  async thousand_streams() {
    await Promise.all(Array.from({ length: 1000 }, () => pingPong(3)));
  },
};

async function main() {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.message}`);
    }
  }
  stub.close();
}

main();
