// Appended to client_conf.js by the survival tests: keeps what a person at the page would have seen.

var witness = {
  stored: {}, // by file name: the numbers of the parts that the store has confirmed to this page
  said: []    // every status and error that was on the page
};

fine_u_conf.callbacks = {
  onUploadChunkSuccess: function (id, part) {
    var name = this.getName(id);
    (witness.stored[name] = witness.stored[name] || []).push(part.partIndex + 1);
  }
};

new MutationObserver(function () {
  document.querySelectorAll("[data-role=status], [data-role=error], #unfinished span").forEach(function (element) {
    var text = element.textContent;
    if (!element.hidden && !witness.said.includes(text)) witness.said.push(text);
  });
}).observe(fine_u_conf.element, {subtree: true, childList: true, characterData: true});
