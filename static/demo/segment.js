/*
 * "Point Segment here": the calls that the collector accepts, newest first, asked for once a second while the page is
 * looked at, and one call from this page.
 */
import { offerCopies } from "./copies.js";
import { element } from "./elements.js";

const EVERY = 1000;
const SHOWN = 20;
const main = document.querySelector("main");
const list = document.getElementById("arrivals");
const none = document.getElementById("arrivals-none");
const news = document.getElementById("news");
const button = document.getElementById("send");
const said = document.getElementById("said");
let last = 0;
let timer = 0;

function row({ type, name, user, library, at }) {
  const time = element("time", "", new Date(at * 1000).toLocaleTimeString([], { timeStyle: "medium" }));
  const call = element("b", "kind", type);
  const what = name ? [element("span", "what", String(name))] : [];
  return element("li", "", call, ...what, element("span", "who", String(user)), element("span", "faint", library), time);
}

async function look() {
  clearTimeout(timer);
  try {
    const response = await fetch(`${list.dataset.calls}?after=${last}`);
    const calls = await response.json();
    for (const call of calls) {
      list.prepend(row(call));
      last = call.number;
    }
    while (list.children.length > SHOWN) list.lastChild.remove();
    none.hidden = list.children.length > 0;
    if (calls.length) news.textContent = `${calls.length === 1 ? "A call" : `${calls.length} calls`} arrived`;
  } catch {
    // The demo may be starting again; the next look says.
  }
  if (!document.hidden) timer = setTimeout(look, EVERY);
}

async function send() {
  const sample = JSON.parse(main.dataset.sample);
  const library = { name: "this page", version: "" };
  const body = { ...sample, event: "Button Pressed", context: { ...sample.context, library } };
  try {
    const response = await fetch("/v1/track", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    said.textContent = response.ok ? "Answered 200: it is stored." : `Answered ${response.status}.`;
    look();
  } catch {
    said.textContent = "The demo does not answer. Is it still running?";
  }
}

offerCopies(main, news);
button.addEventListener("click", send);
document.addEventListener("visibilitychange", look);
look();
