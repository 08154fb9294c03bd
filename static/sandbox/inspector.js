// The inspector: asks for the state while the page is visible, and draws what has changed.
import { openAddress } from "./inspector/address.js";
import { testOf } from "./inspector/choice.js";
import { openFeed } from "./inspector/feed.js";
import { itemsOf, textOf } from "./inspector/items.js";
import { inPlace, keyedList } from "./inspector/list.js";
import { personRows } from "./inspector/people.js";
import { attributeRow, companyRows, conversationRows } from "./inspector/records.js";
import { requestRows } from "./inspector/requests.js";
import { openTimeline, timelineRows } from "./inspector/timeline.js";
import { mendedAmong, namesOf, personName, requestName, title } from "./inspector/words.js";
import { workspaceRow } from "./inspector/workspaces.js";

const VIEWS = ["people", "events", "companies", "attributes", "conversations"];
const NAMES = ["requests", ...VIEWS];
const { state: stateUrl, reset: resetUrl, faults: faultsUrl, reply: replyUrl } = document.body.dataset;
const SURE_FOR = 4000; // milliseconds in which a second press clears
const WIDE = matchMedia("(min-width: 1000px) and (min-height: 560px)"); // as in inspector.css
const find = (id) => document.getElementById(id);

let names = new Map();
// Of refused requests that the sender has mended itself: the number of the one that succeeded.
let mended = new Map();
let people = [];
let totals = {};
let all = Object.fromEntries(NAMES.map((name) => [name, []]));
let workspaces = [];
let waiting = false;

const nameOf = (id) => names.get(id) || "";
const address = openAddress(drawSoon);
const timelineOf = openTimeline();

// The button that was pressed may be gone now, so the focus goes where one comes back.
function choose(person) {
  address.choose({ person, view: "people" });
  draw();
  find("everybody").focus();
}

const collect = {
  requests: itemsOf({
    key: ({ n }) => `request ${n}`,
    signature: (request) => `${requestName(request, names)} ${mended.get(request.n) || ""}`,
    text: (request) => [textOf(request), title(request), requestName(request, names)].join("\n"),
  }),
  people: itemsOf({ key: ({ id }) => id }),
  events: itemsOf({
    key: ({ at, created_at: happened, event_name: name }) => JSON.stringify(["event", at, happened, name]),
    signature: (event) => JSON.stringify([event, nameOf(event.person_id)]),
    text: (event) => `${textOf(event)}\n${nameOf(event.person_id)}`,
  }),
  companies: itemsOf({
    key: ({ id }) => id,
    signature: (company) => JSON.stringify([company, membersOf(company)]),
  }),
  attributes: itemsOf({ key: ({ app_id: app, model, name }) => JSON.stringify([app, model, name]) }),
  conversations: itemsOf({
    key: ({ id }) => id,
    signature: (talk) => JSON.stringify([talk, nameOf(talk.person_id)]),
    text: (talk) => `${textOf(talk)}\n${nameOf(talk.person_id)}`,
  }),
};
const workspaceItems = itemsOf({ key: ({ workspace }) => workspace.app_id });

const lists = {
  requests: keyedList(
    find("requests"),
    requestRows(() => names, choose, (request) => mended.get(request.n)),
  ),
  people: keyedList(find("people"), personRows(choose)),
  events: keyedList(
    find("events"),
    timelineRows(() => names, choose),
  ),
  companies: keyedList(
    find("companies"),
    companyRows(() => people, choose),
  ),
  attributes: keyedList(find("attributes"), attributeRow),
  conversations: keyedList(
    find("conversations"),
    conversationRows(() => names, reply),
  ),
};
const showWorkspaces = keyedList(find("workspaces"), workspaceRow(setFaults));

let members = new Map();

function membersOf(company) {
  return members.get(JSON.stringify([company.app_id, company.company_id])) || "";
}

// Who belongs to which company, as one text, so that a company is drawn again when it changes.
function membership() {
  const found = new Map();
  for (const person of people) {
    for (const company of person.companies) {
      const key = JSON.stringify([person.app_id, company.company_id]);
      found.set(key, `${found.get(key) || ""} ${person.id} ${personName(person)}`);
    }
  }
  return found;
}

function take(state) {
  // Whose somebody is says something only where there are several workspaces.
  const owners = new Map(state.workspaces.length > 1 ? state.workspaces.map(({ app_id: app, name }) => [app, name]) : []);
  people = state.people.map((person) => ({ ...person, workspace: owners.get(person.app_id) }));
  names = namesOf(people);
  mended = mendedAmong(state.requests);
  members = membership();
  totals = state.totals;
  all = Object.fromEntries(NAMES.map((name) => [name, collect[name](name === "people" ? people : state[name])]));
  workspaces = workspaceItems(
    state.workspaces.map((workspace) => ({
      workspace,
      standing: state.rate.find((each) => each.app_id === workspace.app_id),
      faults: state.faults.filter((each) => each.app_id === workspace.app_id),
    })),
  );
  draw();
}

function count(name, number) {
  const total = totals[name] ?? all[name].length;
  const words = number === total ? total.toLocaleString() : `${number.toLocaleString()} of ${total.toLocaleString()}`;
  for (const counter of document.querySelectorAll(`[data-count="${name}"]`)) {
    // Beside the requests there is no room for more, and a heading says the rest.
    const said = WIDE.matches && counter.closest("nav") ? number.toLocaleString() : words;
    if (counter.textContent !== said) counter.textContent = said;
  }
}

function drawList(name, chosen, requests) {
  const items = all[name].filter(testOf(name, chosen, people));
  const pane = document.querySelector(`[data-pane="${name}"]`);
  const filtered = all[name].length > 0;
  count(name, items.length);
  if (pane.checkVisibility()) {
    if (name === "events") drawTimeline(items, chosen, requests);
    else lists[name](items.toReversed(), all[name]);
  }
  const empty = pane.querySelector(".empty");
  empty.hidden = (name === "events" ? find("events").children : items).length > 0;
  empty.textContent = filtered ? "Nothing here fits what is chosen." : empty.dataset.nothing;
  return items;
}

// Of one person the requests that say who he is stand between his events.
function drawTimeline(events, chosen, requests) {
  const items = timelineOf(events, chosen.person ? requests : [], chosen.by === "happened");
  lists.events(items, [...all.events, ...all.requests]);
}

function drawChoices(chosen) {
  const named = NAMES.includes(chosen.view) ? chosen.view : "requests";
  const view = WIDE.matches && named === "requests" ? "people" : named;
  document.body.dataset.view = view;
  document.body.classList.toggle("one-person", Boolean(chosen.person));
  for (const each of document.querySelectorAll("[data-set]")) {
    const value = each.dataset.set === "view" ? view : chosen[each.dataset.set];
    each.setAttribute("aria-pressed", String(each.dataset.value === value));
  }
  if (find("search").value !== chosen.q) find("search").value = chosen.q;
  find("person").hidden = !chosen.person;
  find("person-name").textContent = nameOf(chosen.person) || "somebody who is no longer here";
}

function draw() {
  const chosen = address.chosen();
  showWorkspaces(workspaces);
  inPlace([...document.querySelectorAll(".pane, .records")], () => {
    drawChoices(chosen);
    const requests = drawList("requests", chosen, []);
    for (const name of VIEWS) drawList(name, chosen, requests);
  });
  const own = chosen.person && document.querySelector("#people details");
  if (own && find("people").dataset.opened !== chosen.person) own.open = true;
  find("people").dataset.opened = chosen.person;
}

function drawSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function say(text) {
  const live = find("live");
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("on", text === "Live");
}

const feed = openFeed({ state: stateUrl, changed: take, said: say });

async function reply(id, text) {
  await fetch(replyUrl, { method: "POST", body: JSON.stringify({ conversation_id: id, text }) });
  feed.look(true);
}

async function setFaults(appId, faults) {
  await fetch(faultsUrl, { method: "POST", body: JSON.stringify({ app_id: appId, faults }) });
  feed.look(true);
}

for (const each of document.querySelectorAll("[data-set]")) {
  each.addEventListener("click", () => address.choose({ [each.dataset.set]: each.dataset.value }));
}
find("search").addEventListener("input", (event) => address.choose({ q: event.target.value }));
find("everybody").addEventListener("click", () => {
  address.choose({ person: "" });
  find("search").focus();
});
find("pause").addEventListener("click", ({ currentTarget: pause }) => {
  const on = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(on));
  feed.pause(on);
});
let sure = 0;
find("reset").addEventListener("click", async ({ currentTarget: button }) => {
  const ask = (asking) => {
    clearTimeout(sure);
    sure = asking ? setTimeout(() => ask(false), SURE_FOR) : 0;
    button.textContent = asking ? "Really clear everything?" : "Clear everything";
    button.classList.toggle("sure", asking);
  };
  if (!sure) return ask(true);
  ask(false);
  await fetch(resetUrl, { method: "POST" });
  return feed.look(true);
});
WIDE.addEventListener("change", drawSoon);
