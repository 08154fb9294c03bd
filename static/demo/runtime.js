/*
 * Runs in a frame of its own, without an origin: each message brings calls and a configuration, for which the front door of
 * `analytics` and the browser runtime are started anew. The answer is what they told the Messenger, who is not here.
 */
(function () {
  "use strict";

  let line = Promise.resolve();

  function play({ n, calls, config }) {
    return new Promise((done) => {
      const commands = [];
      window.Intercom = (...given) => commands.push(structuredClone(given));
      window.analytics = undefined;
      window.openAnalytics(config);
      for (const [name, ...given] of calls) window.analytics[name](...given);
      const script = document.head.lastElementChild; // the runtime's, which the front door has just put there
      script.onload = script.onerror = () => {
        script.remove();
        parent.postMessage({ n, commands }, "*");
        done();
      };
    });
  }

  // The page lays its own settings down where a snippet boots; here the runtime boots, so that there are none.
  addEventListener("message", ({ data, source }) => {
    if (source === parent) line = line.then(() => play(data));
  });
  parent.postMessage({ ready: true }, "*");
})();
