import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { UploadQueue } = await importPage("upload-queue.js");

/**
 * A queue in front of a Fine Uploader that records which files it starts. Files with a number below 100 are uploaded in
 * parts, which all are to be sent until sendParts is called.
 */
function createPage() {
  const started = [];
  const sent = new Set();
  const start = (name) => (id) => { started.push(`${name} ${id}`); return true; };
  const qq = {
    AjaxRequester: function () {},
    XhrUploadHandler: function () { this._getChunkData = () => {}; },
    UploadHandlerController: function () {
      Object.assign(this, {
        upload: start("upload"), retry: (id) => this.upload(id), pause: () => true, cancel: () => true, cancelAll() {},
      });
    },
  };
  const queue = new UploadQueue(qq, {
    connections: { capacity: 2 },
    parts: { hasMore: (id) => !sent.has(id), inProgress: () => 1 },
    isInParts: (id) => id < 100,
  });
  const controller = new qq.UploadHandlerController({});
  return {
    queue, controller, started,
    sendParts: (id) => { sent.add(id); queue.partStarted(id, 0); },
    ended: (id, status = "upload successful") => queue.statusChanged(id, status),
  };
}

test("a file in parts waits until all parts of the one before it are on their way", () => {
  const { controller, started, sendParts } = createPage();
  assert.deepEqual([controller.upload(1), controller.upload(2), controller.upload(3)], [true, false, false]);
  sendParts(1);
  assert.deepEqual(started, ["upload 1", "upload 2"]);
});

test("small files are uploaded beside it, twelve files at a time", () => {
  const { controller, started, ended } = createPage();
  controller.upload(1);
  for (let id = 100; id < 115; id++) controller.upload(id);
  assert.equal(started.length, 12);
  ended(105);
  assert.equal(started.at(-1), "upload 111");
});

test("a file that waits for its retry, is paused or failed has no place", () => {
  for (const status of ["retrying upload", "paused", "upload failed", "canceled"]) {
    const { controller, started, ended } = createPage();
    controller.upload(1);
    controller.upload(2);
    ended(1, status);
    assert.deepEqual(started, ["upload 1", "upload 2"], status);
  }
});

test("a retried file is next, and is started once", () => {
  const { controller, started, ended } = createPage();
  for (const id of [1, 2, 3]) controller.upload(id);
  ended(1, "retrying upload");
  controller.retry(1);
  controller.retry(1);
  ended(2);
  assert.deepEqual(started, ["upload 1", "upload 2", "upload 1"]);
});

test("a file that is paused or cancelled in the queue is not started", () => {
  for (const action of ["pause", "cancel"]) {
    const { controller, started, ended } = createPage();
    for (const id of [1, 2, 3]) controller.upload(id);
    controller[action](2);
    ended(1);
    assert.deepEqual(started, ["upload 1", "upload 3"], action);
  }
});

test("parts that begin together are sent in their order", async () => {
  const { queue } = createPage();
  const order = [];
  await Promise.all([2, 0, 1].map((index) => queue.partStarted(0, index).then(() => order.push(index))));
  assert.deepEqual(order, [0, 1, 2]);
});
