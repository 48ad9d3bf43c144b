import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { watchResponses } = await importPage("responses.js");

globalThis.document ??= { baseURI: "https://page.example.org/" };
globalThis.XMLHttpRequest ??= class {};
XMLHttpRequest.DONE = 4;

/** What last() is while the response to a signature request is handled. */
function lastResponse({ status, headers = "", body = "" }) {
  class Request extends EventTarget {
    open() {}
    getAllResponseHeaders() { return headers; }
  }
  const qq = { createXhrInstance: () => new Request() };
  const { last } = watchResponses(qq, { signature: { endpoint: "/s3/sign" } });
  const xhr = qq.createXhrInstance();
  xhr.open("POST", "/s3/sign");
  Object.assign(xhr, { readyState: XMLHttpRequest.DONE, status, responseText: body });
  xhr.dispatchEvent(new Event("readystatechange"));
  return last();
}

for (const { name, response, permanent, retryAfter } of [
  { name: "no response", response: { status: 0 }, permanent: false },
  { name: "503", response: { status: 503 }, permanent: false },
  { name: "403", response: { status: 403 }, permanent: true },
  { name: "429 without Retry-After", response: { status: 429, headers: "content-type: text/plain\r\n" }, permanent: false },
  { name: "429 with Retry-After", permanent: false, retryAfter: 10,
    response: { status: 429, headers: "content-type: text/plain\r\nretry-after: 10\r\nvary: Origin\r\n" } },
  { name: "503 with a date in Retry-After", permanent: false,
    response: { status: 503, headers: "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n" } },
]) {
  test(`${name} of the signing server`, () => {
    const last = lastResponse(response);
    assert.deepEqual([last.from, last.permanent, last.retryAfter], ["server", permanent, retryAfter]);
  });
}
