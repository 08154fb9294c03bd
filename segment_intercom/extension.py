"""The Flask extension: it reads the configuration once and gives templates the helpers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    after_this_request,
    current_app,
    g,
    has_request_context,
    request,
    template_rendered,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from . import assets, auto_include, remote
from .checks import Refused
from .errors import OptionError, SettingsError
from .jinja import Helpers, find_nonce
from .jsontext import dumps
from .logout import expire_session
from .settings import Settings, check_app_id
from .traits.report import logger

NAME = "segment_intercom"
_RUNTIME = "analytics.min.js"
_YEAR = 31_536_000
# Of one request, wherever in it the snippet is rendered: `g` may be of a longer or a shorter life.
_IDENTITY, _RENDERED, _ANSWERED = f"{NAME}.identity", f"{NAME}.rendered", f"{NAME}.answered"
_UNSTORED, _PAGE_NONCE = f"{NAME}.unstored", f"{NAME}.nonce"
# The mapping sends nothing else of somebody who has neither an id nor an e-mail.
_PERSONAL = {"user_id", "email", "auth_tokens"}
# Caches of some vendors obey these before Cache-Control.
_FOR_SOME_CACHES = ("surrogate-control", "x-accel-expires")
F = TypeVar("F", bound=Callable[[], Any])
R = TypeVar("R", bound=AnyResponse)


@dataclass(frozen=True, slots=True)
class State:
    """What the extension keeps for one application, in ``app.extensions["segment_intercom"]``."""

    settings: Settings
    helpers: Helpers


class SegmentIntercom:
    """Puts Intercom's Messenger on the pages of Flask applications, one or several.

    ``SegmentIntercom(app)``, or ``init_app(app)`` from an application factory. The configuration is read then, from
    the ``INTERCOM_*`` keys of ``app.config``, else of the environment; a wrong value raises SettingsError.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._user_loader: Callable[[], Any] | None = None
        self._company_loader: Callable[[], Any] | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Prepare an application: its settings, the template helpers, the static files, the caching headers."""
        if NAME in app.extensions:
            raise SettingsError("app", "has a SegmentIntercom already; call init_app() once")
        settings = Settings.from_mapping(_configuration(app))
        helpers = Helpers(
            settings=_for_the_moment(app, settings),
            user_loader=lambda: self._user_loader() if self._user_loader else None,
            company_loader=lambda: self._company_loader() if self._company_loader else None,
            nonce=_nonce,
            rendered=_remember,
            settings_url=lambda: url_for(f"{NAME}.{remote.ENDPOINT}") if has_request_context() else None,
            runtime_url=_runtime_url,
        )
        app.extensions[NAME] = State(settings, helpers)
        _add_globals(app, helpers)
        app.register_blueprint(_routes())
        if settings.auto_include and settings.enabled:
            # Before all hooks of the application: one that compresses or tags the answer then sees the whole page.
            app.before_request_funcs.setdefault(None, []).insert(0, _include_after_the_view)
            template_rendered.connect(_remember_nonce, app)
        # First in the list is last to run: nothing that an application does to the header comes after.
        app.after_request_funcs.setdefault(None, []).insert(0, _keep_private)

    def user_loader(self, loader: F) -> F:
        """Decorate the function that returns the current user, or None for a visitor."""
        self._user_loader = loader
        return loader

    def company_loader(self, loader: F) -> F:
        """Decorate the function that returns the company for which the current user acts, or None."""
        self._company_loader = loader
        return loader

    def logout(self, response: R, app_id: str | None = None) -> R:
        """End the person's session with Intercom in this browser; call it on the answer to a log-out, page or redirect.

        It expires the cookies of the configured app id, of ``app_id`` and of all others whose cookies the request
        brought, and makes the next page shut the Messenger down and forget whom it knew.
        """
        app_ids = [one for one in (_state().settings.app_id, _checked_app_id(app_id)) if one is not None]
        host, secure = request.host, request.is_secure
        expire_session(response, host=host, secure=secure, app_ids=app_ids, present=request.cookies)
        request.environ[_UNSTORED] = True
        return response


def _configuration(app: Flask) -> Mapping[str, Any]:
    return {**Settings.present(os.environ), **app.config}


def _for_the_moment(app: Flask, settings: Settings) -> Callable[[], Settings]:
    """Strict while somebody develops or tests, lenient where customers look; an application may turn either on late."""
    if settings.strict is not None:
        return lambda: settings
    lenient = replace(settings, strict=False)
    return lambda: settings if app.debug or app.testing else lenient


def _nonce() -> str | None:
    return find_nonce({"csp_nonce": getattr(g, "csp_nonce", None)}) or find_nonce(current_app.jinja_env.globals)


def _add_globals(app: Flask, helpers: Helpers) -> None:
    """Give the helpers to the application's environment without making it now: its options may still change."""
    if "jinja_env" in app.__dict__:
        app.jinja_env.globals.update(helpers.globals())
        return

    class Environment(app.jinja_environment):  # type: ignore[name-defined,misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.globals.update(helpers.globals())

    app.jinja_environment = Environment


def _state() -> State:
    if NAME not in current_app.extensions:
        raise SettingsError("app", "has no SegmentIntercom; call init_app()")
    return cast("State", current_app.extensions[NAME])


def _checked_app_id(app_id: str | None) -> str | None:
    try:
        return None if app_id is None else cast("str", check_app_id(app_id))
    except Refused as refused:
        raise OptionError("app_id", str(refused)) from None


def _runtime_url() -> str:
    return url_for(f"{NAME}.static", filename=_RUNTIME, v=assets.fingerprint(f"{NAME}/{_RUNTIME}"))


class _Routes(Blueprint):
    """A blueprint whose files may be kept for a year where their address names their version."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _YEAR if "v" in request.args else super().get_send_file_max_age(filename)


def _routes() -> Blueprint:
    """The static files, and the settings of whoever is logged in for pages that are cached in public."""
    blueprint = _Routes(
        NAME,
        __name__,
        static_folder=str(assets.static(NAME)),
        static_url_path="/segment-intercom",
    )
    blueprint.add_url_rule(remote.PATH, remote.ENDPOINT, _settings_json)
    return blueprint


def _settings_json() -> Response:
    state = _state()
    request.environ[_UNSTORED] = True
    status = remote.status_of(state.settings, dict(request.headers), f"{request.scheme}://{request.host}")
    body = dumps(state.helpers.intercom_settings() if status == 200 else {})
    return Response(body, status, remote.HEADERS, mimetype="application/json")


def _include_after_the_view() -> None:
    after_this_request(_include)


def _include(response: Response) -> Response:
    state = _state()
    if (
        _RENDERED not in request.environ
        and auto_include.asks_for_a_page(request)
        and not auto_include.is_excluded(request.endpoint, request.path, state.settings.exclude)
        and auto_include.is_a_page(response)
    ):
        nonce = request.environ.get(_PAGE_NONCE)
        auto_include.include(response, lambda: state.helpers.intercom_snippet(nonce=nonce))
    return response


def _remember_nonce(_: Flask, context: Mapping[str, Any], **__: Any) -> None:
    """A context processor may be the only one to know the nonce, and only templates hear it."""
    if has_request_context() and "csp_nonce" in context:
        request.environ[_PAGE_NONCE] = context["csp_nonce"]


def _remember(intercom_settings: Mapping[str, Any]) -> None:
    if not has_request_context():
        return
    request.environ[_RENDERED] = True
    if not _PERSONAL.isdisjoint(intercom_settings):
        if _ANSWERED in request.environ:
            logger.warning("cache: the snippet was rendered after the headers were sent; set Cache-Control yourself")
        request.environ[_IDENTITY] = True


def _keep_private(response: Response) -> Response:
    """An answer that names somebody must reach nobody else: no cache may keep it, none may ask whether it changed."""
    request.environ[_ANSWERED] = True
    if _IDENTITY in request.environ:
        if auto_include.asks_for_public(response):
            logger.warning(
                "cache: this answer asks to be cached in public but names a user; it is sent private, no-store"
            )
        _store_nowhere(response, "private, no-store")
    elif _UNSTORED in request.environ:
        _store_nowhere(response, "no-store")
    return response


def _store_nowhere(response: Response, cache_control: str) -> None:
    response.headers["Cache-Control"] = cache_control
    for name in {name.lower() for name, _ in response.headers}:
        if name.endswith("cdn-cache-control") or name in (*_FOR_SOME_CACHES, "etag", "last-modified"):
            del response.headers[name]
