// Wraps the requests and objects that Fine Uploader creates. Call these functions before the uploader is created.

/**
 * Calls prepare(xhr, request) for each XMLHttpRequest that Fine Uploader creates. Once the request is open, request
 * has its method and its url, which is a URL object.
 */
export function onNewRequest(qq, prepare) {
  const create = qq.createXhrInstance;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    const { open } = xhr;
    const request = { method: "", url: new URL(document.baseURI) };
    xhr.open = function (method, url, ...rest) {
      Object.assign(request, { method, url: new URL(url, document.baseURI) });
      return open.call(this, method, url, ...rest);
    };
    prepare(xhr, request);
    return xhr;
  };
}

/**
 * Replaces a method of each qq.s3[className] object by wrap(method, options). adaptOptions may change the options that
 * the constructor gets.
 */
export function wrapMethod(qq, className, method, wrap, adaptOptions = (options) => options) {
  const Original = qq.s3[className];
  qq.s3[className] = function (options) {
    Original.call(this, adaptOptions(options));
    this[method] = wrap(this[method], options);
  };
  qq.s3[className].prototype = Original.prototype;
}

/** Replaces getSignature of each request signer by wrap(getSignature). */
export function wrapSigner(qq, wrap) {
  wrapMethod(qq, "RequestSigner", "getSignature", wrap);
}
