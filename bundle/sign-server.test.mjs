import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { importPage } from "./import-page.mjs";

const { default: signServer } = await importPage("uppy/sign-server.js");

/** What the plugin uses of Uppy, with one file. */
class FakeUppy {
  files = {
    f1: {
      id: "f1", name: "my file é.txt", extension: "txt", type: "text/plain", size: 12,
      data: new Blob(["0123456789ab"]),
      meta: { name: "my file é.txt", type: "text/plain", relativePath: null, Dataset: 7, note: null }, progress: {},
    },
  };
  listeners = {};
  messages = [];
  retried = [];

  getFile(id) { return this.files[id]; }
  getFiles() { return Object.values(this.files); }
  setFileState(id, state) { this.files[id] = { ...this.files[id], ...state }; }
  info(message) { this.messages.push(message); }
  retryUpload(id) { this.retried.push(id); }
  on(event, listener) { (this.listeners[event] ??= []).push(listener); }
  off(event, listener) { this.listeners[event] = this.listeners[event].filter((other) => other !== listener); }
  emit(event, ...args) {
    if (event === "upload-error") this.files[args[0].id].error = args[1].message;
    for (const listener of this.listeners[event] ?? []) listener(...args);
  }
  addPostProcessor(f) { this.finish = f; }
  removePostProcessor() { this.finish = undefined; }
}

/** What the plugin extends. */
class FakeAwsS3 {
  constructor(uppy, opts) { this.uppy = uppy; this.opts = { allowedMetaFields: true, ...opts }; }
  install() {}
  uninstall() {}
}

/** Installs the plugin with a server that gives the responses, and records the requests. */
function install(responses, opts = {}) {
  const requests = [];
  mock.method(globalThis, "fetch", async (url, init) => {
    requests.push({ url, method: init.method ?? "GET", headers: init.headers, body: init.body?.toString() });
    if (url.endsWith("/s3/owner")) return Response.json({ owner: "o" });
    const response = responses.shift();
    if (!response) throw new TypeError("Failed to fetch");
    return response;
  });
  globalThis.navigator ??= {};
  Object.defineProperty(globalThis.navigator, "onLine", { value: true, configurable: true });
  mock.method(globalThis, "setTimeout", (f) => { f(); });
  const uppy = new FakeUppy();
  const plugin = new (signServer(FakeAwsS3))(uppy, opts);
  plugin.install();
  return { uppy, plugin, requests, sign: plugin.opts.signRequest, newKey: plugin.opts.generateObjectKey };
}
afterEach(() => mock.restoreAll());

const signed = () => Response.json({ url: "https://s3/", bucket: "b", key: "o/k" });
const rejected = (status, error) => Response.json({ error, id: "1" }, { status });

test("a first request has the type, the size and the metadata of its file, in lower case", async () => {
  const { sign, newKey, requests, uppy } = install([signed(), signed()], { server: "https://u", acl: "private" });
  const key = newKey(uppy.files.f1);
  assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.txt$/);
  assert.deepEqual(await sign({ method: "POST", key }), { url: "https://s3/", bucket: "b", key: "o/k" });
  const sent = requests.map(({ method, url }) => `${method} ${url}`);
  assert.deepEqual(sent, ["GET https://u/s3/owner", "POST https://u/s3/presign"]);
  assert.deepEqual(JSON.parse(requests[1].body), {
    method: "POST", key, contentType: "text/plain", size: 12, acl: "private",
    metadata: { dataset: "7", qqfilename: "my file é.txt" },
  });
  await sign({ method: "GET", key, uploadId: "U" });
  assert.deepEqual(JSON.parse(requests[2].body), { method: "GET", key, uploadId: "U" });
});

test("only the metadata that allowedMetaFields names is sent", async () => {
  for (const [allowedMetaFields, expected] of [[["relativePath", "Dataset"], ["dataset"]], [false, []]]) {
    const { sign, newKey, requests, uppy } = install([signed()], { allowedMetaFields });
    await sign({ method: "PUT", key: newKey(uppy.files.f1) });
    assert.deepEqual(Object.keys(JSON.parse(requests[1].body).metadata), [...expected, "qqfilename"]);
    mock.restoreAll();
  }
});

test("the digest of a part is that of the bytes that Uppy sends", async () => {
  const partSize = 5 * 1024 * 1024;
  const sizes = [];
  const md5 = (buffer) => { sizes.push(buffer.byteLength); return "digest"; };
  const { sign, uppy, requests } = install([signed(), signed()], { md5 });
  uppy.setFileState("f1", { data: new Blob([new Uint8Array(partSize + 3)]), s3Multipart: { uploadId: "U", key: "k" } });
  await sign({ method: "PUT", key: "k", uploadId: "U", partNumber: 1 });
  await sign({ method: "PUT", key: "k", uploadId: "U", partNumber: 2 });
  assert.deepEqual(sizes, [partSize, 3]);
  assert.equal(JSON.parse(requests[1].body).contentMD5, "digest");
});

test("a failure that may pass is repeated, and a rejection is shown once", async () => {
  const { sign, requests, uppy } = install([null, new Response("", { status: 502 }), rejected(429, "Slow."), signed()]);
  await sign({ method: "DELETE", key: "k", uploadId: "U" });
  assert.equal(requests.length, 5);
  assert.deepEqual(uppy.messages, []);
  mock.restoreAll();

  const other = install([rejected(403, "Not this one.")]);
  const rejection = { message: "Not this one.", status: 403, id: "1" };
  await assert.rejects(other.sign({ method: "DELETE", key: "k", uploadId: "U" }), rejection);
  assert.deepEqual(other.uppy.messages, ["Not this one."]);
  mock.restoreAll();

  const unreachable = install([]);
  await assert.rejects(unreachable.sign({ method: "DELETE", key: "k", uploadId: "U" }), { message: /cannot be reached/ });
  assert.equal(unreachable.requests.length, 8);
});

/** Uploads the file and reports it. */
async function upload({ uppy, sign, newKey }) {
  await sign({ method: "PUT", key: newKey(uppy.files.f1) });
  const response = { body: { location: "l", key: "o/0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.txt" } };
  uppy.setFileState("f1", { progress: { uploadComplete: true }, response });
  uppy.emit("upload-success", uppy.files.f1, response);
  await uppy.finish(["f1"]);
}

test("an upload is reported once, and the reply is in response.body", async () => {
  const run = install([signed(), Response.json({ success: true, thumbnailUrl: "t" })]);
  await upload(run);
  assert.equal(run.requests[2].body, "key=o%2F0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.txt&bucket=b&name=my+file+%C3%A9.txt" +
    "&uuid=0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a");
  assert.equal(run.requests.length, 3);
  assert.deepEqual(run.uppy.files.f1.response.body, {
    thumbnailUrl: "t", location: "l", key: "o/0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.txt", bucket: "b",
  });
});

for (const [status, uploadComplete] of [[403, false], [409, false], [401, true]]) {
  const state = uploadComplete ? "stays" : "is no longer";
  test(`a report that is answered with ${status} is an error of the file, which ${state} uploaded`, async () => {
    const run = install([signed(), rejected(status, "No.")]);
    await upload(run);
    assert.equal(run.uppy.files.f1.error, "No.");
    assert.equal(run.uppy.files.f1.progress.uploadComplete, uploadComplete);
  });
}

test("an object is deleted only with deleteRemoved, and not when the list is emptied", async () => {
  for (const [deleteRemoved, events, expected] of [
    [true, [], 1], [false, [], 0], [true, ["cancel-all"], 0],
  ]) {
    const reported = Response.json({ success: true });
    const run = install([signed(), reported, Response.json({ success: true })], { deleteRemoved });
    await upload(run);
    for (const event of events) run.uppy.emit(event);
    run.uppy.emit("file-removed", run.uppy.files.f1);
    await new Promise(setImmediate);
    const deletes = run.requests.filter(({ url }) => url === "/s3/delete").map(({ body }) => body);
    assert.equal(deletes.length, expected);
    if (expected) assert.match(deletes[0], /^key=o%2F.*&bucket=b&qquuid=0e4b5c5a-.*&_method=DELETE$/);
    mock.restoreAll();
  }
});

test("what failed without a network is continued when it is back", () => {
  const { uppy } = install([]);
  uppy.emit("upload-error", uppy.files.f1, Object.assign(new Error("Network error"), { code: "NETWORK" }));
  uppy.emit("back-online");
  uppy.emit("back-online");
  assert.deepEqual(uppy.retried, ["f1"]);
});

test("an upload that the store does not know is forgotten, so that Retry starts a new one", () => {
  const { uppy } = install([]);
  for (const [error, left] of [[{ status: 404, id: "1" }, "U"], [{ status: 500 }, "U"], [{ status: 404 }, undefined]]) {
    uppy.setFileState("f1", { s3Multipart: { uploadId: "U" } });
    uppy.emit("upload-error", uppy.files.f1, Object.assign(new Error("E"), error));
    assert.equal(uppy.files.f1.s3Multipart?.uploadId, left);
  }
});
