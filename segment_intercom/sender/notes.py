"""What is remembered of Intercom, so that few requests are needed: ids, attributes, companies sent, who belongs where.

The notes are kept where the calls wait, so that all workers share them. What a note says may have become untrue at
Intercom: ids are looked up anew when Intercom does not know one, and the rest is said again after an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..jsontext import dumps
from ..outbox import Outbox
from ..rest import Reference

_MONTH = 30 * 86_400
_HOUR = 3_600


class Notes:
    """The notes of one workspace."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def id_of(self, reference: Reference) -> str | None:
        """Intercom's id of a contact or a company, if it is known.

        An e-mail names a contact only while it is the one that Intercom was last told of this contact.
        """
        found = self._outbox.recall(_id_key(reference))
        if found is None or reference.key != "email":
            return found
        return found if self._outbox.recall(f"email {found}") == reference.value else None

    def keep_id(self, reference: Reference, found: str) -> None:
        """Remember Intercom's id of a contact or a company."""
        self._outbox.remember(_id_key(reference), found, _HOUR if reference.key == "email" else _MONTH)

    def keep_email(self, contact: str, email: str) -> None:
        """Remember which e-mail Intercom was last told of a contact."""
        if self._outbox.recall(f"email {contact}") != email:
            self._outbox.remember(f"email {contact}", email, _MONTH)

    def drop_id(self, reference: Reference) -> None:
        """Forget an id that Intercom does not know any more, and what was said of a company of that id."""
        self._outbox.forget(_id_key(reference))
        if reference.model == "company":
            self._outbox.forget(f"sent {reference.value}")

    def was_sent(self, company: Mapping[str, Any]) -> bool:
        """Whether Intercom was told the very same of this company within the last hour."""
        return self._outbox.recall(f"sent {company['company_id']}") == dumps(company)

    def drop_sent(self, company: Mapping[str, Any]) -> None:
        """Forget what Intercom was told of a company, before it is told something else."""
        self._outbox.forget(f"sent {company['company_id']}")

    def keep_sent(self, company: Mapping[str, Any]) -> None:
        """Remember what Intercom was told of a company."""
        self._outbox.remember(f"sent {company['company_id']}", dumps(company), _HOUR)

    def is_member(self, contact: str, company: str) -> bool:
        """Whether a contact was attached to a company within the last hour, both by Intercom's ids."""
        return self._outbox.recall(f"member {contact} {company}") is not None

    def keep_member(self, contact: str, company: str) -> None:
        """Remember that a contact was attached to a company."""
        self._outbox.remember(f"member {contact} {company}", "", _HOUR)

    def drop_member(self, contact: str, company: str) -> None:
        """Forget that a contact belongs to a company."""
        self._outbox.forget(f"member {contact} {company}")

    def has_attribute(self, model: str, name: str) -> bool:
        """Whether a custom attribute is known to exist."""
        return self._outbox.recall(f"attribute {model} {name}") is not None

    def keep_attribute(self, model: str, name: str) -> None:
        """Remember that a custom attribute exists."""
        self._outbox.remember(f"attribute {model} {name}", "", _MONTH)

    def drop_attribute(self, model: str, name: str) -> None:
        """Forget a custom attribute that does not exist any more."""
        self._outbox.forget(f"attribute {model} {name}")


def _id_key(reference: Reference) -> str:
    return f"id {reference.model} {reference.key} {reference.value}"
