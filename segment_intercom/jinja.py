"""The template helpers, for any Jinja environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import Environment, Undefined
from markupsafe import Markup

from . import checks
from .calls import Call, Group, Identify
from .errors import OptionError
from .intercom_keys import MESSENGER, check_one
from .messenger import messenger_settings
from .settings import DEFAULT_LAUNCHER, Settings, check_app_id
from .snippet import Nonce, render_snippet
from .traits.companies import traits_of
from .traits.report import logger
from .users import identify_of

_ASK_LOADER: Any = object()  # the default of `user`: None is an answer already, a visitor
_LAUNCHER = "custom_launcher_selector"
# Options that become a key of intercomSettings, by their name in a template.
_KEYS = {"launcher_selector": _LAUNCHER, **{name: name for name in (_LAUNCHER, *MESSENGER)}}
_KEYS |= {"app_id": "app_id", "hide_default_launcher": "hide_default_launcher"}
OPTIONS = ("traits", "company", "nonce", "load", *_KEYS)


@dataclass(slots=True)
class Helpers:
    """The helpers of one environment; what differs between plain Jinja and Flask is handed in.

    ``settings`` gives the settings for the moment, ``nonce`` finds the page's nonce, and ``rendered`` hears every
    object that went into a page.
    """

    settings: Callable[[], Settings]
    user_loader: Callable[[], Any] | None = None
    company_loader: Callable[[], Any] | None = None
    nonce: Nonce = None
    rendered: Callable[[Mapping[str, Any]], None] = lambda _: None
    _warned: set[str] = field(default_factory=set)

    def globals(self) -> dict[str, Callable[..., Any]]:
        """The names under which templates find the helpers."""
        return {"intercom_snippet": self.intercom_snippet, "intercom_settings": self.intercom_settings}

    def intercom_snippet(
        self, user: Any = _ASK_LOADER, *, nonce: Nonce = None, load: str = "load", **options: Any
    ) -> Markup:
        """Return the script element that shows the Messenger to a user, or to a visitor when ``user`` is None."""
        found = self.intercom_settings(user, **options)
        settings = self.settings()
        if settings.enabled and "app_id" not in found:
            self._warn_once("app_id", "no Intercom app id is set, so nothing is rendered; set INTERCOM_APP_ID")
            return Markup("")
        return render_snippet(found, settings=settings, nonce=self.nonce if nonce is None else nonce, load=load)

    def intercom_settings(
        self, user: Any = _ASK_LOADER, *, traits: Mapping[str, Any] | None = None, company: Any = None, **options: Any
    ) -> dict[str, Any]:
        """Return the intercomSettings object of a user as a dict, for ``| tojson``."""
        overlay = _overlay(options) if options else options
        found = messenger_settings(self._calls(user, traits, company), self.settings())
        if overlay:
            found.update(overlay)
            if found.get(_LAUNCHER) == DEFAULT_LAUNCHER:
                del found[_LAUNCHER]
        self.rendered(found)
        return found

    def _calls(self, user: Any, traits: Mapping[str, Any] | None, company: Any) -> Call | list[Call]:
        identify = identify_of(self._user(user))
        if traits is not None:
            if not isinstance(traits, Mapping):
                raise OptionError("traits", f"must be a dict, not {type(traits).__name__}")
            identify = identify or Identify()
            identify = replace(identify, traits={**identify.traits, **traits})
        if identify is None:
            return []
        if company is None and self.company_loader is not None:
            company = self.company_loader()
        return identify if company is None else [identify, Group(traits=_company(company))]

    def _user(self, user: Any) -> Any:
        if user is _ASK_LOADER:
            return self.user_loader() if self.user_loader is not None else None
        if isinstance(user, Undefined):
            str(user)  # an environment with StrictUndefined raises its own error here
            self._warn_once("user", "the template's variable for the user is not defined, so this is a visitor")
            return None
        return user

    def _warn_once(self, name: str, remark: str) -> None:
        if name not in self._warned:
            self._warned.add(name)
            logger.warning("%s: %s", name, remark)


def install(env: Environment, settings: Settings, user_loader: Callable[[], Any] | None = None) -> None:
    """Give a Jinja environment the template helpers; ``user_loader`` says who the user is where no argument does.

    A nonce is taken from the environment's global ``csp_nonce``, where there is one.
    """
    helpers = Helpers(settings=lambda: settings, user_loader=user_loader, nonce=lambda: find_nonce(env.globals))
    env.globals.update(helpers.globals())


def find_nonce(names: Mapping[str, Any]) -> str | None:
    """The page's nonce where ``csp_nonce`` is known under these names, as a value or a function."""
    nonce = names.get("csp_nonce")
    return nonce() if callable(nonce) else nonce


def _overlay(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keys of intercomSettings, each checked; one that is None counts as not given."""
    for name in options:
        if name not in _KEYS:
            raise OptionError(name, "is no option; accepted are " + ", ".join(OPTIONS))
    return {_KEYS[name]: _checked(name, value) for name, value in options.items() if value is not None}


def _checked(name: str, value: Any) -> Any:
    try:
        if name in MESSENGER:
            return check_one(name, value)
        return _OWN_CHECKS.get(name, checks.text)(value)
    except checks.Refused as refused:
        raise OptionError(name, str(refused).removeprefix(f"{name} ")) from None


_OWN_CHECKS: dict[str, checks.Check] = {"app_id": check_app_id, "hide_default_launcher": checks.boolean}


def _company(company: Any) -> Mapping[str, Any]:
    found = traits_of(company)
    if found is None:
        raise OptionError("company", "must be a dict, an object with an id and a name, or a name")
    return found
