"""Who is rendered? Sample users, the same for every question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

APP_ID = "abcd1234"
SECRET = "benchmark-identity-secret"
USER_ID = "user-1234"
CREATED = datetime(2024, 5, 17, 9, 30, tzinfo=UTC)

WHO: dict[str, Any] = {
    "id": USER_ID,
    "email": "ada.lovelace@example.com",
    "name": "Ada Lovelace",
    "created_at": int(CREATED.timestamp()),
}
FURTHER: dict[str, Any] = {
    "job_title": "Head of Analysis",
    "department": "R&D",
    "city": "London",
    "country": "United Kingdom",
    "locale": "en-GB",
    "timezone": "Europe/London",
    "plan": "enterprise",
    "role": "owner",
    "referrer": "A friend <grace@example.org>",
    "browser": "Firefox 128",
    "theme": "dark",
    "segment": "mid-market",
    "onboarding_step": "invite the team",
    "account_manager": "Grace Hopper",
    "seats": 42,
    "projects": 17,
    "invitations_sent": 9,
    "logins": 1284,
    "newsletter": True,
    "health_score": 87.5,
    "experiment": "blue-button",
}


def dict_user(traits: int = 25) -> dict[str, Any]:
    """A user as a dict of so many traits, those of WHO among them."""
    return {**WHO, **dict(islice(_endless(), traits - len(WHO)))}


def _endless() -> Iterator[tuple[str, Any]]:
    yield from FURTHER.items()
    for turn in count(2):
        yield from ((f"{name}_{turn}", value) for name, value in FURTHER.items())


def with_iso_dates() -> dict[str, Any]:
    """The user of 25 traits, two of them texts that are dates."""
    return dict_user() | {"role": "2026-03-01", "theme": "2026-02-01T09:30:00Z"}


def with_datetimes() -> dict[str, Any]:
    """The user of 25 traits, three of them datetime objects."""
    trial, invoice = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
    return dict_user() | {"created_at": CREATED, "role": trial, "theme": invoice}


def with_nested() -> dict[str, Any]:
    """The user of 25 traits, one of them a dict of four."""
    address = {"street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "floor": 3}
    return dict_user() | {"city": address}


@dataclass(slots=True)
class ObjectUser:
    """The user of 25 traits as an application's own object."""

    traits: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.traits["id"])

    def intercom_traits(self) -> dict[str, Any]:
        return self.traits


@dataclass(slots=True)
class DjangoUser:
    """What django-analytical reads of a user; the further traits it takes from the context."""

    pk: str = USER_ID
    email: str = WHO["email"]
    date_joined: datetime = CREATED
    is_authenticated: bool = True

    def get_full_name(self) -> str:
        return str(WHO["name"])
