import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { nextPartSize, smallestPartSize } = await importPage("part-sizes.js");

const MiB = 1024 * 1024;
const GB = 1e9;

test("the size of the next part", () => {
  const rows = [
    // what, bytes left, index, bytes/s, parts at a time, MiB
    ["a slow line", 1 * GB, 20, 1e6, 3, 5],
    ["a part takes two seconds", 1 * GB, 20, 30e6, 6, 10],
    ["a fast line", 10 * GB, 20, 1e9, 6, 32],
    ["the first part", 10 * GB, 0, 1e9, 6, 5],
    ["the fourth of six", 10 * GB, 3, 1e9, 6, 19],
    ["towards the end, each connection gets a share", 60 * MiB, 20, 1e9, 6, 10],
    ["the last part", 7 * MiB, 20, 1e9, 6, 5],
    ["not more than 10,000 parts", 5000 * GB, 0, 1e6, 3, 477],
    ["not more than 10,000 parts, of which 9,000 exist", 50 * GB, 9000, 1e6, 3, 48],
  ];
  for (const [what, rest, index, rate, limit, want] of rows) {
    assert.equal(nextPartSize(rest, index, { rate, limit }) / MiB, want, what);
  }
});

test("no file has more than 10,000 parts, whatever the line does", () => {
  for (const size of [10_000 * 5 * MiB, 10_000 * 5 * MiB + 1, 5e12]) {
    for (const rates of [[1e4], [1e9], [1e9, 1e4]]) {
      let [start, index] = [0, 0];
      for (; start < size; index++) start += nextPartSize(size - start, index, { rate: rates[index % rates.length], limit: 6 });
      assert.ok(index <= 10_000, `${size} bytes at ${rates} bytes/s: ${index} parts`);
      assert.ok(size / smallestPartSize(size) <= 10_000);
    }
  }
});
