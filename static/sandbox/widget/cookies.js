// What the browser remembers: three cookies on the registrable domain, or memory where cookies cannot be had.
function createCookies(appId) {
  const DAY = 24 * 60 * 60;
  const memory = new Map();
  let domain;

  const keep = (name, value, seconds) => {
    const where = domain ? `; domain=${domain}` : "";
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${seconds}; samesite=lax${where}`;
  };

  const find = (name) => {
    const start = `${name}=`;
    const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith(start));
    return pair ? decodeURIComponent(pair.slice(start.length)) : "";
  };

  // Browsers refuse a cookie for a public suffix, so the shortest domain that takes one is the registrable domain.
  const registrable = () => {
    const labels = location.hostname.split(".");
    if (labels.length < 2 || /^\d*$|:/.test(labels[labels.length - 1])) return "";
    for (let count = 2; count <= labels.length; count += 1) {
      domain = `.${labels.slice(-count).join(".")}`;
      keep("intercom-probe", "1", 60);
      const taken = find("intercom-probe");
      keep("intercom-probe", "", 0);
      if (taken) return domain;
    }
    return "";
  };

  const write = (name, value, seconds) => {
    memory.set(name, value);
    try {
      if (domain === undefined) domain = registrable();
      keep(name, value, seconds);
    } catch {
      // A sandboxed frame has no cookies: the page's memory must do.
    }
  };

  const read = (name) => {
    try {
      return find(name) || memory.get(name) || "";
    } catch {
      return memory.get(name) || "";
    }
  };

  const readOrMake = (name) => {
    const value = read(name) || randomId();
    write(name, value, 271 * DAY);
    return value;
  };

  const names = {
    visitor: `intercom-id-${appId}`,
    session: `intercom-session-${appId}`,
    device: `intercom-device-id-${appId}`,
  };
  return {
    visitor: () => readOrMake(names.visitor),
    device: () => readOrMake(names.device),
    session: () => read(names.session),
    openSession: (value, milliseconds) =>
      write(names.session, value, milliseconds ? Math.ceil(milliseconds / 1000) : 7 * DAY),
    forget: () => [names.session, names.visitor].forEach((name) => write(name, "", 0)),
  };
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
