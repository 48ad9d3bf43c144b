// The page's modules that need no browser: what they say, and what they count.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

let dir, words, Transfer, SetupWatch, Records;

// static/ is the browser's, which needs no package.json to know a module; node does.
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "page-"));
  await writeFile(join(dir, "package.json"), '{"type": "module"}');
  for (const name of ["words.js", "transfer.js", "setup.js", "records.js"]) await cp(new URL(`../static/${name}`, import.meta.url), join(dir, name));
  const load = (name) => import(pathToFileURL(join(dir, name)));
  words = await load("words.js");
  ({ Transfer } = await load("transfer.js"));
  ({ SetupWatch } = await load("setup.js"));
  ({ Records } = await load("records.js"));
});
after(() => rm(dir, { recursive: true }));

const MB = 1e6;
const PART = 5 * MB;

/** Part i (from 0) of a file of the given size, as Fine Uploader describes it to callbacks. */
function part(i, size) {
  return { partIndex: i, startByte: i * PART + 1, endByte: Math.min((i + 1) * PART, size), totalParts: Math.ceil(size / PART) };
}

/** A transfer of size bytes with the given parts confirmed. */
function halfway(size, parts) {
  const transfer = new Transfer(size);
  for (const i of parts) transfer.partStarts(part(i, size));
  for (const i of parts) transfer.partStored(part(i, size));
  transfer.begin();
  return transfer;
}

test("sizes", () => {
  for (const [bytes, text] of [
    [0, "0 bytes"], [1, "1 byte"], [999, "999 bytes"], [1000, "1.0 kB"], [15e6, "15 MB"], [9.96e6, "10 MB"],
    [999.4e6, "999 MB"], [999.6e6, "1.0 GB"], [5e12, "5.0 TB"], [5e15, "5000 TB"],
  ]) assert.equal(words.size(bytes), text);
});

test("durations", () => {
  for (const [seconds, text] of [[0.2, "1 s"], [59, "59 s"], [61, "1 min"], [3599, "1 h 0 min"], [3900, "1 h 5 min"]]) {
    assert.equal(words.duration(seconds), text);
  }
});

test("a percentage is never 100 before all is there", () => {
  for (const [bytes, total, percent] of [[0, 0, 0], [999, 1000, 99], [1000, 1000, 100]]) {
    assert.equal(words.percent(bytes, total), percent);
  }
});

test("what is stored is the sum of the confirmed parts, the last one being short", () => {
  const size = 12 * MB;
  for (const [parts, stored] of [[[], 0], [[0], 5 * MB], [[2], 2 * MB], [[1, 2], 7 * MB], [[0, 1, 2], 12 * MB]]) {
    assert.equal(halfway(size, parts).stored, stored, `parts ${parts}`);
  }
});

test("a confirmed part that starts again means that the upload starts over", () => {
  const transfer = halfway(12 * MB, [0, 1]);
  transfer.partStarts(part(0, 12 * MB));
  assert.equal(transfer.stored, 0);
});

test("what the store has lost is not stored", () => {
  const transfer = halfway(12 * MB, [0, 1]);
  transfer.startOver();
  assert.equal(transfer.stored, 0);
});

test("an earlier visit's parts count", () => {
  const transfer = new Transfer(12 * MB);
  transfer.resume(3, PART, [1]);
  assert.equal(transfer.stored, 7 * MB);
  assert.equal(transfer.sent, 7 * MB);
});

test("an upload that goes on has not waited since the epoch", () => {
  const transfer = new Transfer(10 * MB);
  transfer.resume(2, PART, [1], 1_000_000);
  assert.equal(words.status({ state: "uploading", size: 10 * MB, transfer }, { now: 1_000_001 }), "Resuming at 50 %");
});

test("a speed is told when it is settled, falls when nothing moves, and starts afresh after a step back", () => {
  const transfer = new Transfer(100 * MB);
  transfer.progress(0, 0);
  transfer.progress(MB, 1000);
  assert.equal(transfer.rate(1000), null);
  transfer.progress(2 * MB, 2000);
  assert.equal(transfer.rate(2000), MB);
  assert.equal(transfer.rate(4000), MB / 2);
  transfer.progress(MB, 4100);
  assert.equal(transfer.rate(4100), null);
});

test("the speed looks back a few seconds only", () => {
  const transfer = new Transfer(1000 * MB);
  for (let s = 0; s <= 20; s++) transfer.progress(s < 10 ? s * MB : 10 * MB + (s - 10) * 10 * MB, s * 1000);
  assert.equal(transfer.rate(20_000), 10 * MB);
});

test("status", () => {
  const size = 10 * MB;
  const fresh = () => new Transfer(size);
  const half = () => halfway(size, [0]);
  const all = () => halfway(size, [0, 1]);
  const sending = (...samples) => samples.reduce((transfer, [now, sent]) => (transfer.progress(sent, now), transfer), fresh());
  const retry = { retryAt: 5000, attempt: 2, attempts: 20 };
  for (const [file, text, where] of [
    [{ state: "queued" }, "Waiting for its turn"],
    [{ state: "uploading" }, "Starting"],
    [{ state: "uploading", transfer: half() }, "Resuming at 50 %"],
    [{ state: "uploading", transfer: sending([0, MB]) }, "10 % of 10 MB"],
    [{ state: "uploading", transfer: sending([0, 0], [2000, 4 * MB]) }, "40 % of 10 MB, 2.0 MB/s, about 3 s left", { now: 2000 }],
    [{ state: "uploading", transfer: sending([0, 0], [2000, 4 * MB]) }, "40 % of 10 MB, waiting for the network", { now: 7001 }],
    [{ state: "uploading", transfer: sending([0, 0], [2000, 4 * MB]) }, "40 % of 10 MB, waiting for the signing server", { now: 7001, waitsFor: "server" }],
    [{ state: "uploading", transfer: half() }, "Resuming at 50 %, waiting for the signing server", { now: 5001, waitsFor: "server" }],
    [{ state: "uploading" }, "Starting, waiting for the network", { now: 5001 }],
    [{ state: "uploading", transfer: sending([0, size]) }, "Sent; waiting for the store to confirm"],
    [{ state: "finishing" }, "Finishing"],
    [{ state: "retrying", ...retry }, "Retrying in 5 s (2 of 20)"],
    [{ state: "retrying", ...retry, transfer: half() }, "Retrying in 1 s (2 of 20); will resume at 50 %", { now: 4200 }],
    [{ state: "retrying", ...retry }, "Retrying now (2 of 20)", { now: 5001 }],
    [{ state: "retrying", ...retry, transfer: half() }, "Waiting for the network; will resume at 50 %", { online: false }],
    [{ state: "retrying", ...retry, transfer: all() }, "Retrying in 5 s (2 of 20); all of it is sent"],
    [{ state: "retrying", retryAt: null }, "Waiting for its turn"],
    [{ state: "paused" }, "Paused; will start over"],
    [{ state: "paused", transfer: half() }, "Paused; will resume at 50 %"],
    [{ state: "done" }, "Uploaded"],
    [{ state: "failed" }, "Failed"],
    [{ state: "failed", transfer: half() }, "Failed; Retry resumes at 50 %"],
    [{ state: "failed", transfer: all() }, "Failed; all of it is sent"],
    [{ state: "failed", transfer: half(), lostNetwork: true }, "Failed; Retry resumes at 50 %"],
    [{ state: "failed", transfer: half(), lostNetwork: true }, "Waiting for the network; will resume at 50 %", { online: false }],
    [{ state: "deleting" }, "Deleting"],
    [{ state: "undeleted" }, "Not deleted"],
  ]) {
    assert.equal(words.status({ size, transfer: fresh(), ...file }, { now: 0, online: true, ...where }), text);
  }
});

test("reasons: the other side's own sentence first, then what is known", () => {
  const server = { from: "server", host: "localhost:5000" };
  const store = { from: "store", host: "s3.example.org" };
  for (const [answer, text] of [
    [null, "Problem signing the chunk!"],
    [{ ...server, status: 403, message: "Not approved." }, "Not approved."],
    [{ ...server, status: 500 }, "The signing server answered with status 500."],
    [{ ...server, status: 0 }, "The signing server does not answer."],
    [{ ...store, status: 403, message: "Access Denied", code: "AccessDenied" }, "The store says: Access Denied (AccessDenied)"],
    [{ ...store, status: 503, code: "SlowDown" }, "The store answered with status 503 (SlowDown)."],
    [{ ...store, status: 0, code: "HiddenETag" }, "The bucket's CORS rules hide the ETag of what is stored, without which the parts cannot be put together."],
    [{ ...store, status: 404, code: "NoSuchUpload", startsOver: true },
      "The store has lost what was sent, so the file starts over (NoSuchUpload)."],
    [{ ...store, status: 0 }, "The store at s3.example.org does not answer: no network, or the bucket's CORS rules do not let this page in, or it refused and the browser hides why."],
    [{ ...store, status: 400, code: "EntityTooSmall" }, "The file went up in parts smaller than the store takes; set chunking.partSize in client_conf.js to 5 MiB or more."],
  ]) assert.equal(words.reason(answer, "Problem signing the chunk!"), text);
});

test("unfinished", () => {
  const text = "\u2068survey.bam\u2069 stopped at 46 %. Choose it again, and it goes on from there.";
  assert.equal(words.unfinished({ name: "survey.bam", share: 6 / 13 }), text);
});

test("half-uploaded files are those of this place and this owner, whatever the user's own keys are", () => {
  const record = (name) => JSON.stringify({ uuid: name, name, key: name, size: 10, loaded: 5, lastUpdated: 1, chunking: { uploadId: "U", remaining: [1] } });
  globalThis.localStorage = {
    "qqs3resume-ours-a.txt-10-5-https://s3/bucket-MINE-text/plain-1": record("a"),
    "qqs3resume-ours-b.txt-10-5-https://s3/bucket-OTHERS-text/plain-1": record("b"),
    "qqs3resume-ours-c.txt-10-5-https://s3/another-MINE-text/plain-1": record("c"),
    "qqs3resume-ours-d.txt-10-5-https://s3/bucket-MINE-text/plain-1": "no record",
    "another page's": record("e"),
  };
  const request = { endpoint: "https://s3/bucket" };
  const customKeys = (id) => { throw new Error(`there is no file ${id}`); };
  const names = (resume) => new Records().unfinished({ request, resume }).map(({ name }) => name);
  assert.deepEqual(names({ owner: "MINE", customKeys }), ["a"]);
  assert.deepEqual(names({ customKeys }), ["a", "b"]);
  assert.deepEqual(names(undefined), ["a", "b"]);
});

test("summary", () => {
  for (const [states, text] of [
    [[], ""],
    [["done"], "1 file: 1 uploaded"],
    [["done", "undeleted", "failed", "paused", "uploading", "queued"], "6 files: 2 uploaded, 1 failed, 1 paused, 2 to go"],
  ]) assert.equal(words.summary(states), text);
  assert.equal(words.summary(["done", "uploading"], { sent: 45 * MB, total: 100 * MB }), "2 files: 1 uploaded, 1 to go, 45 % of 100 MB");
});

test("what is wrong with the set-up is shown when nothing has worked yet, and not for one silence", () => {
  const server = { from: "server", option: "signature.endpoint" };
  const store = { from: "store", host: "s3.example.org" };
  const setup = { ...server, status: 403, kind: "setup", message: "Set objectProperties.bucket.", id: "1a2b" };
  const online = { origin: "https://page.example.org", online: true };
  for (const [name, events, title, steps] of [
    ["a setting", [setup], "The signing server refuses what this page asks for.", "doctor"],
    ["a clock", [{ ...setup, message: "The clock of the uploading computer is wrong." }], "The signing server refuses what this page asks for.", null],
    ["a hook's no", [{ ...server, status: 403, message: "No." }], undefined],
    ["the server's own 404", [{ ...server, option: "uploadSuccess.endpoint", status: 404, message: "Not there.", id: "1a2b" }], undefined],
    ["a route that it has not", [{ ...server, option: "uploadSuccess.endpoint", status: 404, kind: "address", id: "1a2b" }], "There is no signing server at uploadSuccess.endpoint.", null],
    ["two silences, of which the server knows more", ["reported", { ...store, status: 0 }, { ...store, status: 0 }], "The browser cannot use the store at s3.example.org.", "doctor"],
    ["another address", [{ ...server, option: "uploadSuccess.endpoint", status: 404 }], "There is no signing server at uploadSuccess.endpoint.", null],
    ["one silence", [{ ...store, status: 0 }], undefined],
    ["two silences", [{ ...store, status: 0 }, { ...store, status: 0 }], "The browser cannot reach the store at s3.example.org.", "cors"],
    ["no network", [{ ...store, status: 0 }, { ...store, status: 0 }], undefined],
    ["a key that is unknown", [{ ...store, status: 403, code: "InvalidAccessKeyId" }], "The store at s3.example.org refuses the upload.", "doctor"],
    ["a code that is no setting's", [{ ...store, status: 404, code: "NoSuchUpload" }], undefined],
    ["after something worked", ["stored", { ...store, status: 0 }, { ...store, status: 0 }], null],
    ["hidden ETag, after something worked", ["stored", { ...store, status: 0, code: "HiddenETag" }], "The bucket's CORS rules hide the ETag of what is stored.", "cors"],
    ["taken back", [setup, "stored"], null],
  ]) {
    let shown;
    const watch = new SetupWatch((fault) => { shown = fault; });
    const where = name === "no network" ? { ...online, online: false } : online;
    for (const event of events) {
      if (event === "stored") watch.stored();
      else if (event === "reported") watch.serverReports("The store does not know the key.");
      else watch.failed(event, where);
    }
    assert.equal(shown?.title ?? shown, title, name);
    if (title) assert.equal(shown.steps, steps, name);
  }
});
