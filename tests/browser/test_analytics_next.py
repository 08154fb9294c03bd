"""Segment's own client for pages, unmodified, sends from one origin to a collector on another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, send_from_directory
from playwright.sync_api import Page

from segment_intercom import SegmentIntercom, collector_blueprint, user_hash
from segment_intercom.testing.sandbox import IntercomSandbox

BUNDLES = Path(__file__).parent.parent.parent / "node_modules/@segment/analytics-next/dist/umd"
KEY = "browser-key"
PAGE = """<!doctype html><title>Shop</title><link rel=icon href="data:,">
<script src="/segment/index.js"></script>
<script>
  const analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: "%s", cdnURL: "%s" });
  analytics.addSourceMiddleware(({ payload, next }) => {
    payload.obj.context = { ...payload.obj.context, Intercom: %s };
    next(payload);
  });
  analytics.page("Home");
</script>"""
pytestmark = pytest.mark.not_in("firefox", "webkit", reason="the client is Segment's; what it sends is the same")


class Place:
    """A page's site, and a collector on another origin that delivers to a sandbox."""

    def __init__(self, serve: Callable[[Any], str], sandbox: IntercomSandbox) -> None:
        assert BUNDLES.is_dir(), "node_modules is missing: make assets"
        self.sandbox = sandbox
        app = Flask("collector")
        app.config.update(sandbox.config, INTERCOM_BROWSER_WRITE_KEYS=[KEY])
        SegmentIntercom(app)
        app.register_blueprint(collector_blueprint(), url_prefix="/segment")
        self.ingest = app.extensions["segment_intercom"].ingest
        self.collector = serve(app) + "/segment"
        self.proof: dict[str, Any] = {}
        site = Flask("site")
        site.add_url_rule("/", view_func=lambda: Response(self._page(), mimetype="text/html"))
        site.add_url_rule(
            "/segment/<name>", "bundle", lambda name: send_from_directory(BUNDLES, name, mimetype="text/javascript")
        )
        self.site = serve(site)

    def _page(self) -> str:
        return PAGE % (KEY, self.collector, json.dumps(self.proof))

    def proof_of(self, text: str) -> str:
        """The proof of a user id or an e-mail."""
        return user_hash(self.sandbox.config["INTERCOM_IDENTITY_SECRET"], text)

    def people(self) -> list[dict[str, Any]]:
        """Whom Intercom knows once all is delivered."""
        assert self.ingest.flush(30) == 0
        return self.sandbox.people


@pytest.fixture
def place(serve: Callable[..., str], intercom_sandbox: IntercomSandbox) -> Iterator[Place]:
    place = Place(serve, intercom_sandbox)
    with closing(place.ingest):
        yield place


def say(page: Page, call: str, path: str) -> int:
    """Make a call in the page, and return the status of the collector's answer."""
    with page.expect_response(f"**/v1/{path}") as answer:
        page.evaluate(f"void analytics.{call}")
    return answer.value.status


def test_page_with_proof_is_accepted(place: Place, page: Page) -> None:
    """Calls of a user with a valid user_hash are delivered; an e-mail needs a proof of its own."""
    place.proof = {"user_hash": place.proof_of("ann")}
    with page.expect_response("**/v1/p") as seen:
        page.goto(place.site)
    assert seen.value.status == 200
    assert say(page, 'identify("ann", { plan: "pro", email: "ann@example.com" })', "i") == 200
    assert say(page, 'track("Baked", { loaves: 3 })', "t") == 200
    (ann,) = place.people()
    assert (ann["user_id"], ann["email"]) == ("ann", None)  # an e-mail needs a proof of its own
    (event,) = place.sandbox.events
    assert (event["event_name"], event["metadata"]) == ("Baked", {"loaves": 3})


def test_a_page_cannot_speak_for_another(place: Place, page: Page) -> None:
    place.proof = {"user_hash": place.proof_of("ann")}
    with page.expect_response("**/v1/p"):
        page.goto(place.site)
    assert say(page, 'identify("bob", { plan: "pro" })', "i") == 403
    assert say(page, 'track("Baked")', "t") == 403
    assert say(page, 'group("g1", { name: "Tea" })', "g") == 403
    assert place.people() == []
