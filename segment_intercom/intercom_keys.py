"""The keys to which Intercom's Messenger gives a meaning, from spec.json, and the checks of those one may set."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from . import _validators as validators
from .spec import SPEC, MessengerSetting

_colour = validators.matching(
    r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]+|(?:rgb|hsl)a?\([0-9., %/a-z]+\)",
    'a CSS colour such as "#1f8ded"',
)
_BY_TYPE: dict[str, validators.Check] = {
    "boolean": validators.boolean,
    "colour": _colour,
    "object": lambda value: dict(validators.mapping(value)),
    "text": validators.text,
}


def _check_of(setting: MessengerSetting) -> validators.Check:
    if setting.one_of:
        return validators.one_of(*setting.one_of)
    if setting.integer_from is not None:
        return validators.integer(minimum=setting.integer_from)
    return _BY_TYPE[str(setting.type)]


# What a developer may set under its own name, each with its check.
MESSENGER = {name: _check_of(setting) for name, setting in SPEC.messenger_settings.items()}
LAUNCHER = tuple(SPEC.launcher)
CONNECTION = tuple(SPEC.connection)
RESERVED = frozenset(SPEC.reserved)
# For the page's scripts: what is the site's own, then, behind a bar, what is a person's or Intercom's.
_SITE = (*CONNECTION, *LAUNCHER, *(name for name in MESSENGER if name != "auth_tokens"))
RESERVED_WORDS = " ".join((*_SITE, "|", *(name for name in SPEC.reserved if name not in _SITE)))
COMPANY = tuple(SPEC.company_fields)


def check_messenger(value: object) -> Mapping[str, Any]:
    """Check a dict of Messenger settings: every name known, every value of its kind.

    ``custom_launcher_selector`` and ``hide_default_launcher`` have settings of their own and are refused here.
    """
    values = validators.mapping(value)
    for name in values:
        if name not in MESSENGER:
            raise validators.InvalidValue(
                f"{name!s:.60} " + validators.unknown(str(name), "Messenger setting", MESSENGER)
            )
    return MappingProxyType({name: check_one(name, item) for name, item in values.items()})


def check_one(name: str, value: object) -> Any:
    """Check the value of one Messenger setting."""
    try:
        return MESSENGER[name](value)
    except validators.InvalidValue as refused:
        raise validators.InvalidValue(f"{name} {refused}") from None
