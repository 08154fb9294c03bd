/*
 * Asks the application's own route who is in session: for a page that is the same for everybody, and for a fresh token on a
 * page that stays open. The only part of the loader that touches the network; only pages that need it get it.
 */

// Hands on the settings of whoever is in session; where nobody says so, those that are there.
export function ask(settings, next) {
  fetch(INTERCOM_ROUTE, { credentials: "same-origin" })
    .then(function (answer) {
      return answer.ok ? answer.json() : settings;
    })
    .catch(function () {
      return settings;
    })
    .then(next);
}

// A minute before a token ends, hands on the settings with a fresh one.
export function whenTokenEnds(settings, next) {
  var token = settings && settings.intercom_user_jwt;
  if (!token) return;
  var claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  // At least five seconds on, should the clocks differ; at most what a timer can hold.
  var wait = Math.min(Math.max(claims.exp * 1000 - Date.now() - 60000, 5000), 2147483647);
  setTimeout(function () {
    ask(settings, next);
  }, wait);
}
