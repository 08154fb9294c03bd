"""Who can log in to the demo, and the companies for which they act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ..calls import Identify


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A user who can log in, as an application has them: an id, and traits in Segment's names."""

    key: str
    label: str
    about: str
    id: int | str | None
    traits: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What the site greets the person with."""
        first_and_last = f"{self.traits.get('firstName', '')} {self.traits.get('lastName', '')}"
        return str(self.traits.get("name", first_and_last))

    def intercom_traits(self) -> Mapping[str, Any]:
        """What Intercom is told of the person."""
        return self.traits

    def with_hash(self, proof: str) -> Identify:
        """The person as a call that brings a proof of its own, right or wrong."""
        user_id = None if self.id is None else str(self.id)
        return Identify(user_id, self.traits, integrations={"Intercom": {"user_hash": proof}})


_PEOPLE = (
    DemoUser(
        "mara",
        "Mara",
        "An id, an e-mail and traits of every kind",
        "usr_2041",
        {
            "name": "Mara Lindqvist",
            "email": "mara@kornblume.example",
            "phone": "+49 30 5550123",
            "createdAt": "2023-04-02T04:30:00Z",
            "role": "Head baker",
            "trialEnds": date(2026, 12, 31),
            "ovens": {"deck": 3, "rack": 1},
            "newsletter": True,
        },
    ),
    DemoUser(
        "jonas",
        "Jonas",
        "Only an e-mail: the hash is of the address",
        None,
        {"firstName": "Jonas", "lastName": "Okafor", "email": "jonas@harbourloaf.example"},
    ),
    DemoUser(
        "ines",
        "Ines",
        "An id beyond 2^53, which a JavaScript number would round",
        90071992547409937,
        {"name": "Ines Duarte", "email": "ines@kornblume.example", "createdAt": 1718000000, "role": "Owner"},
    ),
    DemoUser(
        "script",
        "</script>",
        "A name that tries to break out of the page, a trait that would steer the Messenger",
        "usr_6660",
        {
            "name": "</script><img src=x onerror=alert(1)>",
            "email": "mallory@example.com",
            "__proto__": "<!--<script>",
            "hide_default_launcher": True,
        },
    ),
)
PEOPLE: Mapping[str, DemoUser] = MappingProxyType({person.key: person for person in _PEOPLE})

COMPANIES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "kornblume": {
            "id": "org_17",
            "name": "Kornblume Bakery",
            "plan": "Street",
            "monthlySpend": Decimal(49),
            "employees": 14,
            "createdAt": "2022-11-20",
            "loavesPerNight": 620,
        },
        "harbour": {
            "id": "org_32",
            "name": "Harbour Street Loaf",
            "plan": "Corner",
            "monthlySpend": Decimal(19),
            "employees": 3,
        },
    }
)
