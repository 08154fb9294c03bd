/*
 * Segment's `analytics` for pages with Intercom: it keeps who somebody is as Segment's own library does, and tells the
 * Messenger. It takes the place of the queue that stub.js made, and replays what waits there.
 */
import { describe, metadataOf } from "./messenger.js";
import { cookie, forgetCookie, load, save, setCookie } from "./storage.js";
import { entries, isObject, plainName, use } from "./traits.js";

((queue) => {
  const config = queue?.intercom;
  if (!config || !queue.push) return;
  const listeners = {};
  let updates = 0;
  let talkative;
  let booted = config.booted;
  // What the server said in the page, the proof included; it belongs to the person whom it names.
  let rendered = {};
  let seen;
  let options = {};
  let context;
  // `here`: named in this page, by a call or by the server, and not only remembered from an earlier one.
  let user = { id: load("ajs_user_id") ?? cookie("ajs_user_id"), traits: load("ajs_user_traits") ?? {} };
  let group = { id: load("ajs_group_id"), traits: load("ajs_group_properties") };

  const say = (...words) => talkative && console.log("analytics:", ...words);
  use(config, say);

  function keep() {
    save("ajs_user_id", user.id);
    save("ajs_user_traits", user.traits);
    save("ajs_group_id", group.id);
    save("ajs_group_properties", group.traits);
  }

  function become(id) {
    user = { id, traits: {} };
    group = rendered = {};
    options = {};
    context = undefined;
  }

  function end() {
    intercom("shutdown");
    booted = false;
  }

  // The page may have been rendered anew while the runtime lives on (Turbo, htmx): the server has the last word.
  function lookAtPage() {
    if (!config.booted || seen === window.intercomSettings) return;
    seen = window.intercomSettings;
    const { custom_attributes, ...found } = seen ?? {};
    const { user_id, email } = found;
    if (user_id ? user_id !== user.id : rendered.user_id) become(user_id);
    rendered = found;
    user.here = user_id || email;
    keep();
  }

  function settings() {
    const person = { ...user, context, options, group };
    const { hidedefaultlauncher: hide } = options;
    return {
      ...config.site,
      ...rendered,
      // Where proofs are wanted, a remembered id without one would only be refused.
      ...((user.here || !config.verified) && describe(person)),
      ...(typeof hide === "boolean" && { hide_default_launcher: hide }),
    };
  }

  const isKnown = ({ user_id, email }) => user_id || email;

  function intercom(...given) {
    say(...given);
    window.Intercom?.(...given);
  }

  function tell(found = settings()) {
    if (!booted && config.lazy) window.intercomLoad?.();
    if (booted && ++updates > 15) say(updates, "updates of 20");
    intercom(booted ? "update" : "boot", found);
    booted = true;
  }

  const chain =
    (act) =>
    (...given) => {
      act(...given);
      return analytics;
    };

  // What `user()` and `group()` give: always of the moment.
  const shown = (of) => ({ id: () => of().id, traits: () => ({ ...of().traits }) });

  function tellOf(name) {
    keep();
    const found = settings();
    if (isKnown(found)) tell(found);
    else say(name, "of nobody");
  }

  // Takes the options of a call in; false when they switch Intercom off for it.
  function heard(more) {
    const inner = more.context ?? {};
    const chosen = { ...inner.integrations, ...more.integrations };
    if ((chosen.Intercom ?? chosen.All) === false) return say("off");
    const places = [chosen, more, inner].flatMap(entries);
    const [, given] = places.find(([name, value]) => plainName(name) === "intercom" && isObject(value)) ?? [];
    for (const name in given) options[plainName(name)] = given[name];
    return true;
  }

  // A method as Segment has it: some arguments may be left out, options and a callback come last.
  const method = (name, texts, act) => chain((...given) => {
    const callback = typeof given.at(-1) === "function" && given.pop();
    const named = [];
    while (named.length < texts && given.length && !isObject(given[0])) named.push(given.shift());
    if (name === "page" && !named[1]) named.unshift(undefined);
    const body = given[0] ?? {};
    const more = given[1] ?? {};
    lookAtPage();
    if (heard(more)) act(named, body, more);
    for (const listener of listeners[name] ?? []) listener(...named, body, more);
    if (callback) setTimeout(callback);
  });

  const groupMethod = method("group", 1, ([name], traits) => {
    const id = name ? String(name) : group.id;
    group = { id, traits: { ...(id === group.id && group.traits), ...traits } };
    tellOf("group");
  });

  // Tracks, then does what the browser is kept from until the event is on its way, unless the page forbade it.
  const trackOn = (type, follow) => chain((elements, event, properties) => {
    for (const element of elements?.addEventListener ? [elements] : (elements ?? []))
      element.addEventListener(type, (happened) => {
        const of = (value) => (typeof value === "function" ? value(element) : value);
        analytics.track(of(event), of(properties));
        const next = !happened.defaultPrevented && follow(element, happened);
        if (!next) return;
        happened.preventDefault();
        setTimeout(next, 300);
      });
  });

  const setAnonymousId = (id = String(Math.random()).slice(2)) => {
    setCookie("ajs_anonymous_id", id, "max-age=31536000");
    return id;
  };

  const on = chain((event, listener) => (listeners[event] ??= []).push(listener));

  const off = chain((event, listener) => {
    listeners[event] = listeners[event]?.filter((each) => listener && each !== listener && each.of !== listener);
  });

  const analytics = (window.analytics = {
    intercom: config,
    identify: method("identify", 1, ([name], traits, more) => {
      const id = name ? String(name) : user.id;
      const another = user.id && id !== user.id;
      if (another && booted && user.here) end();
      if (another) become(id);
      heard(more); // again, for somebody else starts without options
      user = { id, traits: { ...user.traits, ...traits }, here: true };
      context = more.context ?? context;
      tellOf("identify");
    }),
    group: (...given) => (given.length ? groupMethod(...given) : shown(() => group)),
    page: method("page", 2, () => tell()),
    track: method("track", 1, ([event], properties) => {
      if (talkative && !isKnown(settings())) say("track", "of nobody");
      if (!booted) tell();
      intercom("trackEvent", event, metadataOf(event, properties));
    }),
    alias: method("alias", 2, () => say("ignored")),
    reset: chain(() => {
      become();
      keep();
      forgetCookie("ajs_user_id");
      forgetCookie("ajs_anonymous_id");
      end();
      tell();
    }),
    ready: chain((callback) => {
      // The queue's function has a `q`; the Messenger's own has none.
      if (window.Intercom && !window.Intercom.q) setTimeout(callback);
      else document.addEventListener("intercom:ready", () => callback(), { once: true });
    }),
    on,
    off,
    once: chain((event, of) => {
      const first = (...given) => {
        off(event, first);
        of(...given);
      };
      first.of = of;
      on(event, first);
    }),
    user: () => ({ ...shown(() => user), anonymousId: () => cookie("ajs_anonymous_id") ?? setAnonymousId() }),
    setAnonymousId,
    trackLink: trackOn("click", (link, { metaKey, ctrlKey, shiftKey, button }) => {
      const leaves = link.href && link.target !== "_blank" && !(metaKey || ctrlKey || shiftKey || button);
      return leaves && (() => (location.href = link.href));
    }),
    trackForm: trackOn("submit", (form) => () => HTMLFormElement.prototype.submit.call(form)),
    debug: chain((wanted) => (talkative = wanted !== false)),
  });

  lookAtPage();
  for (const [name, ...given] of queue) {
    try {
      analytics[name](...given);
    } catch (error) {
      console.error(error); // of a listener of the page; the calls after it still count
    }
  }
})(window.analytics);
