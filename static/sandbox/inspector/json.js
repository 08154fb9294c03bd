import { element } from "./elements.js";

// A string with the colon of a name, another string, a number, or a word; everything else is punctuation.
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
const COLOURED = 60_000;

function kindOf([whole, text, colon]) {
  if (text) return colon ? "name" : "text";
  return /^[tfn]/.test(whole) ? "word" : "number";
}

// JSON as people read it: indented, with its syntax in colours. What is very long stays in one colour.
export function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const made = element("pre", "json");
  made.tabIndex = 0; // it may scroll
  if (text.length > COLOURED) {
    made.append(text);
    return made;
  }
  let end = 0;
  for (const token of text.matchAll(TOKEN)) {
    const what = token[1] ?? token[0];
    made.append(text.slice(end, token.index), element("span", kindOf(token), what));
    end = token.index + what.length;
  }
  made.append(text.slice(end));
  return made;
}
