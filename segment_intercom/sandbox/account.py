"""What one workspace knows: who is who, who is in session, and what they said and did."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from .attributes import CompanyReading, NotSaved, Reading
from .people import Company, Conversation, Event, Person

ATTRIBUTE_LIMIT = 250


@dataclass(slots=True)
class Account:
    """The data of one workspace; the store's lock guards it."""

    app_id: str
    people: dict[str, Person] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    attribute_names: set[str] = field(default_factory=set)
    _visitors: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, str] = field(default_factory=dict, repr=False)

    def in_session(self, session: str | None) -> Person | None:
        """The person whose session it is, if it still runs."""
        return self.people.get(self._sessions.get(session or "", ""))

    def visitor(self, visitor_id: str) -> Person:
        """The visitor with this cookie, who is made when there is none."""
        known = self.people.get(self._visitors.get(visitor_id, ""))
        if known:
            return known
        person = Person(self.app_id, visitor_id=visitor_id)
        self.people[person.id] = person
        self._visitors[visitor_id] = person.id
        return person

    def user(self, user_id: str | None, email: str | None, visitor_id: str) -> Person:
        """The user of that name; the visitor with this cookie becomes the user, or is merged into the one there is."""
        visitor = self.people.get(self._visitors.pop(visitor_id, ""))
        user = self._find(user_id, email)
        if user is None:
            user = visitor or Person(self.app_id, visitor_id=visitor_id)
            user.role = "user"
            self.people[user.id] = user
        elif visitor:
            self._merge(visitor, user)
        return user

    def open_session(self, person: Person, session: str | None) -> str:
        """The session to go on with: the one there is if it is this person's, else a new one."""
        if session and self._sessions.get(session) == person.id:
            return session
        self.close_session(session)
        fresh = secrets.token_urlsafe(24)
        self._sessions[fresh] = person.id
        return fresh

    def close_session(self, session: str | None) -> None:
        """End a session; one that is not known is no error."""
        self._sessions.pop(session or "", None)

    def save(self, person: Person, reading: Reading) -> list[NotSaved]:
        """Save what was read, and give what the workspace has no room for."""
        _lay(person.standard, reading.standard)
        fitting, left = self._fitting(reading.custom)
        _lay(person.custom_attributes, fitting)
        for company in reading.companies:
            if company.remove:
                person.detach(company.company_id)
            else:
                self._save_company(company)
                person.attach(company.company_id)
        return left

    def conversations_of(self, person: Person) -> list[Conversation]:
        """The conversations of one person, oldest first."""
        return [conversation for conversation in self.conversations.values() if conversation.person_id == person.id]

    def person_json(self, person: Person) -> dict[str, Any]:
        """A person as the widget and the inspector show him."""
        companies = [self.companies[company_id] for company_id in person.company_ids]
        return {
            "id": person.id,
            "app_id": person.app_id,
            "role": person.role,
            "user_id": None,
            "email": None,
            "name": None,
            **person.standard,
            "visitor_id": person.visitor_id,
            "custom_attributes": dict(person.custom_attributes),
            "companies": [{"company_id": company.company_id, **company.standard} for company in companies],
            "first_seen": person.first_seen,
            "last_seen": person.last_seen,
            "page": person.page,
        }

    def _find(self, user_id: str | None, email: str | None) -> Person | None:
        users = [person for person in self.people.values() if person.role == "user"]
        if user_id:
            for person in users:
                if person.standard.get("user_id") == user_id:
                    return person
            users = [person for person in users if not person.standard.get("user_id")]
        address = (email or "").lower()
        return next((person for person in users if address and _address(person) == address), None)

    def _merge(self, visitor: Person, user: Person) -> None:
        for conversation in self.conversations_of(visitor):
            conversation.person_id = user.id
        for event in self.events:
            if event.person_id == visitor.id:
                event.person_id = user.id
        user.custom_attributes = {**visitor.custom_attributes, **user.custom_attributes}
        for company_id in visitor.company_ids:
            user.attach(company_id)
        user.first_seen = min(user.first_seen, visitor.first_seen)
        del self.people[visitor.id]

    def _save_company(self, reading: CompanyReading) -> None:
        company = self.companies.setdefault(reading.company_id, Company(self.app_id, reading.company_id))
        _lay(company.standard, reading.standard)
        _lay(company.custom_attributes, reading.custom)

    def _fitting(self, custom: dict[str, Any]) -> tuple[dict[str, Any], list[NotSaved]]:
        fitting: dict[str, Any] = {}
        left = []
        for name, value in custom.items():
            if name in self.attribute_names or len(self.attribute_names) < ATTRIBUTE_LIMIT:
                self.attribute_names.add(name)
                fitting[name] = value
            else:
                left.append(NotSaved(name, f"the workspace has its {ATTRIBUTE_LIMIT} custom attributes already"))
        return fitting, left


def _lay(kept: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value


def _address(person: Person) -> str:
    return str(person.standard.get("email", "")).lower()
