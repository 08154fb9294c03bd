"""The people, companies, events and conversations that a workspace keeps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


def new_id() -> str:
    """An id as Intercom makes them: 24 hexadecimal digits."""
    return uuid4().hex[:24]


def now() -> float:
    """The time in Unix seconds, to the millisecond."""
    return round(time.time(), 3)


@dataclass(slots=True)
class Person:
    """A user, or a visitor without an id."""

    app_id: str
    role: str = "visitor"
    visitor_id: str | None = None
    id: str = field(default_factory=new_id)
    standard: dict[str, Any] = field(default_factory=dict)
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    company_ids: list[str] = field(default_factory=list)
    first_seen: float = field(default_factory=now)
    last_seen: float = field(default_factory=now)
    page: dict[str, Any] = field(default_factory=dict)
    source: str = "page"
    updated_at: float = field(default_factory=now)
    archived: bool = False
    # Intercom's ids of their tags, each with when it was given.
    tag_ids: dict[str, int] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        """The id that the site gave the person, or nothing; the contacts API calls it external_id."""
        return str(self.standard.get("user_id") or "")

    @property
    def email(self) -> str:
        """The person's e-mail as it is compared, or nothing."""
        return str(self.standard.get("email") or "").lower()

    def attach(self, company_id: str) -> None:
        """Make the person a member of a company, once."""
        if company_id not in self.company_ids:
            self.company_ids.append(company_id)

    def detach(self, company_id: str) -> None:
        """End the person's membership in a company, if there is one."""
        if company_id in self.company_ids:
            self.company_ids.remove(company_id)


@dataclass(slots=True)
class Company:
    """A company, known by the id that the site gave it."""

    app_id: str
    company_id: str
    id: str = field(default_factory=new_id)
    standard: dict[str, Any] = field(default_factory=dict)
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    created_at: float = field(default_factory=now)
    updated_at: float = field(default_factory=now)
    members: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """The company as the inspector shows it."""
        return {
            "id": self.id,
            "app_id": self.app_id,
            "company_id": self.company_id,
            **self.standard,
            "custom_attributes": dict(self.custom_attributes),
        }


@dataclass(slots=True)
class Tag:
    """A tag of a workspace."""

    name: str
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Event:
    """Something that a person did, at ``created_at``; it came at ``at``."""

    app_id: str
    person_id: str
    name: str
    metadata: dict[str, Any]
    created_at: int
    source: str = "page"
    at: float = field(default_factory=now)
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Conversation:
    """What a person wrote in the Messenger, message by message."""

    app_id: str
    person_id: str
    id: str = field(default_factory=new_id)
    parts: list[dict[str, Any]] = field(default_factory=list)
    # How many of the parts the person has had in sight.
    seen: int = 0

    @property
    def unread(self) -> int:
        """How many messages of teammates the person has not seen."""
        return sum(part["author"] == "teammate" for part in self.parts[self.seen :])

    def write(self, text: str) -> None:
        """Add a message of the person, who sees what stands before it."""
        self.parts.append({"id": new_id(), "author": "person", "text": text, "at": now()})
        self.seen = len(self.parts)

    def reply(self, text: str) -> None:
        """Add a message of a teammate."""
        self.parts.append({"id": new_id(), "author": "teammate", "text": text, "at": now()})

    def as_json(self) -> dict[str, Any]:
        """The conversation as the widget and the inspector show it."""
        return {
            "id": self.id,
            "app_id": self.app_id,
            "person_id": self.person_id,
            "parts": list(self.parts),
            "unread": self.unread,
        }
