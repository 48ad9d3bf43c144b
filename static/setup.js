// What is wrong with the set-up, for the person who can mend it, when the first request fails. No DOM.
//
// A request that failed after others worked is a matter of the file or the network, and its row says so. One that
// failed before any worked is most likely a matter of the settings. Silence is not, the first time.

import { withReference } from "./words.js";

/** Watches the answers of the server and the store and tells when one of them looks like a wrong set-up. */
export class SetupWatch {
  #worked = new Set();
  #silences = 0;
  #reported = null;
  #show;

  /** show({title, text, steps}) presents the fault; show(null) takes it away. */
  constructor(show) {
    this.#show = show;
  }

  /** A part or a file is in the store, so the signature was good too. */
  stored() {
    this.#worked.add("server").add("store");
    this.#show(null);
  }

  /** The server has said, in this sentence, what is wrong between it and the store; null: nothing. */
  serverReports(sentence) {
    this.#reported = sentence;
  }

  /** An upload failed with this answer, as answers.js gives it. Returns whether the fault is shown. */
  failed(answer, { origin, online }) {
    if (!answer || !online || (this.#worked.has(answer.from) && answer.code !== "HiddenETag")) return false;
    if (answer.status === 0 && answer.code !== "HiddenETag" && ++this.#silences < 2) return false;
    const fault = answer.from === "server" ? ofServer(answer) : ofStore(answer, origin, this.#reported);
    if (fault) this.#show(fault);
    return fault !== null;
  }
}

function ofServer({ status, option, message, kind, id }) {
  if (kind === "setup") {
    const steps = message.includes("clock") ? null : "doctor"; // which cannot see the uploading computer's clock
    return { title: "The signing server refuses what this page asks for.", text: withReference(message, id), steps };
  }
  if (status === 0) return { title: "The signing server does not answer.", text: `Start it, or set ${option} in client_conf.js to its address.`, steps: null };
  if ((status === 404 || status === 405) && (!id || kind === "address")) return { title: `There is no signing server at ${option}.`, text: `It answered with status ${status}; set ${option} in client_conf.js to ${addresses[option]}, or the full address of it.`, steps: null };
  return null; // a hook's no, a rate limit, a fault of its own: not this page's settings
}

const addresses = { "signature.endpoint": "/s3/sign", "uploadSuccess.endpoint": "/s3/success", "deleteFile.endpoint": "/s3/delete", "session.endpoint": "/s3/session" };

/** The store's codes that mean wrong settings, each with what to look at. */
const settings = {
  InvalidAccessKeyId: "It does not know the access key: check AWS_CLIENT_ACCESS_KEY and request.accessKey.",
  SignatureDoesNotMatch: "It computes another signature: check AWS_CLIENT_SECRET_KEY, and host and endpoint in client_conf.js.",
  AccessDenied: "It does not let the key upload, or computes another signature: check the key's rights, AWS_CLIENT_SECRET_KEY, and signature.version.",
  NoSuchBucket: "It has no such bucket: check AWS_DEST_BUCKET and objectProperties.bucket.",
  PermanentRedirect: "The bucket is in another region: check AWS_REGION and AWS_ENDPOINT.",
  AuthorizationHeaderMalformed: "The bucket is in another region: check AWS_REGION and objectProperties.region.",
  InvalidRequest: "It does not take this signature version: check signature.version.",
  RequestTimeTooSkewed: "Its clock and this computer's differ by more than 15 minutes: set the wrong one right.",
};

function ofStore({ status, host, code, message }, origin, reported) {
  if (code === "HiddenETag") {
    return {
      title: "The bucket's CORS rules hide the ETag of what is stored.",
      text: `Without it the parts of a file cannot be put together. The rules must have ETag as an ExposeHeader for pages from ${origin}.`,
      steps: "cors",
    };
  }
  if (status === 0 && reported) return { title: `The browser cannot use the store at ${host}.`, text: `The signing server cannot, either: ${reported}`, steps: "doctor" };
  if (status === 0) {
    return {
      title: `The browser cannot reach the store at ${host}.`,
      text: `It is down or has another address, or the bucket's CORS rules do not let pages from ${origin} in, or it refused the request without letting the page read why.`,
      steps: "cors",
    };
  }
  const advice = settings[code];
  return advice ? { title: `The store at ${host} refuses the upload.`, text: message ? `${advice} It says: ${message}` : advice, steps: "doctor" } : null;
}
