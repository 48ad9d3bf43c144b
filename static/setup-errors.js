// Finds out which failed uploads are due to a wrong set-up, and explains what to change. No DOM.
//
// If a request fails after others succeeded, the cause is probably the file or the network, and is shown in its row.
// If it fails before any succeeded, the cause is probably a setting. One request without a response does not count.

import { withReference } from "./messages.js";

/** Watches the results of uploads for set-up errors. */
export class SetupErrors {
  #succeeded = new Set(); // "server", "store"
  #unanswered = 0;
  #storeMessage = null;
  #show;

  /** show({title, text, steps}) shows a set-up error, show(null) removes it. steps: see index.html. */
  constructor(show) {
    this.#show = show;
  }

  /** The store has accepted a part or a file, and so the signature. */
  uploadSucceeded() {
    this.#succeeded.add("server").add("store");
    this.#show(null);
  }

  /** The server's own message that it cannot use the store; null if it can. */
  setStoreError(message) {
    this.#storeMessage = message;
  }

  /**
   * An upload failed with this response, as responses.js returns it, and this cause, which is from diagnose.js or null.
   */
  uploadFailed(response, cause) {
    const { from, status, code } = response;
    if (code !== "HiddenETag") {
      if (this.#succeeded.has(from)) return;
      if (status === 0 && ++this.#unanswered < 2) return;
    }
    const error = from === "server"
      ? cause ?? explainServerError(response)
      : explainStoreError(response, cause, this.#storeMessage);
    if (error) this.#show(error);
  }
}

const serverPaths = {
  "signature.endpoint": "/s3/sign",
  "uploadSuccess.endpoint": "/s3/success",
  "deleteFile.endpoint": "/s3/delete",
  "session.endpoint": "/s3/session",
};

/** Null for rejections by a hook or a rate limit, and for errors of the server itself. */
function explainServerError({ status, option, message, kind, id }) {
  if (kind === "setup") {
    const steps = message.includes("clock") ? undefined : "doctor"; // doctor cannot check the clock of this computer
    return { title: "The signing server refuses what this page asks for.", text: withReference(message, id), steps };
  }
  if (status === 0) {
    const text = `Start it, or set ${option} in client_conf.js to its address.`;
    return { title: "The signing server does not answer.", text };
  }
  const hasOtherServer = (status === 404 || status === 405) && (!id || kind === "address");
  if (!hasOtherServer) return null;
  const text = `It answered with status ${status}; `
    + `set ${option} in client_conf.js to ${serverPaths[option]}, or to the full URL.`;
  return { title: `There is no signing server at ${option}.`, text };
}

/** Store errors that wrong settings cause, and what to check. */
const settingsToCheck = {
  InvalidAccessKeyId: "The store does not know the access key; check AWS_CLIENT_ACCESS_KEY and request.accessKey.",
  SignatureDoesNotMatch: "The store calculates another signature; "
    + "check AWS_CLIENT_SECRET_KEY, host and endpoint in client_conf.js, "
    + "and that a proxy in front of the store keeps the Host header.",
  AccessDenied: "The key may not upload, or the store calculates another signature; "
    + "check the permissions of the key, AWS_CLIENT_SECRET_KEY, and signature.version.",
  NoSuchBucket: "The bucket does not exist; check AWS_DEST_BUCKET and objectProperties.bucket.",
  PermanentRedirect: "The bucket is in another region; check AWS_REGION and AWS_ENDPOINT.",
  AuthorizationHeaderMalformed: "The bucket is in another region; check AWS_REGION and objectProperties.region.",
  InvalidRequest: "The store does not accept this signature version; check signature.version.",
  RequestTimeTooSkewed: "The clocks of the store and of this computer differ by more than 15 minutes; "
    + "correct the wrong one.",
};

function explainStoreError({ status, host, code, message }, cause, storeMessage) {
  if (code === "HiddenETag") {
    const text = "Without the ETags, the parts of a file cannot be combined. "
      + "Add ETag as an ExposeHeader to the rules for this page.";
    return { title: "The bucket's CORS rules hide the ETag of what is stored.", text, steps: "cors" };
  }
  if (status === 0 && storeMessage) {
    const text = `The signing server cannot, either: ${storeMessage}`;
    return { title: `The browser cannot use the store at ${host}.`, text, steps: "doctor" };
  }
  if (cause) return cause;
  const advice = settingsToCheck[code];
  if (!advice) return null;
  const text = message ? `${advice} Its message: ${message}` : advice;
  return { title: `The store at ${host} refuses the upload.`, text, steps: "doctor" };
}
