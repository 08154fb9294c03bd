/*
 * Runs in a frame of its own, without an origin: each message brings calls and a configuration, for which the browser
 * runtime is started anew. The answer is what it told the Messenger, who is not here.
 */
(function () {
  "use strict";

  const { runtime } = document.currentScript.dataset;
  let line = Promise.resolve();

  function play({ n, calls, config }) {
    return new Promise((done) => {
      const commands = [];
      window.Intercom = (...given) => commands.push(structuredClone(given));
      window.analytics = Object.assign(calls, { intercom: config });
      const script = document.createElement("script");
      script.src = runtime;
      script.onload = script.onerror = () => {
        script.remove();
        parent.postMessage({ n, commands }, "*");
        done();
      };
      document.head.append(script);
    });
  }

  // The page lays its own settings down where a snippet boots; here the runtime boots, so that there are none.
  addEventListener("message", ({ data, source }) => {
    if (source === parent) line = line.then(() => play(data));
  });
  parent.postMessage({ ready: true }, "*");
})();
