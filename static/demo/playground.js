/*
 * The playground: what is typed goes to the server as Segment's JSON, and what the mapping makes of it is shown at once,
 * beside what the browser runtime makes of the same calls.
 */
import { asJson, asScript, callsOf, isRounded, readJson, readScript } from "./messages.js";
import { copyText, offerCopies } from "./copies.js";
import { element } from "./elements.js";
import { compare } from "./runtimes.js";

const PAUSE = 200;
const form = document.getElementById("playground");
const text = document.getElementById("text");
const problem = document.getElementById("error");
const results = document.getElementById("results");
const news = document.getElementById("news");
const agree = document.getElementById("agree");
const examples = [...form.querySelectorAll(".examples button")];
const drafts = new Map();
let kind = "identify";
let written = "script";
let timer = 0;
let coming;
let requested;
// The last answer in its other forms: the calls in Python, and as messages where Python was typed.
let answered = {};

const SETTINGS = ["identity", "strict", "region", "nested_handling", "rich_links"];
const LONGEST_ADDRESS = 6000; // characters; what is longer is not kept in it

const chosenDialect = () => results.querySelector("[name=dialect]:checked").value;

const picked = (name) => form.elements[name].value;

function pick(name, value) {
  form.elements[name].value = value;
}

function read() {
  if (written === "python") return undefined; // which the server reads
  return written === "script" ? readScript(text.value) : readJson(text.value, kind);
}

// What is sent: JSON as it was typed, digits and all, for the server reads it better than a browser can.
function body(calls) {
  const links = picked("rich_links").split(",").map((name) => name.trim()).filter(Boolean);
  const settings = { strict: picked("strict") === "true", rich_links: links };
  for (const name of ["identity", "region", "nested_handling"]) settings[name] = picked(name);
  return JSON.stringify({ kind, form: written, settings, text: calls ? asJson(calls.map(({ message }) => message)) : text.value });
}

function refuse(message) {
  problem.textContent = message;
  problem.hidden = false;
  text.setAttribute("aria-invalid", "true");
  results.classList.add("stale");
}

function accept() {
  problem.hidden = true;
  problem.textContent = "";
  text.removeAttribute("aria-invalid");
  results.classList.remove("stale");
}

function show({ settings, commands, warnings, requests, remarks, python, html, policy }, calls) {
  const rounded = calls?.some(({ call }) => isRounded(call)) && written === "script";
  const all = [...warnings, ...(rounded ? ["number: a whole number beyond 2^53 loses digits in JavaScript; put it in quotes"] : [])];
  document.getElementById("warnings").replaceChildren(...all.map((each) => element("li", "", each)));
  document.getElementById("warnings-count").textContent = all.length;
  document.getElementById("warnings-none").hidden = all.length > 0;
  document.getElementById("commands").replaceChildren(...commands.map(commandOf));
  document.getElementById("commands-none").hidden = commands.length > 0;
  document.getElementById("settings").textContent = JSON.stringify(settings, null, 2);
  document.getElementById("remarks").replaceChildren(...remarks.map((each) => element("li", "", each)));
  for (const [id, text] of Object.entries({ python, html, policy: policy.replaceAll("; ", ";\n") })) {
    document.getElementById(id).textContent = text;
  }
  requested = requests;
  showRequests();
  const told = commands.map(([name]) => name).join(", then ") || "nothing";
  const count = all.length === 1 ? "1 warning" : `${all.length} warnings`;
  news.textContent = `The Messenger is told ${told}. ${count}. ${all.join(". ")}`;
}

function showRequests() {
  const made = (requested?.[chosenDialect()] ?? []).map(({ method, path, body }) =>
    element("li", "", element("pre", "code", `${method} ${path}${body ? `\n${JSON.stringify(body, null, 2)}` : ""}`)),
  );
  document.getElementById("requests").replaceChildren(...made);
  document.getElementById("requests-none").hidden = made.length > 0;
}

function commandOf([name, ...given]) {
  const written = [name, ...given].map((each) => JSON.stringify(each, null, 2)).join(", ");
  return element("li", "", element("pre", "code", `Intercom(${written})`));
}

async function answerTo(calls) {
  coming = new AbortController();
  const { signal } = coming;
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(form.action, { method: "POST", headers, body: body(calls), signal });
    const answer = await response.json();
    return signal.aborted ? undefined : answer;
  } catch {
    if (!signal.aborted) refuse("The demo does not answer. Is it still running?");
    return undefined;
  }
}

async function evaluate() {
  clearTimeout(timer);
  coming?.abort(); // an answer to what stood there before would hide what is wrong with it now
  let calls;
  try {
    calls = read();
  } catch (error) {
    // Of wrong JSON the server says where it is wrong; of a wrong call, the parser here.
    if (written === "script") return refuse(error.message);
  }
  keepInAddress();
  if (calls) follow(calls.at(-1)?.message.type);
  const answer = await answerTo(calls && written === "script" ? calls : undefined);
  if (!answer) return undefined;
  if (answer.error) return refuse(`${answer.error.field}: ${answer.error.problem}`);
  accept();
  answered = answer;
  if (answer.messages) {
    calls = callsOf(answer.messages);
    follow(answer.messages.at(-1).type);
  }
  show(answer, calls);
  return sayWhetherTheyAgree(answer, calls);
}

async function sayWhetherTheyAgree({ commands, runtime }, calls) {
  // What stood there stays until something takes its place: the page below does not jump.
  if (!calls?.length || calls.some(({ call }) => !call || call[0] === "screen")) {
    agree.className = "agree apart";
    agree.textContent = "Not compared with the browser runtime: a page has no such call.";
    return;
  }
  const found = await compare(commands, runtime, calls.map(({ call }) => call));
  if (!found || problem.textContent) return;
  agree.className = found.same ? "agree" : "agree differs";
  agree.textContent = found.same
    ? `The browser runtime tells it the same${found.proof ? ", but for the proof, which only the server can make" : ""}.`
    : `The browser runtime tells it otherwise: ${JSON.stringify(found.commands)}`;
}

// The kind that is marked is the kind of what stands there.
function follow(type) {
  if (![...form.elements.kind].some(({ value }) => value === type)) return;
  kind = type;
  pick("kind", kind);
  for (const example of examples) example.hidden = example.dataset.kind !== kind;
}

function begin(example) {
  const { calls, identity, links } = example.dataset;
  pick("identity", identity);
  pick("rich_links", links);
  const messages = readScript(calls).map(({ message }) => message);
  text.value = written === "script" ? calls : asJson(messages);
  if (written === "python") {
    pick("form", (written = "json"));
    evaluate().then(() => changeForm("python"));
    pick("form", "python");
    return;
  }
  evaluate();
}

function changeKind(next) {
  drafts.set(kind, { written, value: text.value });
  follow(next);
  const draft = drafts.get(next);
  if (!draft) return begin(examples.find((example) => example.dataset.kind === next));
  written = draft.written;
  pick("form", written);
  text.value = draft.value;
  return evaluate();
}

// What cannot be read stays as it is, and is then refused in the form that was chosen.
function changeForm(next) {
  try {
    const messages = written === "python" ? answered.messages : read().map(({ message }) => message);
    const forms = { json: () => asJson(messages), script: () => asScript(messages), python: () => answered.python };
    text.value = forms[next]() || text.value;
  } catch {
    // Said by the evaluation.
  }
  written = next;
  evaluate();
}

form.addEventListener("input", ({ target }) => {
  if (target.name === "kind") changeKind(target.value);
  else if (target.name === "form") changeForm(target.value);
  else if (target.type === "radio") evaluate();
  else {
    clearTimeout(timer);
    timer = setTimeout(evaluate, PAUSE);
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  evaluate();
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) evaluate();
});
results.addEventListener("change", showRequests);
offerCopies(results, news);
for (const example of examples) example.addEventListener("click", () => begin(example));
// All that is typed and chosen, behind the address's #: it goes to nobody with a request.
function keepInAddress() {
  const state = new URLSearchParams({ kind, form: written, text: text.value });
  for (const name of SETTINGS) state.set(name, picked(name));
  const kept = `#${state}`;
  history.replaceState(null, "", kept.length > LONGEST_ADDRESS ? " " : kept);
}

function readAddress() {
  const state = new URLSearchParams(location.hash.slice(1));
  if (!state.has("text")) return;
  for (const name of ["kind", "form", ...SETTINGS]) if (state.has(name)) pick(name, state.get(name));
  text.value = state.get("text");
}

const share = document.getElementById("share");
share.addEventListener("click", async () => {
  clearTimeout(timer);
  await evaluate();
  news.textContent = await copyText(location.href, share);
});
addEventListener("hashchange", () => {
  readAddress();
  [kind, written] = [picked("kind"), picked("form")];
  evaluate();
});

readAddress();
// A browser may bring back what stood in the form when the page was left.
kind = picked("kind") || kind;
written = picked("form") || written;
follow(kind);
evaluate();
