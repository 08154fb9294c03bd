"""The script that a page gets: the only maker of HTML in this package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from .. import _validators as validators
from .. import assets
from .._json import dumps
from ..diagnostics import WARNINGS, Diagnostics
from ..errors import OptionError
from ..intercom_keys import RESERVED_WORDS
from ..settings import Settings, check_app_id
from .proxies import called

LOADS = ("load", "now", "idle", "interaction", "manual")
Nonce = str | Callable[[], str | None] | None

# What stands before the facts in the comment at the end of the script.
FACTS = "segment-intercom "
# JavaScript: whether the browser sends Global Privacy Control, https://www.w3.org/TR/gpc/
_GPC = "navigator.globalPrivacyControl"
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
    runtime: str | None = None,
) -> Markup:
    """As ``render_snippet``, with what the helpers need besides.

    ``boot`` False lays no settings on the page, so that nothing boots by itself; ``route`` is where the settings of
    the user in session can be had, and ``remote`` says that they must be; ``before`` is a script that goes first, and
    ``runtime`` the address of the browser runtime that it fetches.
    """
    if load not in LOADS:
        raise OptionError("load", "must be one of " + ", ".join(f'"{name}"' for name in LOADS))
    if not settings.enabled:
        # The page's own scripts may call what the script before would have given them.
        script = _element(before, nonce) if before else ""
        reason = "INTERCOM_ENABLED is False" if settings.exclude_if is None else "by exclude_if"
        if settings.workspaces:
            reason += ", or as no workspace can be named"
        return Markup(f"<!-- Intercom is switched off: {reason} -->{script}")  # noqa: S704
    app_id = intercom_settings.get("app_id")
    if app_id is None:
        if settings.app_id is None:
            WARNINGS.warn("app_id: no Intercom app id is set, so nothing is rendered; set INTERCOM_APP_ID")
            return Markup("")
        app_id = settings.app_id
        intercom_settings = {"app_id": app_id, **intercom_settings}
    workspace = app_id if isinstance(app_id, str) else ""
    first, last = _loader(settings.widget_url, workspace, load, settings.respect_gpc, route, remote)
    literal = object_literal(intercom_settings, settings) if boot else "undefined"
    facts = _facts(settings.widget_url, workspace, runtime, route, boot)
    return Markup(_element(f"{before}{first}{literal}{last}{facts}", nonce))  # noqa: S704 - all escaped


def render_stub(config: Mapping[str, Any], runtime_url: str, settings: Settings, *, now: bool = False) -> str:
    """Return the script that makes ``analytics`` usable at once and fetches the runtime, now or after the page."""
    before, after = front_door(runtime_url, now=now)
    literal = object_literal(config, settings)
    if settings.respect_gpc and config.get("lazy"):
        literal = f"Object.assign({literal},{{lazy:!{_GPC}}})"
    return before + literal + after


def front_door(runtime_url: str, *, now: bool) -> tuple[str, str]:
    """The built front door of ``analytics``, cut where the configuration goes."""
    script = assets.read("segment_intercom/stub.min.js")
    for name, value in (("RUNTIME", runtime_url), ("NOW", now)):
        script = script.replace(f"ANALYTICS_{name}", _escape(dumps(value)))
    before, _, after = script.partition("ANALYTICS_CONFIG")
    return before, after


@lru_cache(maxsize=256)
def _loader(
    widget_url: str, app_id: str, load: str, respect_gpc: bool, route: str | None, remote: bool
) -> tuple[str, str]:
    """The built loader with its values filled in, cut where the settings go; an application has few of them."""
    try:
        widget = f"{widget_url}/{check_app_id(app_id)}"
    except validators.InvalidValue as refused:
        raise OptionError("app_id", str(refused)) from None
    script = assets.read(f"segment_intercom/loader{'-remote' if route else ''}.min.js")
    if respect_gpc:
        script = script.replace("INTERCOM_LOAD", f'({_GPC}?"manual":INTERCOM_LOAD)')
    values = {"LOAD": load, "WIDGET": widget, "ROUTE": route, "REMOTE": remote, "RESERVED": RESERVED_WORDS}
    for name, value in values.items():
        script = script.replace(f"INTERCOM_{name}", _escape(dumps(value)))
    before, _, after = script.partition("INTERCOM_SETTINGS")
    return before, after


def object_literal(intercom_settings: Mapping[str, Any], settings: Settings) -> str:
    """Return JSON values as an object literal that is safe in a script element."""
    try:
        text = dumps(intercom_settings)
    except (TypeError, ValueError, RecursionError):
        text = dumps(_sendable(intercom_settings, Diagnostics(strict=settings.strict is not False)))
    # In an object literal the plain key would set the prototype and be lost; in brackets it is a key like any other.
    return _PROTO.sub('["__proto__"]:', _escape(text)) if "__proto__" in text else _escape(text)


def _sendable(intercom_settings: Mapping[str, Any], diagnostics: Diagnostics) -> dict[str, Any]:
    """What of the settings can be written as JSON; the rest is refused by name."""
    sendable = {}
    for name, value in intercom_settings.items():
        try:
            dumps({name: value})
        except (TypeError, ValueError, RecursionError):
            diagnostics.reject(str(name), "holds NaN, a cycle, or a value that JSON has no form for")
            continue
        sendable[name] = value
    return sendable


def _escape(text: str) -> str:
    """Escape JSON for a script element: no text in it can end the element or a line of JavaScript."""
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


@lru_cache(maxsize=256)
def _facts(widget_url: str, app_id: str, runtime: str | None, route: str | None, boots: bool) -> str:
    """What the script does, as JSON in a comment at its end, for what reads the page from outside: the doctor."""
    scripts = [f"{widget_url}/{app_id}", *([runtime] if runtime else [])]
    facts = {"scripts": scripts, **({"route": route} if route else {}), "boots": boots}
    text = _escape(dumps(facts)).replace("*/", "*\\/")  # which JSON reads as the same
    return f"/*{FACTS}{text}*/"


def _element(script: str, nonce: Nonce) -> str:
    """A script element that is the same in HTML, where the marks are comments, and in XHTML, which would read ``<``."""
    return f"<script{_nonce_attribute(nonce)}>/*<![CDATA[*/{script}/*]]>*/</script>"


def _nonce_attribute(nonce: Nonce) -> str:
    value = called(nonce)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _NONCE.fullmatch(value):
        raise OptionError("nonce", "must be base64 or base64url text, such as flask-talisman's csp_nonce()")
    return f' nonce="{value}"'
