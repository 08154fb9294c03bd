/*
 * What Segment's calls say of a person, as the Messenger's settings with everything in line: segment_intercom/messenger/
 * in the page. `config.site` is what depends on the site alone, `config.reserved` the Messenger's own names: an attribute of
 * such a name would steer it.
 */
import { amount, attributes, config, entries, firstDate, fromEntries, isArray, isObject, isText, nameHash, plainName, split, textOf, warn, words } from "./traits.js";

const ALSO_CUSTOM = words("firstname lastname phones plan monthlyspend");
const USER = words("email name phone created createdat avatar company companies id").concat(ALSO_CUSTOM);
const CARRIED = words("plan size website industry");
const COMPANY = words("id companyid name created createdat remotecreatedat monthlyspend remove").concat(CARRIED);

const present = (settings) => fromEntries(entries(settings).filter(([, value]) => value !== undefined));

const scalar = (value) => (typeof value === "object" ? undefined : value);

// The text of a number as well, for ids and phones.
const idOf = (value) => (typeof value === "number" ? String(value) : textOf(value));

// One company in the Messenger's form; undefined when it cannot be told which one is meant.
function companyOf(value) {
  const [known, custom] = split(isText(value) ? { name: value } : (value ?? {}), COMPANY, []);
  const name = idOf(known.name);
  const id = idOf(known.id) ?? idOf(known.companyid) ?? (known.id == null && name ? String(nameHash(name)) : undefined);
  if (!id) return void warn("company", "no id");
  const company = {
    company_id: id,
    name,
    created_at: firstDate(known, words("created createdat remotecreatedat")),
    monthly_spend: amount(known.monthlyspend) ?? scalar(known.monthlyspend),
    remove: known.remove === true || undefined,
  };
  for (const key of CARRIED) company[key] = scalar(known[key]);
  return { ...fromEntries(attributes(custom)), ...present(company) };
}

// `company`, the one that the person acts for, and `companies`, the others.
function companies({ group }, { company, companies: several, plan, monthlyspend, created, createdat }) {
  const value = company || several;
  const list = [value || []]
    .flat()
    .map((each) => companyOf(isText(each) ? { name: each, plan, monthlyspend, created, createdat } : each))
    .filter(Boolean);
  const named = group.id && { id: group.id };
  const current = (group.id || group.traits) && companyOf({ ...named, ...group.traits, ...named });
  if (!current) return list.length ? (!company || isArray(company) ? { companies: list } : { company: list[0] }) : {};
  const isCurrent = (each) => each.company_id === current.company_id;
  const others = list.filter((each) => !isCurrent(each));
  return { company: { ...list.find(isCurrent), ...current }, ...(others.length && { companies: others }) };
}

// What is known of a person, everything in line; undefined for a visitor, somebody without user id and e-mail.
export function describe(person) {
  const { id, traits, context, options } = person;
  const [known, custom] = split(traits, USER, ALSO_CUSTOM);
  const first = textOf(known.firstname);
  const last = textOf(known.lastname);
  const avatar = textOf(known.avatar?.image_url ?? known.avatar);
  const email = textOf(known.email) ?? (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(id) ? id : undefined);
  if (!id && !email) return undefined;
  const collected = config.collect.map(([part, name]) => [part + "_" + name, context?.[part]?.[name] ?? undefined]);
  const laid = attributes(entries(fromEntries([...collected, ...custom]))).filter(
    ([name]) => !words(config.reserved).includes(name) || warn(name, "reserved"),
  );
  return {
    ...fromEntries(laid),
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
  const [{ revenue, currency, total }, rest] = split(properties, words("revenue currency total"), ["total"]);
  const isOrder = /^(ordercompleted|completedorder)$/.test(plainName(event));
  const cents = amount(isOrder && !amount(revenue) ? total : revenue, 2);
  const price = cents ? [["price", { amount: cents, currency: textOf(currency) ?? "USD" }]] : [];
  const texts = rest.map(([key, value]) => [key, typeof value === "boolean" ? String(value) : value]);
  const metadata = attributes(texts).filter(([, value]) => value !== null);
  const room = config.limit - price.length;
  for (const [name] of metadata.slice(room)) warn(name, "too many");
  return fromEntries([...metadata.slice(0, room), ...price]);
}
