"""The Flask extension: it reads the configuration once and gives templates the helpers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from flask import Flask, has_request_context, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .. import remote
from ..calls import Group, Page, Track
from ..checks import Refused
from ..client import Office, given
from ..errors import OptionError, SettingsError
from ..jinja import Helpers
from ..logout import expire_session
from ..settings import Settings, check_app_id
from . import pages, server
from .routes import routes, runtime_url
from .state import NAME, State, configuration, for_the_moment, state

F = TypeVar("F", bound=Callable[[], Any])
R = TypeVar("R", bound=AnyResponse)
Traits = Mapping[str, Any] | None


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
        settings = Settings.from_mapping(configuration(app))
        helpers = Helpers(
            settings=for_the_moment(app, settings),
            user_loader=lambda: self._user_loader() if self._user_loader else None,
            company_loader=lambda: self._company_loader() if self._company_loader else None,
            nonce=pages.nonce,
            rendered=pages.remember,
            settings_url=lambda: url_for(f"{NAME}.{remote.ENDPOINT}") if has_request_context() else None,
            runtime_url=runtime_url,
        )
        app.extensions[NAME] = State(settings, helpers, Office(settings))
        _add_globals(app, helpers)
        app.register_blueprint(routes())
        pages.watch(app, include=settings.auto_include and settings.enabled)

    def user_loader(self, loader: F) -> F:
        """Decorate the function that returns the current user, or None for a visitor."""
        self._user_loader = loader
        return loader

    def company_loader(self, loader: F) -> F:
        """Decorate the function that returns the company for which the current user acts, or None."""
        self._company_loader = loader
        return loader

    def identify(
        self, user_id: Any = None, traits: Traits = None, *, from_request: bool = False, **common: Any
    ) -> None:
        """Tell Intercom who somebody is, from the server.

        ``user_id`` is an id or a user in any form; without it the user_loader names the user. ``from_request`` adds
        the address and the user agent of the current request. ``common`` are ``context``, ``timestamp``,
        ``anonymous_id``, ``integrations`` and ``message_id``.
        """
        somebody = server.person(user_id, self._user_loader, common.get("anonymous_id"))
        server.accept(server.identify(somebody, traits, given(**common)), from_request=from_request)

    def track(
        self,
        user_id: Any = None,
        event: str = "",
        properties: Traits = None,
        *,
        from_request: bool = False,
        **common: Any,
    ) -> None:
        """Tell Intercom what somebody did, from the server; the arguments are those of ``identify``."""
        somebody = server.person(user_id, self._user_loader, common.get("anonymous_id"))
        call = Track(event, properties or {}, somebody.user_id, **server.known_by(somebody, given(**common)))
        server.accept(call, from_request=from_request)

    def group(
        self,
        user_id: Any = None,
        group_id: Any = None,
        traits: Traits = None,
        *,
        from_request: bool = False,
        **common: Any,
    ) -> None:
        """Tell Intercom to which company somebody belongs, from the server; the arguments are those of ``identify``."""
        somebody = server.person(user_id, self._user_loader, common.get("anonymous_id"))
        call = Group(group_id, traits or {}, somebody.user_id, **server.known_by(somebody, given(**common)))
        server.accept(call, from_request=from_request)

    def page(self, user_id: Any = None, category: str | None = None, name: str | None = None, **common: Any) -> None:
        """Accept a page call from the server, where it has no effect at Intercom."""
        somebody = server.person(user_id, self._user_loader, common.get("anonymous_id"))
        server.accept(Page(name, common.pop("properties", None) or {}, somebody.user_id, category, **given(**common)))

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered, for a script; returns how many calls are left."""
        return state().office.flush(timeout)

    def logout(self, response: R, app_id: str | None = None) -> R:
        """End the person's session with Intercom in this browser; call it on the answer to a log-out, page or redirect.

        It expires the cookies of the configured app id, of ``app_id`` and of all others whose cookies the request
        brought, and makes the next page shut the Messenger down and forget whom it knew.
        """
        app_ids = [one for one in (state().settings.app_id, _checked_app_id(app_id)) if one is not None]
        host, secure = request.host, request.is_secure
        expire_session(response, host=host, secure=secure, app_ids=app_ids, present=request.cookies)
        pages.do_not_store()
        return response


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


def _checked_app_id(app_id: str | None) -> str | None:
    try:
        return None if app_id is None else cast("str", check_app_id(app_id))
    except Refused as refused:
        raise OptionError("app_id", str(refused)) from None
