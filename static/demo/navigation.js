/*
 * Single-page navigation, where it is chosen: the site's own links change the content in place. Then the page tells the
 * Messenger that it is another one, and an open conversation stays open. Whatever goes wrong, a link is a link.
 */
const pages = new Set(document.body.dataset.paths.split(" "));
const main = document.getElementById("content");
const news = document.getElementById("page-news");
let shown = location.pathname;
let coming;

function isOurs(link, event) {
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const here = !link.target && !link.hasAttribute("download");
  return plain && here && link.origin === location.origin && pages.has(link.pathname) && !link.hash;
}

async function fetched(address, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok || response.redirected) throw new Error("no page of the site");
  const found = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!found.getElementById("content")) throw new Error("no page of the site");
  return found;
}

// What is outside of the content but names the page.
function mark(found) {
  const name = found.body.dataset.page;
  document.title = found.title;
  document.body.dataset.page = name;
  for (const field of document.querySelectorAll('input[name="page"]')) field.value = name;
  for (const link of document.querySelectorAll(".header a[data-page]")) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function swap(found) {
  main.replaceChildren(...found.getElementById("content").childNodes);
  mark(found);
  const heading = main.querySelector("h1") ?? main;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  news.textContent = document.title;
}

function tellIntercom() {
  if (window.analytics) window.analytics.page();
  else window.Intercom?.("update");
}

async function show(address, top) {
  coming?.abort();
  coming = new AbortController();
  const { signal } = coming;
  try {
    const found = await fetched(address, signal);
    if (signal.aborted) return;
    if (top === undefined) history.pushState({}, "", address);
    shown = location.pathname;
    swap(found);
    scrollTo({ top: top ?? 0, behavior: "instant" });
    tellIntercom();
  } catch {
    if (signal.aborted) return;
    if (top === undefined) location.assign(address);
    else location.reload();
  }
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || !isOurs(link, event)) return;
  event.preventDefault();
  history.replaceState({ top: scrollY }, "");
  if (link.pathname !== shown) show(link.href);
  else scrollTo({ top: 0 });
}

if (document.body.dataset.links === "place") {
  history.scrollRestoration = "manual";
  document.addEventListener("click", follow);
  // A link to a part of the page comes here as well: the page is the same then.
  addEventListener("popstate", ({ state }) => location.pathname !== shown && show(location.href, state?.top ?? 0));
}
