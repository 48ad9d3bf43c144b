import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import vm from "node:vm";

import { build, withDefaultContentType } from "./build.mjs";

const expected = [
  "continue.gif", "edit.gif", "fine-uploader-new.css", "loading.gif", "pause.gif", "processing.gif", "retry.gif",
  "s3.fine-uploader.js", "s3.fine-uploader.js.map", "s3.fine-uploader.min.js", "s3.fine-uploader.min.js.map", "sha256.umd.min.js", "trash.gif",
];
const scripts = ["s3.fine-uploader.js", "s3.fine-uploader.min.js"];

let to;
before(async () => { to = await mkdtemp(join(tmpdir(), "bundle-")); });
after(() => rm(to, { recursive: true }));

const read = (name) => readFile(join(to, name), "utf8");

/** Calls the built script's own function with a file of the given type. */
function mimeType(source, type) {
  const body = source.match(/_getMimeType:\s*(function\s*\(\w+\)\s*\{[^}]*\})/)[1];
  const owner = body.match(/return (\w+)\.getFile/)[1];
  return vm.runInNewContext(`(${body})(0)`, { [owner]: { getFile: () => ({ type }) } });
}

test("the bundle holds what the original's static/ held, and the SHA-256", async () => {
  const { versions, names } = await build({ to });
  assert.deepEqual(versions, { "fine-uploader": "5.16.2", "hash-wasm": "4.13.0" });
  assert.deepEqual(names, expected);
  assert.deepEqual((await readdir(to)).sort(), expected);
  assert.match(await read("s3.fine-uploader.js"), /qq\.version = "5\.16\.2"/);
});

for (const name of scripts) {
  test(`${name}: the Ceph work-around is one change, and is undone by a build without it`, async () => {
    await build({ to });
    const plain = await read(name);
    assert.equal(mimeType(plain, ""), "");

    await build({ to, ceph: true });
    const patched = await read(name);
    assert.equal(patched.replace(' || "application/octet-stream"', ""), plain);
    assert.equal(mimeType(patched, ""), "application/octet-stream");
    assert.equal(mimeType(patched, "text/plain"), "text/plain");
    new vm.Script(patched);

    await build({ to });
    assert.equal(await read(name), plain);
  });
}

test("a source without exactly one place to patch is refused", () => {
  const place = "_getMimeType: function(id) { return handler.getFile(id).type; }";
  for (const [source, found] of [["", 0], [place + place, 2], ["_getMimeType: function(id) { return other(id); }", 0]]) {
    assert.throws(() => withDefaultContentType(source), new RegExp(`found ${found} times`));
  }
  assert.throws(() => withDefaultContentType(withDefaultContentType(place)), /found 0 times/);
});

test("a second build rewrites nothing", async () => {
  await build({ to });
  const file = join(to, scripts[0]);
  await utimes(file, 1, 1);
  await build({ to });
  assert.equal((await stat(file)).mtimeMs, 1000);
});

test("every package in the lock file is pinned by integrity and names no address", async () => {
  const lock = await readFile(new URL("package-lock.json", import.meta.url), "utf8");
  assert.doesNotMatch(lock, /resolved|:\/\//);
  const { "": root, ...packages } = JSON.parse(lock).packages;
  assert.ok(Object.keys(packages).length > 0);
  for (const [path, { integrity }] of Object.entries(packages)) {
    assert.match(integrity ?? "", /^sha512-/, path);
  }
});

test("make keeps the kind of bundle that is there, until it is asked for the other", async () => {
  const dir = join(to, "make");
  for (const name of ["bundle/package-lock.json", "bundle/build.mjs", "static/index.html", "static/s3.fine-uploader.min.js", "static/sha256.umd.min.js"]) {
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, name), "");
  }
  await copyFile(new URL("../Makefile", import.meta.url), join(dir, "Makefile"));
  const dry = (...args) => execFileSync("make", ["-n", "-C", dir, "static", ...args], { encoding: "utf8" }).match(/build\.mjs.*/)?.[0].trim();

  assert.equal(dry(), "build.mjs");
  await writeFile(join(dir, "bundle/.made"), "");
  assert.equal(dry(), undefined);
  assert.equal(dry("CEPH=1"), "build.mjs --ceph");
  await rm(join(dir, "bundle/.made"));
  await writeFile(join(dir, "bundle/.made-ceph"), "");
  assert.equal(dry(), undefined);
  assert.equal(dry("CEPH=1"), undefined);
  assert.equal(dry("CEPH=0"), "build.mjs");
  for (const gone of ["static/sha256.umd.min.js", "static/s3.fine-uploader.min.js"]) {
    await rm(join(dir, gone));
    assert.equal(dry(), "build.mjs --ceph");
    await writeFile(join(dir, gone), "");
  }
});
