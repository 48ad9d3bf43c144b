import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, test } from "node:test";

import { FakePromise } from "./fake-promise.mjs";
import { importPage } from "./import-page.mjs";

const { ContentCheck } = await importPage("content-check.js");

globalThis.XMLHttpRequest ??= class {};

const PART_SIZE = 4;
const TEXT = "abcdefghij"; // parts abcd, efgh and ij
const digest = (text, algorithm) => createHash(algorithm).update(text).digest("hex");
const sha256 = (text) => digest(text, "sha256").slice(0, 32);
const md5 = (text) => `"${digest(text, "md5")}"`;
const noMD5 = `"${"0".repeat(32)}"`; // of a part that the store encrypts

const hasher = {
  hash: async (content, algorithm) => digest(await content.text(), algorithm),
  digest: () => undefined, // as under version 2
};

/** In Chromium, and with firefox: true in Firefox. */
const setBrowser = (firefox) => { if (firefox) globalThis.mozInnerScreenX = 0; };
afterEach(() => { delete globalThis.mozInnerScreenX; });

const settle = async () => { for (let i = 0; i < 50; i++) await new Promise((resolve) => { setImmediate(resolve); }); };

/**
 * A check of one file, whose id is 0, and an upload of it. changed(content) replaces what the browser reads from now on;
 * as in Firefox, the file and its parts keep their sizes.
 */
function createCheck({ content = new Blob([TEXT]), record, hash = hasher, firefox = false } = {}) {
  setBrowser(firefox);
  const upload = { status: "uploading", shares: [], errors: new Map(), sent: [], record: {}, responses: [] };
  let current = content;
  const file = {
    size: content.size,
    slice: (start, end) => Object.defineProperty(current.slice(start, end), "size", { value: end - start }),
    stream: () => current.stream(),
  };
  const qq = {
    Promise: FakePromise,
    s3: {
      CompleteMultipartAjaxRequester: function () {
        this.send = (id, uploadId) => {
          const promise = new FakePromise();
          upload.sent.push(uploadId);
          if (upload.responses.shift() === "fails") promise.failure("fails");
          else promise.success("completed");
          return promise;
        };
      },
    },
  };
  const check = new ContentCheck(qq, {
    hasher: hash,
    parts: { content: (id, i) => file.slice(i * PART_SIZE, Math.min((i + 1) * PART_SIZE, file.size)) },
    isInParts: () => file.size > PART_SIZE,
    setError: (id, sentence) => upload.errors.set(id, sentence),
    showProgress: (id, share) => {
      upload.shares.push(share);
      upload.onShare?.(share);
    },
  });
  check.attach({
    getFile: () => file,
    getUploads: () => upload,
    _customResumeDataStore: { get: () => upload.record },
    setCustomResumeData: (id, data) => { upload.record = data; },
  });
  check.fileSubmitted(0, record);
  const requester = new qq.s3.CompleteMultipartAjaxRequester();
  /** Completes an upload with these ETags, and resolves with "completed", "failed", or "pending". */
  const complete = async (etags) => {
    let result = "pending";
    requester.send(0, "U", etags.map((etag, i) => ({ part: i + 1, etag })))
      .then(() => { result = "completed"; }, () => { result = "failed"; });
    await settle();
    return result;
  };
  const partStored = (i, etag) => check.partStored(
    0, { partIndex: i, startByte: i * PART_SIZE + 1, endByte: Math.min((i + 1) * PART_SIZE, content.size) }, etag);
  return { check, upload, file, complete, partStored, changed: (next) => { current = new Blob([next]); } };
}

const stored = (...parts) => parts.map(([number, etag]) => ({ number, etag }));

for (const { name, parts, digests, etagsAreMD5, result } of [
  { name: "equal SHA-256", parts: [[1, ""], [3, ""]], digests: [sha256("abcd"), null, sha256("ij")], result: "same" },
  { name: "equal SHA-256 and MD5", parts: [[1, ""], [2, md5("efgh")]], digests: [sha256("abcd")], result: "same" },
  { name: "another SHA-256", parts: [[1, ""], [3, ""]], digests: [sha256("abcd"), null, "0"], result: "different" },
  { name: "equal MD5", parts: [[2, md5("efgh")]], result: "same" },
  { name: "another MD5 after an equal one", parts: [[1, md5("abcd")], [2, md5("?")]], result: "different" },
  { name: "another MD5, and the store returns MD5", parts: [[1, md5("?")]], etagsAreMD5: true, result: "different" },
  { name: "an ETag that looks like an MD5", parts: [[1, noMD5], [2, noMD5]], result: "unknown" },
  { name: "an ETag that is no MD5", parts: [[1, md5("abcd")], [2, '"7"']], result: "unknown" },
  { name: "equal SHA-256, and another MD5", parts: [[1, md5("?")]], digests: [sha256("abcd")], result: "same" },
  { name: "a stale digest of a part that is not stored", parts: [[1, md5("abcd")]], digests: [null, "0"], result: "same" },
]) {
  test(`${name}: ${result}`, async () => {
    const { check, upload } = createCheck({ record: { parts: stored(...parts), digests, etagsAreMD5 } });
    await check.start(0);
    assert.equal(check.result(0), result);
    assert.equal(upload.shares[0], 0);
    assert.equal(upload.shares.at(-1), null);
  });
}

test("a file that is not resumed is not compared", async () => {
  const { check, upload } = createCheck();
  await check.start(0);
  assert.deepEqual(upload.shares, []);
});

test("the resume record gets the SHA-256 of each part under version 4", () => {
  const digests = { "0-4": digest("abcd", "sha256"), "8-10": digest("ij", "sha256") };
  const hash = { digest: (file, start, end) => digests[`${start}-${end}`] };
  const { upload, partStored } = createCheck({ hash });
  upload.record = { user: 1 };
  partStored(0, noMD5);
  partStored(2, noMD5);
  assert.deepEqual({ ...upload.record, sha256: [...upload.record.sha256] },
    { user: 1, sha256: [sha256("abcd"), undefined, sha256("ij")] });
});

test("under version 2, the first part whose ETag is its MD5 is remembered, and no further one is hashed", async () => {
  let hashed = 0;
  const hash = { ...hasher, hash: (...args) => { hashed++; return hasher.hash(...args); } };
  const { upload, partStored } = createCheck({ hash });
  upload.record = { user: 1 };
  partStored(0, noMD5);
  await settle();
  assert.deepEqual(upload.record, { user: 1 });
  partStored(1, md5("efgh"));
  partStored(2, md5("ij"));
  await settle();
  assert.deepEqual(upload.record, { user: 1, etagsAreMD5: true });
  assert.equal(hashed, 2);
});

test("without a digest, the file fails, and the next start compares it", async () => {
  let loaded = false;
  const hash = { hash: (...args) => (loaded ? hasher.hash(...args) : Promise.reject()) };
  const { check, upload } = createCheck({ record: { parts: stored([1, md5("abcd")]) }, hash });
  await assert.rejects(() => check.start(0));
  assert.match(upload.errors.get(0), /cannot be compared .* Press Retry/);
  loaded = true;
  await check.start(0);
  assert.equal(check.result(0), "same");
});

test("a file that cannot be read fails as such, and is checked again by the next start", async () => {
  const { check, upload, file } = createCheck({ record: { parts: stored([1, md5("abcd")]) } });
  const { slice } = file;
  const gone = { size: 4, arrayBuffer: () => Promise.reject() };
  file.slice = () => gone;
  await assert.rejects(() => check.start(0));
  assert.match(upload.errors.get(0), /cannot be read any more/);
  file.slice = slice;
  await check.start(0);
  assert.equal(check.result(0), "same");
});

test("a part that cannot be read during the comparison fails the file as such", async () => {
  const hash = { hash: () => Promise.reject() };
  const { check, upload, changed } = createCheck({ record: { parts: stored([1, md5("abcd")]) }, hash });
  changed("ab");
  await assert.rejects(() => check.start(0));
  assert.match(upload.errors.get(0), /cannot be read any more/);
});

for (const status of ["paused", "canceled"]) {
  test(`a start never ends if the file is ${status} meanwhile`, async () => {
    const { check, upload } = createCheck({ record: { parts: stored([1, md5("abcd")]) } });
    let ended = false;
    check.start(0).then(() => { ended = true; }, () => { ended = true; });
    upload.status = status;
    await settle();
    assert.equal(ended, false);
    assert.equal(upload.errors.size, 0);
  });
}

test("a pause ends the start that it interrupts, and Continue waits for the same check", async () => {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const hash = { hash: async (...args) => { await released; return hasher.hash(...args); } };
  const { check, upload } = createCheck({ record: { parts: stored([1, md5("abcd")], [2, md5("efgh")]) }, hash });
  let interrupted = false;
  check.start(0).then(() => { interrupted = true; });
  await settle();
  upload.status = "paused";
  await settle();
  upload.status = "uploading";
  setImmediate(release);
  await check.start(0);
  await settle();
  assert.equal(interrupted, false);
  assert.equal(check.result(0), "same");
  assert.deepEqual(upload.shares, [0, 0.5, null]);
});

test("a cancel ends the comparison", async () => {
  const { check, upload } = createCheck({ record: { parts: stored([1, md5("abcd")], [2, md5("efgh")]) } });
  upload.onShare = () => { upload.status = "canceled"; };
  check.start(0);
  await settle();
  assert.deepEqual(upload.shares, [0, null]);
});

const etags = [md5("abcd"), md5("efgh"), md5("ij")];

for (const { name, firefox = true, isKnown = true, etags: own = etags, change, result } of [
  { name: "unchanged", result: "completed" },
  { name: "other content of the same size", change: "ABCDEFGHIJ", result: "failed" },
  { name: "content was added", change: `${TEXT}k`, result: "failed" },
  { name: "content was removed", change: "abcdefgh", result: "failed" },
  { name: "other content, in a browser that detects changes", firefox: false, change: "ABCDEFGHIJ", result: "completed" },
  { name: "ETags that look like an MD5", isKnown: false, etags: [noMD5, noMD5, noMD5], result: "completed" },
  { name: "such ETags, and content was added", isKnown: false, etags: [noMD5], change: `${TEXT}k`, result: "failed" },
]) {
  test(`before the parts are combined, ${name}: ${result}`, async () => {
    const { upload, partStored, complete, changed } = createCheck({ firefox });
    if (isKnown) partStored(0, md5("abcd"));
    await settle();
    if (change) changed(change);
    assert.equal(await complete(own), result);
    assert.equal(upload.sent.length, result === "completed" ? 1 : 0);
    assert.equal(upload.errors.has(0), result === "failed");
    if (firefox) assert.equal(upload.shares.at(-1), null);
  });
}

test("before the parts are combined, the file is compared and read, once for all retries", async () => {
  const { upload, complete } = createCheck({ firefox: true });
  upload.responses = ["fails"];
  assert.equal(await complete(etags), "failed");
  assert.deepEqual(upload.shares, [0, 1 / 3, 2 / 3, 0, null]); // the stream of this file is one chunk
  assert.equal(await complete(etags), "completed");
  assert.equal(upload.shares.length, 5);
});

test("a cancel while the file is read ends it, and nothing is sent", async () => {
  const { upload, file, complete } = createCheck({ firefox: true });
  const { stream } = file;
  file.stream = () => {
    upload.status = "canceled";
    return stream().pipeThrough(new TransformStream({
      transform: (bytes, controller) => { for (const byte of bytes) controller.enqueue(Uint8Array.of(byte)); },
    }));
  };
  assert.equal(await complete(etags), "pending");
  assert.deepEqual(upload.sent, []);
  assert.deepEqual(upload.shares.slice(-2), [0, null], "it ends after the first of ten chunks");
});

for (const [content, fails] of [["ab", false], ["abc", true]]) {
  test(`in Firefox, a small file of two bytes that now is ${content} ${fails ? "fails" : "is sent"}`, async () => {
    const { check, upload, changed } = createCheck({ content: new Blob(["ab"]), firefox: true });
    changed(content);
    if (fails) await assert.rejects(() => check.start(0));
    else await check.start(0);
    assert.equal(upload.errors.has(0), fails);
  });
}
