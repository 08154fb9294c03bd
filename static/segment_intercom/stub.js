/*
 * The front door of Segment's `analytics`, usable at once: it reads the arguments of calls, which wait in a queue until the
 * runtime has arrived, and go to it from then on. The object and its functions stay the same, whoever has kept them. Links
 * and forms are tracked from here as well, so that no click is lost while the runtime is on its way.
 *
 * The names in capitals are filled in when a page is rendered: ANALYTICS_CONFIG (an object), ANALYTICS_RUNTIME (the
 * address of the runtime, or "") and ANALYTICS_NOW (false where the page, and the Messenger that waits for it, go first).
 * Built into stub.min.js by `make assets`.
 */
import { copy, isObject } from "./values.js";

const isFunction = (value) => typeof value === "function";

// What tells a whole message from the traits of an identify call, and, behind them, of the other calls.
const MESSAGE = "userId anonymousId traits context integrations event groupId properties".split(" ");
const OTHERS = "type messageId timestamp userId anonymousId groupId event traits properties context integrations".split(" ");

// A call as { name, texts, body, callOptions, intercomOptions, callback, odd }, which the runtime gets in this order: some
// arguments may be left out, the first function is the callback. `texts` stand before the traits or properties, `odd` are
// the names of what cannot be sent. All is copied: what a page changes later is not sent changed.
function read(name, args) {
  const call = { name, texts: [], odd: [] };
  const { texts } = call;
  const warn = (key) => void call.odd.push(key);
  call.callback = args.find(isFunction);
  args = args.filter((value) => !isFunction(value));
  const most = name === "page" || name === "alias" ? 2 : 1;
  while (texts.length < most && args.length && !isObject(args[0])) texts.push(args.shift());
  if (name === "page" && !texts[1]) {
    if (texts[1] === null && texts[0]) args.unshift(texts.pop()); // no properties, before options
    texts.unshift(undefined);
  }
  const [body, callOptions] = [0, 1].map((place) => {
    if (isObject(args[place])) return copy(args[place], warn);
    if (args[place] != null) warn(name);
    return {};
  });
  call.body = body;
  call.callOptions = callOptions;
  const isNamed = texts.some((value) => value === 0 || (value && String(value).trim()));
  if (!isNamed && isMessage(body, name)) unfold(call, body);
  call.intercomOptions = optionsOf(callOptions);
  return call;
}

const plainName = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

// The options for Intercom by their plain names, null where they switch it off for this call.
function optionsOf(callOptions) {
  const inner = callOptions.context || {};
  const integrations = Object.assign({}, inner.integrations, callOptions.integrations);
  const choice = integrations.Intercom == null ? integrations.All : integrations.Intercom;
  const options = {};
  if (choice === false) return null;
  for (const place of [integrations, callOptions, inner]) {
    const name = Object.keys(place).find((key) => plainName(key) === "intercom" && isObject(place[key]));
    if (!name) continue;
    Object.keys(place[name]).forEach((key) => (options[plainName(key)] = place[name][key]));
    break;
  }
  return options;
}

function isMessage(body, name) {
  return MESSAGE.some((key, place) => (place < 2 ? key in body : place < 5 ? isObject(body[key]) : name !== "identify" && key in body));
}

// A single object is the whole message that it is; what has no place of its own in it counts as a trait or property.
function unfold(call, message) {
  const { name } = call;
  call.texts = [message[{ identify: "userId", group: "groupId", track: "event", page: "category" }[name]], message.name];
  ["context", "integrations"].forEach((key) => message[key] != null && (call.callOptions[key] = message[key]));
  call.body = Object.assign({}, message.traits, message.properties);
  Object.keys(message).forEach((key) => {
    if (OTHERS.indexOf(key) < 0) call.body[key] = message[key];
  });
}

// A fault of the page's own values or listeners costs nothing else.
function guarded(callback, ...args) {
  try {
    return callback(...args);
  } catch (error) {
    console.error(error);
  }
}

// What listens to which calls, and what waits for the Messenger.
function listenTo(config) {
  const listeners = Object.create(null);
  config.guarded = guarded;
  const { on, off } = (config.listening = {
    on(event, listener) {
      (listeners[event] = listeners[event] || []).push(listener);
    },
    off(event, listener) {
      listeners[event] = (listeners[event] || []).filter((entry) => listener && entry !== listener && entry.of !== listener);
    },
    once(event, of) {
      const first = (...args) => {
        off(event, first);
        of(...args);
      };
      first.of = of;
      on(event, first);
    },
    ready(callback) {
      // The queue's function has a `q`; the Messenger's own has none.
      if (window.Intercom && !window.Intercom.q) setTimeout(callback);
      else document.addEventListener("intercom:ready", () => callback(), { once: true });
    },
  });
  config.emit = (event, ...args) => (listeners[event] || []).forEach((listener) => guarded(listener, ...args));
}

// Tracks clicks and submits; once the event has gone through the page, and nobody prevented it, the browser's own action
// follows a little later, so that the event is on its way. It is left alone wherever it is no plain navigation of this frame.
function trackElements(analytics, config) {
  let resumed;
  const trackOn = (type, follow) => (elements, event, properties) => {
    const add = (element) =>
      element.addEventListener(type, (happened) => {
        const next = follow(element, happened);
        if (next === null) return;
        analytics.track(...[event, properties].map((value) => (isFunction(value) ? guarded(value, element) : value)));
        const decide = (last) => {
          if (!next || last !== happened || last.defaultPrevented || config.isDeaf) return;
          last.preventDefault();
          setTimeout(next, 300);
        };
        addEventListener(type, decide, { once: true });
      });
    Array.from(elements && elements.addEventListener ? [elements] : elements || []).forEach(add);
    return analytics;
  };
  analytics.trackLink = trackOn("click", (link, happened) => {
    const base = document.querySelector("base[target]") || {};
    const target = link.getAttribute("target") || base.target;
    const isHeld = happened.metaKey || happened.ctrlKey || happened.shiftKey || happened.altKey || happened.button;
    const stays = isHeld || link.hasAttribute("download") || (target && target !== "_self");
    return typeof link.href === "string" && !stays && (() => (location.href = link.href));
  });
  analytics.trackForm = trackOn("submit", (form, { submitter }) =>
    form === resumed
      ? null
      : () => {
          resumed = form;
          (form.requestSubmit || form.submit).call(form, submitter);
          resumed = null;
        },
  );
}

((config) => {
  let analytics = window.analytics;
  if (analytics && analytics.intercom) {
    // Rendered again into a living page (Turbo, htmx): what is there does the work, with what the page has by now.
    const { booted } = analytics.intercom;
    const { lazy, site, verified } = config;
    return Object.assign(analytics.intercom, { lazy, site, verified, booted: booted || config.booted });
  }
  if (analytics && (analytics.invoked || (analytics.identify && !analytics.nodeType)))
    return console.warn("analytics: another library has this name on the page already, so Intercom hears none of its calls");
  // An element of this id, or nothing.
  if (!Array.isArray(analytics)) analytics = window.analytics = [];
  analytics.intercom = config;
  // The names of traits are its keys.
  config.handlingFor = Object.assign(Object.create(null), config.handlingFor);
  analytics.invoked = true; // Segment's own snippet, should it follow, stays out
  listenTo(config);
  const early = analytics.splice(0);
  const wait = analytics.push.bind(analytics);

  function send(call) {
    const { name, args, texts, body, callOptions, intercomOptions, callback, odd } = call;
    const inOrder = [name, args, texts, body, callOptions, intercomOptions, callback, odd];
    const result = config.hear ? config.hear(...inOrder) : void wait(inOrder);
    return result === undefined ? analytics : result;
  }

  "identify page track group alias".split(" ").forEach((name) => {
    analytics[name] = (...args) => (name === "group" && !args.length ? about("group") : send(read(name, args)));
  });
  "reset ready on once off setAnonymousId debug".split(" ").forEach((name) => {
    analytics[name] = (...args) => {
      if (name === "setAnonymousId" && !config.hear) config.anonymousIdOf(args[0]);
      return send({ name, args });
    };
  });
  trackElements(analytics, config);
  // What `user()` and `group()` give: always of the moment.
  function about(whom) {
    const state = () => (config.about ? config.about(whom) : { id: (window.intercomSettings || {})[whom + "_id"], traits: {} });
    return { id: () => state().id, traits: () => Object.assign({}, state().traits), anonymousId: () => (config.anonymousId || config.anonymousIdOf)() };
  }
  analytics.user = () => about("user");
  // The anonymous id: of the page's choice, or what is known or was kept, or a new one. The runtime keeps it.
  config.anonymousIdOf = (id) => {
    try {
      if (id == null) id = decodeURIComponent(document.cookie.match(/(?:^|; )ajs_anonymous_id=([^;]+)/)[1]).replace(/"/g, "");
    } catch (error) {
      id = config.anonymous || Math.random().toString().slice(2);
    }
    return (config.anonymous = String(id));
  };
  // As Segment's snippet has them wait: ["track", "Paid"].
  analytics.push = (...calls) => {
    calls.forEach((call) => Array.isArray(call) && isFunction(analytics[call[0]]) && analytics[call[0]](...call.slice(1)));
    return analytics.length;
  };
  analytics.push(...early);

  // Without a runtime calls are taken, and that is all: but who waits for one to be done goes on.
  function goOn() {
    config.isDeaf = true;
    config.hear = (...call) => call[6] && void setTimeout(call[6]);
    analytics.forEach((call) => config.hear(...call));
  }
  if (!ANALYTICS_RUNTIME) return goOn();
  // It can be read only while this script runs.
  const nonce = (document.currentScript || {}).nonce;
  function insert() {
    // A page that is rendered in advance waits until it is shown, as the Messenger does.
    if (document.prerendering) return document.addEventListener("prerenderingchange", insert, { once: true });
    const script = document.createElement("script");
    script.async = true;
    if (nonce) script.nonce = nonce;
    // An answer that is no script of ours, such as a page to log in on, is none either.
    script.onload = () => config.hear || failed();
    const failed = (script.onerror = () => {
      console.warn("analytics: its script did not load, so the page's calls are not heard. Is it blocked?", ANALYTICS_RUNTIME);
      document.dispatchEvent(new CustomEvent("intercom:load-failed"));
      goOn();
    });
    try {
      script.src = new URL(ANALYTICS_RUNTIME, location.href).href; // a base element may send addresses elsewhere
    } catch (error) {
      return failed(); // a policy of Trusted Types
    }
    document.head.appendChild(script);
  }
  function whenIdle() {
    (window.requestIdleCallback || setTimeout)(insert);
  }
  // A script that is asked for while the page loads would hold its load event up.
  if (ANALYTICS_NOW) insert();
  else if (document.readyState === "complete") whenIdle();
  else window.addEventListener("load", whenIdle, { once: true });
})(ANALYTICS_CONFIG);
