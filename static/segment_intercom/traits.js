/*
 * The values of traits and properties, as segment_intercom/traits/ has them: dates, names, amounts, nested handling.
 * tests/cases holds the two together. `use(config, warn)` comes first; `warn(name, remark)` hears what cannot be sent.
 */

// Of the page's one runtime.
export let config;
export let warn;
export function use(chosen, hear) {
  config = chosen;
  warn = hear;
}

// Object.entries and fromEntries throughout: `__proto__` is a name like any other.
export const { entries, fromEntries } = Object;

export const isArray = Array.isArray;

export const words = (text) => text.split(" ");

// A name without case and punctuation: first_name, First Name and firstName are one trait.
export const plainName = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

export const isText = (value) => typeof value === "string";

export const textOf = (value) => (isText(value) && value.trim()) || undefined;

export const isObject = (value) => !!value && typeof value === "object" && !isArray(value);

// The traits whose plain names have a meaning, by that name, and the others; of two the first that is not null counts.
// Those that are also custom attributes stay among the others as well.
export function split(traits, names, alsoCustom) {
  const known = {};
  const custom = [];
  for (const pair of entries(traits)) {
    const plain = plainName(pair[0]);
    const means = names.includes(plain);
    const both = alsoCustom.includes(plain);
    if (!means || both) custom.push(pair);
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
  if (value instanceof Date) value /= 1000;
  else if (isText(value)) value = fromText(value.trim());
  else if (value >= 31557600000) value /= 1000;
  return typeof value === "number" && Math.abs(value) <= 8.64e12 ? Math.floor(value) : undefined;
}

// The first of these traits that is a date, in Unix seconds.
export function firstDate(known, names) {
  for (const name of names) {
    const found = seconds(known[name]);
    if (found !== undefined) return found;
    if (known[name]) warn(name, "no date");
  }
  return undefined;
}

// Text such as "$1,234.50", or a number, as a number; cents shift the point in its digits, for 19.99 * 100 is not 1999.
export function amount(value, shift = 0) {
  const text = isText(value) ? value.trim().replace("$", "") : typeof value === "number" ? String(value) : "";
  return /^-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$/.test(text) ? +(text.replace(/,/g, "") + "e" + shift) : undefined;
}

const isDate = (value) =>
  value instanceof Date || (isText(value) && /^\d{4}-\d\d-\d\d([ T]|$)/i.test(value) && isFinite(fromIso(value)));

const dateKey = (key) => (/(_at|At)$/.test(key) ? key : key.replace(/ at$/, "") + "_at");

// The value as JSON holds it, dates inside of it named. Throws the remark on what cannot be sent; a cycle ends with the
// engine's own error.
function plain(value) {
  if (isDate(value)) return plain(seconds(value) ?? NaN);
  if (/^(f|sy|bi)/.test(typeof value) || (typeof value === "number" && !isFinite(value))) throw "unsendable";
  if (isArray(value)) return value.map((item) => plain(item ?? null));
  return isObject(value) ? fromEntries(named(entries(value)).map(([key, item]) => [key, plain(item)])) : value;
}

// The pairs under the keys they will have: a date's shows that it is one, and gives way to a trait of that name.
const named = (pairs) =>
  pairs
    .map(([name, value]) => [isDate(value) ? dateKey(name) : name, value, name])
    .filter(([key, value, name]) => value !== undefined && (key === name || !pairs.some(([other]) => other === key)));

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

// Pairs of names and values as custom attributes: plain values, then date keys, then the nested handling of each.
export function attributes(pairs) {
  const found = new Map();
  for (const [key, value, name] of named(pairs)) {
    try {
      const isLink = config.links.includes(name) && isObject(value) && Object.keys(value).sort() == "url,value";
      for (const [each, item, rank] of isLink ? [[key, value, 3]] : handle(key, plain(value)))
        if (!(found.get(each)?.[1] > rank)) found.set(each, [item, rank]);
    } catch (remark) {
      warn(name, remark);
    }
  }
  return [...found].map(([key, [value]]) => [key, value]);
}

// The id of a company that has only a name: 32 bits, over the UTF-16 units from the last to the first.
export function nameHash(name) {
  let hash = 5381;
  for (let place = name.length; place; ) hash = (hash * 33) ^ name.charCodeAt(--place);
  return hash >>> 0;
}
