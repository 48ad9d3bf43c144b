import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { ContentCheck } = await importPage("content-check.js");

const PART_SIZE = 4;
const digest = (text, algorithm) => createHash(algorithm).update(text).digest("hex");
const sha256 = (text) => digest(text, "sha256").slice(0, 32);
const md5 = (text) => `"${digest(text, "md5")}"`;

const hasher = { hash: async (content, algorithm) => digest(await content.text(), algorithm) };
const noWorker = { hash: () => Promise.reject() };

const qq = { s3: { CompleteMultipartAjaxRequester: function () { this.send = () => {}; } } };

/** A check of one file, whose id is 0. */
function createCheck({ content = new Blob(["abcdefghij"]), record, hash = hasher }) {
  const upload = { status: "uploading" };
  const shares = [];
  const errors = new Map();
  const check = new ContentCheck(qq, hash, (id, sentence) => errors.set(id, sentence), (id, share) => shares.push(share));
  check.attach({
    getFile: () => content,
    getUploads: () => upload,
    _options: { chunking: { enabled: true, partSize: () => PART_SIZE } },
  });
  check.fileSubmitted(0, record);
  return { check, upload, shares, errors };
}

for (const { name, parts, digests, result, hash } of [
  { name: "equal SHA-256", parts: [[1, ""], [3, ""]], digests: [sha256("abcd"), null, sha256("ij")], result: "same" },
  { name: "another SHA-256", parts: [[1, ""], [3, ""]], digests: [sha256("abcd"), null, "0"], result: "different" },
  { name: "equal MD5", parts: [[2, md5("efgh")]], result: "same" },
  { name: "another MD5", parts: [[2, md5("abcd")]], result: "different" },
  { name: "an ETag that is no MD5", parts: [[1, md5("abcd")], [2, '"7"']], result: "unknown" },
  { name: "equal SHA-256, and another MD5", parts: [[1, md5("?")]], digests: [sha256("abcd")], result: "same" },
  { name: "a stale digest of a part that is not stored", parts: [[1, md5("abcd")]], digests: [null, "0"], result: "same" },
  { name: "no worker", parts: [[1, md5("abcd")]], hash: noWorker, result: "unknown" },
]) {
  test(`${name}: ${result}`, async () => {
    const stored = parts.map(([number, etag]) => ({ number, etag }));
    const { check, shares } = createCheck({ record: { parts: stored, digests }, hash });
    await check.start(0);
    assert.equal(check.result(0), result);
    assert.equal(shares[0], 0);
    assert.equal(shares.at(-1), null);
  });
}

test("a file that is not resumed is not compared", async () => {
  const { check, shares } = createCheck({});
  await check.start(0);
  assert.deepEqual(shares, []);
});

test("a file that cannot be read fails as such, and is checked again by the next start", async () => {
  const content = new Blob(["abcd"]);
  const gone = { size: 4, slice: () => gone, arrayBuffer: () => Promise.reject() };
  let current = gone;
  const file = { size: 4, slice: (...range) => current.slice(...range) };
  const { check, errors } = createCheck({ content: file, record: { parts: [{ number: 1, etag: md5("abcd") }] } });
  await assert.rejects(() => check.start(0));
  assert.match(errors.get(0), /cannot be read any more/);
  current = content;
  await check.start(0);
  assert.equal(check.result(0), "same");
});

test("a pause ends the start that it interrupts, and Continue waits for the same check", async () => {
  const { check, upload } = createCheck({ record: { parts: [{ number: 1, etag: md5("abcd") }] } });
  let interrupted = false;
  check.start(0).then(() => { interrupted = true; });
  upload.status = "paused";
  upload.status = "uploading";
  await check.start(0);
  assert.equal(interrupted, false);
  assert.equal(check.result(0), "same");
});
