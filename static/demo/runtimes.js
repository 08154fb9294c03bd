/* Asks the browser runtime, in its frame, what it makes of calls, and compares it with what the server made of them. */

const PROOFS = ["user_hash", "intercom_user_jwt"];
const frame = document.getElementById("runtime");
const asked = new Map();
let last = 0;

const ready = new Promise((done) => {
  addEventListener("message", ({ data, source }) => {
    if (source !== frame.contentWindow) return;
    if (data.ready) return done();
    asked.get(data.n)?.(data.commands);
    return asked.delete(data.n);
  });
  frame.src = frame.dataset.src; // not before, or nobody would hear that it is ready
});

// Names in one order, without a proof that only one side can make.
function plain(value, without) {
  if (Array.isArray(value)) return value.map((item) => plain(item, without));
  if (!value || typeof value !== "object") return value;
  const names = Object.keys(value).filter((name) => !without.includes(name)).sort();
  return names.map((name) => [name, plain(value[name], without)]);
}

const settingsOf = (commands) => commands.map(([, settings]) => settings ?? {});

/** `{same, proof, commands}`: whether both sides agree, a proof apart; undefined when newer calls were typed meanwhile. */
export async function compare(commands, config, calls) {
  const n = ++last;
  await ready;
  if (n !== last) return undefined;
  const answer = new Promise((done) => asked.set(n, done));
  frame.contentWindow.postMessage({ n, calls, config }, "*");
  const found = await answer;
  if (n !== last) return undefined;
  const made = PROOFS.filter((name) => settingsOf(commands).some((one) => Object.hasOwn(one, name)));
  const own = made.filter((name) => !settingsOf(found).some((one) => Object.hasOwn(one, name)));
  const same = JSON.stringify(plain(commands, own)) === JSON.stringify(plain(found, own));
  return { same, proof: own.length > 0, commands: found };
}
