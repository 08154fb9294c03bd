/*
 * Lays the settings on the page and loads Intercom's Messenger without holding the page up.
 *
 * The names in capitals are filled in when a page is rendered: INTERCOM_SETTINGS (the intercomSettings object, or
 * undefined where nothing is to boot yet), INTERCOM_WIDGET (the address of the Messenger's script), INTERCOM_LOAD ("load",
 * "now", "idle", "interaction" or "manual"), INTERCOM_ROUTE (where the settings of whoever is in session can be had) and
 * INTERCOM_REMOTE (true where the page itself names nobody). `make assets` builds loader.min.js, which nearly every page
 * gets, without the last two, and loader-remote.min.js with them.
 */
import { ask, whenTokenEnds } from "./remote.js";

var before = window.intercomSettings;
var settings = (window.intercomSettings = INTERCOM_SETTINGS);
var load = INTERCOM_LOAD;
// It can be read only while this script runs; a policy with nonces wants it on the script that is inserted, too.
var nonce = (document.currentScript || {}).nonce;
var isNew = typeof window.Intercom !== "function";
var loggedOut = attempt(function () {
  return /(^|; )intercom-logout=1/.test(document.cookie);
});
var inserted;

// Cookies and storage may be forbidden here; then there is nothing in them either.
function attempt(job) {
  try {
    return job();
  } catch (error) {
    return false;
  }
}

// Keys that steer the Messenger: an attribute of such a name stays in custom_attributes, where it can do no harm.
var reserved = (
  "app_id api_base user_id email name phone created_at avatar unsubscribed_from_emails company companies" +
  " user_hash intercom_user_jwt hide_default_launcher custom_launcher_selector alignment horizontal_padding" +
  " vertical_padding z_index hide_notifications theme_mode session_duration action_color background_color" +
  " link_color page_title language_override auth_tokens messenger_style_id last_request_at user_count" +
  " utm_campaign utm_content utm_medium utm_source utm_term widget custom_attributes"
).split(" ");

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

function announce(event) {
  document.dispatchEvent(new CustomEvent("intercom:" + event));
}

function insert() {
  if (inserted) return;
  inserted = document.createElement("script");
  inserted.async = true;
  if (nonce) inserted.nonce = nonce;
  inserted.onload = function () {
    if (window.intercomSettings === undefined) window.intercomSettings = settings;
    announce("ready");
  };
  inserted.onerror = function () {
    console.warn("Intercom: " + inserted.src + " did not load. Is the app id right, and does the policy allow it?");
    announce("load-failed");
  };
  inserted.src = INTERCOM_WIDGET;
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

function differs(key) {
  return before[key] && before[key] !== settings[key];
}

// A visitor who logs in keeps the conversation: for Intercom that is an update. Somebody else starts anew.
function isSomebodyElse() {
  return loggedOut || (before && (differs("app_id") || differs(before.user_id ? "user_id" : "email")));
}

// What the last person's log-out left to do: the server has expired the cookies, the rest is the page's.
function forget() {
  attempt(function () {
    document.cookie = "intercom-logout=;path=/;max-age=0";
    ["ajs_user_id", "ajs_user_traits", "ajs_group_id", "ajs_group_properties"].forEach(function (key) {
      localStorage.removeItem(key);
    });
  });
}

function go() {
  if (settings && isSomebodyElse()) {
    // The Messenger's script would boot what it finds on the page before it hears of the shutdown.
    if (isNew) window.intercomSettings = undefined;
    window.Intercom("shutdown");
    window.Intercom("boot", settings);
  } else if (settings && !isNew) {
    window.Intercom("update", settings);
  }
  // While it is our queue still, this copy may be in more of a hurry than the one before, after a consent for example.
  start(window.Intercom.load || function () {});
  if (INTERCOM_ROUTE) renew();
}

function renew() {
  var mine = settings;
  whenTokenEnds(settings, function (found) {
    if (window.intercomSettings !== mine || found === mine) return;
    adopt(found);
    window.Intercom("update", settings);
    renew();
  });
}

function adopt(found) {
  settings = window.intercomSettings = found;
  layInLine();
}

layInLine();
if (loggedOut) forget();
// Rendered again into a living page (Turbo, htmx, a second copy), what is there does the work.
if (isNew) {
  var queue = (window.Intercom = function () {
    queue.q.push(arguments);
  });
  queue.q = [];
  queue.c = function (call) {
    queue.q.push(call);
  };
  queue.load = insert;
}
if (INTERCOM_REMOTE)
  ask(settings, function (found) {
    adopt(found);
    go();
  });
else go();
