import { badge, button, clock, element, facts, fullTime, labelled } from "./elements.js";
import { openingRow } from "./list.js";
import { personName, sourceOf } from "./words.js";

const MEMBERS_NAMED = 20;

const members = (company, people) =>
  people.filter(
    (person) =>
      person.app_id === company.app_id && person.companies.some((each) => each.company_id === company.company_id),
  );

const inWords = (number) => (number === 1 ? "1 member" : `${number} members`);

// The rows of the companies; `people()` are those among whom members are looked for.
export function companyRows(people, choose) {
  function head(company) {
    const number = members(company, people()).length;
    return [
      element("span", "what", String(company.name || company.company_id)),
      badge(inWords(number)),
      element(
        "span",
        "meta",
        element("code", "", company.company_id),
        company.plan ? element("span", "", `${company.plan}`) : null,
      ),
    ];
  }

  function body(company) {
    const { app_id: _, custom_attributes: custom, name: __, ...own } = company;
    const found = members(company, people());
    const names = found
      .slice(0, MEMBERS_NAMED)
      .map((person) => button(personName(person), person.id, () => choose(person.id)));
    if (found.length > names.length) names.push(element("span", "faint", `and ${found.length - names.length} more`));
    return [
      facts(Object.entries(own)),
      labelled("Custom attributes", facts(Object.entries(custom))),
      names.length ? labelled("Members", element("p", "members", names)) : null,
    ];
  }

  return openingRow({ head, body });
}

// The rows of the table of custom attributes.
export function attributeRow(item) {
  const row = element("tr");
  function update({ value: { model, name, data_type: type, created_by: by, created_at: at } }) {
    const maker = element("td", "", sourceOf(by));
    maker.title = fullTime(at);
    const heading = element("th", "", element("code", "", name));
    heading.scope = "row";
    row.replaceChildren(heading, element("td", "", model), element("td", "", type), maker);
  }
  update(item);
  return { element: row, update };
}

// The conversations, each with everything that was written, and a line in which a teammate answers.
export function conversationRows(names, reply) {
  return (item) => {
    const head = element("div", "");
    const box = element("input", "");
    const send = element("button", "", "Reply");
    const form = element("form", "reply", box, send);
    const row = element("li", "row said-row", head, form);
    let id = "";
    box.type = "text";
    box.placeholder = "Answer as a teammate";
    box.autocomplete = "off";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = box.value.trim();
      if (!text) return;
      box.value = "";
      reply(id, text);
    });
    function update({ value }) {
      id = value.id;
      const name = names().get(value.person_id) || "Somebody";
      box.setAttribute("aria-label", `Answer ${name} as a teammate`);
      const said = value.parts.map((part) =>
        element(
          "li",
          part.author === "teammate" ? "teammate" : "",
          part.author === "teammate" ? badge("teammate", "good") : null,
          element("span", "said", part.text),
          clock(part.at),
        ),
      );
      const unread = value.unread ? badge(`${value.unread} unread`, "warn") : null;
      head.replaceChildren(element("p", "what", name, " ", unread), element("ul", "parts", said));
    }
    update(item);
    return { element: row, update };
  };
}
