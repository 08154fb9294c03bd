"""Every case of tests/cases in the browser: the runtime says to the Messenger what Python says it does."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request
from jinja2 import Environment
from playwright.sync_api import Page

from segment_intercom import Settings, assets, install
from tests.conftest import serving
from tests.messenger.test_messenger import CASES

SHELL = """<!doctype html><script>
window.commands = [];
window.Intercom = function () { commands.push(JSON.parse(JSON.stringify([].slice.call(arguments)))); };
</script>{{ analytics_snippet(None, page=False) }}"""
# A message as the call that a page makes: what Segment's libraries send, back in their arguments.
RUN = """messages => new Promise(done => {
  for (const m of messages) {
    const more = { ...m.context, context: m.context, integrations: m.integrations || (m.context || {}).integrations };
    if (m.type === "identify") analytics.identify(m.userId, m.traits || {}, more);
    if (m.type === "group") analytics.group(m.groupId, m.traits || {}, more);
    if (m.type === "track") analytics.track(m.event, m.properties || {}, more);
    if (m.type === "page") analytics.page(m.category, m.name, m.properties || {}, more);
    if (m.type === "alias") analytics.alias(m.userId, m.previousId, {}, more);
  }
  done(commands);
})"""


@pytest.fixture(scope="module")
def site() -> Any:
    """A page for each case's settings, with the built runtime."""
    app = Flask("cases", static_folder=str(assets.static("segment_intercom")), static_url_path="/static")

    @app.get("/")
    def page() -> str:
        environment = Environment(autoescape=True)
        chosen = CASES[int(request.args["case"])].values[0].get("settings", {})
        install(environment, Settings(app_id="abc12345", runtime_url="/static/analytics.min.js", **chosen))
        return environment.from_string(SHELL).render()

    with serving(app) as address:
        yield address


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.id for case in CASES])
def test_case(number: int, site: str, page: Page) -> None:
    case = CASES[number].values[0]
    page.goto(f"{site}/?case={number}")
    page.wait_for_function("analytics.initialized")
    assert page.evaluate(RUN, case["calls"]) == case["messenger"]
