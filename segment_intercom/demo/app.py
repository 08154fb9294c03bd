"""The demo as a Flask app: it uses the extension as any application would, and shows what comes of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from flask import Flask, abort, current_app, g, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from .. import assets
from .._json import dumps
from ..integrations.flask import RUNTIME_NAME
from ..sandbox import Workspace, create_sandbox
from ..sandbox.hosts import is_same_origin, only_own
from ..settings import PREFIX, Settings
from ..spec import SPEC
from ..web.snippet import front_door
from . import options, playground, segment, server, session
from .examples import EXAMPLES
from .people import PEOPLE
from .render import produce

APP_ID = "demo1234"
ACCENT = "#14634a"
PAGES = {"home": "/", "pricing": "/pricing", "account": "/account"}
_POLICY = (
    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


def create_demo(address: str | None = None, outbox: Path | None = None) -> Flask:
    """Return the demo site, the sandbox mounted under /sandbox; every call makes its own identity secret.

    With the address under which it will be served, "http://127.0.0.1:5000", and a file for the outbox, server code
    speaks to the sandbox as well; then close the extension's ingest at the end.
    """
    delivery = server.settings(address, outbox)
    token = delivery.get("INTERCOM_ACCESS_TOKEN")
    own = Workspace(APP_ID, identity_secret=secrets.token_hex(32), name="Oventide", access_token=token)
    partner = Workspace(
        options.PARTNER,
        identity_secret=secrets.token_hex(32),
        name="Mill & Co",
        access_token=secrets.token_urlsafe(32),
    )
    app = Flask(
        "segment_intercom.demo",
        template_folder=str(assets.templates()),
        static_folder=str(assets.static("demo")),
        static_url_path="/static",
    )
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        _settings(own, partner) | delivery | (segment.keys() if delivery else {}),
        SESSION_COOKIE_NAME="oventide",
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.extensions["workspaces"] = own, partner
    session.intercom.init_app(app)
    _add_pages(app)
    if delivery:
        app.add_url_rule("/say", view_func=server.say, methods=["POST"])
        segment.add_pages(app)
    sandbox = create_sandbox(own, partner, home="/")
    mounted = DispatcherMiddleware(app.wsgi_app, {"/sandbox": sandbox})
    app.wsgi_app = only_own(mounted)  # type: ignore[method-assign]
    return app


def _settings(own: Workspace, partner: Workspace) -> dict[str, Any]:
    """The extension's configuration, every key of it: the demo is the same whatever the environment holds."""
    defaults = Settings()
    config = {PREFIX + item.name.upper(): getattr(defaults, item.name) for item in fields(Settings)}
    return config | {
        "INTERCOM_APP_ID": APP_ID,
        "INTERCOM_IDENTITY_SECRET": own.identity_secret,
        "INTERCOM_WORKSPACES": {
            partner.app_id: {"access_token": partner.access_token, "identity_secret": partner.identity_secret}
        },
        "INTERCOM_WIDGET_URL": "/sandbox/widget",
        "INTERCOM_MESSENGER": {"action_color": ACCENT, "theme_mode": "system"},
    }


def _add_pages(app: Flask) -> None:
    for name, path in PAGES.items():
        app.add_url_rule(path, name, page)
    app.add_url_rule("/choose", view_func=choose, methods=["POST"])
    app.add_url_rule("/playground", "playground", show_playground)
    app.add_url_rule("/playground", "play", play_playground, methods=["POST"])
    app.add_url_rule("/playground/runtime", "playground_runtime", show_runtime)
    app.add_template_global(session.csp_nonce)
    app.register_error_handler(404, not_found)
    app.before_request(_refuse_other_sites)
    app.after_request(_protect)


def page() -> str:
    """One of the product's pages, with the snippet at its end and the workbench beside it."""
    name = request.endpoint or "home"
    picked = session.chosen() | session.switches()
    return render_template(
        f"demo/{name}.html",
        page=name,
        paths=[url_for(endpoint) for endpoint in PAGES],
        person=session.current_user(),
        company=session.current_company(),
        people=PEOPLE,
        produced=produce(picked),
        chosen=picked,
        choices=[choice for choice in options.ALL if not choice.seldom],
        seldom=[choice for choice in options.ALL if choice.seldom],
        unfolded=options.unusual(picked) or session.unfolded(),
        remarks=options.remarks(picked),
        server_calls=server.calls() if "say" in current_app.view_functions else (),
        server_remark=server.remark(),
    )


def not_found(_: Exception) -> tuple[str, int]:
    """The site's own page where there is none; it has no workbench, and so no Messenger."""
    return render_template("demo/missing.html"), 404


def choose() -> Response:
    """Take what was pressed on the workbench or in the site, and go back to the page it was pressed on."""
    back = request.form.get("page", "home")
    # Who pressed a button of the site goes on in the site.
    anchor, at_workbench = "content", request.form.get("from") == "workbench"
    former = session.chosen()["person"]
    for choice in options.ALL:
        value = request.form.get(choice.name)
        if value is not None:
            session.keep(choice, value)
            anchor = f"{choice.name}-{value}" if at_workbench else anchor
    return session.leave(redirect(url_for(back if back in PAGES else "home", _anchor=anchor), 303), former)


def show_playground() -> str:
    """The page where calls are typed, with the examples to begin with."""
    regions = [(code, code) for code in SPEC.regions]
    return render_template("demo/playground.html", examples=EXAMPLES, secret=playground.SECRET, regions=regions)


def play_playground() -> Response:
    """What the typed calls become, as JSON; a body of more than 32 kilobytes is not read."""
    body = request.stream.read(playground.BODY_LIMIT + 1)
    if max(len(body), request.content_length or 0) > playground.BODY_LIMIT:
        return _json(playground.refused("body", "must not be longer than 32 kilobytes; type less"), 413)
    answer = playground.play(body)
    return _json(answer, 200 if answer["error"] is None else 422)


def show_runtime() -> str:
    """The frame in which the browser runtime maps what is typed; the playground alone may hold it."""
    g.framed = True
    runtime = url_for("segment_intercom.static", filename=RUNTIME_NAME)
    return render_template("demo/runtime.html", front_door=Markup("config".join(front_door(runtime, now=True))))  # noqa: S704


def _refuse_other_sites() -> None:
    """Another site may link to a page, and press no button."""
    if request.blueprint == segment.COLLECTOR:  # for which a key is asked, wherever a call comes from
        return
    if request.method == "POST" and not is_same_origin(request.headers, request.host_url.rstrip("/")):
        abort(403)


def _json(answer: Mapping[str, Any], status: int) -> Response:
    return Response(dumps(answer), status, {"Cache-Control": "no-store"}, mimetype="application/json")


def _protect(response: Response) -> Response:
    ancestors = "'self'" if "framed" in g else "'none'"
    response.headers["Content-Security-Policy"] = _POLICY.format(nonce=session.csp_nonce(), ancestors=ancestors)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
