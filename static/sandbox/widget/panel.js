// The panel: a header, and below it one of three views: a conversation, the list of them, or a page of content.
function createPanel({ close, send }) {
  let conversations = [];
  let current = null;
  let view = "conversation";

  const title = element("p", { class: "title", id: "title" });
  const greeting = element("p", { class: "greeting" });
  const back = element(
    "button",
    { class: "round back", type: "button", "aria-label": "All messages", click: () => list() },
    icon("back"),
  );
  const closing = element(
    "button",
    { class: "round", type: "button", "aria-label": "Close", click: () => close() },
    icon("close"),
  );
  const header = element("div", { class: "header" }, element("div", { class: "bar" }, back, title, closing), greeting);

  const log = element("div", { class: "log", role: "log", "aria-label": "Messages", tabindex: "0" });
  const status = element("p", { class: "status", role: "status" });
  const box = element("textarea", {
    id: "message",
    rows: "1",
    placeholder: "Write a message…",
    enterkeyhint: "send",
    keydown: (event) => typed(event),
    input: () => ready(),
  });
  const button = element("button", { class: "send", type: "submit", "aria-label": "Send" }, icon("send"));
  const form = element(
    "form",
    { submit: (event) => submit(event) },
    element("label", { for: "message", class: "unseen" }, "Message"),
    box,
    button,
  );
  const talk = element("section", { class: "talk", "aria-label": "Conversation" }, log, status, form);

  const entries = element("ul", { class: "entries" });
  const fresh = element("button", { class: "fresh", type: "button", click: () => compose("") }, "New conversation");
  const messages = element("section", { class: "messages", "aria-label": "All messages" }, entries, fresh);

  const contentTitle = element("h2", { class: "content-title" });
  const contentText = element("p", {});
  const content = element(
    "section",
    { class: "content", "aria-label": "Content" },
    icon("page"),
    contentTitle,
    contentText,
  );

  const root = element(
    "div",
    { class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: true },
    header,
    talk,
    messages,
    content,
  );

  function typed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  function ready() {
    button.disabled = !box.value.trim();
  }

  function tell(text, ...sign) {
    status.replaceChildren(...sign, text);
    status.classList.toggle("failed", sign.length > 0);
  }

  function submit(event) {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    ready();
    tell("Sending…");
    send(text, current).then(sent, (error) => {
      box.value = box.value || text;
      ready();
      const remedy = error.code === "unreachable" ? "Check your connection and press Send" : "Reload the page and try";
      tell(`Not sent. ${remedy} again.`, icon("alert"));
    });
  }

  function sent(conversation) {
    conversations = [...conversations.filter((each) => each.id !== conversation.id), conversation];
    current = conversation.id;
    tell("Sent");
    draw();
  }

  function bubble(part) {
    return element(
      "div",
      { class: `part ${part.author === "person" ? "own" : "other"}` },
      element("p", { class: "bubble" }, part.text),
      element("time", {}, timeOf(part.at)),
    );
  }

  function hint() {
    return element(
      "div",
      { class: "hint" },
      icon("chat"),
      element("p", {}, "Ask a question or leave some feedback."),
      element("p", { class: "small" }, "This is a sandbox: what you write stays in it."),
    );
  }

  function drawLog() {
    const conversation = conversations.find((each) => each.id === current);
    const parts = conversation ? conversation.parts : [];
    const shown = log.querySelectorAll(".part").length;
    // Whole redraws would make a screen reader read the whole log again.
    const grown = log.dataset.of === String(current) && shown > 0 && shown <= parts.length;
    if (grown) log.append(...parts.slice(shown).map(bubble));
    else log.replaceChildren(...(parts.length ? parts.map(bubble) : [hint()]));
    log.dataset.of = String(current);
    log.scrollTop = log.scrollHeight;
    return parts.length;
  }

  function entry(conversation) {
    const last = conversation.parts[conversation.parts.length - 1];
    return element(
      "li",
      {},
      element(
        "button",
        { class: conversation.unread ? "entry fresh-one" : "entry", type: "button", click: () => open(conversation.id) },
        element("span", { class: "excerpt" }, last.text),
        ...(conversation.unread ? [element("span", { class: "unseen" }, `${conversation.unread} unread`)] : []),
        element("time", {}, timeOf(last.at)),
      ),
    );
  }

  function draw() {
    const parts = drawLog();
    entries.replaceChildren(...conversations.slice().reverse().map(entry));
    if (!conversations.length) entries.append(element("li", { class: "none" }, "No conversations yet."));
    talk.hidden = view !== "conversation";
    messages.hidden = view !== "messages";
    content.hidden = view !== "content";
    back.hidden = view === "messages" || (view === "conversation" && !conversations.length);
    header.dataset.compact = String(view !== "conversation" || parts > 0);
    ready();
  }

  function list() {
    view = "messages";
    draw();
    focus();
  }

  function open(id) {
    current = id;
    view = "conversation";
    tell("");
    draw();
    focus();
  }

  function compose(text) {
    box.value = text;
    open(null);
  }

  function show(page) {
    view = "content";
    contentTitle.textContent = page.title;
    contentText.textContent = page.text;
    draw();
  }

  function focus() {
    if (root.hidden) return;
    // Where fingers type, the focus would bring up a keyboard over half of the panel.
    const types = view === "conversation" && !matchMedia("(pointer: coarse)").matches;
    (types ? box : root).focus({ preventScroll: true });
  }

  function fill(answer) {
    const person = answer.person || {};
    const [first] = String(person.name || "")
      .trim()
      .split(/\s+/);
    title.textContent = (answer.workspace || {}).name || "";
    greeting.textContent = first ? `Hi ${first}, how can we help?` : "Hi there, how can we help?";
    const known = conversations.length;
    conversations = answer.conversations || [];
    if (!known && conversations.length && current === null) current = conversations[conversations.length - 1].id;
    draw();
  }

  // What came since: nothing that is in sight changes but what was added.
  function update(newer) {
    const before = JSON.stringify(conversations);
    conversations = newer || conversations;
    if (JSON.stringify(conversations) === before) return;
    if (current === null && view === "conversation" && !box.value && conversations.length) current = conversations.at(-1).id;
    draw();
  }

  return {
    root,
    fill,
    update,
    current: () => (view === "conversation" ? current : null),
    list,
    open,
    compose,
    show,
    focus,
    knows: (id) => conversations.some((each) => each.id === String(id)),
  };
}
