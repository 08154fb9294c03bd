// Which items are shown: those of the person who was chosen, of the kind, and with the words that are searched for.
import { searching } from "./items.js";
import { concerns, isRest } from "./words.js";

const KINDS = {
  page: (request) => !isRest(request),
  rest: isRest,
  refused: (request) => Boolean(request.refused),
};

const belongs = (person, company) =>
  person.app_id === company.app_id && person.companies.some((each) => each.company_id === company.company_id);

const has = (person, { model, app_id: appId, name }) =>
  model === "contact" && appId === person.app_id && Object.hasOwn(person.custom_attributes, name);

// By kind of record, whether one is of a person; of somebody who is no longer here nothing but his id is known.
const OF_PERSON = {
  requests: (request, person, id) => (person ? concerns(request, person) : request.person_id === id),
  people: ({ id: own }, _person, id) => own === id,
  companies: (company, person) => Boolean(person) && belongs(person, company),
  attributes: (attribute, person) => Boolean(person) && has(person, attribute),
  events: ({ person_id: whose }, _person, id) => whose === id,
  conversations: ({ person_id: whose }, _person, id) => whose === id,
};

// The test of one kind of items: `chosen` as the address says it, among these people.
export function testOf(name, { person: id, q, only }, people) {
  const person = people.find((each) => each.id === id);
  const found = searching(q);
  const kind = name === "requests" && KINDS[only];
  return (item) => (!kind || kind(item.value)) && (!id || OF_PERSON[name](item.value, person, id)) && found(item);
}
