// Finds errors that keep Fine Uploader from starting: scripts that do not load or throw, and an incomplete
// client_conf.js.
//
// An error is {title, text, steps}, where steps names the instructions in index.html, if there are any.

import { withReference } from "./messages.js";

const scriptErrors = globalThis.scriptErrors ?? new Map(); // from script-errors.js: file name → message

/** Returns the first error, or null. conf is fine_u_conf, or null if client_conf.js did not set it. */
export async function findStartupError(conf) {
  const error = bundleError() ?? configError(conf) ?? placeholderError(conf);
  return error && ((await rejectedConfigError()) ?? error);
}

function bundleError() {
  if (globalThis.qq?.s3) return null;
  const text = scriptErrors.get("s3.fine-uploader.min.js") ?? "It does not contain Fine Uploader for S3.";
  return { title: "static/s3.fine-uploader.min.js is missing or broken.", text, steps: "bundle" };
}

function configError(conf) {
  let text = scriptErrors.get("client_conf.js");
  if (!text && !conf) text = "It does not set fine_u_conf.";
  else if (!text && !conf.element) text = "This page does not have the element that it names.";
  return text ? { title: "client_conf.js does not work.", text, steps: "client_conf.js" } : null;
}

function placeholderError({ objectProperties = {}, request = {} }) {
  const values = [objectProperties.bucket, objectProperties.host, request.endpoint, request.accessKey].join(" ");
  const found = [...new Set(values.match(/\b(BUCKET|HOST|ACCESSKEY)\b/g))];
  if (found.length === 0) return null;
  const text = `It still contains the placeholders ${found.join(", ")}.`;
  return { title: "client_conf.js is not filled in.", text, steps: "client_conf.js" };
}

/** The reason why the server does not serve client_conf.js, for example to users who are not logged in; or null. */
async function rejectedConfigError() {
  try {
    const response = await fetch("static/client_conf.js");
    const { error, id } = response.ok ? {} : await response.json();
    const title = "The signing server does not let this page start.";
    return error ? { title, text: withReference(error, id) } : null;
  } catch {
    return null;
  }
}
