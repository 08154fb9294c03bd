// The inspector: asks for the state while the page is visible, and draws what has changed.
(function () {
  "use strict";

  const EVERY = 1000;
  const { state: stateUrl, reset: resetUrl } = document.body.dataset;
  const live = document.getElementById("live");
  const drawn = new Map();
  let requests = [];
  let last = 0;
  let timer;

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const isDate = (name, value) => /(_at|_seen)$/.test(name) && Number.isFinite(value);

  function facts(pairs) {
    const list = element("dl", "facts");
    for (const [name, value] of pairs) {
      if (value === null || value === undefined || value === "") continue;
      const detail = element(
        "dd",
        "",
        isDate(name, value) ? `${new Date(value * 1000).toLocaleString()} (${value})` : shown(value),
      );
      list.append(element("dt", "", name), detail);
    }
    return list.children.length ? list : null;
  }

  function card(title, badges, ...content) {
    const head = element("div", "head", element("strong", "name", title), ...badges);
    return element("li", "card", head, ...content);
  }

  const badge = (text, kind) => element("span", `badge ${kind || ""}`, text);

  function personName(id, people) {
    const person = people.find((each) => each.id === id);
    return person ? person.name || person.email || person.user_id || "Visitor" : "Somebody";
  }

  // A boot says itself who it is of, even one that was refused; everything else is of the person in session.
  function requestName({ kind, app_id: appId, person_id: id, settings }, people) {
    if (kind === "widget") return appId;
    const boots = kind === "boot" || kind === "update";
    const said = boots && (settings.name || settings.email || (!id && settings.user_id));
    return String(said || (boots && !id ? "Visitor" : personName(id, people)));
  }

  function drawRequest(request, people) {
    const { not_saved: left, notes } = request;
    const who = element("span", "faint", requestName(request, people));
    const status = badge(String(request.status), request.refused ? "bad" : "good");
    const made = card(request.kind, [status, who, element("time", "faint", clock(request.at))].filter(Boolean));
    made.classList.toggle("refused", Boolean(request.refused));
    if (request.refused) made.append(element("p", "reason", element("code", "", request.code), " ", request.refused));
    if (left.length) {
      const list = element(
        "ul",
        "left",
        ...left.map((each) => element("li", "", element("code", "", each.name), ` ${each.why}`)),
      );
      made.append(element("p", "left-title", "Not saved"), list);
    }
    for (const note of notes) made.append(element("p", "note", note));
    const sent = element(
      "details",
      "",
      element("summary", "", "What was sent"),
      element("pre", "", JSON.stringify(request.settings, null, 2)),
    );
    sent.append(
      element(
        "p",
        "faint",
        [`#${request.n}`, request.app_id, request.region, `from ${request.origin || "an unknown page"}`]
          .filter(Boolean)
          .join(" · "),
      ),
    );
    made.append(sent);
    return made;
  }

  function drawPerson(person) {
    const {
      id,
      app_id,
      role,
      name,
      custom_attributes: custom,
      companies,
      page,
      visitor_id,
      first_seen,
      last_seen,
      ...rest
    } = person;
    const title = name || person.email || person.user_id || "Visitor";
    const firms = companies.map((company) => company.name || company.company_id).join(", ");
    const inner = facts(Object.entries(custom));
    return card(
      title,
      [badge(role, role === "user" ? "good" : "")],
      facts([
        ...Object.entries(rest),
        ["companies", firms],
        ...Object.entries({ visitor_id, first_seen, last_seen }),
        ["page", page.url],
      ]),
      inner && element("p", "label", "Custom attributes"),
      inner,
    );
  }

  function drawCompany(company) {
    const { id, app_id, name, custom_attributes: custom, ...rest } = company;
    return card(name || company.company_id, [], facts([...Object.entries(rest), ...Object.entries(custom)]));
  }

  function drawEvent(event, people) {
    const who = element("span", "faint", personName(event.person_id, people));
    return card(
      event.event_name,
      [who, element("time", "faint", clock(event.at))],
      facts(Object.entries(event.metadata)),
    );
  }

  function drawConversation(conversation, people) {
    const parts = conversation.parts.map((part) =>
      element("li", "", element("span", "said", part.text), element("time", "faint", clock(part.at))),
    );
    return card(personName(conversation.person_id, people), [], element("ul", "parts", ...parts));
  }

  function drawWorkspace(workspace) {
    const switches = [
      badge(workspace.region),
      badge(workspace.enforced ? "verification on" : "verification off", workspace.enforced ? "good" : ""),
      badge(workspace.visitors ? "visitors on" : "visitors off"),
      ...workspace.trusted_domains.map((domain) => badge(domain)),
    ];
    return element("li", "", element("strong", "", workspace.name), element("code", "", workspace.app_id), ...switches);
  }

  // Drawn again only when changed, so that what is open stays open and a selection stays selected.
  function draw(name, items, make) {
    const text = JSON.stringify(items);
    if (drawn.get(name) === text) return;
    drawn.set(name, text);
    document.getElementById(name).replaceChildren(...items.map(make));
    count(name, items.length);
  }

  function count(name, number) {
    for (const counter of document.querySelectorAll(`[data-count="${name}"]`)) counter.textContent = String(number);
  }

  function drawRequests(state) {
    const list = document.getElementById("requests");
    requests = requests.filter((each) => each.n >= state.first || each.element.remove());
    for (const request of state.requests) {
      const made = drawRequest(request, state.people);
      list.prepend(made);
      requests.push({ n: request.n, element: made });
      last = request.n;
    }
    count("requests", requests.length);
  }

  function show(state) {
    const newest = (items) => items.slice().reverse();
    const { people } = state;
    drawRequests(state);
    draw("workspaces", state.workspaces, drawWorkspace);
    draw("people", newest(people), drawPerson);
    draw("companies", newest(state.companies), drawCompany);
    draw("events", newest(state.events), (event) => drawEvent(event, people));
    draw("conversations", newest(state.conversations), (conversation) => drawConversation(conversation, people));
  }

  function say(text, connected) {
    if (live.textContent !== text) live.textContent = text;
    live.classList.toggle("on", connected);
  }

  async function look() {
    clearTimeout(timer);
    try {
      const answer = await fetch(`${stateUrl}?after=${last}`);
      show(await answer.json());
      say("Live", true);
    } catch {
      say("Not connected", false);
    }
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, EVERY);
  }

  document.addEventListener("visibilitychange", () => !document.hidden && look());
  document.getElementById("reset").addEventListener("click", async () => {
    await fetch(resetUrl, { method: "POST" });
    look();
  });
  look();
})();
