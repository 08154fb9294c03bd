// What rows are made of. Text only ever becomes text: nothing that was received is read as HTML.

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export const badge = (text, kind) => element("span", kind ? `badge ${kind}` : "badge", text);

// A button keeps its focus when what it stands in is drawn again, by this name.
export function button(text, focus, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.dataset.focus = focus;
  made.addEventListener("click", act);
  return made;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// Seconds may be anything that somebody sent, and so beyond what a date can be.
function written(format, seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : format.format(date);
}

export const minuteOf = (seconds) => written(MINUTE, seconds);
export const dayOf = (seconds) => written(DAY, seconds);
export const fullTime = (seconds) => written(FULL, seconds);

export function clock(seconds) {
  const made = element("time", "", written(CLOCK, seconds));
  made.title = fullTime(seconds);
  return made;
}

const isDate = (name, value) => /(_at|_seen|_date)$/.test(name) && Number.isFinite(value);
const said = (name, value) => (isDate(name, value) ? `${fullTime(value)} (${value})` : plain(value));

export const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// Names and values; null where there is none with a value.
export function facts(pairs) {
  const list = element("dl", "facts");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(element("dt", "", name), element("dd", "", said(name, value)));
  }
  return list.children.length ? list : null;
}

export function labelled(label, content) {
  return content && element("div", "part", element("p", "label", label), content);
}
