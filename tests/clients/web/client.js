// SPDX-License-Identifier: MIT

// Clients for browsers, run by Node: @connectrpc/connect-node, @connectrpc/connect-web and grpc-web
// call test-server and quoit-api. A line for each check of each transport says how it went.
//
//     node client.js TEST-SERVER CALLS-DESCRIBED QUOIT-API API-DESCRIBED
//
// The first and third are URLs, the others files: a FileDescriptorSet each.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createFileRegistry, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, createClient, decodeBinaryHeader, encodeBinaryHeader } from '@connectrpc/connect';
import * as onNode from '@connectrpc/connect-node';
import * as onWeb from '@connectrpc/connect-web';
import grpcWeb from 'grpc-web';
import XMLHttpRequest from 'xhr2';

globalThis.XMLHttpRequest = XMLHttpRequest; // what grpc-web finds in a browser

const PATIENCE_MS = 30000;
const [testServer, callsFile, quoitApi, apiFile] = process.argv.slice(2);
const described = (file) => createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(file)));
const Calls = described(callsFile).getService('calls.Calls');
const calls = Calls.method;
const Api = described(apiFile).getService('api.Api');

const bytes = new Uint8Array([0, 1, 254, 255, 44]);
const text = (value) => new TextEncoder().encode(value);
const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈, 100 %\t\n';

async function all(stream) {
  const values = [];
  for await (const value of stream) values.push(value);
  return values;
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail('the call did not fail');
}

async function* each(...values) {
  yield* values;
}

// What the server did with the call that it last got from here.
async function isCancelled(client, before) {
  const end = Date.now() + PATIENCE_MS;
  while ((await client.stats({})).cancelled <= before) {
    assert.ok(Date.now() < end, 'the server did not see the cancellation');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// ---- Connect-ES: checks by their names; the client, quoit-api's client, and the requests' paths ----

const checks = {
  async unary({ client, api }) {
    assert.equal((await client.echo({ text: 'ä☺', data: bytes })).text, 'ä☺');
    assert.deepEqual((await client.echo({ data: bytes })).data, bytes);
    assert.equal((await client.echo({})).text, '');
    assert.equal((await api.sayHello({ name: 'x' })).message, 'Hello x!');
    assert.deepEqual((await api.getAll({ length: 2 })).items.map((item) => item.name), ['name 1', 'name 2']);
  },

  async large({ client }) {
    const data = new Uint8Array(200000).fill(120);
    assert.ok(Buffer.from(data).equals((await client.echo({ data })).data));
  },

  async server_stream({ client, api }) {
    const items = await all(api.getStream({ length: 1000 }));
    assert.deepEqual(items.map((item) => item.id), Array.from({ length: 1000 }, (_, i) => i + 1));
    assert.deepEqual(await all(api.getStream({ length: 0 })), []);
    const seen = [];
    const error = await failure((async () => {
      for await (const number of client.count({ count: 3n, code: 9, message })) seen.push(number.value);
    })());
    assert.equal(seen.length, 3);
    assert.deepEqual([error.code, error.rawMessage], [9, message]);
  },

  async status({ client }) {
    for (let code = 1; code <= 16; code++) {
      const error = await failure(client.status({ code, message }));
      assert.deepEqual([error.code, error.rawMessage], [code, message]);
    }
    assert.equal((await failure(client.absent({}))).code, Code.Unimplemented);
  },

  async details({ client }) {
    const error = await failure(client.details({ code: 3, message: 'no', violations: { name: 'empty' } }));
    assert.deepEqual([error.code, error.rawMessage], [Code.InvalidArgument, 'no']);
    assert.equal(error.details[0].type, 'google.rpc.BadRequest');
    const value = new TextDecoder().decode(error.details[0].value);
    assert.ok(value.includes('name') && value.includes('empty'));
  },

  async metadata({ client }) {
    const got = {};
    const reply = await client.metadata(
      {
        headers: [{ name: 'x-text', value: text('one') }, { name: 'x-some-bin', value: bytes }],
        trailers: [{ name: 'x-late', value: text('two') }, { name: 'x-late-bin', value: bytes }],
      },
      {
        headers: { 'x-sent': 'three', 'x-sent-bin': encodeBinaryHeader(bytes) },
        onHeader: (headers) => Object.assign(got, { headers }),
        onTrailer: (trailers) => Object.assign(got, { trailers }),
      },
    );
    const received = Object.fromEntries(reply.received.map((field) => [field.name, field.value]));
    assert.deepEqual(received['x-sent'], text('three'));
    assert.deepEqual(received['x-sent-bin'], bytes);
    assert.equal(got.headers.get('x-text'), 'one');
    assert.deepEqual(decodeBinaryHeader(got.headers.get('x-some-bin')), bytes);
    assert.equal(got.trailers.get('x-late'), 'two');
    assert.deepEqual(decodeBinaryHeader(got.trailers.get('x-late-bin')), bytes);
  },

  async deadline({ client }) {
    const { isSet, leftNs } = await client.deadline({}, { timeoutMs: PATIENCE_MS });
    assert.ok(isSet && leftNs > 0n && leftNs <= BigInt(PATIENCE_MS) * 1000000n);
    assert.ok(!(await client.deadline({})).isSet);
    assert.equal((await failure(client.wait({}, { timeoutMs: 50 }))).code, Code.DeadlineExceeded);
  },

  async cancellation({ client, api }) {
    const { cancelled } = await client.stats({});
    const abort = new AbortController();
    const call = failure(client.wait({}, { signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    assert.equal((await call).code, Code.Canceled);
    await isCancelled(client, cancelled);
    const stop = new AbortController();
    const error = await failure((async () => {
      for await (const _ of client.count({ count: 1n << 40n }, { signal: stop.signal })) stop.abort();
    })());
    assert.equal(error.code, Code.Canceled);
    await checks.unary({ client, api }); // the connection is as good as before
  },
};

const onlySome = {
  // NO_SIDE_EFFECTS: by GET. What is too long for a URL shows that it was one.
  async get({ getting }) {
    assert.equal((await getting.echo({ text: 'by GET ☺ + /', data: bytes })).text, 'by GET ☺ + /');
    assert.equal((await getting.echo({})).text, '');
    await failure(getting.echo({ data: new Uint8Array(200000) }));
  },

  async client_stream({ client }) {
    const numbers = each({ value: 1n }, { value: 20n }, { value: 300n });
    assert.equal((await client.sum(numbers)).value, 321n);
    assert.equal((await client.sum(each())).value, 0n);
  },

  // By turns: the next request goes when the answer to the one before has come.
  async bidi({ client }) {
    let next = () => {};
    async function* requests() {
      for (let i = 0; i < 20; i++) {
        const answered = new Promise((resolve) => (next = resolve));
        yield { text: `${i}` };
        await answered;
      }
    }
    const seen = [];
    for await (const reply of client.chat(requests())) {
      seen.push(reply.text);
      next();
    }
    assert.deepEqual(seen, Array.from({ length: 20 }, (_, i) => `${i}`));
  },

  async half_duplex({ client }) {
    const replies = await all(client.chat(each({ text: 'a' }, { text: 'b' })));
    assert.deepEqual(replies.map((reply) => reply.text), ['a', 'b']);
  },

  // The client sends gzip, and the server's gzip is what it takes.
  async compression({ packing }) {
    const data = new Uint8Array(100000).fill(120);
    assert.ok(Buffer.from(data).equals((await packing.echo({ data })).data));
    const parts = [{ size: 50000n }, { size: 10n, plain: true }, { size: 0n }];
    const replies = await all(packing.compressed({ algorithms: [2], parts }));
    assert.deepEqual(replies.map((reply) => reply.data.length), [50000, 10, 0]);
  },
};

// ---- the transports of Connect-ES ----

function connectTransports() {
  const list = [];
  const formats = [['json', false], ['binary', true]];
  for (const [format, useBinaryFormat] of formats) {
    for (const [protocol, make] of [
      ['connect', onNode.createConnectTransport],
      ['grpc-web', onNode.createGrpcWebTransport],
      ['grpc', onNode.createGrpcTransport],
    ]) {
      for (const httpVersion of protocol === 'grpc' ? ['2'] : ['1.1', '2']) {
        const options = { useBinaryFormat, httpVersion };
        const extra = ['client_stream', 'half_duplex', 'compression'];
        if (protocol === 'connect') extra.push('get');
        if (httpVersion === '2') extra.push('bidi');
        list.push({ name: `node ${protocol} ${httpVersion} ${format}`, make, options, extra });
      }
    }
    const web = [['connect', onWeb.createConnectTransport], ['grpc-web', onWeb.createGrpcWebTransport]];
    for (const [protocol, make] of web)
      list.push({
        name: `web ${protocol} 1.1 ${format}`,
        make,
        options: { useBinaryFormat },
        extra: protocol === 'connect' ? ['get'] : [],
      });
  }
  return list;
}

function clients({ make, options }) {
  const packing = { sendCompression: onNode.compressionGzip, compressMinBytes: 0 };
  const client = (service, baseUrl, more = {}) =>
    createClient(service, make({ ...options, baseUrl, ...more }));
  return {
    client: client(Calls, testServer),
    api: client(Api, quoitApi),
    getting: client(Calls, testServer, { useHttpGet: true }),
    packing: client(Calls, testServer, packing),
  };
}

// ---- grpc-web ----

function grpcWebClient(format) {
  const client = new grpcWeb.GrpcWebClientBase({ format });
  const descriptor = (method, kind) =>
    new grpcWeb.MethodDescriptor(
      `/${method.parent.typeName}/${method.name}`,
      kind,
      Object,
      Object,
      (request) => toBinary(method.input, create(method.input, request)),
      (reply) => fromBinary(method.output, reply),
    );
  // What a call came to: { replies, error, headers, status }.
  const run = (call) =>
    new Promise((resolve) => {
      const outcome = { replies: [], call };
      call.on('data', (reply) => outcome.replies.push(reply));
      call.on('metadata', (headers) => Object.assign(outcome, { headers }));
      call.on('status', (status) => Object.assign(outcome, { status }));
      call.on('error', (error) => resolve(Object.assign(outcome, { error })));
      call.on('end', () => resolve(outcome));
    });
  const path = (base, method) => `${base}/${method.parent.typeName}/${method.name}`;
  const unary = (base, method, request, metadata = {}) =>
    client.unaryCall(path(base, method), request, metadata, descriptor(method, 'unary'));
  const stream = (base, method, request, metadata = {}) =>
    client.serverStreaming(path(base, method), request, metadata, descriptor(method, 'server_streaming'));
  return { unary, stream, run };
}

const grpcWebChecks = {
  async unary({ unary }) {
    assert.equal((await unary(testServer, calls.echo, { text: 'ä☺' })).text, 'ä☺');
    assert.deepEqual((await unary(testServer, calls.echo, { data: bytes })).data, bytes);
    assert.equal((await unary(quoitApi, Api.method.sayHello, { name: 'x' })).message, 'Hello x!');
  },

  async server_stream({ stream, run }) {
    const { replies, error } = await run(stream(quoitApi, Api.method.getStream, { length: 100 }));
    assert.equal(error, undefined);
    assert.deepEqual(replies.map((item) => item.id), Array.from({ length: 100 }, (_, i) => i + 1));
  },

  async status({ unary }) {
    for (let code = 1; code <= 16; code++) {
      const error = await failure(unary(testServer, calls.status, { code, message }));
      assert.deepEqual([error.code, error.message], [code, message]);
    }
  },

  async metadata({ unary, stream, run }) {
    const sent = { 'x-sent': 'three' };
    const request = {
      headers: [{ name: 'x-text', value: text('one') }],
      trailers: [{ name: 'x-late', value: text('two') }],
    };
    const reply = await unary(testServer, calls.metadata, request, sent);
    assert.ok(reply.received.some((field) => field.name === 'x-sent'));
    const { headers, status } = await run(stream(testServer, calls.metadata, request, sent));
    assert.equal(headers['x-text'], 'one');
    assert.equal(status.metadata['x-late'], 'two');
  },

  async deadline({ unary }) {
    const soon = { deadline: `${Date.now() + 100}` };
    assert.equal((await failure(unary(testServer, calls.wait, {}, soon))).code, 4);
  },

  async cancellation({ unary, stream }) {
    const cancelled = async () => (await unary(testServer, calls.stats, {})).cancelled;
    const before = await cancelled();
    const call = stream(testServer, calls.wait, {});
    setTimeout(() => call.cancel(), 100);
    await isCancelled({ stats: async () => ({ cancelled: await cancelled() }) }, before);
  },
};

// ---- all of it ----

async function attempt(name, check, run) {
  let late;
  const patience = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error('no end')), PATIENCE_MS);
  });
  try {
    await Promise.race([run(), patience]);
    console.log(`ok ${name}: ${check}`);
  } catch (error) {
    console.log(`failed ${name}: ${check}: ${(error.stack ?? `${error}`).replaceAll('\n', ' ')}`);
  }
  clearTimeout(late);
}

for (const transport of connectTransports()) {
  const own = clients(transport);
  for (const [check, run] of Object.entries(checks)) await attempt(transport.name, check, () => run(own));
  for (const check of transport.extra) await attempt(transport.name, check, () => onlySome[check](own));
}
for (const format of ['text', 'binary']) {
  const own = grpcWebClient(format);
  for (const [check, run] of Object.entries(grpcWebChecks))
    await attempt(`grpc-web ${format}`, check, () => run(own));
}
process.exit(0); // connections are kept for a while else
