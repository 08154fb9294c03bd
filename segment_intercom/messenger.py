"""Segment's calls as the Messenger's settings, ``window.intercomSettings``.

Source: Segment's documentation page for Intercom, "Identify", "Group", "Secure Mode" and "Conditionally show the
Intercom chat widget".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .calls import Call, Group, Identify
from .identity import prove
from .intercom_keys import COMPANY, RESERVED
from .settings import DEFAULT_LAUNCHER, Settings
from .traits import Report, companies_of, company_of, custom_attributes, full_name, seconds, split
from .traits.money import amount
from .traits.names import plain_name, text_of

_CONTEXT = (
    ("device", ("type", "manufacturer", "model")),
    ("os", ("name", "version")),
    ("app", ("name", "version")),
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Options of a call by which it brings its own proof, and the settings they become.
_PROOFS = {"userhash": "user_hash", "intercomuserjwt": "intercom_user_jwt"}


@dataclass(slots=True)
class Person:
    """What the calls so far say of one person: the newest of everything, as Segment's libraries keep it."""

    user_id: str | None = None
    traits: dict[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    group: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def hear(self, call: Call) -> None:
        """Take one call in; another user or another group starts anew, as in Segment's libraries."""
        if not call.for_intercom:
            return
        user_id = getattr(call, "user_id", None)
        if user_id is not None and user_id != self.user_id:
            self._become(user_id)
        if isinstance(call, Identify):
            self.traits = {**self.traits, **call.traits}
            self.context = call.context or self.context
        elif isinstance(call, Group):
            earlier = self.group if call.group_id == self.group_id else {}
            self.group_id, self.group = call.group_id, {**earlier, **call.traits}
        self.options |= {plain_name(name): value for name, value in call.options.items()}

    def _become(self, user_id: str) -> None:
        if self.user_id is not None:
            self.traits, self.context, self.group_id, self.group = {}, {}, None, {}
            self.options = {name: value for name, value in self.options.items() if name not in _PROOFS}
        self.user_id = user_id


def messenger_settings(calls: Call | Iterable[Call], settings: Settings) -> dict[str, Any]:
    """Return the ``intercomSettings`` object of one call or several, in their order, the proof of identity included.

    Somebody without user id and e-mail is a visitor, of whom no traits are sent. Traits that cannot be sent raise
    TraitError, or are left out and logged where ``settings.strict`` is False.
    """
    person = Person()
    for call in (calls,) if isinstance(calls, Call) else calls:
        person.hear(call)
    report = Report(strict=settings.strict is not False)
    proven = prove(describe(person, settings, report), settings)
    custom = proven.pop("custom_attributes", None)
    found = {**connection(settings), **proven, **launcher(person.options, settings), **settings.messenger}
    return {**found, "custom_attributes": custom} if custom else found


def connection(settings: Settings) -> dict[str, Any]:
    """Where the Messenger belongs: the app, and its region unless that is the United States."""
    found = {"app_id": settings.app_id, "api_base": settings.api_base}
    return {name: value for name, value in found.items() if value is not None}


def launcher(options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What opens the Messenger; the flag has three states and is left out where nobody chose one."""
    chosen = options.get("hidedefaultlauncher")
    hide = chosen if isinstance(chosen, bool) else settings.hide_default_launcher
    found: dict[str, Any] = {} if hide is None else {"hide_default_launcher": hide}
    if settings.launcher_selector != DEFAULT_LAUNCHER:
        found["custom_launcher_selector"] = settings.launcher_selector
    return found


def describe(person: Person, settings: Settings, report: Report) -> dict[str, Any]:
    """What the Messenger is told of a person: the standard fields, then ``custom_attributes``; nothing of a visitor."""
    known, custom = split(person.traits, report)
    email = text_of(known.get("email")) or (person.user_id if _looks_like_email(person.user_id) else None)
    if person.user_id is None and email is None:
        if person.traits:
            report.note("user_id", "neither user id nor e-mail is known, so this is a visitor; no traits are sent")
        return {}
    standard = {"user_id": person.user_id, "email": email, **_standard(known, report)}
    found = {name: value for name, value in standard.items() if value is not None}
    found |= _companies(person, known, settings, report)
    found |= {_PROOFS[name]: value for name, value in person.options.items() if name in _PROOFS and text_of(value)}
    custom = {**_misfits(known, found, person), **custom}
    if settings.collect_context:
        custom = {**_collected(person.context), **custom}
    if attributes := _custom(custom, settings, report):
        found["custom_attributes"] = attributes
    return found


def _standard(known: Mapping[str, Any], report: Report) -> dict[str, Any]:
    return {
        "name": full_name(known),
        "phone": _phone(known),
        "created_at": _created_at(known, report),
        "avatar": _avatar(known.get("avatar")),
    }


def _custom(traits: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    attributes = custom_attributes(traits, settings, report)
    for name in RESERVED.intersection(attributes):
        report.note(name, "is a name of the Messenger's own, so it stays under custom_attributes only, unsaved by it")
    return attributes


def _misfits(known: Mapping[str, Any], found: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """Values that the standard field of their name cannot hold, such as a number as an e-mail: not lost, but custom."""
    kept = {name: known[name] for name in ("email", "name", "phone", "avatar") if known.get(name) and name not in found}
    if known.get("id") is not None and str(known["id"]) != person.user_id:
        kept["id"] = known["id"]
    return kept


def _phone(known: Mapping[str, Any]) -> str | None:
    phones = known.get("phones")
    for value in (known.get("phone"), phones[0] if isinstance(phones, list | tuple) and phones else None):
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := text_of(value):
            return text
    return None


def _created_at(known: Mapping[str, Any], report: Report) -> int | None:
    for slot in ("created", "created_at"):
        if (value := known.get(slot)) is not None and value != "":
            if (created := seconds(value)) is None:
                report.note(slot, "is no date that can be read; it is not sent")
            return created
    return None


def _avatar(value: Any) -> dict[str, str] | None:
    url = text_of(value.get("image_url") if isinstance(value, Mapping) else value)
    if url is None or urlsplit(url).scheme not in ("http", "https"):
        return None
    return {"type": "avatar", "image_url": url}


def _companies(person: Person, known: Mapping[str, Any], settings: Settings, report: Report) -> dict[str, Any]:
    """``company``, the one that the person acts for, and ``companies``, the others; custom attributes in line."""
    listed = [_in_line(company, report) for company in companies_of(known, settings, report)]
    current = _group(person, settings, report)
    if current is None:
        plural = known.get("company") is None or isinstance(known["company"], list | tuple)
        return {} if not listed else {"companies": listed} if plural else {"company": listed[0]}
    same = [company for company in listed if company["company_id"] == current["company_id"]]
    others = [company for company in listed if company["company_id"] != current["company_id"]]
    found: dict[str, Any] = {"company": {**(same[0] if same else {}), **current}}
    return {**found, "companies": others} if others else found


def _group(person: Person, settings: Settings, report: Report) -> dict[str, Any] | None:
    if person.group_id is None and not person.group:
        return None
    named = {} if person.group_id is None else {"id": person.group_id}
    company = company_of({**named, **person.group, **named}, settings, report)
    return None if company is None else _in_line(company, report)


def _in_line(company: dict[str, Any], report: Report) -> dict[str, Any]:
    """The Messenger's form of a company: its id a string, its spend a number, its custom attributes beside them."""
    standard = {name: value for name, value in company.items() if name != "custom_attributes"}
    standard["company_id"] = str(standard["company_id"])
    if "monthly_spend" in standard and (spend := amount(standard["monthly_spend"])) is not None:
        standard["monthly_spend"] = spend
    custom = company["custom_attributes"]
    for name in custom.keys() & set(COMPANY):
        report.note(f"company.{name}", "is a name of Intercom's own and is not sent as a custom attribute")
    return {**standard, **{name: value for name, value in custom.items() if name not in COMPANY}}


def _collected(context: Mapping[str, Any]) -> dict[str, Any]:
    """Device, operating system and app of a context, as ``device_type``, ``os_name``, ``app_version``, ..."""
    return {
        f"{part}_{name}": context[part][name]
        for part, names in _CONTEXT
        if isinstance(context.get(part), Mapping)
        for name in names
        if context[part].get(name) is not None
    }


def _looks_like_email(text: str | None) -> bool:
    return text is not None and _EMAIL.fullmatch(text) is not None
