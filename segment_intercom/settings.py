"""Every setting: its name, default and check, in one frozen object that is read once at start-up."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, cast

from . import _validators as validators
from .diagnostics import logger
from .errors import SettingsError
from .intercom_keys import check_messenger
from .spec import SPEC

OUTBOX_ADDRESS = (
    "the address of a SQLite file, sqlite:///name.db (in the working folder) or sqlite:////absolute/name.db, "
    "of a PostgreSQL database, postgresql://user@db.example/shop, or of NATS, nats://nats.example:4222"
)
PREFIX = "INTERCOM_"
DEFAULT_LAUNCHER = "#IntercomDefaultWidget"
WIDGET_URL = "https://widget.intercom.io/widget"
# Intercom's hosts carry the region's name; the United States' have none (developer documentation, "Regional hosting").

Region = Literal["us", "eu", "au"]
NestedHandling = Literal["flatten", "stringify", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """What the package is told once: all fields have defaults, and ``app_id`` is enough for a page.

    A wrong value raises SettingsError, which names the key and what is accepted; docs/configuration.md has every field.
    """

    app_id: str | None = None
    enabled: bool = True
    strict: bool | None = None
    identity_secret: str | Sequence[str] | None = field(default=None, repr=False)
    identity: Literal["hash", "jwt"] = "hash"
    identity_ttl: int = 7200
    signed_fields: Sequence[str] = ()
    region: Region = "us"
    launcher_selector: str = DEFAULT_LAUNCHER
    hide_default_launcher: bool | None = None
    messenger: Mapping[str, Any] = field(default_factory=dict, repr=False)
    nested_handling: NestedHandling = "flatten"
    nested_handling_for: Mapping[str, NestedHandling] = field(default_factory=dict)
    rich_links: Sequence[str] = ()
    collect_context: bool = False
    access_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    runtime_url: str | None = None
    api_version: str = "2.16"
    api_url: str | None = None
    messenger_url: str | None = None
    widget_url: str = WIDGET_URL
    create_attributes: bool = True
    event_name_limit: int = 120
    event_property_limit: int = 10
    collect_address: bool = False
    outbox: str = field(default="sqlite:///segment-intercom.db", repr=False)
    deliver: Literal["thread", "worker", "now"] = "thread"
    exit_timeout: float = 2
    workspaces: Mapping[str, Any] | Callable[[str], Any] = field(default_factory=dict, repr=False)
    leads: bool = False
    restore_archived: bool = True
    tags: bool = False
    visitor_traits: Sequence[str] = ()
    allow_events: Sequence[str] = ()
    deny_events: Sequence[str] = ()
    before_send: Callable[[Any], Any] | None = None
    write_keys: Sequence[str] = field(default=(), repr=False)
    browser_write_keys: Sequence[str] = ()
    trusted_proxies: int = 0
    exclude: Sequence[str] = ()
    exclude_if: Callable[[Any], Any] | None = None
    auto_include: bool = False
    respect_gpc: bool = False

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            try:
                value = check(getattr(self, name))
            except validators.InvalidValue as refused:
                raise SettingsError(name, str(refused)) from None
            object.__setattr__(self, name, value)
        if self.signed_fields and self.identity != "jwt":
            raise SettingsError("signed_fields", 'needs identity "jwt": a hash carries no fields')

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> Settings:
        """Read the ``INTERCOM_*`` keys of a mapping such as ``app.config``; text is read as in an environment.

        An error names the key as it was written there, ``INTERCOM_APP_ID``.
        """
        _warn_of_slips(config)
        values = {name: config[key] for name in _CHECKS if (key := PREFIX + name.upper()) in config}
        try:
            return cls(**{name: _from_text(name, value) for name, value in values.items()})
        except SettingsError as error:
            raise SettingsError(PREFIX + error.field.upper(), error.problem) from None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read ``INTERCOM_*`` environment variables: lists separated by commas, dicts as JSON.

        An empty variable counts as not set, except a secret, where it is an error: an empty secret proves nothing.
        """
        return cls.from_mapping(cls.present(environ))

    @staticmethod
    def present(environ: Mapping[str, str]) -> dict[str, str]:
        """The environment variables that count as set."""
        return {key: text for key, text in environ.items() if text or key in _SECRET_KEYS}

    def for_workspace(self, app_id: str) -> Settings:
        """These settings with the token, the secret and the region that ``workspaces`` has for another app id.

        Raises SettingsError where it has none.
        """
        app_id = str(app_id)
        if app_id == self.app_id:
            return self
        entry = self.workspaces(app_id) if callable(self.workspaces) else self.workspaces.get(app_id)
        if entry is None:
            raise SettingsError("workspaces", f"has no access token for the workspace {app_id[:40]}")
        try:
            values = _workspace(entry)
        except validators.InvalidValue as refused:
            raise SettingsError("workspaces", str(refused)) from None
        return _for_workspace(self, app_id, tuple(sorted(values.items())))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The identity secrets, the signing one first; empty when verification is off."""
        return cast("tuple[str, ...]", self.identity_secret or ())

    @property
    def api_base(self) -> str | None:
        """The Messenger's ``api_base``: None in the United States, where it is left out."""
        if self.messenger_url is not None or self.region == "us":
            return self.messenger_url
        return f"https://api-iam.{SPEC.regions[self.region].host}intercom.io"

    @property
    def rest_url(self) -> str:
        """Where Intercom's REST API is."""
        return self.api_url or f"https://api.{SPEC.regions[self.region].host}intercom.io"


def _secrets(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    try:
        secrets = (value,) if isinstance(value, str) else validators.strings(value)
    except validators.InvalidValue:
        raise validators.InvalidValue("must be a string, or a list of strings of which the first signs") from None
    if not secrets or not all(secret.strip() for secret in secrets):
        raise validators.InvalidValue(
            "an empty secret verifies no user; give the Messenger's secret, or leave the setting out"
        )
    return secrets


def _workspace(value: object) -> dict[str, Any]:
    """What ``workspaces`` says of one: its access token, or a dict with that, a secret, a region."""
    values = {"access_token": value} if isinstance(value, str) else dict(validators.mapping(value))
    for name in values:
        if name not in _OF_A_WORKSPACE:
            raise validators.InvalidValue(validators.unknown(str(name)[:60], "key of a workspace", _OF_A_WORKSPACE))
        try:
            values[name] = _CHECKS[name](values[name])
        except validators.InvalidValue as refused:
            raise validators.InvalidValue(f"{name} {refused}") from None
    return values


def _workspaces(value: object) -> Mapping[str, Any] | Callable[[str], Any]:
    if callable(value):
        return value
    workspaces = validators.mapping(value)
    for app_id, entry in workspaces.items():
        check_app_id(app_id)
        try:
            _workspace(entry)
        except validators.InvalidValue as refused:
            raise validators.InvalidValue(f"{refused}, for {app_id}") from None
    return workspaces


@lru_cache(maxsize=1_024)
def _for_workspace(settings: Settings, app_id: str, values: tuple[tuple[str, Any], ...]) -> Settings:
    own = {"access_token": None, "identity_secret": None, "api_key": None}
    return replace(settings, **{**own, **dict(values), "app_id": app_id})


def _handling_for(value: object) -> Mapping[str, NestedHandling]:
    chosen = validators.mapping(value)
    for handling in chosen.values():
        validators.one_of("flatten", "stringify", "drop")(handling)
    return MappingProxyType({str(key): handling for key, handling in chosen.items()})


def unknown_keys(config: Mapping[str, Any], *, near: bool = False) -> dict[str, str]:
    """Return what is said of each ``INTERCOM_*`` key that is not a setting: what it may have meant, if anything.

    ``near``: only of those that are a slip away from one.
    """
    names = [name.upper() for name in _CHECKS]
    unknown = {}
    for key in config:
        if not isinstance(key, str) or not key.startswith(PREFIX) or (name := key.removeprefix(PREFIX)) in names:
            continue
        close = difflib.get_close_matches(key, [PREFIX + known for known in names], n=1, cutoff=0.9)
        if not close and not near:  # INTERCOM_SECRET, INTERCOM_TOKEN: a part of a name
            parts = [known for known in names if name in known.split("_")]
            close = [PREFIX + known for known in parts or difflib.get_close_matches(name, names, n=1, cutoff=0.7)]
        if close or not near:
            meant = f"did you mean {close[0]}?" if close else "it has no effect"
            unknown[key[:60]] = f"is not a setting of segment-intercom; {meant}"
    return unknown


def _warn_of_slips(config: Mapping[str, Any]) -> None:
    """A slip in the key of a secret would turn verification off in silence; other keys of that form are the host's."""
    for key, said in unknown_keys(config, near=True).items():
        logger.warning("%s: %s", key, said)


def _from_text(name: str, value: object) -> Any:
    if not isinstance(value, str):
        return value
    if name == "identity_secret":  # one secret is text, too, so that its check could not tell a list from it
        return validators.json_or(value, validators.listed)
    return validators.parse(value, _CHECKS[name])


check_app_id = validators.matching(
    r"[A-Za-z0-9]{8}|[A-Za-z0-9]{40}",
    "8 or 40 letters and digits, as text: Intercom shows it in its settings, under Installation",
)

# Each field with its check: value in, the value kept out.
_CHECKS: dict[str, validators.Check] = {
    "app_id": validators.optional(check_app_id),
    "enabled": validators.boolean,
    "strict": validators.optional(validators.boolean),
    "identity_secret": _secrets,
    "identity": validators.one_of("hash", "jwt"),
    "identity_ttl": validators.integer(minimum=1),
    "signed_fields": validators.strings,
    "region": validators.one_of(*SPEC.regions),
    "launcher_selector": validators.text,
    "hide_default_launcher": validators.optional(validators.boolean),
    "messenger": check_messenger,
    "nested_handling": validators.one_of("flatten", "stringify", "drop"),
    "nested_handling_for": _handling_for,
    "rich_links": validators.strings,
    "collect_context": validators.boolean,
    "access_token": validators.optional(
        validators.matching(r"[\x21-\x7e]+", "a token as Intercom shows it, without spaces")
    ),
    "api_key": validators.optional(
        validators.matching(r"[A-Za-z0-9]{40}", "the 40 letters and digits of a legacy API key")
    ),
    "runtime_url": validators.optional(validators.page_url),
    "api_version": validators.matching(r"1\.4|2\.\d{1,2}", '"1.4" or a version from "2.0" on'),
    "api_url": validators.optional(validators.url),
    "messenger_url": validators.optional(validators.page_url),
    "widget_url": validators.page_url,
    "create_attributes": validators.boolean,
    "event_name_limit": validators.integer(minimum=1),
    "event_property_limit": validators.integer(minimum=1),
    "collect_address": validators.boolean,
    "outbox": validators.matching(
        r"(sqlite:///|postgresql://|postgres://|nats://|tls://).+",
        OUTBOX_ADDRESS,
    ),
    "deliver": validators.one_of("thread", "worker", "now"),
    "exit_timeout": validators.number(minimum=0),
    "workspaces": _workspaces,
    "leads": validators.boolean,
    "restore_archived": validators.boolean,
    "tags": validators.boolean,
    "visitor_traits": validators.strings,
    "allow_events": validators.strings,
    "deny_events": validators.strings,
    "before_send": validators.optional(validators.function),
    "write_keys": validators.strings,
    "browser_write_keys": validators.strings,
    "trusted_proxies": validators.integer(minimum=0),
    "exclude": validators.strings,
    "exclude_if": validators.optional(validators.function),
    "auto_include": validators.boolean,
    "respect_gpc": validators.boolean,
}
# What one of several workspaces may have of its own.
_OF_A_WORKSPACE = ("access_token", "identity_secret", "region")
_SECRET_KEYS = {PREFIX + item.name.upper() for item in fields(Settings) if not item.repr and item.default is None}
