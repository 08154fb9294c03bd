"""What one workspace knows: who is who, who is in session, and what they said and did."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .attributes import CompanyReading, NotSaved, Reading
from .contact_index import ContactIndex
from .data_attributes import DataAttributes
from .event_log import EventLog
from .people import Company, Conversation, Event, Person, Tag, now


@dataclass(slots=True)
class WorkspaceData:
    """The data of one workspace; the store's lock guards it."""

    app_id: str
    clock: Callable[[], float] = now
    people: ContactIndex = field(default_factory=ContactIndex)
    companies: dict[str, Company] = field(default_factory=dict)
    company_ids: dict[str, str] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    attributes: DataAttributes = field(default_factory=DataAttributes)
    tags: dict[str, Tag] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    merged_user_ids: dict[str, str] = field(default_factory=dict)
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
        self.people.file(person)
        self._visitors[visitor_id] = person.id
        return person

    def user(self, user_id: str | None, email: str | None, visitor_id: str) -> Person:
        """The user of that name; the visitor with this cookie becomes the user, or is merged into the one there is."""
        visitor = self.people.get(self._visitors.pop(visitor_id, ""))
        user = self.find_user(user_id, email)
        if user is None:
            user = visitor or Person(self.app_id, visitor_id=visitor_id)
        elif visitor:
            self.merge(visitor, user)
        user.role, user.archived = "user", False
        self.people.file(user)
        return user

    def find_user(self, user_id: str | None, email: str | None) -> Person | None:
        """The user of that id; without one, the first user of that e-mail who is not known by another id."""
        known = self.people.with_user_id(user_id or "")
        if known:
            return known
        users = [person for person in self.people.with_email(email or "") if person.role == "user"]
        return next((person for person in users if not (user_id and person.user_id)), None)

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
        """Save what a page's settings say, and give what the workspace does not take."""
        fitting, left = self._fitting("contact", reading.custom)
        self.write(person, reading.standard, fitting)
        for company in reading.companies:
            if company.remove:
                self.detach(person, company.company_id)
            else:
                left += self._save_company(company)
                self.attach(person, company.company_id)
        return left

    def write(self, person: Person, standard: dict[str, Any], custom: dict[str, Any]) -> None:
        """Lay values over what is known of a person; None clears one."""
        _lay(person.standard, standard)
        _lay(person.custom_attributes, custom)
        person.updated_at = self.clock()
        self.people.file(person)

    def write_company(self, company_id: str, standard: dict[str, Any], custom: dict[str, Any]) -> Company:
        """Lay values over what is known of a company, which is made when there is none."""
        company = self.companies.get(company_id)
        if company is None:
            company = Company(self.app_id, company_id, created_at=self.clock())
            self.companies[company_id] = company
            self.company_ids[company.id] = company_id
        _lay(company.standard, standard)
        _lay(company.custom_attributes, custom)
        company.updated_at = self.clock()
        return company

    def company(self, intercoms_id: str) -> Company | None:
        """The company with Intercom's own id."""
        return self.companies.get(self.company_ids.get(intercoms_id, ""))

    def forget_company(self, company: Company) -> None:
        """Take a company out of the workspace; its members stay, and belong to it no longer."""
        for person_id in company.members:
            if person := self.people.get(person_id):
                person.detach(company.company_id)
        del self.companies[company.company_id], self.company_ids[company.id]

    def attach(self, person: Person, company_id: str) -> None:
        """Make a person a member of a company that there is."""
        person.attach(company_id)
        self.companies[company_id].members.add(person.id)

    def detach(self, person: Person, company_id: str) -> None:
        """End a person's membership in a company, if there is one."""
        person.detach(company_id)
        if company_id in self.companies:
            self.companies[company_id].members.discard(person.id)

    def tag(self, name: str) -> Tag:
        """The tag of this name, whatever its case; it is made when there is none."""
        for tag in self.tags.values():
            if tag.name.lower() == name.lower():
                return tag
        made = Tag(name)
        self.tags[made.id] = made
        return made

    def merge(self, gone: Person, into: Person) -> None:
        """Give everything of one person to another; what the other says of himself stands."""
        for conversation in self.conversations_of(gone):
            conversation.person_id = into.id
        into.custom_attributes = {**gone.custom_attributes, **into.custom_attributes}
        for company_id in gone.company_ids:
            self.attach(into, company_id)
        into.tag_ids = {**gone.tag_ids, **into.tag_ids}
        into.first_seen = min(into.first_seen, gone.first_seen)
        self.forget(gone)
        self.merged[gone.id] = into.id
        if gone.user_id:
            self.merged_user_ids[gone.user_id] = into.id
        self.write(into, {}, {})

    def forget(self, person: Person) -> None:
        """Take a person out of the directory and out of the companies."""
        self.people.remove(person)
        for company_id in person.company_ids:
            self.companies[company_id].members.discard(person.id)

    def canonical(self, person_id: str) -> str:
        """Return the id of the person that another was merged into."""
        while person_id in self.merged:
            person_id = self.merged[person_id]
        return person_id

    def conversations_of(self, person: Person) -> list[Conversation]:
        """The conversations of one person, oldest first."""
        return [conversation for conversation in self.conversations.values() if conversation.person_id == person.id]

    def reply(self, person: Person, text: str, conversation_id: str | None = None) -> Conversation:
        """Let a teammate write to a person: in the conversation of this id, else the newest, else a new one."""
        own = self.conversations_of(person)
        conversation = next((talk for talk in own if talk.id == conversation_id), own[-1] if own else None)
        if conversation is None:
            conversation = Conversation(self.app_id, person.id)
            self.conversations[conversation.id] = conversation
        conversation.reply(text)
        return conversation

    def events_of(self, person: Person) -> list[Event]:
        """The events of one person that are still kept, oldest first."""
        return [event for event in self.events if self.canonical(event.person_id) == person.id]

    def _save_company(self, reading: CompanyReading) -> list[NotSaved]:
        fitting, left = self._fitting("company", reading.custom)
        self.write_company(reading.company_id, reading.standard, fitting)
        return left

    def _fitting(self, model: str, custom: dict[str, Any]) -> tuple[dict[str, Any], list[NotSaved]]:
        faults = {
            name: self.attributes.admit(model, name, value, "page", self.clock()) for name, value in custom.items()
        }
        fitting = {name: value for name, value in custom.items() if faults[name] is None}
        return fitting, [NotSaved(name, why) for name, why in faults.items() if why is not None]


def _lay(target: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value
