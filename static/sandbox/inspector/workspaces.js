import { badge, button, element } from "./elements.js";

const FAULTS = {
  none: ["No fault", null],
  slow: ["Slow: 2 seconds", { slow: 2 }],
  s500: ["500 server error", { status: 500 }],
  s429: ["429 rate limit", { status: 429 }],
  s401: ["401 unauthorized", { status: 401 }],
  drop: ["Drop the connection", { drop: true }],
};
const HOW_OFTEN = {
  always: ["every request", {}],
  half: ["half of them", { probability: 0.5 }],
  tenth: ["one in ten", { probability: 0.1 }],
  next: ["the next one", { next: 1 }],
};

function howOften({ next, probability, only }) {
  const times = next === null ? "" : next === 1 ? "the next one" : `the next ${next}`;
  const share = probability < 1 ? `${Math.round(probability * 100)} %` : "";
  return [times || share || "every request", times && share, only && `of ${only}`].filter(Boolean).join(" ");
}

function select(label, choices) {
  const options = Object.entries(choices).map(([value, [words]]) => new Option(words, value));
  const made = element("select", "", options);
  made.setAttribute("aria-label", label);
  return made;
}

function rate(standing) {
  if (!standing) return null;
  const { limit, remaining } = standing;
  const fill = element("span", "fill");
  fill.style.width = `${(100 * remaining) / limit}%`;
  const bar = element("span", remaining ? "meter" : "meter spent", fill);
  bar.setAttribute("aria-hidden", "true");
  const words = remaining
    ? `${remaining.toLocaleString()} of ${limit.toLocaleString()} left`
    : `Rate limit used up (${limit.toLocaleString()})`;
  return element("span", remaining ? "rate" : "rate spent", element("span", "unseen", "Rate limit: "), bar, words);
}

function switches(workspace) {
  return [
    badge(workspace.region),
    badge(workspace.enforced ? "verification on" : "verification off", workspace.enforced ? "good" : ""),
    badge(workspace.visitors ? "visitors on" : "visitors off"),
    ...workspace.trusted_domains.map((domain) => badge(domain)),
  ];
}

// One workspace: who it is, where its rate limit stands, and a panel to let its requests go wrong.
export function workspaceRow(set) {
  return (first) => {
    const appId = first.value.workspace.app_id;
    const about = element("span", "about");
    const state = element("span", "state");
    const summary = element("summary");
    const which = select("Fault", FAULTS);
    const often = select("How often", HOW_OFTEN);
    const send = button("Set", "set", () => {
      const fault = FAULTS[which.value][1];
      set(appId, fault ? [{ ...fault, ...HOW_OFTEN[often.value][1] }] : []);
    });
    const active = element("ul", "active");
    const form = element(
      "div",
      "fault-form",
      element("p", "faint", "Requests to the REST API are to go wrong:"),
      which,
      often,
      send,
    );
    const details = element("details", "faults", summary, element("div", "panel", active, form));
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      summary.focus();
    });

    document.addEventListener("click", ({ target }) => {
      if (!details.contains(target)) details.open = false;
    });

    function update({ value: { workspace, standing, faults } }) {
      about.replaceChildren(
        element("strong", "", workspace.name),
        element("code", "", workspace.app_id),
        ...switches(workspace),
      );
      state.replaceChildren(...[rate(standing)].filter(Boolean));
      const names = faults.map((fault) => fault.name).join("; ");
      summary.textContent = faults.length ? `Fault: ${names}` : "No faults";
      details.classList.toggle("on", faults.length > 0);
      active.replaceChildren(
        ...faults.map((fault) => element("li", "", element("strong", "", fault.name), ` ${howOften(fault)}`)),
      );
    }

    update(first);
    return { element: element("li", "", about, state, details), update };
  };
}
