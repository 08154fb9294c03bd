/*
 * The console: runs a call that somebody typed on the page's own `analytics`, and lists the commands that the Messenger
 * received. The call is read by literal.js, for the page's policy allows no eval.
 */
import { element } from "./elements.js";
import { parseCalls } from "./literal.js";

const SHOWN = 20;
const OURS = ["boot", "update", "trackEvent", "shutdown"];
const form = document.getElementById("console");
const input = document.getElementById("console-input");
const said = document.getElementById("console-said");
const list = document.getElementById("commands");
const none = document.getElementById("commands-none");
const news = document.getElementById("commands-news");
const lines = []; // typed before
let place = 0;
let draft = "";
let debugging = false;

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2)) ?? String(value);

// What the runtime says of a call while it runs: what was dropped, and why.
function listening(run) {
  const remarks = [];
  const log = console.log;
  console.log = (...words) => {
    if (words[0] !== "analytics:") return log(...words);
    if (!OURS.includes(words[1])) remarks.push(words.slice(1).map(text).join(" "));
    return undefined;
  };
  try {
    window.analytics?.debug();
    return { answer: run(), remarks };
  } finally {
    window.analytics?.debug(debugging);
    console.log = log;
  }
}

function run({ object, steps }) {
  if (object !== "analytics" && object !== "Intercom") throw new Error(`Type a call of analytics or Intercom, not of ${object}.`);
  let target = window[object];
  if (!target) throw new Error(`This page has no ${object}. ${object === "analytics" ? "Choose analytics_snippet under Snippet." : ""}`);
  for (const { method, given } of steps) {
    if (method === undefined) {
      if (object !== "Intercom") throw new Error("analytics is no function: type analytics.identify(…).");
      target = target(...given);
    } else {
      const known = Object.hasOwn(Object(target), method) && typeof target[method] === "function";
      if (!known || object === "Intercom") throw new Error(`${object} has no method ${method}.`);
      if (method === "debug") debugging = given[0] !== false;
      target = target[method](...given);
    }
  }
  return target === window.analytics ? undefined : target;
}

function execute(typed) {
  const calls = parseCalls(typed);
  const { answer, remarks } = listening(() => calls.map(run).at(-1));
  return [...remarks.map((remark) => ["note", remark]), ...(answer === undefined ? [] : [["answer", text(answer)]])];
}

function say(remarks) {
  said.replaceChildren(...remarks.map(([name, line]) => element("p", `console-${name}`, line)));
}

function submit() {
  const typed = input.value.trim();
  if (!typed) return;
  if (lines.at(-1) !== typed) lines.push(typed);
  place = lines.length;
  try {
    const remarks = execute(typed);
    say(remarks.length ? remarks : [["done", "Done."]]);
    input.value = "";
    fit();
  } catch (error) {
    say([["error", error.message]]);
    if (error.offset !== undefined) input.setSelectionRange(error.offset, error.offset + 1);
  }
}

// Arrows walk through what was typed before, as in a shell, once they cannot move within the text.
function recall(event, step) {
  const edge = step < 0 ? !input.value.slice(0, input.selectionStart).includes("\n") : !input.value.slice(input.selectionEnd).includes("\n");
  const next = place + step;
  if (!edge || next < 0 || next > lines.length) return;
  event.preventDefault();
  if (place === lines.length) draft = input.value;
  place = next;
  input.value = lines[place] ?? draft;
  input.setSelectionRange(input.value.length, input.value.length);
  fit();
}

function fit() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
}

function press(event) {
  const plain = !(event.shiftKey || event.altKey || event.isComposing);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    submit();
  } else if (event.key === "ArrowUp" && plain) recall(event, -1);
  else if (event.key === "ArrowDown" && plain) recall(event, 1);
}

function entry({ n, at, waits, given: [method, ...rest] }) {
  const time = element("time", "", at.toLocaleTimeString([], { timeStyle: "medium" }));
  const first = rest[0]?.name ?? rest[0]?.email ?? rest[0]?.user_id ?? rest[0];
  const about = element("span", "who", typeof first === "string" || typeof first === "number" ? String(first) : rest.length ? "Visitor" : "");
  const kind = element("b", "kind", String(method));
  const badge = waits ? [element("span", "badge waits", "waits")] : [];
  const head = element(rest.length ? "summary" : "div", "entry-head", ...badge, kind, about, time);
  const made = element("li", "entry", rest.length ? element("details", "", head, ...rest.map((each) => element("pre", "sent", text(each)))) : head);
  made.dataset.n = n;
  return made;
}

function show() {
  const newest = window.demoCommands.slice(-SHOWN).reverse();
  const drawn = new Map([...list.children].map((item) => [item.dataset.n, item]));
  list.replaceChildren(...newest.map((command) => drawn.get(String(command.n)) ?? entry(command)));
  none.hidden = newest.length > 0;
  if (newest[0]) news.textContent = `${newest[0].given[0]} ${newest[0].waits ? "waits for the Messenger" : "received"}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
input.addEventListener("keydown", press);
input.addEventListener("input", fit);
document.addEventListener("demo:commands", show);
form.hidden = false;
fit();
show();
