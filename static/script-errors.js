// Records the errors of the page's scripts for startup-errors.js, by file name. It is the first script of the page and
// no module: in Firefox a script that does not load is reported before any module runs.

window.scriptErrors = new Map();
{
  const fileName = (url) => new URL(url, document.baseURI).pathname.split("/").pop();

  addEventListener("error", ({ target, filename, message, lineno }) => {
    const isScript = target instanceof HTMLScriptElement;
    const name = fileName(isScript ? target.src : filename ?? "");
    const text = isScript ? "It could not be loaded." : `Line ${lineno}: ${message?.replace("Uncaught ", "")}.`;
    if (!window.scriptErrors.has(name)) window.scriptErrors.set(name, text);
  }, true); // load errors do not bubble

  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (!effectiveDirective.startsWith("script-src")) return;
    const text = `The content security policy blocks ${blockedURI}; the page may load scripts from this server only.`;
    window.scriptErrors.set(fileName(blockedURI), text);
  });
}
