import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { TabLocks } = await importPage("tab-locks.js");

/** Locks of the browser, which all tabs share. */
function createLockManager() {
  const held = new Map();
  return {
    request: async (name, options, callback) => {
      if (held.has(name)) return callback(null);
      held.set(name, { name });
      await callback({ name });
      held.delete(name);
    },
    query: async () => ({ held: [...held.values()] }),
  };
}

test("heldElsewhere has the locks of other tabs until they are released", async () => {
  Object.defineProperty(globalThis, "navigator", { value: { locks: createLockManager() } });
  const [tab, another] = [new TabLocks(), new TabLocks()];
  assert.equal(await tab.acquire("a"), true);
  assert.equal(await another.acquire("b"), true);
  assert.equal(await tab.acquire("b"), false);
  assert.deepEqual([...(await tab.heldElsewhere())], ["b"]);
  another.release("b");
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual([...(await tab.heldElsewhere())], []);
});
