"""What the browser runtime must know of the settings to map as Python does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..intercom_keys import CONNECTION, LAUNCHER, MESSENGER, RESERVED_WORDS
from ..settings import Settings
from ..traits.companies import COMPANY_TRAITS
from ..traits.event_names import events_pattern
from ..traits.names import ALSO_CUSTOM_TRAITS, USER_TRAITS
from ..traits.numbers import SIGNS
from ..traits.standard import COLLECTED


def runtime_config(settings: Settings, page: Mapping[str, Any], *, booted: bool, lazy: bool) -> dict[str, Any]:
    """Return the runtime's ``config``; ``page`` is the page's intercomSettings, without what belongs to a user.

    ``booted``: the page boots the Messenger by itself; ``lazy``: the runtime loads it with its first call.
    """
    return {
        "site": {name: page[name] for name in (*CONNECTION, *LAUNCHER, *MESSENGER) if name in page},
        "booted": booted,
        "lazy": lazy,
        "verified": bool(settings.secrets),
        "handling": settings.nested_handling,
        "handlingFor": dict(settings.nested_handling_for),
        "links": list(settings.rich_links),
        "collect": [[part, name] for part, names in COLLECTED for name in names] if settings.collect_context else [],
        "visitor": list(settings.visitor_traits),
        "events": events_pattern(settings),
        "limit": settings.event_property_limit,
        # What traits mean something, of a user and of a company, and the signs of currencies.
        "user": USER_TRAITS,
        "both": ALSO_CUSTOM_TRAITS,
        "company": COMPANY_TRAITS,
        "signs": "".join(f"{sign}{code}" for sign, code in SIGNS.items()),
        # As in the loader beside it, letter for letter: compressed, it costs the page next to nothing.
        "reserved": RESERVED_WORDS,
    }
