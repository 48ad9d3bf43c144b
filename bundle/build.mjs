// Copies what the page has from npm, Fine Uploader's S3 bundle and a SHA-256 in WebAssembly, both prebuilt, from
// node_modules into static/.
//
//   node bundle/build.mjs [--ceph] [--out DIR]
//
// --ceph  send files without a known MIME type as application/octet-stream (old Ceph refuses them otherwise)
// --out   where to put the files (default: static/ beside bundle/)
//
// Every run writes the whole bundle, so a run without --ceph undoes one with it.

import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Of each package the files that are wanted, in one folder of it. */
const parts = {
  "fine-uploader": { folder: "s3.fine-uploader", wanted: /^(s3\.fine-uploader(\.min)?\.js(\.map)?|fine-uploader-new\.css|\w+\.gif)$/ },
  "hash-wasm": { folder: "dist", wanted: /^sha256\.umd\.min\.js$/ },
};
const uploader = /^s3\.fine-uploader.*\.js$/;

/**
 * Makes Fine Uploader name application/octet-stream where the browser knows no MIME type, both in POST policies and
 * when a chunked upload is initiated: the effect of FineUploader/fine-uploader pull request 1846, for old radosgw
 * (tracker.ceph.com issue 20201). Both uploads ask one function for the type; its end is the place to patch,
 * in the readable and the minified file alike.
 */
export function withDefaultContentType(source) {
  const mimeType = /_getMimeType:\s*function\s*\((\w+)\)\s*\{\s*return \w+\.getFile\(\1\)\.type(?=;?\s*\})/g;
  const found = source.match(mimeType)?.length ?? 0;
  if (found !== 1) {
    throw new Error(`the place for the Ceph work-around was found ${found} times instead of once`);
  }
  return source.replace(mimeType, '$& || "application/octet-stream"');
}

/** Writes the bundle into `to` and returns the version of each package and the names of the files. */
export async function build({ packages = join(here, "node_modules"), to = join(here, "..", "static"), ceph = false } = {}) {
  const versions = await installedVersions(packages);
  await mkdir(to, { recursive: true });
  const names = [];
  for (const [part, { folder, wanted }] of Object.entries(parts)) {
    const from = join(packages, part, folder);
    for (const name of (await readdir(from)).filter((name) => wanted.test(name))) {
      const content = await readFile(join(from, name));
      const patch = ceph && uploader.test(name);
      await writeIfChanged(join(to, name), patch ? Buffer.from(withDefaultContentType(content.toString())) : content);
      names.push(name);
    }
  }
  return { versions, names: names.sort() };
}

/** The versions that npm has put there, which must be those that package.json asks for. */
async function installedVersions(packages) {
  const { dependencies } = JSON.parse(await readFile(join(here, "package.json")));
  for (const [part, wanted] of Object.entries(dependencies)) {
    const { version } = JSON.parse(await readFile(join(packages, part, "package.json")));
    if (version !== wanted) {
      throw new Error(`${part} ${version} is installed, ${wanted} is wanted: npm ci --prefix bundle`);
    }
  }
  return dependencies;
}

async function writeIfChanged(path, content) {
  const old = await readFile(path).catch(() => null);
  if (!old?.equals(content)) await writeFile(path, content);
}

async function main() {
  const { values } = parseArgs({ options: { ceph: { type: "boolean" }, out: { type: "string" } } });
  const { versions, names } = await build({ to: values.out, ceph: values.ceph });
  const packages = Object.entries(versions).map((each) => each.join(" ")).join(", ");
  const note = values.ceph ? ", with the work-around for old Ceph" : "";
  console.log(`static: ${packages}; ${names.length} files${note}`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((err) => {
    console.error(`bundle: ${err.message}`);
    exit(1);
  });
}
