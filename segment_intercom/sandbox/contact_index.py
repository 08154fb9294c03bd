"""The contacts of a workspace, found by any of their ids without a scan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from .people import Person


class ContactIndex:
    """The people of one workspace, those changed last at the end."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, Person] = OrderedDict()
        self._user_ids: dict[str, str] = {}
        self._emails: dict[str, dict[str, None]] = {}
        self._filed: dict[str, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people.values())

    def get(self, person_id: str) -> Person | None:
        """The person with Intercom's id, archived or not."""
        return self._people.get(person_id)

    def newest(self, number: int) -> list[Person]:
        """The people changed last, at most so many, the newest at the end."""
        return list(islice(reversed(self._people.values()), number))[::-1]

    def file(self, person: Person) -> None:
        """Note what the person is called now; to be called after every change."""
        names = (person.user_id, person.email)
        filed = self._filed.get(person.id)
        if filed != names:
            self._unfile(person)
            self._filed[person.id] = names
            if person.user_id:
                self._user_ids[person.user_id] = person.id
            if person.email:
                self._emails.setdefault(person.email, {})[person.id] = None
        self._people[person.id] = person
        self._people.move_to_end(person.id)

    def remove(self, person: Person) -> None:
        """Forget a person."""
        self._people.pop(person.id, None)
        self._unfile(person)

    def with_user_id(self, user_id: str) -> Person | None:
        """Return the person with this user id."""
        return self._people.get(self._user_ids.get(user_id, ""))

    def with_email(self, email: str) -> list[Person]:
        """The people with this e-mail, whatever its capitals, the first one first."""
        return [self._people[person_id] for person_id in self._emails.get(email.lower(), ())]

    def _unfile(self, person: Person) -> None:
        user_id, email = self._filed.pop(person.id, ("", ""))
        if self._user_ids.get(user_id) == person.id:
            del self._user_ids[user_id]
        others = self._emails.get(email, {})
        others.pop(person.id, None)
        if not others:
            self._emails.pop(email, None)
