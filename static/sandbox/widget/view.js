// The container in the page, the launcher and the panel in it, and what opens and closes them.
function createView({ send, shown, hidden }) {
  let opener = null;
  let selector = null;

  const panel = createPanel({ close: () => hide(), send });
  const launcher = element(
    "button",
    {
      class: "launcher",
      type: "button",
      "aria-label": "Open Intercom Messenger",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      click: () => toggle(launcher),
    },
    icon("chat"),
    icon("down"),
  );
  const badge = element("span", { class: "badge", "aria-hidden": "true", hidden: true });
  launcher.append(badge);
  let count = 0;
  const root = element(
    "div",
    { class: "root", keydown: (event) => event.key === "Escape" && !event.isComposing && hide() },
    panel.root,
    launcher,
  );
  const inner = element("div", { class: "intercom-lightweight-app" });
  const container = element("div", { id: "intercom-container" }, inner);
  const shadow = inner.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(root);
  // To the page a key typed in here would look like one typed outside any field: its shortcuts must not fire.
  for (const kind of ["keydown", "keyup", "keypress"])
    shadow.addEventListener(kind, (event) => event.stopPropagation());

  // A page that swaps its body, as Turbo does, takes the container along with the old one.
  const swaps = new MutationObserver(() => attach());

  function attach() {
    if (document.body && !document.body.contains(container)) document.body.append(container);
  }

  function mount() {
    attach();
    swaps.observe(document.documentElement, { childList: true });
    document.addEventListener("click", clicked, true);
  }

  function unmount() {
    hide();
    swaps.disconnect();
    document.removeEventListener("click", clicked, true);
    container.remove();
  }

  function clicked(event) {
    const found = selector && event.target instanceof Element && event.target.closest(selector);
    if (!found || found.contains(container)) return;
    if (found.tagName === "A") event.preventDefault();
    toggle(found);
  }

  function look(settings) {
    attach();
    applyLook(root, settings);
    launcher.hidden = settings.hide_default_launcher === true;
    selector = usable(settings.custom_launcher_selector);
  }

  function fill(answer) {
    const person = answer.person || {};
    container.dataset.booted = "true";
    container.dataset.role = person.role || "none";
    if (person.user_id) container.dataset.userId = person.user_id;
    else delete container.dataset.userId;
    root.hidden = !answer.launcher;
    if (answer.launcher) panel.fill(answer);
    else selector = null;
  }

  // What the launcher does now, and how much is unread.
  function label() {
    const does = panel.root.hidden ? "Open" : "Close";
    launcher.setAttribute("aria-label", `${does} Intercom Messenger${count ? `, ${count} unread` : ""}`);
    launcher.setAttribute("aria-expanded", String(!panel.root.hidden));
    badge.textContent = count > 99 ? "99+" : String(count);
    badge.hidden = !count || !panel.root.hidden;
  }

  function unread(number) {
    count = number;
    label();
  }

  function show(from) {
    if (root.hidden) return;
    if (panel.root.hidden) {
      opener = from || document.activeElement;
      panel.root.hidden = false;
      label();
      shown();
    }
    panel.focus();
  }

  function hide() {
    if (panel.root.hidden) return;
    panel.root.hidden = true;
    label();
    if (opener && opener.isConnected && opener.focus) opener.focus({ preventScroll: true });
    opener = null;
    hidden();
  }

  function toggle(from) {
    if (panel.root.hidden) show(from);
    else hide();
  }

  // The conversation that the person reads at this moment, or null.
  const inSight = () => (panel.root.hidden ? null : panel.current());

  return { panel, mount, unmount, look, fill, show, hide, unread, inSight };
}

function usable(selector) {
  if (selector === undefined || selector === null || selector === "") return null;
  try {
    document.querySelector(selector);
    return selector;
  } catch {
    console.warn("Intercom: custom_launcher_selector is no CSS selector that the browser understands");
    return null;
  }
}
