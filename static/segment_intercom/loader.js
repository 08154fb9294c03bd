/*
 * Lays the settings on the page and loads Intercom's Messenger without holding the page up.
 *
 * The names in capitals are filled in when a page is rendered: INTERCOM_SETTINGS (the intercomSettings object),
 * INTERCOM_WIDGET (the address of the Messenger's script) and INTERCOM_LOAD ("load", "now", "idle", "interaction"
 * or "manual"). Built into loader.min.js by `make assets`; what a page gets is that file.
 */
(function (before) {
  var settings = (window.intercomSettings = INTERCOM_SETTINGS);
  var load = INTERCOM_LOAD;
  // It can be read only while this script runs; a policy with nonces wants it on the script that is inserted, too.
  var nonce = (document.currentScript || {}).nonce;
  var inserted;

  // Keys that steer the Messenger: an attribute of such a name stays in custom_attributes, where it can do no harm.
  var reserved = (
    "app_id api_base user_id email name phone created_at avatar unsubscribed_from_emails company companies" +
    " user_hash intercom_user_jwt hide_default_launcher custom_launcher_selector alignment horizontal_padding" +
    " vertical_padding z_index hide_notifications theme_mode session_duration action_color background_color" +
    " link_color page_title language_override auth_tokens messenger_style_id last_request_at user_count" +
    " utm_campaign utm_content utm_medium utm_source utm_term widget custom_attributes"
  ).split(" ");

  // The Messenger saves only attributes that stand in line. defineProperty, since `__proto__` is a name like any other.
  function layInLine(attributes) {
    Object.keys(attributes || {}).forEach(function (name) {
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
    if (!before) return false;
    return differs("app_id") || differs(before.user_id ? "user_id" : "email");
  }

  layInLine(settings.custom_attributes);

  // Rendered again into a living page (Turbo, htmx, a second copy): what is there does the work. While it is our queue
  // still, this copy may be in more of a hurry than the one before, after a consent for example.
  if (typeof window.Intercom === "function") {
    if (isSomebodyElse()) window.Intercom("shutdown");
    window.Intercom(isSomebodyElse() ? "boot" : "update", settings);
    start(window.Intercom.load || function () {});
    return;
  }

  var queue = (window.Intercom = function () {
    queue.q.push(arguments);
  });
  queue.q = [];
  queue.c = function (call) {
    queue.q.push(call);
  };
  queue.load = insert;
  start(insert);
})(window.intercomSettings);
