/*
 * Who was named in this browser, and when somebody last logged out; nothing here names anybody that the page did not.
 */

// Cookies and storage may be forbidden; then there is nothing in them either.
function attempt(callback) {
  try {
    return callback();
  } catch (error) {
    return undefined;
  }
}

var MARK = "intercom-logout";

// The time of the last log-out in Unix milliseconds, 0 where there was none; the server leaves it in a cookie.
export function timeOfLogOut() {
  return (
    attempt(function () {
      var times = document.cookie.split("; ").map(function (pair) {
        return pair.indexOf(MARK + "=") ? 0 : +pair.slice(MARK.length + 1) || 0;
      });
      return Math.max.apply(Math, times);
    }) || 0
  );
}

// Notes that this origin has acted on a log-out, and when by the browser's clock; true when it had not before.
export function markAsForgotten(time) {
  return attempt(function () {
    if (parseInt(localStorage[MARK], 10) === time) return false;
    localStorage[MARK] = time + " " + Date.now();
    return true;
  });
}

// When that was, 0 where it never was.
export function timeOfForgetting() {
  return (
    attempt(function () {
      return +localStorage[MARK].split(" ")[1];
    }) || 0
  );
}

// What pages remember of the last person under the keys of Segment's library.
export function forget() {
  attempt(function () {
    ["ajs_user_id", "ajs_user_traits", "ajs_group_id", "ajs_group_properties"].forEach(function (key) {
      localStorage.removeItem(key);
    });
  });
}

// Whom an earlier page remembered here, as settings of the same app; undefined where it was nobody.
export function remembered(settings) {
  return attempt(function () {
    var id = localStorage.ajs_user_id;
    return id ? { app_id: (settings || {}).app_id, user_id: id.replace(/^"(.*)"$/, "$1") } : undefined;
  });
}

// Persons are compared by id, else by e-mail; ids are text. A visitor who logs in is no other person.
export function isOther(former, now) {
  if (!former) return false;
  if (former.app_id !== now.app_id) return true;
  if (former.user_id) return String(former.user_id) !== String(now.user_id || "");
  return !!former.email && former.email !== now.email;
}
