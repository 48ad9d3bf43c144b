import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { importPage } from "./import-page.mjs";

const { Connections } = await importPage("connections.js");

const MB = 1e6;
let now; // ms

beforeEach(() => { now = 0; });
performance.now = () => now;
globalThis.document = { baseURI: "https://page.example/" };

/** Connections, and a function that sends a part with them. requests are those that were sent. */
function createPage(max) {
  const requests = [];
  const qq = {
    createXhrInstance: () => Object.assign(new EventTarget(), {
      upload: new EventTarget(),
      open() {},
      send(body) { requests.push({ xhr: this, body }); },
    }),
  };
  const connections = new Connections(qq, max);
  const schedule = (file, part, body = new Blob(["x"]), more = {}) => connections.schedule({
    file, part, signAgain: () => assert.fail("signed again"),
    send: () => qq.createXhrInstance().send(Object.assign(body, { name: part === null ? `${file}` : `${file}.${part}` })),
    ...more,
  });
  const names = () => requests.map(({ body }) => body.name);
  const end = async (i) => { requests[i].xhr.dispatchEvent(new Event("loadend")); };
  const progress = (i, loaded) => requests[i].xhr.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded }));
  /** Sends a part at this rate for a second. */
  const measure = async (rate) => {
    const i = requests.length;
    schedule(99, 0);
    progress(i, 512 * 1024);
    now += 1000;
    progress(i, 512 * 1024 + rate);
    await end(i);
    requests.pop();
  };
  return { connections, schedule, names, end, progress, measure };
}

test("parts are sent in the order of files and parts, three at a time on an unknown line", async () => {
  const { schedule, names, end } = createPage(6);
  for (const [file, part] of [[0, 2], [0, 1], [1, 0], [0, 4], [0, 3]]) schedule(file, part);
  assert.deepEqual(names(), ["0.2", "0.1", "1.0"]);
  await end(0);
  await end(1);
  assert.deepEqual(names().slice(3), ["0.3", "0.4"]);
});

test("whole files go first, but leave half of the connections to parts", async () => {
  const { schedule, names, end, measure } = createPage(4);
  await measure(100 * MB);
  for (let part = 0; part < 8; part++) schedule(0, part);
  for (let file = 1; file < 6; file++) schedule(file, null, new FormData());
  for (let i = 0; i < 4; i++) await end(i);
  assert.deepEqual(names().slice(4), ["1", "2", "0.4", "0.5"]);
});

test("a line that is fast enough gets more connections, and a slow one fewer", async () => {
  for (const [rate, want] of [[0, 3], [1 * MB, 3], [5 * MB, 5], [100 * MB, 6]]) {
    const { connections, measure } = createPage(6);
    await measure(rate);
    assert.equal(connections.limit, want, `${rate} bytes/s`);
  }
});

test("the rate is measured after a second; the content of buffers does not count", () => {
  const { connections, schedule, progress } = createPage(6);
  schedule(0, 0);
  for (const [ms, loaded] of [[0, 512 * 1024], [500, 10 * MB], [900, 20 * MB]]) {
    now = ms;
    progress(0, loaded);
    assert.equal(connections.rate, 0);
  }
  now = 1000;
  progress(0, 512 * 1024 + 30 * MB);
  assert.equal(connections.rate, 30 * MB);
});

test("a request that was cancelled leaves its connection to the next one", () => {
  const { schedule, names } = createPage(3);
  schedule(0, 0, undefined, { send: () => {} });
  for (const part of [1, 2, 3, 4]) schedule(0, part);
  assert.deepEqual(names(), ["0.1", "0.2", "0.3"]);
});

test("a request is signed again if it waited for five minutes", async () => {
  const { schedule, names, end } = createPage(3);
  const signedAgain = [];
  const { now: realNow } = Date;
  try {
    Date.now = () => 0;
    for (const part of [0, 1, 2]) schedule(0, part);
    schedule(0, 3, undefined, { signAgain: () => signedAgain.push(3) });
    Date.now = () => 5 * 60_000;
    await end(0);
  } finally {
    Date.now = realNow;
  }
  assert.deepEqual([names(), signedAgain], [["0.0", "0.1", "0.2"], [3]]);
});
