// Gives each value a key and keeps its item while it does not change: the same item needs no new row.
export function itemsOf({ key, signature = JSON.stringify, text }) {
  let known = new Map();

  return (values) => {
    const next = new Map();
    for (const value of values) {
      let name = key(value);
      while (next.has(name)) name += "+";
      const mark = signature(value);
      const old = known.get(name);
      next.set(name, old?.mark === mark ? old : { key: name, mark, value, text });
    }
    known = next;
    return [...next.values()];
  };
}

// Everything that a value says, without the names of its first level, which all have.
export function textOf(value) {
  const parts = Object.values(value).map((each) => (each && typeof each === "object" ? JSON.stringify(each) : each));
  return parts.filter((each) => each !== null && each !== undefined).join("\n");
}

// A test of items: whether every word that is searched for stands somewhere in the item.
export function searching(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return () => true;
  return (item) => {
    item.found ??= (item.text ?? textOf)(item.value).toLowerCase();
    return words.every((word) => item.found.includes(word));
  };
}
