// What Intercom received: asks the sandbox once a second while the page is visible, and shows the newest first.
import { element } from "./elements.js";

const SHOWN = 8;
const STANDARD = ["user_id", "email", "name", "phone", "created_at", "avatar", "unsubscribed_from_emails"];
const list = document.getElementById("received");
const none = document.getElementById("received-none");
const news = document.getElementById("received-news");
let last = 0;
let timer = 0;
let asking = false;

function has(object, name) {
  return Object.prototype.hasOwnProperty.call(object || {}, name);
}

function verdict(request) {
  return request.refused ? `${request.status} refused` : `${request.status} accepted`;
}

function isRest(request) {
  return request.kind === "rest";
}

// Intercom's own ids would fill the line; the whole path is among the details.
function short(path) {
  return path.replace(/[0-9a-f]{24}/g, "…");
}

function title(request) {
  return isRest(request) ? `${request.method} ${short(request.path)}` : request.kind;
}

// A boot says itself who it is of; everything else is of the person in session.
function nameOf(request, person) {
  if (request.kind === "widget") return request.app_id;
  const named = ["boot", "update"].includes(request.kind) ? request.settings : person || {};
  return String(named.name || named.email || named.user_id || "Visitor");
}

// An attribute counts as saved when the person's record holds it.
function saved(request, person) {
  if (!person || request.refused) return [];
  const standard = STANDARD.filter((name) => has(request.settings, name) && has(person, name));
  const custom = Object.keys(person.custom_attributes).filter((name) => has(request.settings, name));
  return [...standard.map((name) => [name, text(person[name])]), ...custom.map((name) => [name, text(person.custom_attributes[name])])];
}

function said(request) {
  const names = { message: ["text"], event: ["event_name", "metadata"] }[request.kind] || [];
  return names.filter((name) => has(request.settings, name)).map((name) => [name, text(request.settings[name])]);
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function companies(request, person) {
  if (!person || request.refused || !(request.settings.company || request.settings.companies)) return [];
  return person.companies.map((company) => ["company", `${company.name} (${company.company_id})`]);
}

function proof(settings) {
  const name = ["user_hash", "intercom_user_jwt"].find((each) => settings[each] === "present");
  return name ? [["proof", name]] : [];
}

function table(rows) {
  return element("dl", "attributes", ...rows.map(([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value))));
}

// Most of what the API refuses is no end of it: the sender sees to what is missing, and goes on.
function whatNext({ status, path, refused }) {
  if (status === 409) return "It is there already: the sender goes on with an update.";
  if (status === 404 && path === "/events") return "The sender creates the person, then sends the event again.";
  if (status === 400 && /^Custom attribute .* does not exist/.test(refused)) return "The sender creates the attribute, then sends this again.";
  return null;
}

function restDetails(request) {
  const next = request.refused && whatNext(request);
  const path = short(request.path) === request.path ? [] : [["path", request.path]];
  const body = request.body && typeof request.body === "object" ? Object.entries(request.body) : [];
  const rows = [...path, ...body.map(([name, value]) => [name, text(value)])];
  const parts = request.refused ? [element("p", "refusal", request.refused)] : [];
  if (next) parts.push(element("p", "note", next));
  if (rows.length) parts.push(table(rows));
  return parts;
}

function pageDetails(request, person) {
  const rows = [...said(request), ...proof(request.settings), ...saved(request, person), ...companies(request, person)];
  const parts = request.refused ? [element("p", "refusal", request.refused)] : [];
  if (rows.length) parts.push(table(rows));
  return parts;
}

function details(request, person) {
  const parts = isRest(request) ? restDetails(request) : pageDetails(request, person);
  for (const { name, why } of request.not_saved) parts.push(element("p", "not-saved", element("b", "", `Not saved: ${name}`), `, ${why}`));
  for (const note of request.notes || []) parts.push(element("p", "note", note));
  return parts;
}

function entry(request, people) {
  const person = people.get(request.person_id);
  const time = element("time", "", new Date(request.at * 1000).toLocaleTimeString([], { timeStyle: "medium" }));
  const badge = element("span", request.refused ? "badge refused" : "badge", verdict(request));
  const who = isRest(request) ? "" : element("span", "who", nameOf(request, person));
  const kind = element("b", isRest(request) ? "kind path" : "kind", title(request));
  const inside = details(request, person);
  const head = element(inside.length ? "summary" : "div", "entry-head", badge, kind, who, time);
  const made = element("li", "entry", inside.length ? element("details", "", head, ...inside) : head);
  made.dataset.n = request.n;
  made.dataset.status = request.status;
  return made;
}

function show(state) {
  const people = new Map(state.people.map((person) => [person.id, person]));
  for (const old of [...list.children]) if (old.dataset.n < state.first) old.remove();
  if (state.requests.length) for (const open of list.querySelectorAll("details[open]")) open.open = false;
  for (const request of state.requests.slice(-SHOWN)) list.prepend(entry(request, people));
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  none.textContent = "Nothing yet.";
  none.hidden = list.children.length > 0;
  const newest = state.requests[state.requests.length - 1];
  if (!newest) return;
  last = newest.n;
  const open = list.querySelector(":first-child > details");
  if (open) open.open = true;
  news.textContent = `${title(newest)}: ${verdict(newest)}. ${newest.refused || ""}`;
}

async function ask() {
  if (document.hidden || asking) return;
  clearTimeout(timer);
  asking = true;
  try {
    const response = await fetch(`${list.dataset.state}?after=${last}`);
    show(await response.json());
  } catch {
    none.hidden = false;
    none.textContent = "The sandbox does not answer. Trying again.";
  }
  asking = false;
  timer = setTimeout(ask, 1000);
}

document.addEventListener("visibilitychange", ask);
document.addEventListener("demo:said", ask);
ask();
