import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import vm from "node:vm";

import { build, withDefaultContentType } from "./build.mjs";

const files = [
  "continue.gif", "edit.gif", "fine-uploader-new.css", "loading.gif", "md5.umd.min.js",
  "page.min.js", "page.min.js.map", "pause.gif", "processing.gif", "retry.gif",
  "s3.fine-uploader.js", "s3.fine-uploader.js.map", "s3.fine-uploader.min.js", "s3.fine-uploader.min.js.map",
  "sha256.umd.min.js", "trash.gif", "uppy/page.min.css", "uppy/page.min.js",
];

let outDir;
before(async () => { outDir = await mkdtemp(join(tmpdir(), "bundle-")); });
after(() => rm(outDir, { recursive: true }));

const read = (name) => readFile(join(outDir, name), "utf8");

/** Calls _getMimeType of a built script for a file of this type. */
function mimeType(source, type) {
  const body = source.match(/_getMimeType:\s*(function\s*\(\w+\)\s*\{[^}]*\})/)[1];
  const owner = body.match(/return (\w+)\.getFile/)[1];
  return vm.runInNewContext(`(${body})(0)`, { [owner]: { getFile: () => ({ type }) } });
}

test("the build writes the files of the original's static/, hashes, and the page's bundle", async () => {
  const { versions, names } = await build({ outDir });
  assert.deepEqual(versions, {
    "@uppy/aws-s3": "6.3.1", "@uppy/core": "6.3.1", "@uppy/dashboard": "6.0.3", "@uppy/golden-retriever": "6.0.0",
    "fine-uploader": "5.16.2", "hash-wasm": "4.13.0", "spark-md5": "3.0.2", esbuild: "0.28.2",
  });
  assert.deepEqual(names, files);
  const written = await readdir(outDir, { recursive: true });
  assert.deepEqual(written.filter((name) => name !== "uppy").sort(), files);
  assert.match(await read("s3.fine-uploader.js"), /qq\.version = "5\.16\.2"/);
});

test("the bundle of Uppy's page has Uppy, its style sheets, and the plugin", async () => {
  await build({ outDir });
  const script = await read("uppy/page.min.js");
  assert.doesNotMatch(script, /\bimport\s*["{*]|\bfrom\s*"/);
  for (const text of ["/s3/presign", "CompleteMultipartUpload", "GoldenRetriever"]) assert.ok(script.includes(text), text);
  assert.match(await read("uppy/page.min.css"), /\.uppy-Dashboard/);
});

test("the bundle has all modules of page.js, and its source map has their contents", async () => {
  await build({ outDir });
  assert.doesNotMatch(await read("page.min.js"), /\bimport\s*[({"*]|\bfrom\s*"/);
  const { sources, sourcesContent } = JSON.parse(await read("page.min.js.map"));
  assert.ok(sources.includes("page.js") && sources.includes("messages.js"));
  for (const [i, name] of sources.entries()) {
    assert.equal(sourcesContent[i], await readFile(new URL(`../static/${name}`, import.meta.url), "utf8"), name);
  }
});

for (const name of ["s3.fine-uploader.js", "s3.fine-uploader.min.js"]) {
  test(`--ceph changes one place in ${name}, and a build without it restores the file`, async () => {
    await build({ outDir });
    const plain = await read(name);
    assert.equal(mimeType(plain, ""), "");

    await build({ outDir, ceph: true });
    const patched = await read(name);
    assert.equal(patched.replace(' || "application/octet-stream"', ""), plain);
    assert.equal(mimeType(patched, ""), "application/octet-stream");
    assert.equal(mimeType(patched, "text/plain"), "text/plain");
    new vm.Script(patched);

    await build({ outDir });
    assert.equal(await read(name), plain);
  });
}

test("a source with no or several places to patch is an error", () => {
  const once = "_getMimeType: function(id) { return handler.getFile(id).type; }";
  for (const [source, found] of [
    ["", 0],
    [once + once, 2],
    ["_getMimeType: function(id) { return other(id); }", 0],
    [withDefaultContentType(once), 0],
  ]) {
    assert.throws(() => withDefaultContentType(source), new RegExp(`found ${found} times`));
  }
});

test("a second build writes nothing", async () => {
  await build({ outDir });
  const written = ["s3.fine-uploader.js", "page.min.js"].map((name) => join(outDir, name));
  for (const file of written) await utimes(file, 1, 1);
  await build({ outDir });
  for (const file of written) assert.equal((await stat(file)).mtimeMs, 1000, file);
});

test("the lock file pins each package by integrity and contains no URL of a package", async () => {
  const lock = await readFile(new URL("package-lock.json", import.meta.url), "utf8");
  const withoutFunding = JSON.stringify(JSON.parse(lock), (name, value) => name === "funding" ? undefined : value);
  assert.doesNotMatch(withoutFunding, /resolved|:\/\//);
  const { "": root, ...packages } = JSON.parse(lock).packages;
  assert.ok(Object.keys(packages).length > 0);
  for (const [path, { integrity }] of Object.entries(packages)) {
    assert.match(integrity ?? "", /^sha512-/, path);
  }
});
