"""How long is it from a navigation to an identified Messenger, against Intercom's plain snippet on the same page?

All pages talk to the sandbox, once as it is and once with every sub-resource further away: the widget, the runtime and
the Messenger's back end. The time is taken in the page, from its navigation's start to the moment when the Messenger's
container names the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from .measure import Ratio, Result, in_turn
from .pages import MESSENGER, PAGES, RUNTIME_IS_THERE, check_identity, chromium, served

BAR = 1.1
DELAY = 0.05
_WARM_UP = 4
_NAVIGATIONS = 60
_PEER = "plain"
# Runs in every page before its own scripts.
_CLOCK = """
window.identifiedBoot = new Promise((resolve, reject) => {
  const look = () => document.querySelector("#intercom-container[data-user-id]") && resolve(performance.now());
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["data-user-id"] });
  setTimeout(reject, 10000, new Error("no identified boot within 10 seconds"));
});
"""


def results() -> list[Result]:
    """Navigate to all pages in turn, near and far, in one browser, and compare round by round."""
    with served() as near, served(DELAY) as far, sync_playwright() as playwright, chromium(playwright) as browser:
        milliseconds = _navigate(browser, [near, far])
    delayed = f"navigation, {DELAY * 1000:.0f} ms a sub-resource"
    return [*_compare("navigation", milliseconds[near]), *_compare(delayed, milliseconds[far])]


def _compare(kind: str, milliseconds: Mapping[str, list[float]]) -> list[Result]:
    plain = milliseconds[_PEER]
    return [
        Result(f"{kind}, {name} / plain snippet", Ratio.of(ours, plain), BAR, f"{_middle(ours)} / {_middle(plain)}")
        for name, ours in milliseconds.items()
        if name != _PEER
    ]


def _middle(milliseconds: list[float]) -> str:
    return f"{median(milliseconds):.0f} ms"


def _navigate(browser: Browser, addresses: list[str]) -> dict[str, dict[str, list[float]]]:
    page = browser.new_page()
    page.add_init_script(_CLOCK)
    milliseconds: dict[str, dict[str, list[float]]] = {address: {name: [] for name in PAGES} for address in addresses}
    for number in range(_WARM_UP + _NAVIGATIONS):
        for address in addresses:
            for name in in_turn(list(PAGES), number):
                taken = _visit(page, f"{address}/{name}")
                if number >= _WARM_UP:
                    milliseconds[address][name].append(taken)
    return milliseconds


def _visit(page: Page, url: str) -> float:
    """Visit as somebody new; return the milliseconds to the identified boot, the first request checked."""
    page.context.clear_cookies()
    with page.expect_request(lambda request: MESSENGER in request.url) as first:
        page.goto(url)
    check_identity(first.value)
    taken = float(page.evaluate("window.identifiedBoot"))
    page.wait_for_function(RUNTIME_IS_THERE)  # what it keeps is written then
    page.evaluate("localStorage.clear()")
    return taken
