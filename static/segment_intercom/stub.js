/*
 * Makes Segment's `analytics` usable at once: calls wait in a queue until the runtime has arrived.
 *
 * The names in capitals are filled in when a page is rendered: ANALYTICS_CONFIG (an object), ANALYTICS_RUNTIME (the
 * address of the runtime, or "") and ANALYTICS_NOW (false where the page, and the Messenger that waits for it, go first).
 * Built into stub.min.js by `make assets`.
 */
(function (analytics) {
  if (analytics.intercom) return; // rendered again into a living page
  analytics.intercom = ANALYTICS_CONFIG;
  "identify page track group alias reset ready user on once off trackLink trackForm setAnonymousId debug"
    .split(" ")
    .forEach(function (method) {
      analytics[method] = function () {
        analytics.push([method].concat(Array.prototype.slice.call(arguments)));
        return analytics;
      };
    });
  if (!ANALYTICS_RUNTIME) return; // Intercom is switched off: calls are taken, and that is all
  // It can be read only while this script runs.
  var nonce = (document.currentScript || {}).nonce;
  function insert() {
    var script = document.createElement("script");
    script.async = true;
    if (nonce) script.nonce = nonce;
    script.src = ANALYTICS_RUNTIME;
    document.head.appendChild(script);
  }
  function whenIdle() {
    (window.requestIdleCallback || setTimeout)(insert);
  }
  // A script that is asked for while the page loads would hold its load event up.
  if (ANALYTICS_NOW) insert();
  else if (document.readyState === "complete") whenIdle();
  else window.addEventListener("load", whenIdle, { once: true });
})((window.analytics = window.analytics || []));
