// SPDX-License-Identifier: MIT
// Calls by the Connect protocol, with JSON: https://connectrpc.com/docs/protocol

// What a call ended with, if not well. `code` is Connect's: "unavailable", "resource_exhausted", ...
export class CallError extends Error {
  constructor(code, message) {
    super(message || code);
    this.code = code;
  }
}

// A server that cannot be reached at all says nothing: the browser's own error becomes "unavailable".
async function post(base, method, type, body, signal) {
  try {
    return await fetch(`${base}/${method}`, {
      method: "POST",
      headers: { "content-type": type, "connect-protocol-version": "1" },
      body,
      signal,
      cache: "no-store",
    });
  } catch (error) {
    throw signal?.aborted ? error : new CallError("unavailable", base ? `${base} cannot be reached, or lets no page of this address call it` : "the page's server cannot be reached");
  }
}

async function errorOf(response) {
  try {
    const { code, message } = await response.json();
    if (code) return new CallError(code, message);
  } catch {
    // no Connect: something stands in between
  }
  const away = [429, 502, 503, 504].includes(response.status);
  return new CallError(away ? "unavailable" : "unknown", `HTTP status ${response.status}`);
}

export async function unary(base, method, message, signal) {
  const response = await post(base, method, "application/json", JSON.stringify(message), signal);
  if (!response.ok) throw await errorOf(response);
  return response.json();
}

const END = 2;
const PREFIX = 5;
const decoder = new TextDecoder();

function envelope(message) {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(PREFIX + text.length);
  new DataView(bytes.buffer).setUint32(1, text.length);
  bytes.set(text, PREFIX);
  return bytes;
}

// Parts of any size in, whole envelopes out.
class Envelopes {
  #bytes = new Uint8Array(0);
  #at = 0;

  add(part) {
    const rest = this.#bytes.subarray(this.#at);
    this.#bytes = new Uint8Array(rest.length + part.length);
    this.#bytes.set(rest);
    this.#bytes.set(part, rest.length);
    this.#at = 0;
  }

  // undefined: there is none yet
  next() {
    const rest = this.#bytes.length - this.#at;
    if (rest < PREFIX) return undefined;
    const size = new DataView(this.#bytes.buffer, this.#at).getUint32(1);
    if (rest < PREFIX + size) return undefined;
    const flags = this.#bytes[this.#at];
    const text = this.#bytes.subarray(this.#at + PREFIX, this.#at + PREFIX + size);
    this.#at += PREFIX + size;
    return { isEnd: (flags & END) !== 0, value: JSON.parse(decoder.decode(text)) };
  }
}

async function read(reader, signal) {
  try {
    return await reader.read();
  } catch (error) {
    throw signal?.aborted ? error : new CallError("unavailable", "the connection was lost");
  }
}

// The messages of a method that streams its answer. Who takes them slowly slows the server down.
export async function* stream(base, method, message, signal) {
  const response = await post(base, method, "application/connect+json", envelope(message), signal);
  if (!response.ok) throw await errorOf(response);
  const reader = response.body.getReader();
  const envelopes = new Envelopes();
  try {
    for (;;) {
      const { done, value } = await read(reader, signal);
      if (done) throw new CallError("unavailable", "the stream was cut");
      envelopes.add(value);
      for (let next; (next = envelopes.next()); ) {
        signal?.throwIfAborted(); // no more, even of what has arrived
        if (!next.isEnd) yield next.value;
        else if (next.value.error) throw new CallError(next.value.error.code, next.value.error.message);
        else return;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
