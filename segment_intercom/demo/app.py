"""The demo as a Flask app: it uses the extension as any application would, and shows what comes of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from flask import (
    Flask,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    render_template_string,
    request,
    session,
    url_for,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from .. import assets
from ..extension import SegmentIntercom
from ..sandbox import Workspace, create_sandbox
from ..settings import PREFIX, Settings
from ..snippet import render_snippet
from . import choices
from .people import COMPANIES, PEOPLE, Person

APP_ID = "demo1234"
ACCENT = "#14634a"
PAGES = {"home": "/", "pricing": "/pricing", "account": "/account"}
_WRONG_HASH = "0" * 64
_POLICY = (
    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Produced:
    """The template's line and the HTML that came of it."""

    line: str
    html: str
    note: str = ""


def create_demo() -> Flask:
    """Return the demo site, the sandbox mounted under /sandbox; every call makes its own identity secret."""
    secret = secrets.token_hex(32)
    workspace = Workspace(APP_ID, identity_secret=secret, name="Oventide")
    app = Flask(
        "segment_intercom.demo",
        template_folder=str(assets.templates()),
        static_folder=str(assets.static("demo")),
        static_url_path="/static",
    )
    app.secret_key = secrets.token_bytes(32)
    app.config.update(_settings(secret), SESSION_COOKIE_NAME="oventide", SESSION_COOKIE_SAMESITE="Lax")
    app.extensions["workspace"] = workspace
    _add_intercom(app)
    _add_pages(app)
    sandbox = create_sandbox(workspace)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sandbox": sandbox})  # type: ignore[method-assign]
    return app


def _settings(secret: str) -> dict[str, Any]:
    """The extension's configuration, every key of it: the demo is the same whatever the environment holds."""
    defaults = Settings()
    found = {PREFIX + item.name.upper(): getattr(defaults, item.name) for item in fields(Settings)}
    return found | {
        "INTERCOM_APP_ID": APP_ID,
        "INTERCOM_IDENTITY_SECRET": secret,
        "INTERCOM_WIDGET_URL": "/sandbox/widget",
        "INTERCOM_MESSENGER": {"action_color": ACCENT, "theme_mode": "system"},
    }


def _add_intercom(app: Flask) -> None:
    intercom = SegmentIntercom(app)
    intercom.user_loader(current_user)
    intercom.company_loader(current_company)


def _add_pages(app: Flask) -> None:
    for name, path in PAGES.items():
        app.add_url_rule(path, name, page)
    app.add_url_rule("/choose", view_func=choose, methods=["POST"])
    app.add_template_global(csp_nonce)
    app.after_request(_protect)


def current_user() -> Person | None:
    """The person who is logged in to this browser's session, or None for a visitor."""
    return PEOPLE.get(chosen()["person"])


def current_company() -> Mapping[str, Any] | None:
    """The company for which the person acts, or None."""
    return COMPANIES.get(chosen()["company"])


def csp_nonce() -> str:
    """The nonce of this answer, which the extension finds under this name."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return cast("str", g.nonce)


def page() -> str:
    """One of the product's pages, with the snippet at its end and the workbench beside it."""
    name = request.endpoint or "home"
    picked, workspace = chosen(), _workspace()
    return render_template(
        f"demo/{name}.html",
        page=name,
        person=current_user(),
        company=current_company(),
        people=PEOPLE,
        produced=produce(picked),
        chosen=picked | {"visitors": "on" if workspace.visitors else "off"},
        choices=(*choices.CHOICES, choices.VISITORS),
        remarks=choices.remarks(picked, visitors=workspace.visitors),
    )


def choose() -> Response:
    """Take what was pressed on the workbench or in the site, and go back to the page it was pressed on."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)
    back = request.form.get("page", "home")
    anchor = None
    former = chosen()["person"]
    for choice in (*choices.CHOICES, choices.VISITORS):
        value = request.form.get(choice.name)
        if value is not None:
            _keep(choice, value)
            anchor = f"{choice.name}-{value}"
    response = redirect(url_for(back if back in PAGES else "home", _anchor=anchor), 303)
    return _without_session(response) if former not in ("visitor", chosen()["person"]) else response


def chosen() -> dict[str, str]:
    """What this browser's session has chosen, the defaults filled in."""
    return {choice.name: choice.option(session.get(choice.name)).value for choice in choices.CHOICES}


def produce(picked: Mapping[str, str]) -> Produced:
    """Render the line that the choices make of the template, by the very extension that a developer uses."""
    user, line = current_user(), choices.line(picked)
    if user is not None and picked["proof"] == "none":
        return Produced(line, _unproven(picked), "Rendered as if INTERCOM_IDENTITY_SECRET were not set.")
    if user is not None and picked["proof"] == "wrong":
        note = "user_with_wrong_hash is an Identify call that brings a user_hash of its own, 64 zeros."
        return Produced(line, render_template_string(line, user_with_wrong_hash=user.with_hash(_WRONG_HASH)), note)
    return Produced(line, render_template_string(line))


def _unproven(picked: Mapping[str, str]) -> str:
    options = choices.arguments(picked)
    load = options.pop("load", "load")
    state = current_app.extensions["segment_intercom"]
    found = state.helpers.intercom_settings(**options)
    del found["user_hash"]
    return str(render_snippet(found, settings=state.settings, nonce=csp_nonce, load=load))


def _keep(choice: choices.Choice, value: str) -> None:
    if value not in {option.value for option in choice.options}:
        abort(400, f"{choice.name} must be one of " + ", ".join(option.value for option in choice.options))
    if choice is choices.VISITORS:
        _workspace().visitors = value == "on"
    else:
        session[choice.name] = value


def _without_session(response: Response) -> Response:
    """End Intercom's session with the person's: else the next one in this browser would see the last one's chat."""
    for cookie in ("intercom-session", "intercom-id"):
        response.delete_cookie(f"{cookie}-{APP_ID}")
    return response


def _workspace() -> Workspace:
    return cast("Workspace", current_app.extensions["workspace"])


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY.format(nonce=csp_nonce())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
