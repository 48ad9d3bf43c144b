import assert from "node:assert/strict";
import { test } from "node:test";

import { FakePromise } from "./fake-promise.mjs";
import { importPage } from "./import-page.mjs";

const { rejectDuplicateKeys } = await importPage("duplicate-keys.js");

class FineUploader {
  statuses = [];
  keys = [];
  _cannedKeys = {};
  getUploads = ({ id }) => ({ id, status: this.statuses[id] });
  getKey = (id) => this.keys[id];
}

const uploading = "uploading";

for (const { name, statuses, keys = [], canned = {}, rejected } of [
  { name: "another key", statuses: [uploading, uploading], keys: ["a.jpg"], rejected: false },
  { name: "the key of a file that is uploaded", statuses: [uploading, uploading], keys: ["image.jpg"], rejected: true },
  { name: "that is done", statuses: ["upload successful", uploading], keys: ["image.jpg"], rejected: true },
  { name: "that is paused", statuses: ["paused", uploading], keys: ["image.jpg"], rejected: true },
  { name: "that failed, perhaps after it was stored", statuses: ["upload failed", uploading], keys: ["image.jpg"], rejected: true },
  { name: "that is cancelled", statuses: ["canceled", uploading], keys: ["image.jpg"], rejected: false },
  { name: "that is deleted", statuses: ["deleted", uploading], keys: ["image.jpg"], rejected: false },
  { name: "of an earlier visit", statuses: ["upload successful", uploading], canned: { 0: "image.jpg" }, rejected: true },
  { name: "of an earlier visit that is deleted", statuses: ["deleted", uploading], canned: { 0: "image.jpg" }, rejected: false },
]) {
  test(`${name}: ${rejected ? "rejected" : "accepted"}`, async () => {
    class Uploader extends FineUploader {}
    Uploader.prototype._determineKeyName = (id, key) => {
      const promise = new FakePromise();
      promise.success(key);
      return promise;
    };
    const errors = new Map();
    const onUpload = rejectDuplicateKeys(
      { Promise: FakePromise, s3: { FineUploader: Uploader } }, (id, sentence) => errors.set(id, sentence));
    const uploader = Object.assign(new Uploader(), { statuses, keys: [], _cannedKeys: canned });
    if (keys[0]) uploader._determineKeyName(0, keys[0]);

    let result = "pending";
    uploader._determineKeyName(1, "image.jpg").then(() => { result = false; }, () => { result = true; });
    assert.equal(result, rejected, "a new file");
    assert.equal(errors.has(1), rejected);

    uploader.keys[1] = "image.jpg";
    const resumed = await Promise.resolve(onUpload(uploader, 1)).then(() => false, () => true);
    assert.equal(resumed, rejected, "a resumed or retried file");
  });
}
