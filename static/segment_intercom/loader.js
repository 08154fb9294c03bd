/*
 * Lays the settings on the page and loads Intercom's Messenger without holding the page up.
 *
 * The names in capitals are filled in when a page is rendered: INTERCOM_SETTINGS (the intercomSettings object, or
 * undefined where nothing is to boot yet), INTERCOM_WIDGET (the address of the Messenger's script), INTERCOM_LOAD ("load",
 * "now", "idle", "interaction" or "manual"), INTERCOM_RESERVED (the Messenger's own keys, in one text), INTERCOM_ROUTE (where
 * the settings of whoever is in session can be had) and
 * INTERCOM_REMOTE (true where the page itself names nobody). `make assets` builds loader.min.js, which nearly every page
 * gets, without the last two, and loader-remote.min.js with them.
 */
import { forget, isOther, markAsForgotten, remembered, timeOfForgetting, timeOfLogOut } from "./persons.js";
import { keepAsking, whenTokenEnds } from "./remote.js";

var FIRST_RUN = "data-intercom-run";

var told = window.intercomSettings;
var settings = (window.intercomSettings = INTERCOM_SETTINGS);
var load = INTERCOM_LOAD;
// Both can be read only while this script runs: the nonce, which a policy wants on the script that is inserted, too, and
// when this very copy of the page first ran, if it did: Turbo and htmx put kept copies back, their scripts' attributes too.
var script = document.currentScript;
var nonce = (script || {}).nonce;
var firstRun = script && +script.getAttribute(FIRST_RUN);
var root = document.documentElement;
var isNew = typeof window.Intercom !== "function";
// What all copies of this script in one living page share: `settings` as the server last said them, `marker` the last
// log-out that was acted on, `left` how many were, `check`, `leave` and `retry` of the newest copy, `waits` before a consent.
var page = (window.intercomPage = window.intercomPage || { left: 0 });
var inserted;

// Keys that steer the Messenger: an attribute of such a name stays in custom_attributes, where it can do no harm.
var reserved = INTERCOM_RESERVED.split(" ");
// Those before the bar are the site's own, the others somebody's or Intercom's.
var site = reserved.slice(0, reserved.indexOf("|"));

// The Messenger saves only attributes that stand in line. defineProperty, since `__proto__` is a name like any other.
function layInLine() {
  var attributes = (settings || {}).custom_attributes || {};
  Object.keys(attributes).forEach(function (name) {
    if (reserved.indexOf(name) < 0) {
      Object.defineProperty(settings, name, {
        value: attributes[name],
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
  });
}

function adopt(next) {
  settings = page.settings = window.intercomSettings = next;
  layInLine();
}

// The same site's settings, of nobody.
function anonymous() {
  var open = {};
  Object.keys(settings || {}).forEach(function (name) {
    if (site.indexOf(name) >= 0) open[name] = settings[name];
  });
  return open;
}

// Segment's default launcher: where the page has such an element and names no other, it opens the Messenger.
function findLauncher() {
  var selector = "#IntercomDefaultWidget";
  if (!settings || settings.custom_launcher_selector || !document.querySelector(selector)) return false;
  return (settings.custom_launcher_selector = selector);
}

function announce(event) {
  document.dispatchEvent(new CustomEvent("intercom:" + event));
}

function failed() {
  console.warn("Intercom: " + (inserted.src || "its script") + " did not load. Is the app id right, and does the policy allow it?");
  announce("load-failed");
}

function insert() {
  page.waits = false;
  var config = (window.analytics || {}).intercom || {};
  if (config.keep) config.keep(); // what was said before the consent
  if (inserted) return;
  inserted = document.createElement("script");
  inserted.async = true;
  if (nonce) inserted.nonce = nonce;
  inserted.onload = function () {
    if (window.intercomSettings === undefined) window.intercomSettings = settings;
    announce("ready");
  };
  inserted.onerror = failed;
  try {
    inserted.src = new URL(INTERCOM_WIDGET, location.href).href; // a base element may send addresses elsewhere
  } catch (error) {
    return failed(); // a policy of Trusted Types
  }
  findLauncher();
  if (document.readyState === "loading")
    document.addEventListener("DOMContentLoaded", function () {
      if (findLauncher()) window.Intercom("update", settings);
    });
  document.head.appendChild(inserted);
}

function afterLoad(next) {
  if (document.readyState === "complete") next();
  else window.addEventListener("load", next, { once: true });
}

function onInteraction(next) {
  var signs = ["pointerdown", "pointermove", "keydown", "scroll", "touchstart"];
  function first() {
    signs.forEach(function (sign) {
      window.removeEventListener(sign, first, true);
    });
    next();
  }
  signs.forEach(function (sign) {
    window.addEventListener(sign, first, { capture: true, passive: true });
  });
}

function start(next) {
  if (load === "now") next();
  else if (load === "interaction") onInteraction(next);
  else if (load === "manual") window.intercomLoad = next;
  else if (load === "idle")
    afterLoad(function () {
      (window.requestIdleCallback || setTimeout)(function () {
        next();
      });
    });
  else afterLoad(next);
}

function restart() {
  // The Messenger's script would boot what it finds on the page before it hears of the shutdown.
  if (window.Intercom.q) window.intercomSettings = undefined;
  window.Intercom("shutdown");
  window.Intercom("boot", settings);
}

// Tells the Messenger what the page says now, after it said `before`, and the runtime `told`; it boots itself at `first`.
function tell(before, told, anew, first) {
  var isNamed = settings.user_id || settings.email;
  // A key that is not sent would stay as it was; after a full load it is the workspace's choice.
  var unset = before && before.hide_default_launcher !== undefined && settings.hide_default_launcher === undefined;
  findLauncher();
  if (anew || unset || isOther(before, settings) || (isNamed && isOther(told, settings))) restart();
  else if (!first) window.Intercom("update", settings);
}

// A log-out since: the former person's Messenger ends, and what is left of them in the page.
function leave() {
  page.marker = timeOfLogOut();
  page.left++;
  // Where another tab has acted on it already, whoever is remembered by now came after. Where storage is full it cannot be
  // noted, and is acted on all the same.
  if (markAsForgotten(page.marker) !== false) forget();
  if (!settings) return;
  adopt(anonymous());
  restart();
}

// After a visit without a full load, out of the browser's page cache, and when somebody looks at the page again.
function check(event) {
  if (timeOfLogOut() > page.marker) leave();
  else if (INTERCOM_ROUTE && INTERCOM_REMOTE && event.persisted) askAgain();
  else if (page.retry) page.retry();
}

function watch() {
  function look(event) {
    if (document.visibilityState !== "hidden") page.check(event);
  }
  ["turbo:load", "turbolinks:load", "htmx:afterSettle", "visibilitychange"].forEach(function (name) {
    document.addEventListener(name, look);
  });
  window.addEventListener("pageshow", look);
  // Another tab has acted on a log-out: at once, and unseen too, for later it would end the next user's session.
  window.addEventListener("storage", function () {
    if (timeOfLogOut() > page.marker) page.leave();
  });
  window.addEventListener("online", look);
  // Who presses a launcher before the Messenger is there gets it as soon as it is.
  document.addEventListener("click", function (event) {
    var selector = (page.settings || {}).custom_launcher_selector || "#IntercomDefaultWidget";
    try {
      if (window.Intercom.q && !page.shows && event.target.closest(selector)) page.shows = !window.Intercom("show");
    } catch (error) {
      return; // no selector that the browser understands
    }
  });
}

// The answer of the route: another person, or nobody any more, ends the former's Messenger first.
function take(answer) {
  var former = settings;
  var told = window.intercomSettings;
  adopt(answer);
  if (!answer.user_id && !answer.email && (former.user_id || former.email)) forget();
  tell(former, told);
  renew(true);
}

function askAgain() {
  keepAsking(page, settings, take);
}

function renew(isFresh) {
  whenTokenEnds(settings, askAgain, isFresh);
}

function begin(before, told, anew) {
  if (settings) tell(before, told, anew, isNew);
  // While it is our queue still, this copy may be in more of a hurry than the one before, after a consent for example.
  start(window.Intercom.load || function () {});
  if (INTERCOM_ROUTE) renew();
}

function run() {
  var before = page.settings;
  var marker = timeOfLogOut();
  var anew = marker && markAsForgotten(marker);
  if (isNew) told = remembered(settings);
  page.marker = marker;
  page.check = check;
  page.leave = leave;
  page.retry = null;
  if (anew) {
    page.left++;
    forget();
  }
  if (settings || isNew) adopt(settings);
  // A kept copy of a page that is older than the log-out names nobody any more.
  if (settings && firstRun && firstRun <= timeOfForgetting()) adopt(anonymous());
  if (script && !firstRun) script.setAttribute(FIRST_RUN, Date.now());
  // Rendered again into a living page (Turbo, htmx, a second copy), what is there does the work.
  if (isNew) {
    page.waits = load === "manual";
    var queue = (window.Intercom = function () {
      queue.q.push(arguments);
    });
    queue.q = [];
    queue.c = function (call) {
      queue.q.push(call);
    };
    queue.load = insert;
    watch();
  }
  if (!INTERCOM_REMOTE) return begin(before, told, anew);
  keepAsking(
    page,
    settings,
    function (answer) {
      if (!begin) return take(answer);
      adopt(answer);
      begin(before, told, anew);
      begin = null;
    },
    function () {
      // Nobody says who it is: a visitor, for now. A Messenger that is there already stays as it is.
      if (begin && isNew) begin(before, told, anew);
      begin = null;
    },
  );
}

// Turbo shows a kept copy for a moment: it says nothing. A page that is rendered in advance waits until it is shown.
if (!root.hasAttribute("data-turbo-preview") && !root.hasAttribute("data-turbolinks-preview")) {
  if (document.prerendering) document.addEventListener("prerenderingchange", run, { once: true });
  else run();
} else {
  window.intercomSettings = told;
}
