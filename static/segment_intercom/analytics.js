/*
 * Segment's `analytics` for pages with Intercom: it keeps who somebody is as Segment's own library does, and tells the
 * Messenger. It hears the calls that stub.js reads, those that wait in its queue first.
 */
import { describe, metadataOf } from "./messenger.js";
import { cookie, forgetCookie, load, loadId, save, setCookie } from "./storage.js";
import { use } from "./traits.js";
import { entries, idOf, isText, plainName, textOf } from "./words.js";

const LAUNCHER = "#IntercomDefaultWidget"; // Segment's default: where a page has it and names no other, it opens the Messenger
const QUIET = 5000; // milliseconds in which a page call that says nothing new is not sent again

((analytics) => {
  const config = analytics?.intercom;
  if (!config || config.about) return;
  let updates = 0;
  let isDebugging;
  let booted;
  // What the server said in the page, the proof included; it belongs to the person whom it names.
  let rendered = {};
  let lastSettings;
  let logouts;
  let remembered; // the id in the browser's storage, when it was last looked at
  let options = {};
  let context;
  let lastPage = [];
  let user;
  let group;
  // The traits and the group that calls of this page have said since it was rendered, and those of an earlier one that were never
  // told. Where the server names the person only these are told: the rest may be older than what it says.
  let said;

  const { guarded, listening } = config;
  const debugLog = (...words) => isDebugging && console.log("analytics:", ...words);
  use(config, debugLog);

  // `here`: named in this page, by a call or by the server, and not only remembered from an earlier one.
  function remember() {
    remembered = loadId("ajs_user_id");
    user = { id: remembered ?? cookie("ajs_user_id"), traits: load("ajs_user_traits") };
    group = { id: loadId("ajs_group_id"), traits: load("ajs_group_properties") };
    said = user.id ? {} : { traits: user.traits, group };
  }

  // Nothing of a person is written before a consent.
  const mayKeep = () => config.lazy || !window.intercomPage?.waits;

  function keep(always) {
    if (!always && !mayKeep()) return;
    save("ajs_user_id", user.id);
    save("ajs_user_traits", user.traits);
    save("ajs_group_id", group.id);
    save("ajs_group_properties", group.traits);
    remembered = loadId("ajs_user_id");
    if (config.anonymous) setAnonymousId();
  }

  function switchUser(id) {
    user = { id };
    group = rendered = options = {};
    said = {};
    context = undefined;
  }

  function shutdown() {
    if (booted) intercom("shutdown");
    booted = false;
  }

  const isKnown = ({ user_id, email }) => user_id || email;
  const emailOf = (traits = {}) => textOf(entries(traits).find(([name]) => plainName(name) === "email")?.[1]);
  const email = () => rendered.email ?? emailOf(user.traits);

  // The page may have been rendered anew while the runtime lives on (Turbo, htmx): the server has the last word.
  function lookAtPage() {
    const page = window.intercomPage ?? {};
    if (logouts !== undefined && logouts !== page.left) switchUser(); // a log-out
    logouts = page.left;
    if (!config.booted || lastSettings === page.settings) return;
    lastSettings = page.settings;
    booted = true; // by the loader
    const { custom_attributes, ...inLine } = lastSettings ?? {};
    const { user_id, email: address } = inLine;
    const isNamed = isKnown(inLine);
    const wasNamed = isKnown(rendered);
    if (isNamed ? (user_id && user.id ? user_id !== user.id : user.id || (email() && email() !== address)) : wasNamed) switchUser(user_id);
    if (isNamed && wasNamed) said = {}; // rendered anew, the server has the last word
    rendered = inLine;
    user.id = user_id ?? user.id;
    if (!user_id && address) user.traits = { ...user.traits, email: address };
    user.here = user.here || isNamed;
    // Of a visitor's page there is nothing to keep, and by now somebody may have been named in another tab.
    if (isNamed || wasNamed) keep();
  }

  function settings() {
    const { hidedefaultlauncher: hide } = options;
    // Where proofs are wanted, a remembered id without one would only be refused.
    const isServed = isKnown(rendered);
    const told = isServed ? { ...said, traits: { ...said.traits, email: emailOf(said.traits) ?? rendered.email } } : { ...user, group };
    const known = user.here || !config.verified ? describe({ group: {}, context, options, ...told, id: user.id }) : {};
    const { user_hash, intercom_user_jwt, ...open } = rendered;
    // A proof is of the id in it, or of the e-mail of somebody who has none.
    const isProven = !known.user_id || known.user_id === rendered.user_id;
    if (!isProven && config.verified) debugLog("no proof of", known.user_id);
    return {
      ...(document.querySelector(LAUNCHER) && { custom_launcher_selector: LAUNCHER }),
      ...config.site,
      ...(isProven ? rendered : open),
      ...known,
      ...(typeof hide === "boolean" && { hide_default_launcher: hide }),
    };
  }

  function intercom(...args) {
    debugLog(...args);
    window.Intercom?.(...args);
  }

  function send(intercomSettings = settings()) {
    if (booted) ++updates > 15 && debugLog(updates, "updates of 20");
    else if (config.lazy) window.intercomLoad?.();
    intercom(booted ? "update" : "boot", intercomSettings);
    booted = true;
    // A Messenger that is still on its way would boot what it finds there, and then hear of it once more.
    const show = () => (window.intercomSettings = intercomSettings);
    if (window.Intercom?.q && !window.intercomSettings) listening.ready(show);
    else show();
  }

  function sendOf(name) {
    keep();
    const intercomSettings = settings();
    if (isKnown(intercomSettings) || (config.visitor[0] && name === "identify")) send(intercomSettings);
    else debugLog(name, "of a visitor");
  }

  const setAnonymousId = (id) => {
    const anonymousId = config.anonymousIdOf(id);
    if (mayKeep() && cookie("ajs_anonymous_id") !== anonymousId) setCookie("ajs_anonymous_id", anonymousId);
    return anonymousId;
  };

  // Each call by its name, with what stands before the traits or properties, these, and the options.
  const calls = {
    identify([name], traits, callOptions, intercomOptions) {
      const id = idOf(name);
      const address = emailOf(traits);
      const isOther = id && user.id ? id !== user.id : !user.id && address && email() && address !== email();
      if (isOther) {
        shutdown();
        switchUser(id);
        options = intercomOptions; // another user starts without any
      }
      // Whom the browser only remembers is not named by a call without an id and a proof.
      const here = id || user.here || !user.id || intercomOptions.userhash || intercomOptions.intercomuserjwt;
      user = { id: id ?? user.id, traits: { ...user.traits, ...traits }, here };
      said.traits = { ...said.traits, ...traits };
      context = callOptions.context ?? context;
      sendOf("identify");
    },
    group([name], traits) {
      const id = idOf(name) ?? group.id;
      const merged = (earlier) => ({ id, traits: { ...(id === earlier?.id && earlier.traits), ...traits } });
      said.group = merged(said.group);
      group = merged(group);
      sendOf("group");
    },
    page() {
      const intercomSettings = settings();
      const text = JSON.stringify(intercomSettings);
      if (booted && text === lastPage[0] && Date.now() - lastPage[1] < QUIET) return debugLog("repeated");
      lastPage = [text, booted && Date.now()];
      send(intercomSettings);
    },
    track([event], properties) {
      if (!textOf(event)) return debugLog("no event");
      if (!event.match(config.events)) return debugLog(event, "off");
      if (isDebugging && !isKnown(settings())) debugLog(event, "of a visitor");
      if (!booted) send();
      intercom("trackEvent", event, metadataOf(event, properties));
    },
    alias: () => debugLog("ignored"),
  };

  const others = {
    reset() {
      lookAtPage();
      if (window.intercomPage) lastSettings = intercomPage.settings = undefined; // no renewal of a token names them again
      switchUser();
      keep(true);
      forgetCookie("ajs_user_id");
      forgetCookie("ajs_anonymous_id");
      config.anonymous = "";
      booted = true;
      shutdown();
      send();
    },
    ...listening,
    setAnonymousId,
    debug: (wanted) => void (isDebugging = wanted !== false),
  };

  // Another tab has logged out, or in, or this page comes back from the browser's cache: the former person ends here as well.
  function lookAtStorage() {
    lookAtPage(); // the loader may have heard of it already
    const id = loadId("ajs_user_id");
    if (id === remembered || id === user.id) return;
    const { id: former } = user;
    if (former) {
      shutdown();
      switchUser();
      config.anonymous = "";
    }
    remember(); // whoever it is now, this page has no proof of them
    if (former) send();
  }
  addEventListener("storage", lookAtStorage);
  addEventListener("pageshow", lookAtStorage);

  remember();
  lookAtPage();
  if (config.anonymous) setAnonymousId();
  config.about = (whom) => {
    lookAtPage();
    return whom === "group" ? group : user;
  };
  config.keep = keep;
  config.anonymousId = setAnonymousId;
  config.hear = (name, args, texts, body, callOptions, intercomOptions, callback, odd) => {
    if (args) return guarded(others[name], ...args);
    for (const key of odd) debugLog(key, "unsendable");
    guarded(() => {
      lookAtPage();
      if (!intercomOptions) return debugLog("off");
      options = { ...options, ...intercomOptions };
      calls[name](texts, body, callOptions, intercomOptions);
    });
    config.emit(name, ...texts, body, callOptions);
    if (callback) setTimeout(callback);
  };
  for (const call of analytics.splice(0)) config.hear(...call);
  analytics.initialized = true;
})(window.analytics);
