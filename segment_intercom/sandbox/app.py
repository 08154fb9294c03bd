"""The sandbox as a Flask app: the widget script, the Messenger's back end, and the inspector."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

from flask import Flask, Response, abort, current_app, jsonify, render_template, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from .. import assets
from . import faults, rest
from .hosts import is_same_origin, only_own
from .jsonbody import loads
from .messenger_endpoints import ENDPOINTS
from .people import now
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
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_BOTH_WAYS = 2  # SHUT_RDWR of every system's sockets


class _InOrder(DefaultJSONProvider):
    """JSON with the names in the order in which they were sent."""

    sort_keys = False


def create_sandbox(
    *workspaces: Workspace, clock: Callable[[], float] = now, hosts: Collection[str] = (), home: str | None = None
) -> Flask:
    """A new sandbox with these workspaces, its store in ``app.extensions["sandbox"]``; it may be mounted anywhere.

    The REST API is at its root. ``clock`` gives the time in Unix seconds. Served by itself it answers to the loopback's
    names and to ``hosts``. ``home`` is the address of the site beside it, to which the inspector leads back.
    """
    app = Flask(
        "segment_intercom.sandbox",
        template_folder=str(assets.templates()),
        static_folder=str(assets.static("sandbox")),
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = _BODY_LIMIT
    app.json = _InOrder(app)
    app.extensions["sandbox"] = Store(workspaces, clock)
    app.config["HOME"] = home
    app.add_url_rule("/widget/<app_id>", view_func=widget)
    app.add_url_rule("/messenger/<region>/<endpoint>", view_func=messenger, methods=["POST", "OPTIONS"])
    app.add_url_rule("/inspector", view_func=inspector)
    app.add_url_rule("/inspector/state.json", view_func=inspector_state)
    app.add_url_rule("/inspector/reset", view_func=inspector_reset, methods=["POST"])
    app.add_url_rule("/inspector/reply", view_func=inspector_reply, methods=["POST"])
    app.add_url_rule("/inspector/faults", view_func=inspector_faults, methods=["POST"])
    # An id may hold slashes, two in a row as well.
    app.url_map.merge_slashes = False
    app.add_url_rule("/<path:path>", view_func=rest_api, methods=_METHODS)
    app.register_error_handler(RefusedError, _refuse)
    app.before_request(_refuse_other_sites)
    app.after_request(_open_to_every_page)
    app.wsgi_app = only_own(app.wsgi_app, hosts)  # type: ignore[method-assign]
    return app


def widget(app_id: str) -> Response:
    """The widget script of a workspace; 404 when there is none with this app id, which the inspector then shows."""
    if not _store().admits_script(app_id, _origin()):
        if re.fullmatch(r"\w{1,40}", app_id):
            own = ", ".join(_store().workspaces)
            current_app.logger.warning(
                "a page asks for the workspace %s, this sandbox has %s: see --app-id", app_id, own
            )
        return _script("// No workspace has this app id: the sandbox's inspector says more.\n", 404)
    parts = [assets.read(f"sandbox/widget/{name}") for name in WIDGET_PARTS]
    styles = f"const STYLES = {json.dumps(assets.read('sandbox/widget.css'))};"
    return _script("\n\n".join(["(function () {", '"use strict";', styles, *parts, "})();\n"]))


def messenger(region: str, endpoint: str) -> Response:
    """One endpoint of the Messenger's back end in one region: ping, events, messages or looks."""
    if region not in API_BASES or endpoint not in ENDPOINTS:
        abort(404)
    if request.method == "OPTIONS":
        return Response(status=204)
    return jsonify(_store().receive(endpoint, region, _origin(), _body()))


def inspector() -> str:
    """The page that shows what was received, live."""
    return render_template("sandbox/inspector.html", home=current_app.config["HOME"])


def inspector_state() -> Response:
    """What was received, as JSON; ``?after=n`` leaves out the requests up to number n."""
    answer = jsonify(_store().state(request.args.get("after", 0, type=int)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def inspector_reset() -> Response:
    """Forget everything but the workspaces."""
    _store().reset()
    return Response(status=204)


def inspector_reply() -> Response:
    """Let a teammate write in a conversation: {"conversation_id", "text"}."""
    body = _body()
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise malformed("text must be text that is not empty.", "text")
    if not _store().reply(text, conversation_id=str(body.get("conversation_id"))):
        raise malformed("There is no such conversation.", "conversation_id")
    return Response(status=204)


def inspector_faults() -> Response:
    """Replace the faults of a workspace, the first where the body names none: {"app_id", "faults": [...]}."""
    body, workspaces = _body(), _store().workspaces
    app_id = str(body.get("app_id") or next(iter(workspaces), ""))
    if app_id not in workspaces:
        raise malformed("No workspace has this app id.", "app_id")
    workspaces[app_id].faults = faults.read(body.get("faults"))
    return jsonify([fault.as_json() for fault in workspaces[app_id].faults])


def rest_api(path: str) -> Response:
    """Intercom's REST API: every path that begins as one of its own, and any other that brings a token."""
    if path.partition("/")[0] not in rest.RESOURCES and "Authorization" not in request.headers:
        abort(404)
    answer = rest.answer(_store(), _asked())
    if answer.drop:
        return _dropped(Response("", answer.status, answer.headers))
    text = "" if answer.body is None else json.dumps(answer.body)
    response = Response(text, answer.status, answer.headers, "application/json; charset=utf-8")
    if answer.body is None:
        del response.headers["Content-Type"]
    if "werkzeug.socket" in request.environ:  # whose server writes a Date of its own
        del response.headers["Date"]
    return response


def _asked() -> rest.Asked:
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body = None
    target = _target()
    return rest.Asked(
        method=request.method,
        parts=tuple(unquote(part) for part in target.partition("?")[0].removeprefix("/").split("/")),
        target=target,
        query=request.args.to_dict(),
        authorization=request.headers.get("Authorization", ""),
        version=request.headers.get("Intercom-Version"),
        content_type=request.mimetype,
        body=body,
    )


def _target() -> str:
    """The path and query as they were sent, without the prefix under which the sandbox is mounted."""
    sent = request.environ.get("REQUEST_URI")  # what of an id is quoted, only this tells
    if sent is None:
        query = request.query_string.decode("latin-1")
        return quote(request.path) + (f"?{query}" if query else "")
    return str(sent).removeprefix(request.environ.get("SCRIPT_NAME", ""))


def _dropped(response: Response) -> Response:
    """Break the connection where the server lets us; elsewhere the empty answer goes out."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):  # the client was faster
            connection.shutdown(_BOTH_WAYS)
    return response


def _refuse_other_sites() -> None:
    """What the inspector's buttons change, no page of another site may; the Messenger is there for all pages."""
    changes = request.method == "POST" and request.path.startswith("/inspector/")
    if changes and not is_same_origin(request.headers, request.host_url.rstrip("/")):
        raise RefusedError("forbidden", "Only the inspector's own page may do this.", "Origin")


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
        body = loads(request.get_data())
    except (ValueError, RequestEntityTooLarge):
        raise malformed("The body must be JSON of at most one megabyte.") from None
    if not isinstance(body, dict):
        raise malformed("The body must be a JSON object.")
    return body


def _refuse(refused: RefusedError) -> tuple[Response, int]:
    if refused.code.startswith("proof_"):  # the page's console says it as well, where the developer may not look
        current_app.logger.warning("a page is refused: %s", refused.message)
    return jsonify(refused.as_json()), refused.status


def _open_to_every_page(response: Response) -> Response:
    if request.path.startswith(("/messenger/", "/widget/")):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
