// Finds out why a request failed when its response does not say it: the browser hides most causes from scripts.
//
// An error is {title, text, steps}; steps names the instructions in index.html.

const PROBE_TIMEOUT = 10_000; // ms

const blockedUrls = new Set(); // by the content security policy

addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective === "connect-src") blockedUrls.add(blockedURI);
});

/**
 * Returns the error that a failed request is due to, or null if the response tells more. response is from responses.js,
 * and endpoint is the URL of the bucket.
 */
export async function diagnose(response, { request }, endpoint) {
  const { from, status, code, kind, host, answeredBefore } = response;
  const mayBeOutdated = from === "server" ? kind === "setup" : status === 0 || status === 403;
  if (code === "HiddenETag") return null;
  if (mayBeOutdated && await isOutdated(request.accessKey)) return outdated;
  if (status !== 0) return null;
  if ([...blockedUrls].some((url) => url.includes(`//${host}`))) return blocked(response);
  if (from === "server") return null;
  const result = await probe(endpoint);
  return storeErrors[result === "hidden" && answeredBefore ? "readable" : result](host, endpoint);
}

/** Whether the server now gives the page another access key. False if the file computes its key. */
async function isOutdated(accessKey) {
  try {
    const response = await fetch("static/client_conf.js", { signal: AbortSignal.timeout(PROBE_TIMEOUT) });
    const text = response.ok ? withoutComments(await response.text()) : "";
    const keys = [...text.matchAll(/\baccessKey["']?\s*[:=]\s*(["'])([^"']*)\1\s*[,;}]/g)].map(([, , key]) => key);
    return keys.length > 0 && !keys.includes(accessKey);
  } catch {
    return false;
  }
}

function withoutComments(script) {
  return script.replace(/("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\/.*|\/\*[^]*?\*\//g, "$1");
}

/**
 * Returns "readable" if the store lets this page read its response to a form without fields, which it rejects; "hidden"
 * if something responds (some stores, such as versitygw, let no page read such errors); or else "unreachable".
 */
async function probe(endpoint) {
  const send = (options) => fetch(endpoint, {
    ...options, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PROBE_TIMEOUT),
  });
  try {
    await send({ method: "POST", body: new FormData() });
    return "readable";
  } catch {
    return send({ method: "HEAD", mode: "no-cors" }).then(() => "hidden", () => "unreachable");
  }
}

const outdated = {
  title: "This page is older than the server's settings.",
  text: "The server uses another access key since this page was loaded. "
    + "Reload the page, and choose unfinished files again; they go on from where they stopped.",
};

function blocked({ from, host, option }) {
  const advice = from === "store"
    ? "Set request.endpoint in client_conf.js to the address in AWS_ENDPOINT, or AWS_ENDPOINT to this one."
    : `Set ${option} in client_conf.js to a path on this server, or use a page of your own.`;
  return {
    title: `This page may not send requests to ${host}.`,
    text: `Its content security policy allows only its own server and the store in AWS_ENDPOINT. ${advice}`,
    steps: "doctor",
  };
}

/** By the result of the probe. */
const storeErrors = {
  readable: (host) => ({
    title: `The store at ${host} did not respond readably.`,
    text: `The store at ${host} responds, but this request got no readable response. If this repeats, a proxy in front `
      + "of the store may reject it: for its size (in nginx, client_max_body_size), or with an error of its own.",
    steps: "doctor",
  }),
  hidden: (host) => ({
    title: `The browser cannot read what the store at ${host} answers.`,
    text: `The store at ${host} answers, but the bucket's CORS rules do not let pages from ${location.origin} in, or a `
      + "proxy in front of the store answers in its place.",
    steps: "cors",
  }),
  unreachable: (host, endpoint) => ({
    title: `The browser cannot reach the store at ${host}.`,
    text: location.protocol === "https:" && endpoint.startsWith("http:")
      ? `The store at ${host} is down, or the browser blocks it: this page came over HTTPS, and from such pages `
        + "browsers send nothing to http:// addresses, Safari not even to this computer. Give the store HTTPS."
      : `The store at ${host} does not answer: it is down, it has another address, or the network is interrupted.`,
    steps: "doctor",
  }),
};
