"""The template helpers, for any Jinja environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2 import Environment, Undefined, UndefinedError, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from .. import _validators as validators
from ..diagnostics import WARNINGS
from ..errors import OptionError, SettingsError
from ..intercom_keys import MESSENGER, check_one, warn_of_selector
from ..messenger import UserState, build_settings, runtime_config
from ..settings import DEFAULT_LAUNCHER, Settings, check_app_id
from ..traits.companies import traits_of
from .proxies import called, plain
from .snippet import Nonce, render, render_stub
from .users import user_state_of

_ASK_LOADER: Any = object()  # the default of `user`: None is an answer already, a visitor
_LAUNCHER = "custom_launcher_selector"
# Options that become a key of intercomSettings, by their name in a template.
_KEYS = {"launcher_selector": _LAUNCHER, **{name: name for name in (_LAUNCHER, *MESSENGER)}}
_KEYS |= {"app_id": "app_id", "hide_default_launcher": "hide_default_launcher"}
_NO_PROOF = (
    "app_id: a proof is of one workspace, that of INTERCOM_APP_ID, so none is rendered for another; where several "
    "workspaces verify identity, name each with its identity_secret in INTERCOM_WORKSPACES"
)
_NO_ROUTE = (
    "app_id: the route that tells a page who is in session answers for the workspace of the request alone; a page of "
    "another one shows a visitor where it is remote, and renews no token; let a workspace_loader name its workspace"
)
# What templates find.
HELPER_NAMES = ("intercom_snippet", "analytics_snippet", "intercom_settings")
OPTIONS = ("traits", "company", "nonce", "load", "remote", *_KEYS)


@dataclass(slots=True)
class Helpers:
    """The helpers of one environment; what differs between plain Jinja and Flask is handed in.

    ``settings`` gives the settings for the moment, ``nonce`` finds the page's nonce, ``rendered`` hears every object
    that went into a page, ``settings_url`` and ``runtime_url`` say where the extension's routes are.
    """

    settings: Callable[[], Settings]
    user_loader: Callable[[], Any] | None = None
    company_loader: Callable[[], Any] | None = None
    nonce: Nonce = None
    rendered: Callable[[Mapping[str, Any]], None] = lambda _: None
    settings_url: Callable[[], str | None] | None = None
    runtime_url: Callable[[], str] | None = None

    def globals(self) -> dict[str, Callable[..., Any]]:
        """The names under which templates find the helpers; they may be called from Python, too."""
        return {name: self._with_context(getattr(self, name)) for name in HELPER_NAMES}

    def _with_context(self, helper: Callable[..., Any]) -> Callable[..., Any]:
        @pass_context
        def in_template(*args: Any, **options: Any) -> Any:
            if not args or not isinstance(args[0], Context):
                return helper(*args, **options)
            names = args[0]
            nonce = names.vars.get("csp_nonce") or names.parent.get("csp_nonce")
            if nonce is not None:
                options["found_nonce"] = nonce
            return helper(*args[1:], **options)

        return in_template

    def intercom_snippet(
        self,
        user: Any = _ASK_LOADER,
        *,
        nonce: Any = None,
        load: Any = None,
        remote: Any = None,
        found_nonce: Any = None,
        **options: Any,
    ) -> Markup:
        """Return the script element that shows the Messenger to a user, or to a visitor when ``user`` is None.

        ``remote`` names no user, for pages cached in public: the page asks the extension's route who is logged in.
        """
        settings = self.settings()
        if not settings.enabled:
            return render({}, settings=settings)
        intercom_settings = self._found(None if remote else user, options, settings)
        if "app_id" not in intercom_settings:
            return self._nothing()
        self.rendered(intercom_settings)
        if nonce is not None or found_nonce is not None:
            nonce = _defined(nonce) or _defined(found_nonce)
        return render(
            intercom_settings,
            settings=settings,
            nonce=nonce or self.nonce,
            load="load" if load is None else _defined(load) or "load",
            route=self._route(remote, intercom_settings, settings),
            remote=bool(remote),
        )

    def analytics_snippet(
        self,
        user: Any = _ASK_LOADER,
        page: bool = True,
        *,
        nonce: Any = None,
        load: Any = None,
        remote: Any = None,
        found_nonce: Any = None,
        **options: Any,
    ) -> Markup:
        """Return the script element that gives a page Segment's ``analytics``, usable at once.

        With a user or ``page`` it shows the Messenger as ``intercom_snippet`` does, also with ``remote``; with neither,
        nothing boots before the first call.
        """
        settings = self.settings()
        nonce = _defined(nonce) or _defined(found_nonce) or self.nonce
        if not settings.enabled:
            return render({}, settings=settings, nonce=nonce, before=render_stub({}, "", settings))
        intercom_settings = self._found(None if remote else user, options, settings)
        if "app_id" not in intercom_settings:
            return self._nothing()
        boot = bool(page or remote) or "user_id" in intercom_settings or "email" in intercom_settings
        self.rendered(intercom_settings if boot else {})
        lazy = not boot and load is None
        workspace = _of_app(settings, intercom_settings["app_id"])
        config = runtime_config(workspace, intercom_settings, booted=boot, lazy=lazy)
        config["verified"] |= bool(settings.secrets)  # a user that the browser remembers may be of either workspace
        load = "manual" if lazy else _defined(load) or "load"
        runtime = self._runtime(settings)
        stub = render_stub(config, runtime, settings, now=load in ("now", "manual"))
        return render(
            intercom_settings,
            settings=settings,
            nonce=nonce,
            load=load,
            route=self._route(remote, intercom_settings, settings),
            remote=bool(remote),
            boot=boot,
            before=stub,
            runtime=runtime,
        )

    def _nothing(self) -> Markup:
        WARNINGS.warn("app_id: no Intercom app id is set, so nothing is rendered; set INTERCOM_APP_ID")
        return Markup("")

    def _route(self, remote: Any, intercom_settings: Mapping[str, Any], settings: Settings) -> str | None:
        """Where the page asks for its settings: to learn who is logged in, or to renew a token; else None.

        The route answers for the workspace of the request: no page of another hears that answer.
        """
        if not remote and "intercom_user_jwt" not in intercom_settings:
            return None
        if intercom_settings["app_id"] != settings.app_id:
            WARNINGS.warn(_NO_ROUTE)
            return None
        route = self.settings_url() if self.settings_url is not None else None
        if route is None and remote:
            raise OptionError("remote", "needs the route of the Flask extension, and so a request")
        return route

    def _runtime(self, settings: Settings) -> str:
        if settings.runtime_url is not None:
            return settings.runtime_url
        if self.runtime_url is None:
            raise OptionError(
                "runtime_url",
                "must be set without Flask: it is where pages get the file analytics.min.js, best under another name",
            )
        return self.runtime_url()

    def intercom_settings(self, user: Any = _ASK_LOADER, *, found_nonce: Any = None, **options: Any) -> dict[str, Any]:
        """Return the intercomSettings object of a user as a dict, for ``| tojson``; {} while Intercom is off."""
        settings = self.settings()
        if not settings.enabled:
            return {}
        settings_object = self._found(user, options, settings)
        self.rendered(settings_object)
        return settings_object

    def session_settings(self) -> dict[str, Any]:
        """Return the intercomSettings object of the user in session, for the route; {} where there is no Messenger.

        What decides is the request's own settings, as for a page: those of its workspace, or none.
        """
        settings = self.settings()
        if not settings.enabled or settings.app_id is None:
            return {}
        settings_object = self._found(_ASK_LOADER, {}, settings)
        self.rendered(settings_object)
        return settings_object

    def _found(self, user: Any, options: dict[str, Any], settings: Settings) -> dict[str, Any]:
        try:
            if not options:
                return build_settings(self._person(user, None, None), settings)
            return self._with_options(user, options, settings)
        except UndefinedError:
            if type(user) is not dict or not any(isinstance(value, Undefined) for value in user.values()):
                raise
            return self._found(_defined(user), options, settings)

    def _with_options(self, user: Any, options: dict[str, Any], settings: Settings) -> dict[str, Any]:
        options = _defined(options)
        traits, company = options.pop("traits", None), options.pop("company", None)
        overlay = _overlay(options)
        settings = _of_app(settings, overlay.get("app_id", settings.app_id))
        if _LAUNCHER in overlay:
            warn_of_selector(overlay[_LAUNCHER])
        intercom_settings = build_settings(self._person(user, traits, company), settings) | overlay
        if intercom_settings.get(_LAUNCHER) == DEFAULT_LAUNCHER:
            del intercom_settings[_LAUNCHER]
        return intercom_settings

    def _person(self, user: Any, traits: Mapping[str, Any] | None, company: Any) -> UserState:
        person = user_state_of(user if type(user) is dict else self._user(user))
        if traits is not None:
            if not isinstance(traits, Mapping):
                raise OptionError("traits", f"must be a dict, not {type(traits).__name__}")
            # First in the order, so that of two traits with one meaning those of the template count.
            rest = {name: value for name, value in person.traits.items() if name not in traits}
            person.traits = {**traits, **rest}
        if company is None and self.company_loader is not None and (person.user_id or person.traits):
            company = plain(self.company_loader())
        if company is not None:
            person.group = _company(company)
        return person

    def _user(self, user: Any) -> Any:
        if user is _ASK_LOADER:
            return self.user_loader() if self.user_loader is not None else None
        if isinstance(user, Undefined):
            str(user)  # an environment with StrictUndefined raises its own error here
            WARNINGS.warn("user: the template's variable for the user is not defined, so this is a visitor")
            return None
        return user


def _of_app(settings: Settings, app_id: str | None) -> Settings:
    """The settings for an app id: of another workspace as ``workspaces`` has them, else without a proof.

    A proof is of one workspace alone.
    """
    if app_id is None or app_id == settings.app_id:
        return settings
    if settings.workspaces:
        try:
            return settings.for_workspace(app_id)
        except SettingsError:
            pass
    if settings.secrets:
        WARNINGS.warn(_NO_PROOF)
        return _unproven(settings)
    return settings


@lru_cache(maxsize=64)
def _unproven(settings: Settings) -> Settings:
    """The settings without a secret, which is of their own workspace alone."""
    return replace(settings, identity_secret=None)


def install(env: Environment, settings: Settings, user_loader: Callable[[], Any] | None = None) -> None:
    """Give a Jinja environment the template helpers; ``user_loader`` says who the user is where no argument does.

    A nonce is taken from ``csp_nonce`` where a template or the environment knows it, as a value or a function.
    """
    helpers = Helpers(settings=lambda: settings, user_loader=user_loader)
    env.globals.update(helpers.globals())


def _defined(value: Any) -> Any:
    """What a template gave, with what is undefined in it as None; StrictUndefined raises its own error.

    Texts, flags and numbers, and None, are read through proxies.
    """
    if isinstance(value, Undefined):
        str(value)
        return None
    return {name: _defined(item) for name, item in value.items()} if type(value) is dict else plain(value)


def find_nonce(names: Mapping[str, Any]) -> str | None:
    """The page's nonce where ``csp_nonce`` is known under these names, as a value or a function."""
    nonce: str | None = called(names.get("csp_nonce"))
    return nonce


def _overlay(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keys of intercomSettings, each checked; one that is None counts as not given."""
    for name in options:
        if name not in _KEYS:
            raise OptionError(name, validators.unknown(name, "option", OPTIONS))
    return {_KEYS[name]: _checked(name, value) for name, value in options.items() if value is not None}


def _checked(name: str, value: Any) -> Any:
    try:
        if name in MESSENGER:
            return check_one(name, value)
        return _OWN_CHECKS.get(name, validators.text)(value)
    except validators.InvalidValue as refused:
        raise OptionError(name, str(refused).removeprefix(f"{name} ")) from None


_OWN_CHECKS: dict[str, validators.Check] = {"app_id": check_app_id, "hide_default_launcher": validators.boolean}


def _company(company: Any) -> Mapping[str, Any]:
    company_traits = traits_of(company)
    if company_traits is None:
        raise OptionError("company", "must be a dict, an object with an id and a name, or a name")
    return company_traits
