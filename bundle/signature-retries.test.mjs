import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { FakePromise } from "./fake-promise.mjs";
import { importPage } from "./import-page.mjs";

const { retrySignatures } = await importPage("signature-retries.js");
const { retryTransientErrors } = await importPage("retries.js");

const { setTimeout, clearTimeout } = globalThis;
let timers; // {callback, delay}
let onOnline; // the listeners
let online;

beforeEach(() => {
  [timers, onOnline, online] = [[], new Set(), true];
  globalThis.setTimeout = (callback, delay) => timers[timers.push({ callback, delay }) - 1];
  globalThis.clearTimeout = (timer) => { timers = timers.filter((other) => other !== timer); };
  globalThis.addEventListener = (_, listener) => onOnline.add(listener);
  globalThis.removeEventListener = (_, listener) => onOnline.delete(listener);
  Object.defineProperty(globalThis, "navigator", { value: { get onLine() { return online; } }, configurable: true });
});

afterEach(() => { Object.assign(globalThis, { setTimeout, clearTimeout }); });

/** Ends all timers, and returns their delays in seconds. */
function elapse() {
  const ended = timers;
  for (const { callback } of ended) callback();
  return ended.map(({ delay }) => delay / 1000);
}

const noResponse = { from: "server", status: 0 };
const busy = { from: "server", status: 429, retryAfter: 7 };
const rejected = { from: "server", status: 403, permanent: true };
const unreadable = null; // the part could not be hashed, so that there was no request

/** A page with one file, whose id is 7, and the signature requests that it has made and that are not yet answered. */
function createPage({ maxAutoAttempts = 20, customHeaders, expectingPolicy = false } = {}) {
  const page = { pending: [], delayed: [], received: 0, file: { status: "uploading" }, headers: null, last: null };
  const qq = {
    Promise: FakePromise,
    status: { CANCELED: "canceled", PAUSED: "paused" },
    s3: {
      RequestSigner: function ({ signatureSpec }) {
        page.headers = signatureSpec.customHeaders;
        this.getSignature = (id) => {
          const promise = new FakePromise();
          page.pending.push({ id, promise });
          return promise;
        };
      },
    },
  };
  const connections = { schedule: ({ send }) => send() }; // there is always a free one
  const attach = retrySignatures(qq, () => page.last, connections, {
    delayed: (id, retry) => page.delayed.push([id, retry]),
    received: () => page.received++,
  });
  const uploader = {
    _autoRetries: {},
    _options: { retry: { autoAttemptDelay: 5, maxAutoAttempts } },
    _shouldAutoRetry(id) {
      this._autoRetries[id] ??= 0;
      return this._autoRetries[id] < maxAutoAttempts && Boolean(++this._autoRetries[id]);
    },
    _onUploadStatusChange() {},
    getUploads: () => page.file,
  };
  retryTransientErrors(uploader, () => page.last);
  attach(uploader);
  page.setStatus = (status) => {
    page.file.status = status;
    uploader._onUploadStatusChange(7);
  };
  const signer = new qq.s3.RequestSigner({ expectingPolicy, signatureSpec: { customHeaders } });
  /** Requests a signature, and returns [] or what it got. */
  page.request = (id) => {
    const results = [];
    signer.getSignature(id).then(() => results.push("signature"), () => results.push("failure"));
    return results;
  };
  page.succeed = (i = 0) => page.pending.splice(i, 1)[0].promise.success("signature");
  page.fail = (response = noResponse, i = 0) => {
    page.last = response;
    page.pending.splice(i, 1)[0].promise.failure("error");
    page.last = null;
  };
  return page;
}

test("a part that gets no signature requests it again, longer and longer, until it has one", () => {
  const page = createPage();
  const results = page.request("7.0");
  const delays = [];
  for (let retry = 1; retry <= 9; retry++) {
    page.fail();
    assert.deepEqual(page.delayed.at(-1), [7, retry]);
    delays.push(...elapse());
  }
  assert.deepEqual(delays, [5, 5, 5, 5, 10, 10, 10, 10, 20]);
  page.succeed();
  assert.deepEqual([results, page.received, page.pending, timers], [["signature"], 1, [], []]);
});

for (const { name, response, delay } of [
  { name: "no response", response: noResponse, delay: 5 },
  { name: "503", response: { from: "server", status: 503 }, delay: 5 },
  { name: "429 with Retry-After: 7", response: busy, delay: 7 },
  { name: "429 with Retry-After of a day", response: { ...busy, retryAfter: 86400 }, delay: 3600 },
  { name: "a rejection", response: rejected },
  { name: "a part that cannot be read", response: unreadable },
]) {
  test(`${name}: ${delay ? `the next request comes after ${delay} s` : "the part fails"}`, () => {
    const page = createPage();
    const results = page.request("7.0");
    page.fail(response);
    assert.deepEqual(elapse(), delay ? [delay] : []);
    assert.deepEqual(results, delay ? [] : ["failure"]);
  });
}

test("after the last retry the part fails", () => {
  const page = createPage({ maxAutoAttempts: 1 });
  const results = page.request("7.0");
  page.fail();
  elapse();
  page.fail();
  assert.deepEqual(results, ["failure"]);
});

test("parts that fail together count once, one of them asks again, and the others follow when it succeeds", () => {
  const page = createPage();
  const results = ["7.0", "7.1", "7.2"].map(page.request);
  for (let part = 0; part < 3; part++) page.fail();
  assert.deepEqual([page.delayed, timers.length], [[[7, 1]], 1]);
  elapse();
  assert.equal(page.pending.length, 1);
  page.fail();
  elapse();
  assert.deepEqual([page.delayed.at(-1), page.pending.length], [[7, 2], 1]);
  page.succeed();
  assert.equal(page.pending.length, 2);
  for (let part = 1; part < 3; part++) page.succeed();
  assert.deepEqual(results, [["signature"], ["signature"], ["signature"]]);
});

test("while a part waits, others get their signatures, and a rejection of one fails it at once", () => {
  const page = createPage();
  const results = ["7.0", "7.1", "7.2"].map(page.request);
  page.fail();
  page.succeed();
  page.fail(rejected);
  assert.deepEqual(results, [[], ["signature"], ["failure"]]);
});

test("without a network, requests do not count, and the next one comes when the browser is back online", () => {
  const page = createPage({ maxAutoAttempts: 2 });
  const results = page.request("7.0");
  online = false;
  for (let i = 0; i < 5; i++) {
    page.fail();
    assert.deepEqual(page.delayed.at(-1), [7, 1]);
    if (i < 4) elapse();
  }
  online = true;
  for (const listener of onOnline) listener();
  assert.deepEqual([page.pending.length, timers.length, onOnline.size], [1, 0, 0]);
  page.succeed();
  assert.deepEqual(results, ["signature"]);
});

for (const { name, statuses } of [
  { name: "paused", statuses: ["paused"] },
  { name: "paused and continued", statuses: ["paused", "uploading"] },
  { name: "cancelled", statuses: ["canceled"] },
  { name: "retried", statuses: ["retrying upload", "uploading"] },
]) {
  test(`a file that is ${name} makes no earlier request again and gets no earlier signature`, () => {
    const page = createPage();
    const results = ["7.0", "7.1"].map(page.request);
    page.fail();
    for (const status of statuses) page.setStatus(status);
    elapse();
    assert.equal(page.pending.length, 1);
    page.succeed();
    assert.deepEqual(results, [[], []]);
    if (statuses.at(-1) !== "uploading") return;
    const [again] = [page.request("7.0")];
    page.fail();
    elapse();
    page.succeed();
    assert.deepEqual(again, ["signature"]);
  });
}

test("no part of a paused file requests a signature", () => {
  const page = createPage();
  page.setStatus("paused");
  page.request("7.0");
  assert.deepEqual(page.pending, []);
});

test("each request for a part or a form has its own id, and customHeaders gets that of the file", () => {
  for (const [options, id, pattern] of [
    [{}, "7.3", /^7\.3\.\d+$/],
    [{ expectingPolicy: true }, 7, /^7\.\d+$/],
    [{}, 7, /^7$/], // of an initiate or a complete
  ]) {
    const page = createPage({ ...options, customHeaders: (file) => ({ file }) });
    page.request(id);
    assert.match(String(page.pending[0].id), pattern);
    assert.deepEqual(page.headers(page.pending[0].id), { file: 7 });
  }
});

test("the request to initiate or complete an upload is not repeated", () => {
  const page = createPage();
  const results = page.request(7);
  page.fail();
  assert.deepEqual([results, timers], [["failure"], []]);
});
