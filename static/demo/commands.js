/*
 * Listens in on window.Intercom, from before the snippet: the queue and the Messenger that takes its place are both handed
 * out behind a proxy that notes each command. What waits in the queue is received when the Messenger arrives, after the
 * boot that it does by itself.
 */
(function () {
  "use strict";

  const KEPT = 200;
  const commands = [];
  const proxies = new WeakMap();
  let current;
  let last = 0;

  function tell() {
    document.dispatchEvent(new CustomEvent("demo:commands"));
  }

  // A copy, for a page may change the object that it handed in; what cannot be copied is a function, or holds one.
  function copyOf(value) {
    try {
      return structuredClone(value);
    } catch {
      return typeof value === "function" ? "function" : String(value);
    }
  }

  function note(given, waits) {
    commands.push({ n: ++last, at: new Date(), waits, given: Array.from(given, copyOf) });
    if (commands.length > KEPT) commands.shift();
    tell();
  }

  function arrive(queue) {
    for (let place = commands.length - 1; place >= 0; place--) if (commands[place].waits) commands.splice(place, 1);
    if (window.intercomSettings) note(["boot", window.intercomSettings], false);
    for (const given of queue) note(given, false);
  }

  function proxyOf(target) {
    if (typeof target !== "function") return target;
    if (!proxies.has(target)) {
      const apply = (called, self, given) => {
        note(given, Array.isArray(called.q));
        return Reflect.apply(called, self, given);
      };
      proxies.set(target, new Proxy(target, { apply }));
    }
    return proxies.get(target);
  }

  Object.defineProperty(window, "Intercom", {
    configurable: true,
    enumerable: true,
    get: () => proxyOf(current),
    set(next) {
      const queue = current?.q;
      current = next;
      if (typeof next === "function" && !Array.isArray(next.q) && Array.isArray(queue)) arrive(queue);
    },
  });

  window.demoCommands = commands;
})();
