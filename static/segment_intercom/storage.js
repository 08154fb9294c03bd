/*
 * What the browser keeps, under the keys of Segment's own library, so that a site that moves keeps its users. Storage may
 * be missing, full or forbidden: then nothing is kept, and nobody hears of it.
 */
function attempt(job) {
  try {
    return job();
  } catch {
    return undefined;
  }
}

// As JSON where it is JSON: the older library writes its cookies so, the newer one as they are.
const read = (find) => {
  const text = attempt(find);
  return attempt(() => JSON.parse(text)) ?? text;
};

export const load = (key) => read(() => localStorage[key]);

export const cookie = (name) => read(() => decodeURIComponent(document.cookie.match("(?:^|; )" + name + "=([^;]*)")[1]));

export function save(key, value) {
  attempt(() => {
    if (value == null) localStorage.removeItem(key);
    else localStorage[key] = JSON.stringify(value);
  });
}

export const setCookie = (name, value, more) => attempt(() => (document.cookie = `${name}=${encodeURIComponent(value)};path=/;samesite=lax;${more}`));

// A cookie may be of this host or of any domain above it; which one cannot be read.
export const forgetCookie = (name) =>
  ["", ...location.hostname.split(".")].map((_, place, labels) =>
    setCookie(name, "", "max-age=0" + (place && ";domain=" + labels.slice(place).join("."))),
  );
