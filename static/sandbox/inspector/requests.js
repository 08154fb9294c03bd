import { badge, button, clock, element, labelled } from "./elements.js";
import { json } from "./json.js";
import { openingRow } from "./list.js";
import { isRest, refusal, requestName, subject, title } from "./words.js";

const AT_ONCE = 3;
const CHANGES = 4;

const statusKind = ({ status, refused }) => (status === 429 ? "warn" : refused || status >= 400 ? "bad" : "good");

function reason(request, by) {
  if (!request.refused) return null;
  const { message, remedy } = refusal(request);
  return element(
    "span",
    "reason",
    element("code", "", request.code),
    " ",
    message,
    by
      ? element("span", "remedy", `The sender mended it by itself: request ${by} succeeded.`)
      : remedy && element("span", "remedy", `Remedy: ${remedy}`),
  );
}

function left(each) {
  return element("span", "left-one", element("code", "", each.name), ` ${each.why}`);
}

function notSaved({ not_saved: all }) {
  if (!all.length) return null;
  const more = all.length - AT_ONCE;
  return element(
    "span",
    "left",
    element("span", "left-title", "Not saved"),
    ...all.slice(0, AT_ONCE).map(left),
    more > 0 ? element("span", "left-one", `and ${more} more`) : null,
  );
}

function changes({ changed }) {
  if (!changed?.length) return null;
  const more = changed.length - CHANGES;
  const names = changed.slice(0, CHANGES).join(", ");
  return element("span", "", `changed: ${names}${more > 0 ? ` and ${more} more` : ""}`);
}

function head(request, name, by) {
  const rest = isRest(request);
  return [
    element("span", rest ? "what path" : "what", title(request)),
    badge(String(request.status), `status ${statusKind(request)}`),
    element(
      "span",
      "meta",
      name ? element("span", "who", name) : null,
      subject(request) ? element("span", "subject", subject(request)) : null,
      element("span", "", rest ? `REST ${request.version}` : "Page"),
      rest ? element("span", "", `${request.milliseconds} ms`) : null,
      changes(request),
      request.fault ? badge(`fault: ${request.fault}`, "warn") : null,
      request.notes.length
        ? element("span", "", request.notes.length === 1 ? "1 note" : `${request.notes.length} notes`)
        : null,
    ),
    clock(request.at),
    reason(request, by),
    notSaved(request),
  ];
}

function origin(request) {
  const page = request.page || request.origin || "an unknown page";
  const from = isRest(request) ? `Intercom-Version ${request.version}` : `from ${page}`;
  const took = isRest(request) ? `${request.milliseconds} ms` : null;
  const fault = request.fault ? `injected fault: ${request.fault}` : null;
  const parts = [`#${request.n}`, request.app_id || "no workspace", request.region, from, took, fault];
  return element("p", "faint", parts.filter(Boolean).join(" · "));
}

function body(request, name, choose) {
  const sent = isRest(request) ? request.body : request.settings;
  const nothing = (text) => element("p", "faint", text);
  const chooser = request.person_id && name;
  return [
    origin(request),
    ...request.notes.map((note) => element("p", "note", note)),
    request.not_saved.length > AT_ONCE
      ? labelled(
          "Everything that was not saved",
          element(
            "ul",
            "left",
            request.not_saved.map((each) => element("li", "", left(each))),
          ),
        )
      : null,
    element(
      "div",
      "exchange",
      labelled("What was sent", sent === null || sent === undefined || sent === "" ? nothing("No body.") : json(sent)),
      isRest(request)
        ? labelled(
            `The answer, ${request.status}`,
            request.answer === null ? nothing("No body.") : json(request.answer),
          )
        : null,
    ),
    chooser ? button(`Show everything of ${name}`, "choose", () => choose(request.person_id)) : null,
  ];
}

// The rows of the requests: `names()` gives everybody's name now, `choose(id)` shows one person.
export function requestRows(names, choose, mended) {
  return openingRow({
    head: (request, row) => {
      row.classList.toggle("refused", Boolean(request.refused));
      row.classList.toggle("mended", Boolean(mended(request)));
      row.dataset.n = request.n;
      return head(request, requestName(request, names()), mended(request));
    },
    body: (request) => body(request, requestName(request, names()), choose),
  });
}
