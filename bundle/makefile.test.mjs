import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

let dir;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "make-"));
  for (const folder of ["bundle", "static"]) await mkdir(join(dir, folder));
  for (const name of [
    "bundle/package-lock.json", "bundle/build.mjs",
    "static/index.html", "static/s3.fine-uploader.min.js", "static/md5.umd.min.js",
    "static/sha256.umd.min.js",
  ]) await create(name);
  await copyFile(new URL("../Makefile", import.meta.url), join(dir, "Makefile"));
});
after(() => rm(dir, { recursive: true }));

const create = (name) => writeFile(join(dir, name), "");
const remove = (name) => rm(join(dir, name));

/** The build command that make static would run; undefined: the bundle is up to date. */
function buildCommand(...args) {
  const commands = execFileSync("make", ["-n", "-C", dir, "static", ...args], { encoding: "utf8" });
  return commands.match(/build\.mjs.*/)?.[0].trim();
}

test("make static rebuilds what is missing or of the other kind; without CEPH the kind stays", async () => {
  assert.equal(buildCommand(), "build.mjs");

  await create("bundle/.made");
  assert.equal(buildCommand(), undefined);
  assert.equal(buildCommand("CEPH=1"), "build.mjs --ceph");

  await remove("bundle/.made");
  await create("bundle/.made-ceph");
  assert.equal(buildCommand(), undefined);
  assert.equal(buildCommand("CEPH=1"), undefined);
  assert.equal(buildCommand("CEPH=0"), "build.mjs");

  for (const name of ["static/md5.umd.min.js", "static/sha256.umd.min.js", "static/s3.fine-uploader.min.js"]) {
    await remove(name);
    assert.equal(buildCommand(), "build.mjs --ceph");
    await create(name);
  }
});
