/*
 * What Segment's calls say of a person, as the Messenger's settings with everything in line: segment_intercom/messenger/
 * in the page. `config.site` is what depends on the site alone, `config.reserved` the Messenger's own names: an attribute of
 * such a name would steer it.
 */
import { codeOf, money } from "./money.js";
import { attributes, config, firstDate, nameHash, split, warn } from "./traits.js";
import { entries, fromEntries, idOf as textOrNumber, isArray, isText, plainName, textOf, words } from "./words.js";


const present = (settings) => fromEntries(entries(settings).filter(([, value]) => value !== undefined));

const scalar = (value) => (typeof value === "object" ? undefined : value);

// Trimmed, for names and phones.
const idOf = (value) => textOf(textOrNumber(value));

// One company in the Messenger's form; undefined when it cannot be told which one is meant.
function companyOf(value) {
  const [known, custom] = split(isText(value) ? { name: value } : (value ?? {}), config.company, "");
  const name = idOf(known.name);
  const ids = [known.id, known.companyid];
  // One that cannot be read is another company's, whatever its name is.
  const id = idOf(ids[0]) ?? idOf(ids[1]) ?? (name && ids.every((value) => isText(value ?? "") && !textOf(value)) ? String(nameHash(name)) : undefined);
  if (!id) return void warn("company", "no id");
  const spend = money(known.monthlyspend).amount;
  const company = {
    company_id: id,
    name,
    created_at: firstDate(known, words("created createdat remotecreatedat")),
    monthly_spend: Math.abs(spend) >= 2 ** 31 ? warn("monthlySpend", "too large") : (spend ?? scalar(known.monthlyspend)),
    remove: known.remove === true || undefined,
  };
  for (const key of words("plan size website industry")) company[key] = scalar(known[key]);
  return { ...fromEntries(attributes(custom)), ...present(company) };
}

// `company`, the one that the person acts for, and `companies`, the others; of two with one id the first says more.
function companies({ group }, { company, companies: several, plan, monthlyspend, created, createdat }) {
  const read = (value) =>
    [value || []]
      .flat()
      .slice(0, 1e3)
      .map((item) => companyOf(isText(item) ? { name: item, plan, monthlyspend, created, createdat } : item))
      .filter(Boolean);
  const first = read(company);
  const current = (group.id || group.traits) && companyOf({ id: group.id, ...group.traits, ...(group.id && { id: group.id }) });
  const acting = current || (!isArray(company) && first[0]);
  const united = new Map();
  for (const company of [acting || [], first, read(several)].flat())
    united.set(company.company_id, { ...company, ...united.get(company.company_id) });
  const list = [...united.values()];
  return present({ company: acting ? list.shift() : undefined, companies: list[0] && list });
}

// What is known of a person, everything in line; of a visitor, without user id and e-mail, what the site asks for.
export function describe(person) {
  const { id, traits = {}, context, options } = person;
  const [known, custom] = split(traits, config.user, config.both);
  const first = textOf(known.firstname);
  const last = textOf(known.lastname);
  const avatar = textOf(known.avatar?.image_url ?? known.avatar);
  const email = textOf(known.email) ?? (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(id) ? id : undefined);
  const laid = (pairs) => fromEntries(attributes(pairs).filter(([name]) => !words(config.reserved).includes(name) || warn(name, "reserved")));
  if (!id && !email) return laid(entries(traits).filter(([name]) => config.visitor.includes(name) || warn(name, "of a visitor")));
  const collected = config.collect.map(([part, name]) => [part + "_" + name, context?.[part]?.[name] ?? undefined]);
  return {
    ...laid([...collected, ...custom]),
    ...present({
      user_id: id,
      email,
      name: textOf(known.name) ?? (first && last && first + " " + last),
      phone: idOf(known.phone) ?? idOf([known.phones].flat()[0]),
      created_at: firstDate(known, words("created createdat")),
      avatar: /^https?:\/\//i.test(avatar) ? { type: "avatar", image_url: avatar } : undefined,
      user_hash: textOf(options.userhash),
      intercom_user_jwt: textOf(options.intercomuserjwt),
    }),
    ...companies(person, known),
  };
}

// The metadata of an event as Intercom stores it: money in cents, flags as text, nothing empty, no more than it keeps.
export function metadataOf(event, properties) {
  const known = {};
  const rest = [];
  for (const pair of entries(properties)) {
    const plain = plainName(pair[0]);
    const isMoney = /^(revenue|currency)$/.test(plain);
    if (pair[1] == null || (isMoney && isText(pair[1]) && !pair[1].trim())) continue;
    if (isMoney && known[plain]) warn(plain, "repeated");
    known[plain] ??= pair;
    if (!isMoney) rest.push(pair);
  }
  const { revenue, currency, total } = known;
  const said = money(revenue?.[1]);
  const sum = !said.amount && /^(ordercompleted|completedorder)$/.test(plainName(event)) ? money(total?.[1]) : {};
  const read = sum.amount === undefined ? said : sum;
  const code = codeOf(textOf(currency?.[1]));
  const price = read.amount && read.cents !== undefined && (code || !currency) && [["price", { amount: read.cents, currency: code ?? read.currency }]];
  // What no price could be made of stays as it was said; what costs nothing has none.
  if (currency && !price && read.amount !== 0) rest.unshift(currency);
  if (revenue && (said.amount === undefined || (said.amount && !price))) rest.unshift(revenue) && warn(revenue[0], "no amount");
  const metadata = attributes(rest.map(([key, value]) => [key, typeof value === "boolean" ? String(value) : value]), true)
    .filter(([name, value]) => value !== null && !(price && name === "price"))
    .map(([name, value]) => [name, isText(value) ? [...value].slice(0, 255).join("") : value]);
  const room = config.limit - !!price;
  for (const [name] of metadata.slice(room)) warn(name, "too many");
  return fromEntries([...metadata.slice(0, room), ...(price || [])]);
}
