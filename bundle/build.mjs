// Copies the prebuilt npm packages that the page uses, Fine Uploader for S3 and hashes in WebAssembly, from
// node_modules into static/, and bundles the page's own modules there as page.min.js, and Uppy and its page's modules as
// uppy/page.min.js and uppy/page.min.css.
//
//   node bundle/build.mjs [--ceph] [--out DIR]
//
// --ceph  upload files of unknown MIME type as application/octet-stream, which old Ceph requires
// --out   the output folder (default: static/)
//
// Each run writes all files, so a run without --ceph undoes one with it.

import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import * as esbuild from "esbuild";

const bundleDir = fileURLToPath(new URL(".", import.meta.url));
const staticDir = fileURLToPath(new URL("../static/", import.meta.url));

/** The folder and the files to copy, by package. */
const sources = {
  "fine-uploader": {
    folder: "s3.fine-uploader",
    files: /^(s3\.fine-uploader(\.min)?\.js(\.map)?|fine-uploader-new\.css|\w+\.gif)$/,
  },
  "hash-wasm": { folder: "dist", files: /^(md5|sha256)\.umd\.min\.js$/ },
};
const filesToPatch = /^s3\.fine-uploader.*\.js$/;

/**
 * Makes Fine Uploader use application/octet-stream if the browser does not know the MIME type, in POST policies and in
 * requests that initiate chunked uploads. This has the effect of FineUploader/fine-uploader pull request 1846, for old
 * radosgw (tracker.ceph.com issue 20201). It patches the function that determines the type for both, in the readable
 * and in the minified file.
 */
export function withDefaultContentType(source) {
  const mimeType = /_getMimeType:\s*function\s*\((\w+)\)\s*\{\s*return \w+\.getFile\(\1\)\.type(?=;?\s*\})/g;
  const found = source.match(mimeType)?.length ?? 0;
  if (found !== 1) {
    throw new Error(`_getMimeType was found ${found} times instead of once; adapt bundle/build.mjs to the package`);
  }
  return source.replace(mimeType, '$& || "application/octet-stream"');
}

/**
 * Bundles page.js and the modules that it imports. Returns the files by name. The source map has the contents of the
 * modules: the server uses the bundle only while it serves the same ones (internal/server/index.go).
 */
async function bundleModules() {
  return bundle("page.js", { sourcemap: true });
}

/** Bundles Uppy's page with Uppy and its style sheets. Returns the files by name. */
async function bundleUppy() {
  return bundle("uppy/page.js", { nodePaths: [join(bundleDir, "node_modules")] });
}

async function bundle(name, options) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(staticDir, name)],
    outfile: join(staticDir, name.replace(/\.js$/, ".min.js")), // a map names the modules relative to it
    write: false,
    bundle: true,
    format: "esm",
    minify: true,
    charset: "utf8",
    logLevel: "silent", // errors are thrown, too
    ...options,
  });
  return outputFiles.map(({ path, contents }) => [relative(staticDir, path), Buffer.from(contents)]);
}

/** Writes the files into outDir. Returns the version of each package and the names of the files. */
export async function build({ outDir = staticDir, ceph = false } = {}) {
  const packagesDir = join(bundleDir, "node_modules");
  const versions = await checkVersions(packagesDir);
  const names = [];
  for (const [packageName, { folder, files }] of Object.entries(sources)) {
    const dir = join(packagesDir, packageName, folder);
    for (const name of (await readdir(dir)).filter((name) => files.test(name))) {
      const content = await readFile(join(dir, name));
      const patch = ceph && filesToPatch.test(name);
      const output = patch ? Buffer.from(withDefaultContentType(content.toString())) : content;
      await writeIfChanged(join(outDir, name), output);
      names.push(name);
    }
  }
  for (const [name, content] of [...await bundleModules(), ...await bundleUppy()]) {
    await writeIfChanged(join(outDir, name), content);
    names.push(name);
  }
  return { versions, names: names.sort() };
}

/** Returns the versions in package.json, which must be installed. */
async function checkVersions(packagesDir) {
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(bundleDir, "package.json")));
  const versions = { ...dependencies, ...devDependencies };
  for (const [name, expected] of Object.entries(versions)) {
    const { version } = JSON.parse(await readFile(join(packagesDir, name, "package.json")));
    if (version !== expected) {
      throw new Error(`${name} ${version} is installed instead of ${expected}; run npm ci --prefix bundle`);
    }
  }
  return versions;
}

async function writeIfChanged(path, content) {
  await mkdir(dirname(path), { recursive: true });
  const old = await readFile(path).catch(() => null);
  if (!old?.equals(content)) await writeFile(path, content);
}

async function main() {
  const { values } = parseArgs({ options: { ceph: { type: "boolean" }, out: { type: "string" } } });
  const { versions, names } = await build({ outDir: values.out, ceph: values.ceph });
  const packages = Object.entries(versions).map((entry) => entry.join(" ")).join(", ");
  console.log(`static: ${packages}; ${names.length} files${values.ceph ? ", patched for old Ceph" : ""}`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((err) => {
    console.error(`bundle: ${err.message}`);
    exit(1);
  });
}
