"""The keys to which Intercom's Messenger gives a meaning, and the checks of those that a developer may set.

Source: Intercom's developer documentation, "Attributes & objects" of the JavaScript API.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from . import checks

_colour = checks.matching(
    r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]+|(?:rgb|hsl)a?\([0-9., %/a-z]+\)",
    'a CSS colour such as "#1f8ded"',
)
_padding = checks.integer(minimum=20)

# What a developer may set under its own name, each with its check.
MESSENGER: dict[str, checks.Check] = {
    "alignment": checks.one_of("left", "right"),
    "horizontal_padding": _padding,
    "vertical_padding": _padding,
    "z_index": checks.integer(minimum=0),
    "hide_notifications": checks.boolean,
    "theme_mode": checks.one_of("light", "dark", "system"),
    "session_duration": checks.integer(minimum=1),
    "action_color": _colour,
    "background_color": _colour,
    "link_color": _colour,
    "page_title": checks.text,
    "language_override": checks.text,
    "auth_tokens": lambda value: dict(checks.mapping(value)),
    "messenger_style_id": checks.text,
}

LAUNCHER = ("hide_default_launcher", "custom_launcher_selector")
CONNECTION = ("app_id", "api_base")
PROOF = ("user_hash", "intercom_user_jwt")
USER = (
    "user_id",
    "email",
    "name",
    "phone",
    "created_at",
    "avatar",
    "unsubscribed_from_emails",
    "company",
    "companies",
)
# Intercom's own: it ignores what a page says of them. `widget` is the older way to choose a launcher.
_UNSETTABLE = (
    "last_request_at",
    "user_count",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
    "widget",
)

# A custom attribute of one of these names is never laid in line: there it would steer the Messenger.
# static/segment_intercom/loader.js keeps the same list; a test holds the two together.
RESERVED_WORDS = " ".join((*CONNECTION, *USER, *PROOF, *LAUNCHER, *MESSENGER, *_UNSETTABLE, "custom_attributes"))
RESERVED = frozenset(RESERVED_WORDS.split())

COMPANY = ("company_id", "name", "created_at", "plan", "monthly_spend", "size", "website", "industry", "remove")


def check_messenger(value: object) -> Mapping[str, Any]:
    """Check a dict of Messenger settings: every name known, every value of its kind.

    ``custom_launcher_selector`` and ``hide_default_launcher`` have settings of their own and are refused here.
    """
    given = checks.mapping(value)
    for name in given:
        if name not in MESSENGER:
            raise checks.Refused(f"{name!s:.60} " + checks.unknown(str(name), "Messenger setting", MESSENGER))
    return MappingProxyType({name: check_one(name, item) for name, item in given.items()})


def check_one(name: str, value: object) -> Any:
    """Check the value of one Messenger setting."""
    try:
        return MESSENGER[name](value)
    except checks.Refused as refused:
        raise checks.Refused(f"{name} {refused}") from None
