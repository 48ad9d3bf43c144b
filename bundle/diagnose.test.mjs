import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener = () => {};
const { importPage } = await import("./import-page.mjs");
const { diagnose } = await importPage("diagnose.js");

const accessKey = "AKIAIOSFODNN7EXAMPLE";
const response = { from: "store", status: 403, host: "s3.example.org" };

for (const { name, text, ok = true, isOutdated } of [
  { name: "the same key", text: `request: {\n  accessKey: "${accessKey}",   // it is public`, isOutdated: false },
  { name: "another key", text: `request: {\n  accessKey: "AKIAANOTHER",   // it is public`, isOutdated: true },
  { name: "another key, without a comma", text: `{'accessKey': 'AKIAANOTHER'\n}`, isOutdated: true },
  { name: "another key, assigned", text: `fine_u_conf.request.accessKey = "AKIAANOTHER";`, isOutdated: true },
  { name: "a computed key", text: `accessKey: "AKIA" + "IOSFODNN7EXAMPLE",`, isOutdated: false },
  { name: "a key by a function", text: `accessKey: keyOf("AKIAANOTHER"),`, isOutdated: false },
  { name: "one key of two", text: `accessKey: "AKIAANOTHER", accessKey: "${accessKey}",`, isOutdated: false },
  { name: "an earlier key in a comment", text: `accessKey: keys.prod, // was accessKey: "AKIAOLD",`, isOutdated: false },
  { name: "an earlier key in a long comment", text: `/* accessKey: "AKIAOLD",\n */ accessKey: key,`, isOutdated: false },
  { name: "the same key in a comment", text: `// accessKey: "${accessKey}",\naccessKey: "AKIANEW",`, isOutdated: true },
  { name: "another key after a URL", text: `{endpoint: "https://s3/b", accessKey: "AKIANEW"}`, isOutdated: true },
  { name: "another key after a quote in a comment", text: `// it's public\naccessKey: "AKIANEW",`, isOutdated: true },
  { name: "no longer logged in", text: `accessKey: "AKIAANOTHER",`, ok: false, isOutdated: false },
]) {
  test(`client_conf.js has ${name}: ${isOutdated ? "the page is outdated" : "no diagnosis"}`, async () => {
    globalThis.fetch = async () => ({ ok, text: async () => text });
    const error = await diagnose(response, { request: { accessKey } }, "https://s3.example.org/bucket");
    assert.equal(error?.title, isOutdated ? "This page is older than the server's settings." : undefined);
  });
}
