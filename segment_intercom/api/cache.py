"""What is remembered of Intercom, so that few requests are needed: ids, attributes, companies sent, who belongs where.

The notes are kept where the calls wait, so that all workers share them. What a note says may have become untrue at
Intercom: ids are looked up anew when Intercom does not know one, and the rest is said again after an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._json import dumps
from ..outbox import Outbox
from ..transport import Reference

_MONTH = 30 * 86_400
_HOUR = 3_600


class IntercomCache:
    """The notes of one workspace; ``prefix`` tells its keys from those of others in one outbox."""

    def __init__(self, outbox: Outbox, prefix: str = "") -> None:
        self._outbox = _Prefixed(outbox, prefix) if prefix else outbox
        self._all = outbox

    def get_id(self, reference: Reference) -> str | None:
        """Intercom's id of a contact or a company, if it is known.

        An e-mail names a contact only while it is the one that Intercom was last told of this contact.
        """
        own_id = self._outbox.get(_id_key(reference))
        if own_id is None or reference.key != "email":
            return own_id
        return own_id if self._outbox.get(f"email {own_id}") == reference.value else None

    def set_id(self, reference: Reference, own_id: str) -> None:
        """Remember Intercom's id of a contact or a company."""
        self._outbox.set(_id_key(reference), own_id, _HOUR if reference.key == "email" else _MONTH)

    def set_email(self, contact: str, email: str) -> None:
        """Remember which e-mail Intercom was last told of a contact."""
        if self._outbox.get(f"email {contact}") != email:
            self._outbox.set(f"email {contact}", email, _MONTH)

    def delete_id(self, reference: Reference) -> None:
        """Forget an id that Intercom does not know any more, and what was said of a company of that id."""
        self._outbox.delete(_id_key(reference))
        if reference.model == "company":
            self._outbox.delete(f"sent {reference.value}")

    def delete_contact(self, reference: Reference, contact: str) -> None:
        """Forget everything about a contact."""
        self.delete_id(reference)
        if email := self._outbox.get(f"email {contact}"):
            self.delete_id(Reference("contact", "email", email))
            self._outbox.delete(f"email {contact}")

    def was_sent(self, company: Mapping[str, Any]) -> bool:
        """Whether Intercom was told the very same of this company within the last hour."""
        return self._outbox.get(f"sent {company['company_id']}") == dumps(company)

    def delete_sent(self, company: Mapping[str, Any]) -> None:
        """Forget what Intercom was told of a company, before it is told something else."""
        self._outbox.delete(f"sent {company['company_id']}")

    def set_sent(self, company: Mapping[str, Any]) -> None:
        """Remember what Intercom was told of a company."""
        self._outbox.set(f"sent {company['company_id']}", dumps(company), _HOUR)

    def is_member(self, contact: str, company: str) -> bool:
        """Whether a contact was attached to a company within the last hour, both by Intercom's ids."""
        return self._outbox.get(f"member {contact} {company}") is not None

    def set_member(self, contact: str, company: str) -> None:
        """Remember that a contact was attached to a company."""
        self._outbox.set(f"member {contact} {company}", "", _HOUR)

    def delete_member(self, contact: str, company: str) -> None:
        """Forget that a contact belongs to a company."""
        self._outbox.delete(f"member {contact} {company}")

    def is_merged(self, lead: Reference, user: Reference) -> bool:
        """Whether the lead of an anonymous id was looked for, and merged into this user, within a month."""
        return self._outbox.get(f"merged {lead.value} {user.value}") is not None

    def set_merged(self, lead: Reference, user: Reference) -> None:
        """Remember that the lead of an anonymous id is merged into this user."""
        self._outbox.set(f"merged {lead.value} {user.value}", "", _MONTH)

    def is_tagged(self, contact: str, tag: Reference) -> bool:
        """Whether a contact was given a tag within the last hour."""
        return self._outbox.get(f"tagged {contact} {tag.value}") is not None

    def set_tagged(self, contact: str, tag: Reference) -> None:
        """Remember that a contact has a tag."""
        self._outbox.set(f"tagged {contact} {tag.value}", "", _HOUR)

    def count_left_out(self) -> None:
        """Count a value that Intercom refused by its name, and that was left out so that the rest could be sent."""
        self._all.left_out()

    def has_attribute(self, model: str, name: str) -> bool:
        """Whether a custom attribute is known to exist."""
        return self._outbox.get(f"attribute {model} {name}") is not None

    def set_attribute(self, model: str, name: str) -> None:
        """Remember that a custom attribute exists."""
        self._outbox.set(f"attribute {model} {name}", "", _MONTH)

    def delete_attribute(self, model: str, name: str) -> None:
        """Forget a custom attribute that does not exist any more."""
        self._outbox.delete(f"attribute {model} {name}")


class _Prefixed:
    """The notes of an outbox under keys with a prefix."""

    def __init__(self, outbox: Outbox, prefix: str) -> None:
        self._outbox = outbox
        self._prefix = prefix

    def get(self, key: str) -> str | None:
        """As the outbox's."""
        return self._outbox.get(self._prefix + key)

    def set(self, key: str, value: str, seconds: float) -> None:
        """As the outbox's."""
        self._outbox.set(self._prefix + key, value, seconds)

    def delete(self, key: str) -> None:
        """As the outbox's."""
        self._outbox.delete(self._prefix + key)


def _id_key(reference: Reference) -> str:
    return f"id {reference.model} {reference.key} {reference.value}"
