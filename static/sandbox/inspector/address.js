// What is chosen, kept in the address's fragment, so that a reload and a link show the same.
const NAMES = ["view", "only", "by", "q", "person"];

export function openAddress(changed) {
  let chosen = read();

  function read() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(NAMES.map((name) => [name, fragment.get(name) || ""]));
  }

  // A person is a place that one comes back from; the rest is not.
  function choose(change) {
    const before = chosen;
    chosen = { ...chosen, ...change };
    const fragment = new URLSearchParams(NAMES.filter((name) => chosen[name]).map((name) => [name, chosen[name]]));
    const address = `${location.pathname}${location.search}${String(fragment) && `#${fragment}`}`;
    if (before.person === chosen.person) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    changed(chosen);
  }

  addEventListener("popstate", () => {
    chosen = read();
    changed(chosen);
  });

  return { choose, chosen: () => chosen };
}
