/*
 * The values of traits and properties, as segment_intercom/traits/ has them: dates, names, amounts, nested handling.
 * tests/cases holds the two together. `use(config, warn)` comes first; `warn(name, remark)` hears what cannot be sent.
 */
import { monetary } from "./money.js";
import { entries, fromEntries, isArray, isObject, isText, keys, plainName, words } from "./words.js";

// Of the page's one runtime.
export let config;
export let warn;
export function use(chosen, hear) {
  config = chosen;
  warn = hear;
}

// The traits whose plain names have a meaning, by that name, and the others; of two the first that is not null counts.
// Those that are also custom attributes stay among the others as well.
export function split(traits, names, alsoCustom) {
  const known = {};
  const custom = [];
  for (const pair of entries(traits)) {
    const plain = plainName(pair[0]);
    // What has parts of its own is no name or address, and stays an attribute.
    const hasParts = alsoCustom && typeof pair[1] === "object" && keys(pair[1] ?? "")[0] && !pair[1].image_url && /^(email|name|phone|avatar)$/.test(plain);
    const means = !hasParts && words(names).includes(plain);
    const both = words(alsoCustom).includes(plain);
    if (!means || both) custom.push(hasParts ? [plain, pair[1]] : pair);
    if (means && known[plain] == null) known[plain] = pair[1];
    else if (means && !both && pair[1] != null && pair[1] !== known[plain]) warn(pair[0], "repeated");
  }
  return [known, custom];
}

const ISO =
  /^(\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?(?:[ T](\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)? ?(Z|([+-]\d\d)(?::?(\d\d))?)?)?$/i;

function fromIso(text) {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month = "01", day = "01", hour = "00", minute = "00", second = "00", , hours = "+00", minutes = "00"] = match;
  const moment = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(moment + "Z");
  // An engine may carry the 31st of February over to March, and takes hour 24; the year 0 is none.
  if (!(+year && +date) || date.toISOString().slice(0, 19) !== moment) return NaN;
  return Date.parse(`${moment}${hours}:${minutes}`) / 1000;
}

function fromText(text) {
  if (/^(\d{10}|\d{13})$/.test(text)) return +text / (text[10] ? 1000 : 1);
  const iso = fromIso(text);
  // What an engine parses, but none of its guesses: a month must be there. Without a zone it is UTC.
  if (iso !== undefined || !/jan|feb|ma[ry]|apr|ju[nl]|aug|sep|oct|nov|dec|\d[/-]\d/i.test(text)) return iso;
  return Date.parse(/(GM|[ECMP][SD])T|UTC?|\dZ|:.*[+-]\d/.test(text) ? text : text + " UTC") / 1000;
}

// Unix seconds of a date in any form that Segment accepts, rounded down; undefined when it is none.
export function seconds(value) {
  if (value instanceof Date) value = +value / 1000;
  else if (isText(value)) value = fromText(value.trim());
  else if (typeof value === "number" && value >= 31557600000) value /= 1000;
  return typeof value === "number" && value >= -62135596800 && value < 253402300800 ? Math.floor(value) : undefined;
}

// The first of these traits that is a date, in Unix seconds.
export function firstDate(known, names) {
  for (const name of names) {
    const date = seconds(known[name]);
    if (date !== undefined) return date;
    if (known[name]) warn(name, "no date");
  }
  return undefined;
}

const isDate = (value) =>
  value instanceof Date || (isText(value) && /^\d{4}-\d\d-\d\d([ T]|$)/i.test(value) && isFinite(fromIso(value)));

const MOST = 250; // custom attributes of an Intercom workspace

const dateKey = (key) => (/(_at|At)$/.test(key) ? key : key.replace(/ at$/, "") + "_at");

// The value as JSON holds it, dates inside of it named. Throws the remark on what cannot be sent; a cycle ends with the
// engine's own error.
function plain(value) {
  if (isDate(value)) return plain(seconds(value) ?? NaN);
  if (typeof value === "number" && !isFinite(value)) throw "unsendable";
  if (isArray(value)) return value.map((item) => plain(item ?? null));
  return isObject(value) ? fromEntries(withDateNames(entries(value)).map(([key, item]) => [key, plain(item)])) : value;
}

// The pairs under the keys they will have: a date's shows that it is one, and gives way to a trait of that name.
const withDateNames = (pairs) =>
  pairs
    .map(([name, value]) => [isDate(value) ? dateKey(name) : name, value, name])
    .filter(([key, value, name]) => value !== undefined && (key === name || !pairs.some(([taken]) => taken === key)));

function flatten(name, value) {
  const pairs = isText(value) ? [] : entries(value ?? []);
  return pairs.length ? pairs.flatMap(([key, item]) => flatten(name + "." + key, item)) : [[name, value]];
}

// [name, value, rank] of what one trait becomes; where names collide the higher rank stays.
function handle(name, value) {
  const nested = typeof value === "object";
  const chosen = config.handlingFor[name] ?? (nested && config.handling);
  if (chosen === "drop") return [];
  if (chosen === "stringify") return [[name, JSON.stringify(value), 0]];
  if (!nested || !chosen) return [[name, value, 2]];
  return flatten(name, value).map(([key, item]) => [key, item, key === name ? 2 : 1]);
}

// Names as Intercom has them: of an attribute one with a dot as its API takes it, of an event's property without . and $.
const attributeName = (name) => (name.includes(".") ? name.replace(/[^\p{L}\p{N}\p{Sc}_-]/gu, "_") : name);
const propertyName = (name) => name.replace(/[.$]/g, "_");

// Pairs under those names; where two meet, the one that has its own stays.
function labelled(pairs, label) {
  const byName = new Map();
  for (const [name, value] of pairs) {
    const key = label(name);
    if (key === name || !pairs.some(([taken]) => taken === key)) byName.set(key, value);
  }
  return [...byName];
}

// Pairs of names and values as custom attributes: plain values, then date keys, then the nested handling of each. Of an
// event, money in Intercom's own form passes whole.
export function attributes(pairs, isEvent) {
  const ranked = new Map();
  for (const [key, value, name] of withDateNames(pairs)) {
    try {
      const isLink = config.links.includes(name) && isObject(value) && Object.keys(value).sort() == "url,value";
      const whole = isLink ? value : isEvent && !config.handlingFor[name] && monetary(value);
      for (const [attribute, item, rank] of whole ? [[key, whole, 3]] : handle(key, plain(value)))
        if (!(ranked.get(attribute)?.[1] > rank)) ranked.set(attribute, [item, rank]);
    } catch (remark) {
      warn(name, remark);
    }
  }
  const laid = labelled([...ranked].map(([key, [value]]) => [key, value]), isEvent ? propertyName : attributeName);
  if (laid[MOST]) warn(laid[MOST][0], "too many");
  return laid.slice(0, MOST);
}

// The id of a company that has only a name: 32 bits, over the UTF-16 units from the last to the first.
export function nameHash(name) {
  let hash = 5381;
  for (let place = name.length; place; ) hash = (hash * 33) ^ name.charCodeAt(--place);
  return hash >>> 0;
}
