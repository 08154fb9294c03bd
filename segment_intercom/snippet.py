"""The script that a page gets: the only maker of HTML in this package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from . import assets, checks
from .errors import OptionError
from .jsontext import dumps
from .settings import Settings, check_app_id
from .traits.report import Report, logger

LOADS = ("load", "now", "idle", "interaction", "manual")
Nonce = str | Callable[[], str | None] | None

_PROTO = re.compile(r'(?<=[{,])"__proto__":')  # inside of a text a quote always follows a backslash
# Base64, or base64url without padding as flask-talisman makes them.
_NONCE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def render_snippet(
    intercom_settings: Mapping[str, Any], *, settings: Settings, nonce: Nonce = None, load: str = "load"
) -> Markup:
    """Return one script element that sets ``window.intercomSettings`` and loads the Messenger.

    It asks for nothing but the Messenger itself. ``load`` says when: after the page ("load"), at once ("now"), when
    the browser is idle ("idle"), on the first pointer, key or scroll ("interaction"), or when the page calls
    ``intercomLoad()`` ("manual"). Raises OptionError for a wrong ``load``, ``nonce`` or ``app_id``.
    """
    return render(intercom_settings, settings=settings, nonce=nonce, load=load)


def render(
    intercom_settings: Mapping[str, Any],
    *,
    settings: Settings,
    nonce: Nonce = None,
    load: str = "load",
    boot: bool = True,
    route: str | None = None,
    remote: bool = False,
    before: str = "",
) -> Markup:
    """As ``render_snippet``, with what the helpers need besides.

    ``boot`` False lays no settings on the page, so that nothing boots by itself; ``route`` is where the settings of
    whoever is in session can be had, and ``remote`` says that they must be; ``before`` is a script that goes first.
    """
    if load not in LOADS:
        raise OptionError("load", "must be one of " + ", ".join(f'"{name}"' for name in LOADS))
    if not settings.enabled:
        # The page's own scripts may call what the script before would have given them.
        script = f"<script{_nonce_attribute(nonce)}>{before}</script>" if before else ""
        return Markup(f"<!-- Intercom is switched off: INTERCOM_ENABLED is False -->{script}")  # noqa: S704
    app_id = intercom_settings.get("app_id")
    if app_id is None:
        if settings.app_id is None:
            logger.warning("app_id: no Intercom app id is set, so nothing is rendered; set INTERCOM_APP_ID")
            return Markup("")
        app_id = settings.app_id
        intercom_settings = {"app_id": app_id, **intercom_settings}
    first, last = _loader(settings.widget_url, app_id if isinstance(app_id, str) else "", load, route, remote)
    literal = object_literal(intercom_settings, settings) if boot else "undefined"
    return Markup(f"<script{_nonce_attribute(nonce)}>{before}{first}{literal}{last}</script>")  # noqa: S704 - all escaped


def render_stub(config: Mapping[str, Any], runtime_url: str, settings: Settings, *, now: bool = False) -> str:
    """Return the script that makes ``analytics`` usable at once and fetches the runtime, now or after the page."""
    script = assets.read("segment_intercom/stub.min.js")
    before, _, after = script.partition("ANALYTICS_CONFIG")
    for name, value in (("RUNTIME", runtime_url), ("NOW", now)):
        after = after.replace(f"ANALYTICS_{name}", _escape(dumps(value)))
    return before + object_literal(config, settings) + after


@lru_cache(maxsize=256)
def _loader(widget_url: str, app_id: str, load: str, route: str | None, remote: bool) -> tuple[str, str]:
    """The built loader with its values filled in, cut where the settings go; an application has few of them."""
    try:
        widget = f"{widget_url}/{check_app_id(app_id)}"
    except checks.Refused as refused:
        raise OptionError("app_id", str(refused)) from None
    script = assets.read(f"segment_intercom/loader{'-remote' if route else ''}.min.js")
    for name, value in (("LOAD", load), ("WIDGET", widget), ("ROUTE", route), ("REMOTE", remote)):
        script = script.replace(f"INTERCOM_{name}", _escape(dumps(value)))
    before, _, after = script.partition("INTERCOM_SETTINGS")
    return before, after


def object_literal(intercom_settings: Mapping[str, Any], settings: Settings) -> str:
    """Return JSON values as an object literal that is safe in a script element."""
    try:
        text = dumps(intercom_settings)
    except (TypeError, ValueError, RecursionError):
        text = dumps(_sendable(intercom_settings, Report(strict=settings.strict is not False)))
    # In an object literal the plain key would set the prototype and be lost; in brackets it is a key like any other.
    return _PROTO.sub('["__proto__"]:', _escape(text)) if "__proto__" in text else _escape(text)


def _sendable(intercom_settings: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """What of the settings can be written as JSON; the rest is refused by name."""
    kept = {}
    for name, value in intercom_settings.items():
        try:
            dumps({name: value})
        except (TypeError, ValueError, RecursionError):
            report.refuse(str(name), "holds NaN, a cycle, or a value that JSON has no form for")
            continue
        kept[name] = value
    return kept


def _escape(text: str) -> str:
    """Escape JSON for a script element: no text in it can end the element or a line of JavaScript."""
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _nonce_attribute(nonce: Nonce) -> str:
    value = nonce() if callable(nonce) else nonce
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _NONCE.fullmatch(value):
        raise OptionError("nonce", "must be base64 or base64url text, such as flask-talisman's csp_nonce()")
    return f' nonce="{value}"'
