"""The keys to which Intercom's Messenger gives a meaning, from spec.json, and the checks of those one may set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from . import _validators as validators
from .diagnostics import WARNINGS
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


# Tags that a launcher may well be, or hold.
_TAGS = frozenset("a article aside button div footer form header img label li nav p section span summary svg".split())
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


@lru_cache(maxsize=64)
def warn_of_selector(selector: str) -> None:
    """Warn of a launcher's selector that no browser reads, or that means a tag where an id was meant."""
    outside = re.sub(r"\[[^\]]*\]", "", selector)
    if re.search(r"[#.]{2}|[#.](?:$|[\s\d>+~,])|^\d", outside) or selector.count("[") != selector.count("]"):
        WARNINGS.warn(
            "launcher_selector: %.60r is not a CSS selector, so nothing opens the Messenger; write "
            '"#ask-us" for the element with id="ask-us"',
            selector,
        )
    elif re.fullmatch(r"[A-Za-z][\w-]*", selector) and selector.lower() not in _TAGS:
        WARNINGS.warn(
            "launcher_selector: %.60r names a tag; an element of that id is %.60r, one of that class %.60r",
            *(selector, f"#{selector}", f".{selector}"),
        )


def check_one(name: str, value: object) -> Any:
    """Check the value of one Messenger setting."""
    try:
        return MESSENGER[name](value)
    except validators.InvalidValue as refused:
        raise validators.InvalidValue(f"{name} {refused}") from None
