/*
 * A page's values as JSON or Python would have them.
 */
export const isObject = (value) => !!value && typeof value === "object" && !Array.isArray(value);

const DEEPEST = 32;

// A copy of what a page hands in: Dates stay Dates, whatever has no form in JSON is left out, and `warn` hears its name.
export function copy(value, warn, name = "", depth = 0) {
  const deeper = (item, key) => copy(item, warn, key, depth + 1);
  try {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind === "Date") return new Date(+value);
    if (/^(Number|String|Boolean)$/.test(kind)) return value.valueOf();
    if (value == null) return value;
    if (depth < DEEPEST) {
      if (typeof value.toJSON === "function") return deeper(value.toJSON(), name);
      if (kind === "Array" || kind === "Set") return Array.from(value, (item) => deeper(item, name)).map((item) => (item === undefined ? null : item));
      if (kind === "Map" || kind === "Object") return fields(kind === "Map" ? Array.from(value) : Object.keys(value), value, deeper, warn);
    }
  } catch (error) {
    // it answers for nothing
  }
  return warn(name);
}

function fields(keys, value, deeper, warn) {
  const copied = {};
  keys.forEach((key) => {
    const name = String(Array.isArray(key) ? key[0] : key);
    try {
      const item = deeper(Array.isArray(key) ? key[1] : value[key], name);
      // `__proto__` is a name like any other.
      if (item !== undefined) Object.defineProperty(copied, name, { value: item, configurable: true, enumerable: true, writable: true });
    } catch (error) {
      warn(name);
    }
  });
  return copied;
}
