import { badge, button, clock, element, facts, labelled } from "./elements.js";
import { openingRow } from "./list.js";
import { personName, sourceOf } from "./words.js";

const FIRST = ["external_id", "email", "phone", "signed_up_at"];
// Shown elsewhere in the row, or the same as another under the name that pages use.
const ELSEWHERE = [
  "app_id",
  "role",
  "name",
  "custom_attributes",
  "companies",
  "tags",
  "workspace",
  "page",
  "source",
  "archived",
  "user_id",
  "created_at",
];
const LAST = ["visitor_id", "first_seen", "last_seen"];

const firms = (person) => person.companies.map((company) => company.name || company.company_id).join(", ");

function head(person) {
  const many = person.companies.length;
  return [
    element("span", "what", personName(person)),
    element(
      "span",
      "badges",
      badge(person.role, person.role === "user" ? "good" : ""),
      person.archived ? badge("archived", "warn") : null,
    ),
    element(
      "span",
      "meta",
      person.email && person.email !== personName(person) ? element("span", "", person.email) : null,
      person.external_id ? element("code", "", person.external_id) : null,
      many ? element("span", "", many === 1 ? firms(person) : `${many} companies`) : null,
      element("span", "", sourceOf(person.source)),
      person.workspace ? element("span", "", person.workspace) : null,
    ),
    clock(person.last_seen),
  ];
}

function body(person) {
  const rest = Object.keys(person).filter((name) => ![...FIRST, ...ELSEWHERE, ...LAST, "id"].includes(name));
  const own = facts([
    ["id", person.id],
    ...[...FIRST, ...rest].map((name) => [name, person[name]]),
    ["companies", firms(person)],
    ["tags", person.tags.join(", ")],
    ["source", sourceOf(person.source)],
    ...LAST.map((name) => [name, person[name]]),
    ["page", person.page.url],
  ]);
  return [own, labelled("Custom attributes", facts(Object.entries(person.custom_attributes)))];
}

// The rows of the people; the button beside each shows him alone.
export function personRows(choose) {
  const beside = (person) => {
    const made = button(`Only ${personName(person).split(" ")[0]}`, "only", () => choose(person.id));
    made.classList.add("beside");
    return made;
  };
  const make = openingRow({
    head: (person, row) => {
      row.dataset.person = person.id;
      row.querySelector(".beside")?.setAttribute("aria-label", `Show only ${personName(person)}`);
      return head(person);
    },
    body,
    beside,
  });
  return (item) => {
    const row = make(item);
    row.update(item); // names the button, which stands only now
    return row;
  };
}
