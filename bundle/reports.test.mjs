import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { FakeIndexedDB } from "./fake-indexed-db.mjs";
import { FakePromise } from "./fake-promise.mjs";
import { importPage } from "./import-page.mjs";

const { Reports } = await importPage("reports.js");

const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;
const { setTimeout } = globalThis;
const { now } = Date;
let timers;

beforeEach(() => {
  globalThis.indexedDB = new FakeIndexedDB();
  timers = [];
  globalThis.setTimeout = (callback, delay) => { timers.push({ callback, delay }); };
  Date.now = () => 100 * DAY;
});

afterEach(() => {
  globalThis.setTimeout = setTimeout;
  Date.now = now;
});

/** Lets IndexedDB answer, and all run that waits for it, but no timer. */
async function settle() {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => { setImmediate(resolve); });
}

const REMOVE_DELAY = 200; // ms

/** Ends all timers of this delay. */
async function elapse(delay) {
  const ended = timers.filter((timer) => timer.delay === delay);
  timers = timers.filter((timer) => timer.delay !== delay);
  for (const { callback } of ended) callback();
  await settle();
}

const accepted = null;
const server = { from: "server", option: "uploadSuccess.endpoint", id: "1a2b" };
const rejected = { ...server, permanent: true, status: 403, message: "The file has a virus." };
const missing = { ...server, permanent: true, status: 404, message: "There is no such object." };
const loggedOut = { ...server, permanent: true, status: 401, message: "Please log in." };
const setup = { ...server, permanent: true, status: 403, kind: "setup" };
const unavailable = { ...server, permanent: false, status: 502 };

/**
 * A page with one file for each of uploads, {key, uuid, size, file, status}. responses are those of the server to the
 * reports, in order; the last one repeats. onSend runs while a report is on its way.
 */
function createPage({ uploads = [], responses = [accepted], lockedElsewhere = false, onSend = () => {} } = {}) {
  const page = { sent: [], shown: [], accepted: [], last: null, locked: new Set(), mostLocked: 0 };
  const qq = {
    Promise: FakePromise,
    s3: {
      RequestSigner: function () { this.getSignature = () => resolved("signature"); },
      CompleteMultipartAjaxRequester: function () { this.send = () => resolved("completed"); },
    },
    UploadSuccessAjaxRequester: class {
      sendSuccessRequest(id, report) {
        page.last = responses[Math.min(page.sent.push(report.key), responses.length) - 1];
        onSend();
        const promise = new FakePromise();
        if (page.last) promise.failure();
        else promise.success();
        return promise;
      }
    },
  };
  const locks = {
    acquire: async (uuid) => {
      if (!lockedElsewhere) page.mostLocked = Math.max(page.mostLocked, page.locked.add(uuid).size);
      return !lockedElsewhere;
    },
    release: (uuid) => page.locked.delete(uuid),
  };
  page.reports = new Reports(qq, () => page.last, locks);
  page.uploader = {
    _options: { uploadSuccess: {}, cors: {} },
    _uploadSuccessEndpointStore: { get: () => "/s3/success" },
    _uploadSuccessParamsStore: { get: () => ({}) },
    _paramsStore: { get: () => ({}) },
    _getEndpointSpecificParams: (id) => ({ key: uploads[id].key, uuid: `uuid-${id}`, name: "a.txt", bucket: "b" }),
    log() {},
    getUploads: (filter) => {
      const all = uploads.map((upload, id) => ({ ...upload, id }));
      return filter ? all[filter.id] : all;
    },
    getKey: (id) => uploads[id].key,
    getSize: (id) => uploads[id].size,
    getFile: (id) => uploads[id].file,
    addInitialFiles: ([{ s3Key, size }]) => { uploads.push({ key: s3Key, size }); },
  };
  page.reports.attach(page.uploader);
  page.signer = new qq.s3.RequestSigner({ expectingPolicy: true });
  page.completion = new qq.s3.CompleteMultipartAjaxRequester({});
  page.restore = (owner) => page.reports.restore(owner, {
    show: (id, state, error) => {
      page.shown.push([uploads[id].key, state, error?.text].filter((value) => value !== undefined));
    },
    accepted: (uuid) => page.accepted.push(uuid),
  });
  return page;
}

function resolved(value) {
  const promise = new FakePromise();
  promise.success(value);
  return promise;
}

function addRecord(key, age = MINUTE) {
  const report = { key, uuid: `uuid of ${key}`, name: "a.txt", bucket: "b" };
  indexedDB.records.set(key, { report, size: 5, time: Date.now() - age });
}

const text = "The file has a virus.";

for (const { name, age, listed, owner, lockedElsewhere, responses, shown, sent = 1, kept } of [
  { name: "accepted", listed: { size: 5 }, shown: [["me/a", "unreported"], ["me/a", "done"]], kept: false },
  { name: "accepted, not listed", shown: [["me/a", "done"]], kept: false },
  { name: "rejected", listed: { size: 5 }, responses: [rejected],
    shown: [["me/a", "unreported"], ["me/a", "rejected", text]], kept: true },
  { name: "rejected, not listed", responses: [rejected], shown: [["me/a", "rejected", text]], kept: true },
  { name: "no object yet", responses: [missing], shown: [], kept: true },
  { name: "no object after two hours", age: 120 * MINUTE, responses: [missing], shown: [], kept: false },
  { name: "logged out", responses: [loggedOut], shown: [], kept: true },
  { name: "a wrong setting", responses: [setup], shown: [], kept: true },
  { name: "unavailable, then accepted", responses: [unavailable, accepted], shown: [["me/a", "done"]], sent: 2, kept: false },
  { name: "after 31 days", age: 31 * DAY, shown: [], sent: 0, kept: false },
  { name: "of the same owner", owner: "me", shown: [["me/a", "done"]], kept: false },
  { name: "of another owner", owner: "you", shown: [], sent: 0, kept: true },
  { name: "of a file that another tab uploads", lockedElsewhere: true, shown: [], sent: 0, kept: true },
  { name: "of a file that this page uploads", listed: { size: 5, file: {} }, shown: [], sent: 0, kept: true },
  { name: "of an object that another one has replaced", listed: { size: 6 }, shown: [], sent: 0, kept: true },
]) {
  test(`a record, ${name}`, async () => {
    addRecord("me/a", age);
    const uploads = listed ? [{ key: "me/a", ...listed }] : [];
    const page = createPage({ uploads, responses, lockedElsewhere });
    page.restore(owner);
    await settle();
    await elapse(5000);
    await elapse(REMOVE_DELAY);
    assert.deepEqual(page.shown, shown);
    assert.equal(page.sent.length, sent);
    assert.equal(indexedDB.records.has("me/a"), kept);
    assert.deepEqual(page.accepted, shown.at(-1)?.[1] === "done" ? ["uuid of me/a"] : []);
    assert.equal(page.locked.size, 0);
  });
}

test("a rejected file is reported again by the next page load, when the hook may be corrected", async () => {
  addRecord("me/a");
  const first = createPage({ responses: [rejected] });
  first.restore();
  await settle();
  const second = createPage({ uploads: [{ key: "me/a", size: 5 }], responses: [accepted] });
  second.restore();
  await settle();
  assert.deepEqual(second.shown.at(-1), ["me/a", "done"]);
});

test("repeating ends when the file is deleted", async () => {
  addRecord("me/a");
  const page = createPage({ uploads: [{ key: "me/a", size: 5 }], responses: [unavailable] });
  page.restore();
  await settle();
  page.reports.remove(0);
  await elapse(REMOVE_DELAY);
  await elapse(5000);
  assert.equal(page.sent.length, 1);
  assert.equal(page.locked.size, 0);
});

for (const { name, response } of [
  { name: "accepted", response: accepted },
  { name: "missing for too long", response: missing },
  { name: "unavailable", response: unavailable },
]) {
  test(`a file that is chosen again while it is reported keeps its lock and its record: ${name}`, async () => {
    addRecord("me/a", 120 * MINUTE);
    const uploads = [];
    const onSend = () => uploads.push({ key: "me/a", uuid: "uuid of me/a", size: 5, file: {} });
    const page = createPage({ uploads, responses: [response], onSend });
    page.restore();
    await settle();
    await elapse(5000);
    await elapse(REMOVE_DELAY);
    assert.deepEqual([...page.locked], ["uuid of me/a"]);
    assert.deepEqual(page.accepted, []);
    assert.equal(page.sent.length, 1);
    assert.equal(indexedDB.records.has("me/a"), true);
  });
}

test("records are reported one after the other, and one that fails does not delay the others", async () => {
  for (const key of ["me/a", "me/b", "me/c"]) addRecord(key);
  const page = createPage({ responses: [unavailable, accepted] });
  page.restore();
  await settle();
  assert.deepEqual(page.sent, ["me/a", "me/b", "me/c"]);
  await elapse(5000);
  assert.deepEqual(page.sent, ["me/a", "me/b", "me/c", "me/a"]);
  assert.equal(page.mostLocked, 1);
});

for (const request of ["policy", "completion"]) {
  const send = (page) => (request === "policy" ? page.signer.getSignature(0) : page.completion.send(0));
  const start = (status) => {
    const page = createPage({ uploads: [{ key: "me/a", size: 5, file: {}, status }] });
    let result;
    send(page).then((value) => { result = value; });
    return () => result;
  };

  test(`${request}: the record is written before the request`, async () => {
    const result = start("uploading");
    assert.equal(result(), undefined);
    await settle();
    assert.ok(result());
    assert.deepEqual(indexedDB.records.get("me/a").report.key, "me/a");
  });

  test(`${request}: without IndexedDB the request is sent`, async () => {
    delete globalThis.indexedDB;
    const result = start("uploading");
    await settle();
    assert.ok(result());
  });

  test(`${request}: if IndexedDB hangs, the request is sent after a second`, async () => {
    indexedDB.hang = true;
    const result = start("uploading");
    await settle();
    assert.equal(result(), undefined);
    await elapse(1000);
    assert.ok(result());
  });

  for (const status of ["paused", "canceled"]) {
    test(`${request}: not sent if the file is ${status}`, async () => {
      const result = start(status);
      await settle();
      assert.equal(result(), undefined);
    });
  }
}

for (const { name, response, kept } of [
  { name: "the store rejects the file", response: { from: "store", status: 403, permanent: true }, kept: false },
  { name: "the store has lost the upload", response: { from: "store", status: 404, permanent: false }, kept: true },
  { name: "a proxy's timeout", response: { from: "store", status: 504, permanent: false }, kept: true },
  { name: "hidden ETags", response: { from: "store", status: 0, permanent: true }, kept: true },
  { name: "the server rejects the report", response: rejected, kept: true },
  { name: "no response", response: null, kept: true },
]) {
  test(`after a failure the record is ${kept ? "kept" : "removed"}: ${name}`, async () => {
    addRecord("me/a");
    const page = createPage({ uploads: [{ key: "me/a", size: 5, file: {} }] });
    page.last = response;
    page.reports.failed(0);
    await elapse(REMOVE_DELAY);
    assert.equal(indexedDB.records.has("me/a"), kept);
  });
}
