const EVERY = 1000;
const KEPT = 500;

// Asks for the state while the page is visible and not paused, and hands on what changed.
export function openFeed({ state: url, changed, said }) {
  let requests = [];
  let last = 0;
  let text = "";
  let timer = 0;
  let asking = false;
  let paused = false;

  function take(state) {
    if (state.totals.requests < last) return restart();
    requests = [...requests.filter((each) => each.n >= state.first), ...state.requests];
    last = state.totals.requests;
    // The log counts on when it is cleared, so it has lost none as long as it is not full.
    const count = requests.length < KEPT ? requests.length : state.totals.requests;
    changed({ ...state, requests, totals: { ...state.totals, requests: count } });
  }

  // Another sandbox answers at the same address: its requests have the old numbers again.
  function restart() {
    requests = [];
    last = 0;
    text = "";
  }

  // Null where nothing has changed, undefined where nobody answers.
  async function ask() {
    try {
      const found = await (await fetch(`${url}?after=${last}`)).text();
      if (found === text) return null;
      const state = JSON.parse(found);
      text = found;
      return state;
    } catch {
      return undefined;
    }
  }

  // With `anyway` even while it is paused, to show what the reader himself has done.
  async function look(anyway = false) {
    clearTimeout(timer);
    if (asking || (paused && !anyway) || document.hidden) return;
    asking = true;
    const state = await ask();
    asking = false;
    if (paused && !anyway) {
      text = ""; // what came after the pause began is asked for again when it ends
      return;
    }
    if (!paused) timer = setTimeout(look, EVERY);
    const connected = paused ? "Paused" : "Live";
    said(state === undefined ? "Not connected" : connected);
    if (state) take(state);
  }

  function pause(on) {
    paused = on;
    said(on ? "Paused" : "Connecting…");
    look();
  }

  document.addEventListener("visibilitychange", () => look());
  look();
  return { look, pause };
}
