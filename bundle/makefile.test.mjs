import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const made = [
  "static/md5.umd.min.js", "static/sha256.umd.min.js", "static/s3.fine-uploader.min.js", "static/page.min.js",
  "static/page.min.js.map", "static/uppy/page.min.js", "static/uppy/page.min.css",
];

let dir;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "make-"));
  for (const folder of ["bundle/node_modules", "static/uppy"]) await mkdir(join(dir, folder), { recursive: true });
  for (const name of [
    "bundle/package-lock.json", "bundle/node_modules/.package-lock.json", "bundle/build.mjs",
    "static/index.html", "static/page.js", "static/client_conf.js", "static/uppy/page.js", ...made,
  ]) await create(name);
  await copyFile(new URL("../Makefile", import.meta.url), join(dir, "Makefile"));
});
after(() => rm(dir, { recursive: true }));

const create = (name) => writeFile(join(dir, name), "");
const remove = (name) => rm(join(dir, name));
const setTime = (name, seconds) => utimes(join(dir, name), seconds, seconds);

/** The commands that make static would run. */
function commands(...args) {
  const output = execFileSync("make", ["-n", "-C", dir, "static", ...args], { encoding: "utf8" });
  return output.match(/npm ci|build\.mjs.*/g)?.map((command) => command.trim()) ?? [];
}

test("make static rebuilds what is missing or of the other kind; without CEPH the kind stays", async () => {
  assert.deepEqual(commands(), ["build.mjs"]);

  await create("bundle/.made");
  assert.deepEqual(commands(), []);
  assert.deepEqual(commands("CEPH=1"), ["build.mjs --ceph"]);

  await remove("bundle/.made");
  await create("bundle/.made-ceph");
  assert.deepEqual(commands(), []);
  assert.deepEqual(commands("CEPH=1"), []);
  assert.deepEqual(commands("CEPH=0"), ["build.mjs"]);

  for (const name of made) {
    await remove(name);
    assert.deepEqual(commands(), ["build.mjs --ceph"], name);
    await create(name);
  }
  await remove("bundle/.made-ceph");
});

test("make static rebuilds what changed, and installs packages only if they changed", async () => {
  const tomorrow = Date.now() / 1000 + 86400;
  await create("bundle/.made");
  for (const [name, expected] of [
    ["bundle/package-lock.json", ["npm ci", "build.mjs"]],
    ["bundle/build.mjs", ["build.mjs"]],
    ["static/page.js", ["build.mjs"]],
    ["static/uppy/page.js", ["build.mjs"]],
    ["static/client_conf.js", []],
    ["static/page.min.js", []],
  ]) {
    await setTime(name, tomorrow);
    assert.deepEqual(commands(), expected, name);
    await setTime(name, 1);
  }
  await remove("bundle/node_modules/.package-lock.json");
  assert.deepEqual(commands(), ["npm ci", "build.mjs"]);
});
