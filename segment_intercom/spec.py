"""The facts about Segment and Intercom, each once in spec.json: regions, Messenger settings, fields, limits.

Sources: Intercom's developer documentation, "Attributes & objects" of the JavaScript API; its help page "Using Intercom
with Content Security Policy"; Segment's documentation page for Intercom.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Region:
    """Where a workspace is hosted: ``host`` goes before ``intercom.io``, ``policy`` holds its sources by directive."""

    code: str
    name: str
    host: str
    policy: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class MessengerSetting:
    """A key of ``intercomSettings`` that a developer may set; exactly one of the others says what it takes."""

    name: str
    type: str | None = None
    one_of: Sequence[str] = ()
    integer_from: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A trait with a meaning, by Intercom's name; its names in Segment's calls differ in case and punctuation.

    ``is_custom_too``: it is a custom attribute as well. ``is_server_only``: in a page it is nothing but one.
    """

    name: str
    is_custom_too: bool = False
    is_server_only: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much Intercom takes: attributes of a workspace, characters of a property and of an e-mail, companies."""

    custom_attributes: int
    property_text: int
    email: int
    companies: int
    company_number: int


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything in spec.json."""

    regions: Mapping[str, Region]
    policy: Mapping[str, Sequence[str]]
    messenger_settings: Mapping[str, MessengerSetting]
    connection: Sequence[str]
    launcher: Sequence[str]
    proofs: Sequence[str]
    user_settings: Sequence[str]
    ignored_settings: Sequence[str]
    user_traits: Sequence[Field]
    company_fields: Sequence[str]
    company_traits: Sequence[Field]
    context: Mapping[str, Sequence[str]]
    limits: Limits

    @property
    def reserved(self) -> tuple[str, ...]:
        """The keys to which the Messenger gives a meaning: a custom attribute of such a name would steer it."""
        return (
            *self.connection,
            *self.user_settings,
            *self.proofs,
            *self.launcher,
            *self.messenger_settings,
            *self.ignored_settings,
            "custom_attributes",
        )


def read(text: str) -> Spec:
    """Read the text of a spec.json; raises TypeError for a key that is missing or unknown."""
    facts: dict[str, Any] = json.loads(text)
    return Spec(
        **{
            **facts,
            "regions": {code: Region(code, **region) for code, region in facts["regions"].items()},
            "messenger_settings": {
                name: MessengerSetting(name, **setting) for name, setting in facts["messenger_settings"].items()
            },
            "user_traits": [Field(**field) for field in facts["user_traits"]],
            "company_traits": [Field(**field) for field in facts["company_traits"]],
            "limits": Limits(**facts["limits"]),
        }
    )


SPEC = read((Path(__file__).parent / "spec.json").read_text(encoding="utf-8"))
