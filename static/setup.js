// What is wrong with the set-up, for the person who can mend it, when the first request fails. No DOM.
//
// A request that failed after others worked is a matter of the file or the network, and its row says so. One that
// failed before any worked is most likely a matter of the settings.

/** Watches the answers of the server and the store and tells when one of them looks like a wrong set-up. */
export class SetupWatch {
  #worked = new Set();
  #show;

  /** show({title, text, steps, origin}) presents the fault; show(null) takes it away. */
  constructor(show) {
    this.#show = show;
  }

  /** An upload went through: both sides are set up. */
  uploaded() {
    this.#worked.add("server").add("store");
    this.#show(null);
  }

  /** A part or a form is in the store, so the signature was good too. */
  stored() {
    this.#worked.add("server").add("store");
  }

  /** An upload failed with this answer, as answers.js gives it. */
  failed(answer, origin) {
    if (!answer || this.#worked.has(answer.from)) return;
    const fault = answer.from === "server" ? ofServer(answer) : ofStore(answer, origin);
    if (fault) this.#show({ origin, ...fault });
  }
}

function ofServer({ status, message, kind, id }) {
  if (kind === "setup") {
    return { title: "The signing server refuses what this page asks for.", text: id ? `${message} (Reference ${id} in its log.)` : message, steps: "doctor" };
  }
  if (status === 0) return { title: "The signing server does not answer.", text: "Start it, or set signature.endpoint in client_conf.js to its address.", steps: null };
  if (status === 404 || status === 405) return { title: "There is no signing server at signature.endpoint.", text: `It answered with status ${status}; set signature.endpoint in client_conf.js to its /s3/sign.`, steps: null };
  return null; // a hook's no, a rate limit, a fault of its own: not this page's settings
}

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

function ofStore({ status, host, code, message }, origin) {
  if (status === 0) {
    return {
      title: `The browser cannot reach the store at ${host}.`,
      text: `Either it is down or has another address, or the bucket's CORS rules do not let pages from ${origin} in.`,
      steps: "cors",
    };
  }
  const advice = settings[code];
  return advice ? { title: `The store at ${host} refuses the upload.`, text: message ? `${advice} It says: ${message}` : advice, steps: "doctor" } : null;
}
