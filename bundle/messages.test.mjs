import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";
import { MB, Progress, part, withStoredParts } from "./progress-fixture.mjs";

const messages = await importPage("messages.js");

test("size", () => {
  for (const [bytes, text] of [
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1.0 kB"],
    [15e6, "15 MB"],
    [9.96e6, "10 MB"],
    [999.4e6, "999 MB"],
    [999.6e6, "1.0 GB"],
    [5e12, "5.0 TB"],
    [5e15, "5000 TB"],
  ]) assert.equal(messages.size(bytes), text);
});

test("duration", () => {
  for (const [seconds, text] of [
    [0.2, "1 s"],
    [59, "59 s"],
    [61, "1 min"],
    [3599, "1 h 0 min"],
    [3900, "1 h 5 min"],
  ]) assert.equal(messages.duration(seconds), text);
});

test("percent is 100 only for a complete file", () => {
  for (const [bytes, total, percent] of [[0, 0, 0], [999, 1000, 99], [1000, 1000, 100]]) {
    assert.equal(messages.percent(bytes, total), percent);
  }
});

const size = 10 * MB; // two parts

function sent(...samples) {
  const progress = new Progress(size);
  for (const [now, bytes] of samples) progress.update(bytes, now);
  return progress;
}

test("status", () => {
  const none = new Progress(size);
  const half = withStoredParts(size, [0]);
  const all = withStoredParts(size, [0, 1]);
  const started = sent([0, MB]);
  const measured = sent([0, 0], [2000, 4 * MB]);
  const retry = { retryAt: 5000, retry: 2, maxRetries: 20 };
  const stalledServer = { now: 7001, isServerPending: true };
  const signature = { waitsForSignature: true, retryAt: 5000, retry: 1, maxRetries: 20 };
  for (const [state, progress, context, text, more] of [
    ["queued", none, {}, "Waiting for its turn"],
    ["uploading", none, {}, "Starting"],
    ["uploading", none, { now: 5001 }, "Starting, waiting for the network"],
    ["uploading", half, {}, "Resuming at 50 %"],
    ["uploading", half, { now: 5001, isServerPending: true }, "Resuming at 50 %, waiting for the signing server"],
    ["uploading", started, {}, "10 % of 10 MB"],
    ["uploading", measured, { now: 2000 }, "40 % of 10 MB, 2.0 MB/s, about 3 s left"],
    ["uploading", measured, { now: 7001 }, "40 % of 10 MB, waiting for the network"],
    ["uploading", measured, stalledServer, "40 % of 10 MB, waiting for the signing server"],
    ["uploading", sent([0, size]), {}, "Sent; waiting for the store to confirm"],
    ["uploading", none, { now: 5001 }, "Comparing with the stored parts, 0 %", { checked: 0 }],
    ["uploading", none, {}, "Comparing with the stored parts, 40 %", { checked: 0.4 }],
    ["uploading", none, {}, "Starting, waiting for the signing server; retrying in 5 s (1 of 20)", signature],
    ["uploading", half, {}, "Resuming at 50 %, waiting for the signing server; retrying in 5 s (1 of 20)", signature],
    ["uploading", measured, { now: 5000 }, "40 % of 10 MB, waiting for the signing server; retrying now (1 of 20)",
      signature],
    ["uploading", half, { online: false }, "Waiting for the network; will resume at 50 %", signature],
    ["finishing", none, {}, "Finishing"],
    ["retrying", none, {}, "Retrying in 5 s (2 of 20)", retry],
    ["retrying", none, { now: 5001 }, "Retrying now (2 of 20)", retry],
    ["retrying", half, { now: 4200 }, "Retrying in 1 s (2 of 20); will resume at 50 %", retry],
    ["retrying", half, { online: false }, "Waiting for the network; will resume at 50 %", retry],
    ["retrying", all, {}, "Retrying in 5 s (2 of 20); all of it is sent", retry],
    ["retrying", none, {}, "Waiting for its turn", { retryAt: null }],
    ["paused", none, {}, "Paused; will start over"],
    ["paused", half, {}, "Paused; will resume at 50 %"],
    ["done", none, {}, "Uploaded"],
    ["earlier", none, {}, "Stored earlier"],
    ["unreported", none, {}, "Stored; waiting for the signing server to confirm"],
    ["rejected", none, {}, "Rejected"],
    ["failed", none, {}, "Failed"],
    ["failed", half, {}, "Failed; Retry resumes at 50 %"],
    ["failed", all, {}, "Failed; all of it is sent"],
    ["failed", half, {}, "Failed; Retry resumes at 50 %", { networkFailed: true }],
    ["failed", half, { online: false }, "Waiting for the network; will resume at 50 %", { networkFailed: true }],
    ["deleting", none, {}, "Deleting"],
    ["delete-failed", none, {}, "Not deleted"],
  ]) {
    const file = { state, progress, size, ...more };
    assert.equal(messages.status(file, { now: 0, online: true, ...context }), text);
  }
});

test("a resumed upload is not stalled since 1970", () => {
  const progress = new Progress(size);
  progress.resume([part(0, size)], 1_000_000);
  const file = { state: "uploading", size, progress };
  assert.equal(messages.status(file, { now: 1_000_001 }), "Resuming at 50 %");
});

test("errorText prefers the message of the server or the store", () => {
  const server = { from: "server", host: "localhost:5000" };
  const store = { from: "store", host: "s3.example.org" };
  const defaultText = "Problem signing the chunk!";
  for (const [response, text] of [
    [null, defaultText],
    [{ ...server, status: 403, message: "Not approved." }, "Not approved."],
    [{ ...server, status: 500 }, "The signing server answered with status 500."],
    [{ ...server, status: 0 }, "The signing server does not answer."],
    [{ ...store, status: 403, message: "Access Denied", code: "AccessDenied" },
      "The store says: Access Denied (AccessDenied)"],
    [{ ...store, status: 503, code: "SlowDown" }, "The store answered with status 503 (SlowDown)."],
    [{ ...store, status: 0, code: "HiddenETag" },
      "The bucket's CORS rules hide the ETag header of the parts, which is needed to combine them."],
    [{ ...store, status: 404, code: "NoSuchUpload", restarts: true },
      "The store has lost what was sent, so the file starts over (NoSuchUpload)."],
    [{ ...store, status: 0 }, "The store at s3.example.org does not answer."],
    [{ ...store, status: 400, code: "EntityTooSmall" },
      "The parts are smaller than the store accepts; "
        + "set chunking.partSize in client_conf.js to 5 MiB or more."],
  ]) assert.equal(messages.errorText(response, defaultText), text);
});

test("unreadableEntries names at most five", () => {
  for (const [paths, names] of [
    [["/a/b.txt"], "\u2068/a/b.txt\u2069"],
    [["1", "2", "3", "4", "5", "6", "7"], [..."12345"].map((n) => `\u2068${n}\u2069`).join(", ") + " and 2 more"],
  ]) assert.equal(messages.unreadableEntries(paths), `Not added, because the browser cannot read it: ${names}.`);
});

test("unfinishedFile", () => {
  const text = "\u2068survey.bam\u2069 stopped at 46 %. Choose it again, and it goes on from there.";
  assert.equal(messages.unfinishedFile({ name: "survey.bam", share: 6 / 13 }), text);
});

test("summary", () => {
  const six = ["done", "done", "failed", "paused", "uploading", "queued"];
  for (const [states, bytes, text] of [
    [[], undefined, ""],
    [["done"], undefined, "1 file: 1 uploaded"],
    [six, undefined, "6 files: 2 uploaded, 1 failed, 1 paused, 2 to go"],
    [["done", "earlier", "rejected", "unreported"], undefined,
      "4 files: 1 uploaded, 1 stored earlier, 1 failed, 1 to go"],
    [["done", "uploading"], { sent: 45 * MB, total: 100 * MB }, "2 files: 1 uploaded, 1 to go, 45 % of 100 MB"],
  ]) assert.equal(messages.summary(states, bytes), text);
});

test("moreEarlierUploads says how many there are, as far as the server counts", () => {
  assert.equal(messages.moreEarlierUploads(9_999), "Of 9999 earlier uploads, only the newest are shown.");
  assert.equal(messages.moreEarlierUploads(10_000), "Of 10,000 or more earlier uploads, only some are shown.");
});
