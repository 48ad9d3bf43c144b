// Lets tests import the page's modules. static/ has no package.json, without which Node.js does not treat .js files as
// modules, so they are imported from a copy.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const dir = await mkdtemp(join(tmpdir(), "page-"));
after(() => rm(dir, { recursive: true }));
await cp(fileURLToPath(new URL("../static/", import.meta.url)), dir, { recursive: true });
await writeFile(join(dir, "package.json"), '{"type": "module"}');

export function importPage(name) {
  return import(pathToFileURL(join(dir, name)));
}
