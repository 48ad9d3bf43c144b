// The survival tests append this to client_conf.js. It records what happens on the page.

var recorder = {
  stored: {},  // by file name: the numbers of the parts whose storage the page knows of
  messages: [] // every status and error that was on the page
};

fine_u_conf.callbacks = {
  onUploadChunkSuccess: function (id, part) {
    var name = this.getName(id);
    (recorder.stored[name] = recorder.stored[name] || []).push(part.partIndex + 1);
  }
};

new MutationObserver(function () {
  document.querySelectorAll("[data-role=status], [data-role=error], #unfinished span").forEach(function (element) {
    var text = element.textContent;
    if (!element.hidden && !recorder.messages.includes(text)) recorder.messages.push(text);
  });
}).observe(fine_u_conf.element, {subtree: true, childList: true, characterData: true});
