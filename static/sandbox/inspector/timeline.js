import { badge, button, clock, dayOf, element, facts, fullTime, minuteOf } from "./elements.js";
import { isRest, sourceOf, title } from "./words.js";

const LATE = 2;

// What stands on the timeline, the newest first, under its day and its minute. With `happened` the order is that of the
// events' own times. Requests that are no events stand between them only in the order in which all came.
export function openTimeline() {
  const dated = new WeakMap();
  let headings = new Map();

  // The same event as a row that shows its own time.
  function byItsTime(item) {
    if (!dated.has(item)) dated.set(item, { ...item, key: `happened ${item.key}`, happened: true });
    return dated.get(item);
  }

  return (received, requests, happened) => {
    const events = happened ? received.map(byItsTime) : received;
    const between = happened ? [] : requests.filter(identifies);
    const time = happened ? ({ value }) => value.created_at : ({ value }) => value.at;
    const all = [...events.toReversed(), ...between.toReversed()];
    const shown = grouped(
      all.sort((one, other) => time(other) - time(one)),
      time,
      headings,
    );
    headings = new Map(shown.filter(({ value }) => value.day || value.minute).map((item) => [item.key, item]));
    return shown;
  };
}

const isEvent = (request) => request.kind === "event" || (isRest(request) && request.path.split("?")[0] === "/events");

const identifies = ({ value }) => !isEvent(value) && !(isRest(value) && value.method === "GET");

// With its headings: one that stood there before is the same again, so that the list keeps its row.
function grouped(items, time, headings) {
  const shown = [];
  const heading = (key, value) => headings.get(key) ?? { key, value };
  let day = "";
  let minute = "";
  for (const item of items) {
    const at = time(item);
    const [itsDay, itsMinute] = [dayOf(at), minuteOf(at)];
    if (itsDay !== day) shown.push(heading(`day ${itsDay}`, { day: itsDay }));
    if (itsDay !== day || itsMinute !== minute)
      shown.push(heading(`minute ${itsDay} ${itsMinute}`, { minute: itsMinute }));
    [day, minute] = [itsDay, itsMinute];
    shown.push(item);
  }
  return shown;
}

function headingRow({ value }) {
  const made = value.day
    ? element("li", "day", element("h3", "", value.day))
    : element("li", "minute", element("h4", "", value.minute));
  return { element: made, update() {} };
}

function otherTime({ created_at: happened, at }, shown) {
  if (Math.abs(at - happened) <= LATE) return null;
  return element("span", "", shown === at ? `happened ${fullTime(happened)}` : `received ${fullTime(at)}`);
}

function whose(event, names) {
  return names().get(event.person_id) || String(event.email || event.user_id || "Somebody");
}

function eventParts(event, shown, names, choose) {
  const name = whose(event, names);
  const who = button(name, "who", () => choose(event.person_id));
  who.classList.add("link");
  who.setAttribute("aria-label", `Show only ${name}`);
  return [
    element("p", "line", element("strong", "what", event.event_name), clock(shown)),
    element("p", "meta", who, element("span", "", sourceOf(event.source)), otherTime(event, shown)),
    facts(Object.entries(event.metadata)),
  ];
}

function requestParts(request) {
  const bad = request.refused || request.status >= 400;
  return [
    element(
      "p",
      "line",
      element("span", "what path", title(request)),
      badge(String(request.status), bad ? "bad" : "good"),
      clock(request.at),
    ),
  ];
}

// The rows of the timeline.
export function timelineRows(names, choose) {
  return (item) => {
    if (item.value.day || item.value.minute) return headingRow(item);
    const request = item.value.kind !== undefined;
    const row = element("li", request ? "moment request" : "moment");
    function update({ value, happened }) {
      const focused = row.contains(document.activeElement);
      const shown = happened ? value.created_at : value.at;
      const parts = request ? requestParts(value) : eventParts(value, shown, names, choose);
      row.replaceChildren(...parts.filter(Boolean));
      if (focused) row.querySelector("button")?.focus({ preventScroll: true });
    }
    update(item);
    return { element: row, update };
  };
}
