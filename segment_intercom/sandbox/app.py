"""The sandbox as a Flask app: the widget script, the Messenger's back end, and the inspector."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Flask, Response, abort, current_app, jsonify, render_template, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from .. import assets
from .refusal import RefusedError, malformed
from .store import Store
from .workspace import API_BASES, Workspace

# The parts of the widget, in the order in which they stand in the script: each uses only those before it.
WIDGET_PARTS = (
    "cookies.js",
    "backend.js",
    "throttle.js",
    "look.js",
    "elements.js",
    "pages.js",
    "panel.js",
    "view.js",
    "messenger.js",
)
_BODY_LIMIT = 1_000_000


class _InOrder(DefaultJSONProvider):
    """JSON with the names in the order in which they were sent."""

    sort_keys = False


def create_sandbox(*workspaces: Workspace) -> Flask:
    """A new sandbox with these workspaces, its store in ``app.extensions["sandbox"]``; it may be mounted anywhere."""
    app = Flask(
        "segment_intercom.sandbox",
        template_folder=str(assets.templates()),
        static_folder=str(assets.static("sandbox")),
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = _BODY_LIMIT
    app.json = _InOrder(app)
    app.extensions["sandbox"] = Store(workspaces)
    app.add_url_rule("/widget/<app_id>", view_func=widget)
    app.add_url_rule("/messenger/<region>/<door>", view_func=messenger, methods=["POST", "OPTIONS"])
    app.add_url_rule("/inspector", view_func=inspector)
    app.add_url_rule("/inspector/state.json", view_func=inspector_state)
    app.add_url_rule("/inspector/reset", view_func=inspector_reset, methods=["POST"])
    app.register_error_handler(RefusedError, _refuse)
    app.after_request(_open_to_every_page)
    return app


def widget(app_id: str) -> Response:
    """The widget script of a workspace; 404 when there is none with this app id, which the inspector then shows."""
    if not _store().admits_script(app_id, _origin()):
        return _script("// No workspace has this app id: the sandbox's inspector says more.\n", 404)
    parts = [assets.read(f"sandbox/widget/{name}") for name in WIDGET_PARTS]
    styles = f"const STYLES = {json.dumps(assets.read('sandbox/widget.css'))};"
    return _script("\n\n".join(["(function () {", '"use strict";', styles, *parts, "})();\n"]))


def messenger(region: str, door: str) -> Response:
    """One door of the Messenger's back end in one region: ping, events or messages."""
    if region not in API_BASES or door not in ("ping", "events", "messages"):
        abort(404)
    if request.method == "OPTIONS":
        return Response(status=204)
    return jsonify(_store().receive(door, region, _origin(), _body()))


def inspector() -> str:
    """The page that shows what was received, live."""
    return render_template("sandbox/inspector.html")


def inspector_state() -> Response:
    """What was received, as JSON; ``?after=n`` leaves out the requests up to number n."""
    answer = jsonify(_store().state(request.args.get("after", 0, type=int)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def inspector_reset() -> Response:
    """Forget everything but the workspaces."""
    _store().reset()
    return Response(status=204)


def _store() -> Store:
    store: Store = current_app.extensions["sandbox"]
    return store


def _script(text: str, status: int = 200) -> Response:
    # A script by its type even where it is not found: what is no script a browser may hide as a failed connection.
    return Response(text, status, {"Cache-Control": "no-store"}, "application/javascript")


def _origin() -> str | None:
    return request.headers.get("Origin") or request.headers.get("Referer")


def _body() -> dict[str, Any]:
    try:
        body = json.loads(request.get_data(), parse_constant=_no_number)
    except (ValueError, RecursionError, RequestEntityTooLarge):
        raise malformed("The body must be JSON of at most one megabyte.") from None
    if not isinstance(body, dict):
        raise malformed("The body must be a JSON object.")
    return body


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _refuse(refused: RefusedError) -> tuple[Response, int]:
    return jsonify(refused.as_json()), refused.status


def _open_to_every_page(response: Response) -> Response:
    if request.path.startswith(("/messenger/", "/widget/")):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
