"""One browser's visit: what it has chosen, who is logged in, and the extension that hears of both."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, cast

from flask import abort, current_app, g, session
from werkzeug.wrappers import Response

from ..integrations.flask import SegmentIntercom
from ..sandbox import Workspace
from . import options
from .people import COMPANIES, PEOPLE, DemoUser

intercom = SegmentIntercom()


@intercom.user_loader
def current_user() -> DemoUser | None:
    """The person who is logged in to this browser's session, or None for a visitor."""
    return PEOPLE.get(chosen()["person"])


@intercom.company_loader
def current_company() -> Mapping[str, Any] | None:
    """The company for which the person acts, or None; a visitor acts for none, whatever is chosen."""
    return COMPANIES.get(chosen()["company"]) if current_user() else None


@intercom.workspace_loader
def current_workspace() -> str | None:
    """The app id of the tenant whose pages these are; None for the site's own."""
    return options.PARTNER if chosen()["tenant"] == "partner" else None


def csp_nonce() -> str:
    """The nonce of this answer, which the extension finds under this name."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return cast("str", g.nonce)


def workspaces() -> tuple[Workspace, ...]:
    """The sandbox's workspaces, which all visits share and which are set up alike."""
    return cast("tuple[Workspace, ...]", current_app.extensions["workspaces"])


def chosen() -> dict[str, str]:
    """What this browser's session has chosen, the defaults filled in."""
    return {choice.name: choice.option(session.get(choice.name)).value for choice in options.CHOICES}


def switches() -> dict[str, str]:
    """How the workspace is set up at the moment."""
    own = workspaces()[0]
    return {"workspace": own.region, "visitors": "on" if own.visitors else "off"}


def keep(choice: options.Choice, value: str) -> None:
    """Take a choice: into the session, or to the workspace where it is one of everybody's."""
    if value not in {option.value for option in choice.options}:
        abort(400, f"{choice.name} must be one of " + ", ".join(option.value for option in choice.options))
    if choice.seldom:
        session["unfolded"] = True
    if choice is options.VISITORS:
        for workspace in workspaces():
            workspace.visitors = value == "on"
    elif choice is options.WORKSPACE:
        for workspace in workspaces():
            workspace.region = value
    else:
        session[choice.name] = value


def unfolded() -> bool:
    """Whether this visit has pressed something in the rows that are folded away at first: they stay in sight then."""
    return "unfolded" in session


def leave(response: Response, former: str) -> Response:
    """End Intercom's session with the person's, else the next one in this browser would see the last one's chat."""
    return response if former in ("visitor", chosen()["person"]) else intercom.logout(response)
