// The only part that touches the network: one request at a time, in the order in which they were asked for.
function createBackend(scriptUrl) {
  const REGIONS = {
    "https://api-iam.intercom.io": "us",
    "https://api-iam.eu.intercom.io": "eu",
    "https://api-iam.au.intercom.io": "au",
  };
  const sandbox = new URL("../messenger/", scriptUrl);
  // A test that answers in the name of Intercom's own hosts sees the requests go to Intercom's own hosts.
  const impersonated = sandbox.hostname.endsWith(".intercom.io");
  let line = Promise.resolve();

  const address = (apiBase, door) => {
    const base = String(apiBase || "https://api-iam.intercom.io").replace(/\/+$/, "");
    const region = REGIONS[base];
    return region && !impersonated ? new URL(`${region}/${door}`, sandbox).href : `${base}/${door}`;
  };

  const post = async (apiBase, door, content) => {
    const body = toJson(content);
    const url = address(apiBase, door);
    let response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        credentials: "omit",
        // Only a small request may outlive its page.
        keepalive: door !== "ping" || content.action === "shutdown",
        body,
      });
    } catch {
      const why = "cannot be reached: is it right and running, and does connect-src allow it?";
      throw failure("unreachable", `${url} ${why}`);
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const [first] = answer.errors || [];
    throw failure(first ? first.code : String(response.status), first ? first.message : "the servers gave no reason");
  };

  return (apiBase, door, makeBody) => {
    const turn = line.then(() => post(apiBase, door, makeBody()));
    line = turn.catch(() => {});
    return turn;
  };
}

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

function toJson(value) {
  return JSON.stringify(value, (_name, each) => (typeof each === "bigint" ? String(each) : each));
}

// Settings as properties of an object without a prototype, so that __proto__ is a name like any other.
function copyOf(settings) {
  const copy = Object.create(null);
  if (settings && typeof settings === "object") {
    for (const name of Object.keys(settings)) {
      if (typeof settings[name] !== "function") copy[name] = settings[name];
    }
  }
  return copy;
}
