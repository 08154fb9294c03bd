/*
 * One call in its two forms: as a page writes it, analytics.identify("user1234", {...}), and as Segment's JSON message.
 */
import { LiteralError, parseCalls } from "./literal.js";

// Of each call what stands first, and then the object.
const KINDS = {
  identify: [["userId"], "traits"],
  group: [["groupId"], "traits"],
  track: [["event"], "properties"],
  page: [["category", "name"], "properties"],
  screen: [["category", "name"], "properties"],
  alias: [["userId", "previousId"], "traits"],
};
const EXAMPLE = `type analytics.${Object.keys(KINDS).join("(…), analytics.")}(…)`;
const FIELDS = ["type", "context", "integrations", "timestamp"];
const isObject = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value);
const filled = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value != null && !(isObject(value) && !(value instanceof Date) && !Object.keys(value).length)));

// Options stand beside each other in a page; in a message most of them are the context.
function messageOf({ method, given: [...given] }) {
  const [names, body] = KINDS[method];
  const first = [];
  while (first.length < names.length && given.length && !isObject(given[0])) first.push(given.shift());
  // A page has a name rather than a category, where it has only one of them.
  if (first.length === 1 && names[1] === "name") first.unshift(undefined);
  const [traits, options] = given;
  const { context, integrations, timestamp, ...rest } = options ?? {};
  return {
    type: method,
    ...filled({
      ...Object.fromEntries(names.map((name, place) => [name, first[place]])),
      [body]: traits,
      context: { ...context, ...rest },
      integrations: { ...context?.integrations, ...integrations },
      timestamp,
    }),
  };
}

/** The calls of a page's text, each as `{message, call}`; a LiteralError says what is wrong, and where. */
export function readScript(text) {
  return parseCalls(text).map(({ object, steps, start }) => {
    const [step] = steps;
    if (object !== "analytics" || steps.length > 1 || !Object.hasOwn(KINDS, String(step.method))) {
      throw new LiteralError(EXAMPLE, text, start);
    }
    return { message: messageOf(step), call: [step.method, ...step.given] };
  });
}

/** The messages of a JSON text, each as `{message, call}`; `call` is undefined for what a page has no form for. */
export function readJson(text, kind) {
  const messages = JSON.parse(text);
  return [messages].flat().map((given) => {
    const message = { type: kind, ...given };
    return { message, call: callOf(message) };
  });
}

function callOf(message) {
  const [names, body] = KINDS[message.type] ?? [];
  if (!isObject(message) || !names) return undefined;
  const others = Object.keys(message).filter((key) => ![...FIELDS, ...names, body, "anonymousId", "messageId"].includes(key));
  if (others.length) return undefined;
  const { context, integrations, timestamp } = message;
  const first = names.map((name) => message[name]);
  if (names[1] === "name" && first[0] == null) first.shift();
  while (first.length > 1 && first.at(-1) == null) first.pop();
  return [message.type, ...first, message[body] ?? {}, filled({ context, integrations, timestamp })];
}

/** Messages that a server has read, each as `{message, call}`. */
export const callsOf = (messages) => messages.map((message) => ({ message, call: callOf(message) }));

/** Messages as JSON, one as itself. */
export function asJson(messages) {
  return JSON.stringify(messages.length === 1 ? messages[0] : messages, null, 2);
}

/** Messages as a page writes them; undefined where one has no such form. */
export function asScript(messages) {
  const calls = messages.map(callOf);
  return calls.includes(undefined) ? undefined : calls.map(written).join("\n");
}

function written([method, ...all]) {
  const objects = all.slice(-2);
  const first = all.slice(0, -2).filter((value) => value != null);
  while (objects.length && !Object.keys(objects.at(-1)).length) objects.pop();
  const given = [...first.map((value) => JSON.stringify(value)), ...objects.map(literal)];
  return `analytics.${method}(${given.join(", ")});`;
}

// JSON with its names as JavaScript writes them. A text has no line of its own, so that only names begin one.
function literal(value) {
  return JSON.stringify(value, null, 2).replace(/^(\s*)"([A-Za-z_$][\w$]*)":/gm, "$1$2:");
}

/** Whether a number in it has lost digits: a whole number beyond 2^53. */
export function isRounded(value) {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(isRounded);
}
