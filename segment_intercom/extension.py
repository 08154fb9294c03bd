"""The Flask extension: it reads the configuration once and gives templates the helpers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, g, has_request_context, request

from . import assets
from .errors import SettingsError
from .jinja import Helpers, find_nonce
from .settings import Settings
from .traits.report import logger

NAME = "segment_intercom"
# Of one request, wherever in it the snippet is rendered: `g` may be of a longer or a shorter life.
_IDENTITY, _ANSWERED = f"{NAME}.identity", f"{NAME}.answered"
F = TypeVar("F", bound=Callable[[], Any])


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
            rendered=_remember_identity,
        )
        app.extensions[NAME] = State(settings, helpers)
        _add_globals(app, helpers)
        app.register_blueprint(_static_files())
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


def _static_files() -> Blueprint:
    return Blueprint(
        NAME,
        __name__,
        static_folder=str(assets.static(NAME)),
        static_url_path="/segment-intercom",
    )


def _remember_identity(intercom_settings: Mapping[str, Any]) -> None:
    if has_request_context() and ("user_id" in intercom_settings or "email" in intercom_settings):
        if _ANSWERED in request.environ:
            logger.warning("cache: the snippet was rendered after the headers were sent; set Cache-Control yourself")
        request.environ[_IDENTITY] = True


def _keep_private(response: Response) -> Response:
    """An answer that names somebody must reach nobody else: no cache may keep it."""
    request.environ[_ANSWERED] = True
    if _IDENTITY in request.environ:
        if response.cache_control.public or response.cache_control.s_maxage is not None:
            logger.warning(
                "cache: this answer asks to be cached in public but names a user; it is sent private, no-store"
            )
        response.headers["Cache-Control"] = "private, no-store"
    return response
