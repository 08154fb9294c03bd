/*
 * Reads calls that somebody typed, such as analytics.track("Baked", {loaves: 12}), without running them: the values are
 * JSON, or JavaScript's literals with unquoted names, single quotes, trailing commas, comments and new Date("...").
 */

const SPACE = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\p{L}\p{N}_$])/uy;
const PLAIN = { '"': /[^"\\\n]*/y, "'": /[^'\\\n]*/y, "`": /[^`\\$]*/y };
const WORDS = new Map([["true", true], ["false", false], ["null", null], ["undefined", undefined]]);
const ESCAPES = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", 0: "\0", "\n": "" };
const CODE = /u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})/y;
const DEEPEST = 60;

/** What is wrong with a typed text, and where: `line` and `column` count from 1. */
export class LiteralError extends Error {
  constructor(problem, text, offset) {
    const before = text.slice(0, offset).split("\n");
    const [line, column] = [before.length, before.at(-1).length + 1];
    super(`Line ${line}, column ${column}: ${problem}`);
    Object.assign(this, { problem, offset, line, column });
  }
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
    this.space();
  }

  fail(problem, at = this.at) {
    throw new LiteralError(problem, this.text, at);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  space() {
    this.match(SPACE);
    if (this.text.startsWith("/*", this.at)) this.fail("this comment has no end");
  }

  get next() {
    return this.text[this.at];
  }

  get atEnd() {
    return this.at >= this.text.length;
  }

  // Takes this character where it is next.
  take(character) {
    if (this.next !== character) return false;
    this.at += 1;
    this.space();
    return true;
  }

  expect(character, where) {
    if (!this.take(character)) this.fail(`expected ${character} ${where}, found ${this.found()}`);
  }

  found() {
    return this.atEnd ? "the end" : JSON.stringify(String.fromCodePoint(this.text.codePointAt(this.at)));
  }

  name(what) {
    const [word] = this.match(NAME) ?? this.fail(`expected ${what}, found ${this.found()}`);
    this.space();
    return word;
  }

  string() {
    const start = this.at;
    const quote = this.text[this.at++];
    let read = "";
    for (;;) {
      read += this.match(PLAIN[quote])[0];
      if (this.next === quote) break;
      if (this.next === "\\") read += this.escape();
      else if (this.next === "$" && this.text[this.at + 1] !== "{") read += this.text[this.at++];
      else if (this.next === "$") this.fail("${…} would have to be run: type its value");
      else this.fail("this text has no closing quote", start);
    }
    this.at += 1;
    this.space();
    return read;
  }

  escape() {
    this.at += 1;
    const code = this.match(CODE);
    if (code) {
      const point = parseInt(code[1] ?? code[2] ?? code[3], 16);
      return point > 0x10ffff ? this.fail("there is no such character") : String.fromCodePoint(point);
    }
    if (this.next === "u" || this.next === "x") this.fail(`\\${this.next} wants hexadecimal digits`);
    if (this.atEnd) return "";
    const character = String.fromCodePoint(this.text.codePointAt(this.at));
    this.at += character.length;
    return ESCAPES[character] ?? character;
  }

  value() {
    if (this.atEnd) this.fail("expected a value, found the end");
    if (this.next in PLAIN) return this.string();
    if (this.next === "{") return this.nested(() => this.object());
    if (this.next === "[") return this.nested(() => this.list("]", "in a list"));
    const number = this.match(NUMBER);
    if (number) {
      this.space();
      return numberOf(number[0]);
    }
    return this.word();
  }

  nested(read) {
    if (++this.depth > DEEPEST) this.fail(`nested more than ${DEEPEST} deep`);
    const value = read();
    this.depth -= 1;
    return value;
  }

  word() {
    const start = this.at;
    const word = this.name("a value");
    if (WORDS.has(word)) return WORDS.get(word);
    if (word === "new" && this.name("Date") === "Date") return this.date(start);
    if (word === "function" || this.text.startsWith("=>", this.at)) this.fail("a function cannot be typed here", start);
    return this.fail(`${word} is no value: put text in quotes`, start);
  }

  date(start) {
    const given = this.next === "(" ? this.list(")", "in new Date(…)") : [];
    const date = new Date(...given);
    return Number.isNaN(date.getTime()) ? this.fail("this is no date", start) : date;
  }

  // From the opening bracket to the closing one.
  list(end, where) {
    const items = [];
    this.at += 1;
    this.space();
    while (!this.take(end)) {
      items.push(this.value());
      if (this.next !== end) this.expect(",", `or ${end} ${where}`);
    }
    return items;
  }

  object() {
    const pairs = [];
    this.at += 1;
    this.space();
    while (!this.take("}")) {
      const key = this.next in PLAIN ? this.string() : (this.match(NUMBER)?.[0] ?? this.name("a name or }"));
      this.space();
      this.expect(":", `after ${JSON.stringify(key)}`);
      pairs.push([key, this.value()]);
      if (this.next !== "}") this.expect(",", "or } in an object");
    }
    return Object.fromEntries(pairs); // so that `__proto__` is a name like any other
  }

  // object.method(…).method(…): the name of the object, and its methods with what each was given.
  call() {
    const start = this.at;
    const object = this.name("a call");
    const steps = [];
    if (this.next === "(") steps.push({ method: undefined, given: this.list(")", "in the call") });
    while (this.take(".")) {
      const method = this.name("the name of a method");
      if (this.next !== "(") this.fail(`expected ( after ${method}, found ${this.found()}`);
      steps.push({ method, given: this.list(")", "in the call") });
    }
    if (!steps.length) this.fail("type a call such as analytics.identify(…)", start);
    return { object, steps, start };
  }
}

function numberOf(text) {
  const digits = text.replaceAll("_", "");
  return /^[+-]/.test(digits) ? Number(digits.slice(1)) * (digits[0] === "-" ? -1 : 1) : Number(digits);
}

/** The one value of a text. */
export function parseValue(text) {
  const reader = new Reader(text);
  const value = reader.value();
  if (!reader.atEnd) reader.fail(`expected the end, found ${reader.found()}`);
  return value;
}

/** The calls of a text, in their order: `[{object, steps: [{method, given}], start}]`. */
export function parseCalls(text) {
  const reader = new Reader(text);
  const calls = [];
  while (!reader.atEnd) {
    if (reader.take(";")) continue;
    calls.push(reader.call());
  }
  return calls.length ? calls : reader.fail("type a call such as analytics.identify(…)");
}
