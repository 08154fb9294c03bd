/*
 * Asks the application's own route who is in session: for a page that is the same for everybody, and for a fresh token on a
 * page that stays open. The only part of the loader that touches the network; only pages that need it get it.
 */
var PATIENCE = 5000;

// Hands on the settings of whoever is in session, or says that there was no answer, after five seconds at most.
function ask(appId, next, failed) {
  var isOver = false;
  function end(then) {
    return function (answer) {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      then(answer);
    };
  }
  var timer = setTimeout(end(failed), PATIENCE);
  // A base element may send addresses of the page elsewhere.
  fetch(new URL(INTERCOM_ROUTE, location.href).href, { credentials: "same-origin" })
    .then(function (answer) {
      return answer.ok ? answer.json() : null;
    })
    .then(function (answer) {
      // Of another workspace than the page's it would name somebody that this one does not know.
      if (!answer || answer.app_id !== appId) throw answer;
      return answer;
    })
    .then(end(next), end(failed));
}

// Asks until there is an answer: again with growing pauses, and when the page is seen or online again, by `page.retry`.
// `first` hears of the first failure; nothing changes until there is an answer. A newer copy of the settings ends it.
export function keepAsking(page, settings, next, first) {
  var pause = 5000;
  var timer;
  function attempt() {
    clearTimeout(timer);
    page.retry = null;
    ask(
      (settings || {}).app_id,
      function (answer) {
        if (page.settings === settings) next(answer);
      },
      function () {
        if (first) first();
        first = null;
        if (page.settings !== settings) return;
        page.retry = attempt;
        timer = setTimeout(attempt, pause);
        pause = Math.min(pause * 2, 600000);
      },
    );
  }
  attempt();
}

// Calls a minute before a token ends, where it does. One that has just been made, `isFresh`, lasts as long as it says, and a
// kept copy of a page no longer than that, whatever this browser's clock is.
export function whenTokenEnds(settings, next, isFresh) {
  var token = settings && settings.intercom_user_jwt;
  if (!token) return;
  var claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  var lasts = claims.exp - claims.iat || Infinity;
  var isTimed = isFresh && lasts < Infinity;
  var left = isTimed ? lasts : Math.min(claims.exp - Date.now() / 1000, lasts);
  // At most what a timer can hold, and never a storm of requests, should the clocks differ.
  var wait = Math.min(Math.max(left - 60, left / 2, isFresh && !isTimed ? 60 : 5), 2147483);
  if (wait) setTimeout(next, wait * 1000);
}
