"""What does ``analytics.track`` cost in a page, against telling the Messenger directly?

``window.Intercom`` is a function that does nothing, so what is left is ours: who it is, the mapping of the properties.
The time is taken in the page over many calls, for its clock is coarse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import median

from playwright.sync_api import Page, sync_playwright

from . import people
from .measure import Ratio, Result, in_turn
from .pages import RUNTIME_IS_THERE, chromium, served

_ROUNDS = 60
_MILLISECONDS_A_PIECE = 20
_PROPERTIES = {"plan": "enterprise", "seats": 42, "source": "pricing page", "score": 87.5, "city": "London"}
# Runs before the page's own scripts. The Messenger keeps the last call, lest the engine find that none need be made.
_SCRIPT = """
window.Intercom = (...given) => { window.heard = given; };
window.calls = {
  track: () => analytics.track("Event", PROPERTIES),
  direct: () => Intercom("trackEvent", "Event", PROPERTIES),
};
window.milliseconds = ([name, times]) => {
  const call = calls[name];
  const start = performance.now();
  for (let left = times; left; left--) call();
  return performance.now() - start;
};
""".replace("PROPERTIES", json.dumps(_PROPERTIES))
_NAMES = ("track", "direct")
_TRIAL = 2000


def results() -> list[Result]:
    """Track as the person whom the server rendered, then as one whom the page itself identified with all traits."""
    with served() as address, sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_page()
        page.add_init_script(_SCRIPT)
        page.goto(f"{address}/analytics_snippet")
        page.wait_for_function(RUNTIME_IS_THERE)
        rendered = _measure(page)
        page.evaluate("([id, traits]) => analytics.identify(id, traits)", [people.USER_ID, people.dict_user()])
        identified = _measure(page)
    return [_compare("a person of the page", rendered), _compare("after identify, 25 traits", identified)]


def _compare(kind: str, seconds: Mapping[str, list[float]]) -> Result:
    ours, direct = seconds["track"], seconds["direct"]
    context = f"{_microseconds(ours)} / {_microseconds(direct)}"
    return Result(f"track, {kind} / Intercom itself", Ratio.of(ours, direct), None, context)


def _microseconds(seconds: list[float]) -> str:
    """To the nanosecond: the direct call takes few of them."""
    return f"{median(seconds) * 1e6:.3f} us"


def _measure(page: Page) -> dict[str, list[float]]:
    """The seconds that one call took, round by round."""
    _check(page)
    times = {name: _times(page, name) for name in _NAMES}
    seconds: dict[str, list[float]] = {name: [] for name in _NAMES}
    for number in range(_ROUNDS):
        for name in in_turn(_NAMES, number):
            seconds[name].append(_milliseconds(page, name, times[name]) / times[name] / 1000)
    return seconds


def _times(page: Page, name: str) -> int:
    """How many calls fill a piece of a round; the trials also let the engine compile them."""
    times = _TRIAL
    while (taken := _milliseconds(page, name, times)) < _MILLISECONDS_A_PIECE / 4:
        times *= 4
    return max(1, int(times * _MILLISECONDS_A_PIECE / taken))


def _milliseconds(page: Page, name: str, times: int) -> float:
    return float(page.evaluate("(given) => milliseconds(given)", [name, times]))


def _check(page: Page) -> None:
    """A ratio of two things that do different work would mean nothing: the Messenger hears the same event."""
    for name in _NAMES:
        heard = page.evaluate("(name) => { window.heard = null; calls[name](); return heard; }", name)
        assert heard == ["trackEvent", "Event", _PROPERTIES], (name, heard)
