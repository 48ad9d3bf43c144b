import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeIndexedDB } from "./fake-indexed-db.mjs";
import { importPage } from "./import-page.mjs";

const { Database } = await importPage("database.js");

let database;
beforeEach(() => {
  globalThis.indexedDB = new FakeIndexedDB();
  database = new Database("test");
});

test("records are written, replaced and removed, and the database is opened once", async () => {
  await database.write([["a", 1], ["b", 2]], [], "strict");
  await database.write([["b", 3]], ["a"], "strict");
  assert.deepEqual(await database.readAll(), [["b", 3]]);
  assert.equal(await database.has("b"), true);
  assert.equal(await database.has("a"), false);
  assert.equal(indexedDB.opened, 1);
});

test("a database that could not be opened is opened again", async () => {
  indexedDB.fail = 1;
  await assert.rejects(database.write([["a", 1]], [], "strict"));
  await database.write([["a", 2]], [], "strict");
  assert.deepEqual(await database.readAll(), [["a", 2]]);
});

test("a database that the browser has closed is opened again", async () => {
  await database.write([["a", 1]], [], "strict");
  indexedDB.database.onclose();
  assert.deepEqual(await database.readAll(), [["a", 1]]);
  assert.equal(indexedDB.opened, 2);
});

test("without IndexedDB all methods reject", async () => {
  delete globalThis.indexedDB;
  await assert.rejects(database.readAll());
  await assert.rejects(database.has("a"));
  await assert.rejects(database.write([], [], "strict"));
});
