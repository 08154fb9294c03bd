/*
 * Amounts of money, as segment_intercom/traits/money.py reads them: exact until they are rounded once, to whole cents.
 */
import { config } from "./traits.js";
import { isObject, textOf } from "./words.js";

// The code of a currency: three letters, or what a sign stands for.
export const codeOf = (unit) => (/^[a-z]{3}$/i.test(unit) ? unit : /^\W$/.test(unit) ? config.signs.split(unit)[1]?.slice(0, 3) : undefined);

// Half a cent goes up; undefined for what JavaScript cannot hold exactly.
const rounded = (cents) => (Math.abs(cents) < 2 ** 53 ? Math.sign(cents) * Math.round(Math.abs(cents)) : undefined);

// A number, or text that holds a plain one, as { amount, cents, currency }; there is no amount when it is neither.
export function money(value) {
  let unit = "usd";
  if (typeof value !== "number") {
    value = textOf(value) ?? "";
    value = value.replace(/^(-?)([a-z]{3}|[^\w\s.,-])\s*|\s*([a-z]{3}|[^\w\s.,-])$/i, (_, minus, left, right) => {
      unit = left ?? right;
      return minus ?? "";
    });
    value = /^-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$/.test(value) && !value[40] ? value.replace(/,/g, "") : NaN;
  }
  const currency = codeOf(unit)?.toUpperCase();
  // The point is shifted in the digits, for 19.99 * 100 is not 1999.
  return currency && isFinite(value) ? { amount: +value, cents: rounded(+(value + "e2") || value * 100), currency } : {};
}

// Intercom's own form, { amount: 1999, currency: "EUR" }; undefined when the value has another.
export function monetary(value) {
  if (!isObject(value) || Object.keys(value).sort() != "amount,currency") return undefined;
  const amount = rounded(money(value.amount).amount);
  const currency = codeOf(textOf(value.currency));
  return currency && amount !== undefined ? { amount, currency } : undefined;
}
