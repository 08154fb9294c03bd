"""An application of somebody's in a browser: the extension, the plugin's sandbox, and a page that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, render_template_string

from segment_intercom import SegmentIntercom
from segment_intercom.testing.sandbox import IntercomSandbox

SHELL = """<!doctype html><html lang="en"><title>Shop</title><body style="height: 3000px"><h1>Shop</h1>
<button id="help" type="button">Help</button>
<script nonce="{{ csp_nonce }}">
  window.heard = [];
  window.thrown = [];
  addEventListener("error", function (event) { thrown.push(event.message); });
  addEventListener("unhandledrejection", function (event) { thrown.push(String(event.reason)); });
  ["ready", "load-failed"].forEach(function (name) {
    document.addEventListener("intercom:" + name, function () { heard.push(name); });
  });
</script>
%s</body></html>"""
USER = {"id": "user1234", "email": "teemo@segment.com", "name": "Teemo", "plan": "pro", "createdAt": 1458841605}
QUIET = "{{ analytics_snippet(None, page=False) }}"
# What a page does to run a snippet again, as Turbo and htmx do.
RERUN = """html => {
  const made = document.createRange().createContextualFragment(html);
  document.body.append(made);
}"""


class Shop:
    """A site with the extension; ``{sandbox}`` in its policy stands for the address of the sandbox."""

    def __init__(
        self, serve: Callable[[Any], str], sandbox: IntercomSandbox, template: str, policy: str | None, **config: Any
    ) -> None:
        self.sandbox = sandbox
        self.secret = sandbox.config["INTERCOM_IDENTITY_SECRET"]
        self.app = Flask("shop")
        self.app.config.update(sandbox.config, TESTING=True)
        self.app.config.update(config)
        self.intercom = SegmentIntercom(self.app)
        self.app.add_url_rule("/", "home", lambda: self.render(SHELL % template))
        if policy is not None:
            self.app.before_request(lambda: setattr(g, "csp_nonce", "r4nd0m"))
            self.restrict(policy.replace("{sandbox}", sandbox.address))
        self.address = serve(self.app)

    def render(self, template: str) -> str:
        """Render a template with the user and the nonce."""
        return render_template_string(template, user=USER, csp_nonce="r4nd0m")

    def rendered(self, template: str) -> str:
        """Render a template as a request would."""
        with self.app.test_request_context():
            return self.render(template)

    def restrict(self, policy: str) -> None:
        """Let this policy hold for all pages."""

        def add_policy(response: Response) -> Response:
            response.headers["Content-Security-Policy"] = policy
            return response

        self.app.after_request(add_policy)

    @property
    def pings(self) -> list[tuple[str, str | None]]:
        """The boots, updates and shutdowns that Intercom received, each with its user id."""
        kinds = ("boot", "update", "shutdown")
        requests = [request for request in self.sandbox.requests if request["kind"] in kinds]
        return [(request["kind"], request["settings"].get("user_id")) for request in requests]
