// SPDX-License-Identifier: MIT
// What the page does: it calls again without being loaded anew, shows items as they come, and waits for a backend that is away.
// All that comes from a server is shown by textContent.
import { stream, unary } from "./connect.js";

const base = document.body.dataset.backend ?? "";
const ALL_MAX = 1000; // items of getAll
const ROWS_MAX = 200; // of a stream; the oldest go
const FRAME_MS = 8; // of work between two frames
const RETRY_MS = [250, 500, 1000, 2000];

const at = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const frame = () => new Promise((resolve) => (document.hidden ? setTimeout(resolve, 100) : requestAnimationFrame(resolve)));
const count = (number) => number.toLocaleString("en");

function show(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

// `kind`: "", "busy" or "error".
function note(id, text, kind = "") {
  at(id).ariaLive = kind === "busy" ? "off" : "polite";
  at(id).dataset.kind = kind;
  show(id, text);
}

function row(item) {
  const element = document.createElement("li");
  element.value = item.id ?? 0;
  element.textContent = item.name ?? "";
  return element;
}

// Calls until it works, or fails for a reason that time does not mend. `failed` shows why it waits.
async function persist(call, failed, signal) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(() => (attempt = 0));
    } catch (error) {
      if (signal.aborted) throw error;
      const waits = error.code === "unavailable";
      failed(error, waits);
      if (!waits) return undefined;
    }
    await sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    if (signal.aborted) throw signal.reason;
  }
}

function failure(id, prefix = "") {
  return (error, waits) => note(id, `${prefix}${error.code}: ${error.message}${waits ? " — trying again" : ""}`, "error");
}

// ---- the three calls

async function sayHello(name, signal) {
  const call = async () => {
    const { message } = await unary(base, "api.Api/sayHello", { name }, signal);
    show("hello", message ?? "");
    note("hello-note", "");
  };
  note("hello-note", "calling …", "busy");
  await persist(call, failure("hello-note"), signal);
}

async function getAll(length, signal) {
  const call = async () => {
    const { items = [] } = await unary(base, "api.Api/getAll", { length }, signal);
    at("all").replaceChildren(...items.map(row));
    note("all-note", `${count(items.length)} items in one answer`);
  };
  note("all-note", "calling …", "busy");
  await persist(call, failure("all-note"), signal);
}

// Items wait for the next frame; until they are shown, no more are read.
class Rows {
  #list = at("stream");
  #shown = [];
  #waiting = [];
  #begun = performance.now();
  last = 0; // the newest item's number

  async add(item) {
    this.#waiting.push(item);
    this.last = item.id;
    if (performance.now() - this.#begun < FRAME_MS) return;
    this.show();
    note("stream-note", `${count(this.last)} items so far …`, "busy");
    await frame();
    this.#begun = performance.now();
  }

  show() {
    const box = this.#list.parentElement;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    const all = this.#shown.concat(this.#waiting);
    this.#shown = all.slice(-ROWS_MAX);
    // where the oldest go, all rows are new ones: none of them jumps
    if (all.length > ROWS_MAX) this.#list.replaceChildren(...this.#shown.map(row));
    else this.#list.append(...this.#waiting.map(row));
    this.#waiting = [];
    if (follows) box.scrollTop = box.scrollHeight;
  }
}

// A stream that is cut begins anew, as the method cannot begin in the middle: what is there already is passed over.
async function getStream(length, signal) {
  const rows = new Rows();
  const call = async (works) => {
    for await (const item of stream(base, "api.Api/getStream", { length }, signal)) {
      if (item.id <= rows.last) continue;
      works();
      await rows.add(item);
    }
    rows.show();
    note("stream-note", `${count(rows.last)} items, one by one`);
  };
  const failed = (error, waits) => {
    rows.show();
    failure("stream-note", rows.last > 0 ? `cut after ${count(rows.last)} items; ` : "")(error, waits);
  };
  at("stream").replaceChildren();
  note("stream-note", "calling …", "busy");
  await persist(call, failed, signal);
}

// ---- the form

let current = new AbortController();

function stopCalls() {
  current.abort();
  current = new AbortController();
}

async function callAll(name, length) {
  stopCalls();
  const { signal } = current;
  at("stop").disabled = false;
  await Promise.allSettled([sayHello(name, signal), getAll(Math.min(length, ALL_MAX), signal), getStream(length, signal)]);
  if (!signal.aborted) at("stop").disabled = true;
}

function onSubmit(event) {
  event.preventDefault();
  const name = at("name").value;
  const length = at("length").valueAsNumber;
  history.replaceState(null, "", `?${new URLSearchParams({ name, length })}`);
  callAll(name, length);
}

function onStop() {
  stopCalls();
  at("stop").disabled = true;
  for (const id of ["hello-note", "all-note", "stream-note"])
    if (at(id).dataset.kind) note(id, "stopped");
}

// ---- the live panel

const SAYS = {
  IDLE: "idle",
  CONNECTING: "connecting …",
  READY: "connected",
  TRANSIENT_FAILURE: "away — trying again",
};
const HISTORY = 60; // seconds

function drawHistory(rates) {
  const most = Math.max(10, ...rates);
  const points = rates.map((rate, i) => `${(HISTORY - rates.length + i) * 2},${30 - (rate / most) * 28}`);
  at("history").setAttribute("points", points.join(" "));
}

const milliseconds = (value) => (value === undefined ? "–" : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`);

function connection(state, says) {
  at("connection").dataset.state = state;
  show("connection-text", says);
}

function addRate(rates, rate) {
  rates.push(rate);
  if (rates.length > HISTORY) rates.shift();
  drawHistory(rates);
}

function showState(state) {
  connection(state.connection, SAYS[state.connection] ?? state.connection);
  show("backend", state.backend ?? "");
  show("rate", count(state.callsPerSecond ?? 0));
  show("running", count(state.running ?? 0));
  show("failures", count(Number(state.failures ?? 0)));
  for (const name of ["p50", "p90", "p99"]) show(name, milliseconds(state.latency && (state.latency[`${name}Ms`] ?? 0)));
}

// A page that nobody looks at needs none, and a browser has few connections to a server.
async function watchPanel() {
  const rates = [];
  let second = 0; // of the last rate
  for (;;) {
    while (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
    const hidden = new AbortController();
    const hide = () => hidden.abort();
    document.addEventListener("visibilitychange", hide, { once: true });
    const call = async (works) => {
      for await (const state of stream(base, "web.Panel/watch", {}, hidden.signal)) {
        works();
        showState(state);
        if (performance.now() - second < 900) continue; // only the connection has changed
        second = performance.now();
        addRate(rates, state.callsPerSecond ?? 0);
      }
    };
    const failed = () => connection("AWAY", "the front end is away — trying again");
    await persist(call, failed, hidden.signal).catch(() => {});
    document.removeEventListener("visibilitychange", hide);
    await sleep(500);
  }
}

// So that the panel has something to show.
async function repeat() {
  while (at("repeat").checked) {
    await unary(base, "api.Api/sayHello", { name: at("name").value }).then(
      ({ message }) => {
        show("hello", message ?? "");
        note("hello-note", "");
      },
      (error) => note("hello-note", `${error.code}: ${error.message}`, "error"),
    );
    await sleep(50);
  }
}

// ---- the begin

at("form").addEventListener("submit", onSubmit);
at("stop").addEventListener("click", onStop);
at("stop").hidden = false;
if (at("panel")) {
  at("panel").hidden = false;
  at("repeat").addEventListener("change", repeat);
  watchPanel();
}
// What the server could not show when it made the page, and all of a page that it did not fill.
if (document.querySelector("[data-kind=error]") || base) callAll(at("name").value, at("length").valueAsNumber);
