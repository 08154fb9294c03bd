/*
 * What the browser keeps, under the keys of Segment's own library, so that a site that moves keeps its users. Storage may
 * be missing, full or forbidden: then nothing is kept, and nobody hears of it.
 */
import { isObject } from "./values.js";

export function attempt(callback) {
  try {
    return callback();
  } catch {
    return undefined;
  }
}

// An id is text as it stands; the older library wrote it as JSON.
const idIn = (text) => (text && text !== "null" ? (/^".*"$/.test(text) ? attempt(() => JSON.parse(text)) : text) : undefined);

export const loadId = (key) => idIn(attempt(() => localStorage[key]));

// Traits: what is no object is none.
export const load = (key) => [attempt(() => JSON.parse(localStorage[key]))].find(isObject);

export const cookie = (name) => idIn(attempt(() => decodeURIComponent(document.cookie.match("(?:^|; )" + name + "=([^;]*)")[1])));

export function save(key, value) {
  attempt(() => {
    if (value == null) localStorage.removeItem(key);
    else localStorage[key] = JSON.stringify(value);
  });
}

const set = (name, value, attributes) => attempt(() => (document.cookie = `${name}=${encodeURIComponent(value)};path=/;samesite=lax;${attributes}`));

// The places of a cookie: any domain above this host, the widest first, and the host itself.
const places = (use) => {
  const labels = location.hostname.split(".");
  for (let place = labels.length; place--; ) use(place ? ";domain=" + labels.slice(place - 1).join(".") : "");
};

// Where it is cannot be read, so it is forgotten everywhere.
export const forgetCookie = (name) => places((domain) => set(name, "", "max-age=0" + domain));

// On the widest domain that the browser allows, and nowhere else.
export function setCookie(name, value) {
  forgetCookie(name);
  places((domain) => cookie(name) === value || set(name, value, "max-age=31536000" + domain));
}
