/*
 * What every part of the runtime asks of a name or a value.
 */
export const words = (text) => text.split(" ");

// A name without case and punctuation: first_name, First Name and firstName are one trait.
export const plainName = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

export const isArray = Array.isArray;

export const isText = (value) => typeof value === "string";

export const textOf = (value) => (isText(value) && value.trim()) || undefined;

// An id or a phone: text, or a number as text.
export const idOf = (value) => (Number.isFinite(value) ? String(value) : textOf(value) && value);

export { isObject } from "./values.js";

// Object.entries and fromEntries throughout: `__proto__` is a name like any other.
export const { entries, fromEntries, keys } = Object;
