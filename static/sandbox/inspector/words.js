// How the inspector calls what was received.

export const personName = (person) =>
  String(person.name || person.email || person.external_id || person.user_id || "Visitor");

export const SOURCES = { page: "Page", api: "API", classic: "API 1.4" };

export const sourceOf = (source) => SOURCES[source] || String(source);

// Everybody's name by Intercom's id.
export function namesOf(people) {
  return new Map(people.map((person) => [person.id, personName(person)]));
}

export const isRest = (request) => request.kind === "rest";

export const title = (request) => (isRest(request) ? `${request.method} ${request.path}` : request.kind);

const sent = (request) => (isRest(request) ? request.body : request.settings);

function fields(request) {
  const body = sent(request);
  return body && typeof body === "object" && !Array.isArray(body) ? body : {};
}

// What a request says that its title does not: the event's name, the message, or of which page it is.
export function subject(request) {
  if (["boot", "update", "shutdown"].includes(request.kind)) return pathOf(request.page);
  const { event_name: event, text } = fields(request);
  const said = request.kind === "message" ? text : event;
  return typeof said === "string" ? said : "";
}

// A page by its path, as its site calls it.
export function pathOf(address) {
  try {
    const { pathname, search } = new URL(address);
    return pathname + search;
  } catch {
    return "";
  }
}

// A boot says itself who it is of, even one that was refused; everything else is of the person in session.
export function requestName(request, names) {
  if (request.kind === "widget") return String(request.app_id);
  const own = ["boot", "update"].includes(request.kind);
  const said = fields(request);
  if (own && (said.name || said.email)) return String(said.name || said.email);
  if (request.person_id) return names.get(request.person_id) || "Somebody";
  if (isRest(request)) return String(said.email || said.external_id || said.user_id || "");
  return String(said.user_id || (own ? "Visitor" : "Somebody"));
}

// Whether a request is of this person: of his record, or one that failed but names him.
export function concerns(request, person) {
  if (request.person_id) return request.person_id === person.id;
  if (request.app_id && request.app_id !== person.app_id) return false;
  const said = fields(request);
  const id = person.external_id || person.user_id;
  const named = [said.user_id, said.external_id].some((each) => id && each === id);
  return named || Boolean(person.email && said.email === person.email) || pathNames(request, person, id);
}

function pathNames({ path }, person, id) {
  const steps = path ? path.split("?")[0].split("/") : [];
  return steps.includes(person.id) || Boolean(id && steps.includes(encodeURIComponent(id)));
}

const SOON = 60; // seconds

// Which refused requests to the API were followed by one that did the same and succeeded, by their numbers.
export function mendedAmong(requests) {
  const found = new Map();
  const api = requests.filter(isRest);
  api.forEach((request, place) => {
    if (request.status < 400 || request.status === 429 || !request.refused) return;
    const later = api.slice(place + 1, place + 12).find((next) => next.status < 300 && next.at - request.at < SOON && does(next, request));
    if (later) found.set(request.n, later.n);
  });
  return found;
}

const ids = (request) => ["external_id", "user_id", "email", "company_id", "event_name", "name"].map((name) => fields(request)[name]).join();

// The same once more, or the update of what was there already.
const does = (next, request) =>
  (next.method === request.method && next.path === request.path && ids(next) === ids(request)) ||
  (request.status === 409 && next.method === "PUT" && Boolean(request.person_id) && next.path.includes(request.person_id));

// The sandbox adds its remedy in brackets to the message that went out.
export function refusal(request) {
  const message = request.answer?.errors?.[0]?.message;
  const whole = request.refused;
  if (!message || !whole.startsWith(`${message} (`)) return { message: whole, remedy: "" };
  return { message, remedy: whole.slice(message.length + 2, -1) };
}
