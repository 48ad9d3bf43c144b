import assert from "node:assert/strict";
import { test } from "node:test";

import { MB, Progress, part, withStoredParts } from "./progress-fixture.mjs";

const size = 12 * MB; // two parts of 5 MB, and one of 2 MB

test("stored bytes are the sum of the confirmed parts; the last part is shorter", () => {
  for (const [parts, stored] of [[[], 0], [[0], 5 * MB], [[2], 2 * MB], [[1, 2], 7 * MB], [[0, 1, 2], 12 * MB]]) {
    assert.equal(withStoredParts(size, parts).stored, stored, `parts ${parts}`);
  }
});

test("sending a confirmed part again means that the upload starts over", () => {
  const progress = withStoredParts(size, [0, 1]);
  progress.partStarted(part(0, size));
  assert.equal(progress.stored, 0);
});

test("reset discards the stored parts", () => {
  const progress = withStoredParts(size, [0, 1]);
  progress.reset();
  assert.equal(progress.stored, 0);
});

test("a resumed upload counts the parts of the earlier visit", () => {
  const progress = new Progress(size);
  progress.resume([part(0, size), part(2, size)]);
  assert.equal(progress.stored, 7 * MB);
  assert.equal(progress.sent, 7 * MB);
});

test("speed is null at first, falls while nothing is sent, and starts again after a step back", () => {
  const progress = new Progress(100 * MB);
  progress.update(0, 0);
  progress.update(MB, 1000);
  assert.equal(progress.speed(1000), null);
  progress.update(2 * MB, 2000);
  assert.equal(progress.speed(2000), MB);
  assert.equal(progress.speed(4000), MB / 2);
  progress.update(MB, 4100);
  assert.equal(progress.speed(4100), null);
});

test("speed is that of the last seconds", () => {
  const progress = new Progress(1000 * MB);
  for (let s = 0; s <= 10; s++) progress.update(s * MB, s * 1000);
  for (let s = 11; s <= 20; s++) progress.update((10 + (s - 10) * 10) * MB, s * 1000);
  assert.equal(progress.speed(20_000), 10 * MB);
});
