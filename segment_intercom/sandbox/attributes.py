"""What the Messenger saves of the settings that a page sends, and why it leaves the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any], str | None]

NO_OBJECTS = "objects and arrays are not saved: only text, numbers and booleans are"
_INTERCOMS_OWN = "is Intercom's own: a page cannot set it"
_LATEST_SECONDS = 100_000_000_000  # the year 5138: anything later is milliseconds
_EARLIEST_SECONDS = -62_135_596_800  # the year 1


@dataclass(frozen=True, slots=True)
class NotSaved:
    """A name that was sent and not saved, with the reason."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class CompanyReading:
    """What the settings say of one company; ``remove`` detaches the person from it."""

    company_id: str
    remove: bool
    standard: dict[str, Any]
    custom: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be saved of one person; a value of None clears the attribute."""

    standard: dict[str, Any]
    custom: dict[str, Any]
    companies: tuple[CompanyReading, ...]
    not_saved: tuple[NotSaved, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to save at all."""
        return not (self.standard or self.custom or self.companies)


def text(value: Any) -> str | None:
    """Why a value is no text, or None when it is."""
    return None if isinstance(value, str) else "must be text"


def whole(value: Any) -> str | None:
    """Why a value is no whole number, or None when it is."""
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"


def number(value: Any) -> str | None:
    """Why a value is no number, or None when it is."""
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "must be a number"


def boolean(value: Any) -> str | None:
    """Why a value is no boolean, or None when it is."""
    return None if isinstance(value, bool) else "must be true or false"


def seconds(value: Any) -> str | None:
    """Why a value is no date in whole Unix seconds, or None when it is."""
    if whole(value):
        return "must be a date in whole Unix seconds, as a number"
    if not _EARLIEST_SECONDS <= value <= _LATEST_SECONDS:
        return "looks like milliseconds: Intercom wants Unix seconds"
    return None


def scalar(value: Any) -> str | None:
    """Why a value is nothing that a custom attribute can hold, or None when it is."""
    return NO_OBJECTS if isinstance(value, dict | list) else None


def avatar(value: Any) -> str | None:
    """Why a value is no avatar, or None when it is."""
    right = isinstance(value, dict) and value.get("type") == "avatar" and isinstance(value.get("image_url"), str)
    return None if right else 'must be {"type": "avatar", "image_url": "..."}'


def padding(value: Any) -> str | None:
    """Why a value is no padding of the launcher, or None when it is."""
    return None if not whole(value) and value >= 20 else "must be a whole number of at least 20"


def one_of(*names: str) -> Check:
    """A check that a value is one of the names."""
    return lambda value: None if value in names else f"must be one of {', '.join(names)}"


def anything(_value: Any) -> str | None:
    """Accept every value: the widget itself looks at this setting."""
    return None


MESSENGER: dict[str, Check] = {
    "app_id": text,
    "api_base": text,
    "custom_launcher_selector": text,
    "alignment": one_of("left", "right"),
    "horizontal_padding": padding,
    "vertical_padding": padding,
    "z_index": whole,
    "hide_default_launcher": boolean,
    "hide_notifications": boolean,
    "theme_mode": one_of("light", "dark", "system"),
    "session_duration": whole,
    "action_color": text,
    "background_color": text,
    "link_color": text,
    "page_title": text,
    "language_override": text,
    "auth_tokens": anything,
    "messenger_style_id": anything,
    "widget": anything,
}
USER: dict[str, Check] = {
    "user_id": text,
    "email": text,
    "name": text,
    "phone": text,
    "created_at": seconds,
    "unsubscribed_from_emails": boolean,
    "avatar": avatar,
}
COMPANY: dict[str, Check] = {
    "name": text,
    "created_at": seconds,
    "plan": text,
    "monthly_spend": whole,
    "size": whole,
    "website": text,
    "industry": text,
}
_COMPANY_KEYS = ("id", "company_id", "remove")


def read(settings: dict[str, Any]) -> Reading:
    """What the Messenger saves of the settings; proofs must have been taken out before."""
    left: list[NotSaved] = []
    standard: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in settings.items():
        if name in MESSENGER:
            _judge(name, value, MESSENGER[name], {}, left)
        elif name in ("last_request_at", "user_count") or name.startswith("utm_"):
            left.append(NotSaved(name, _INTERCOMS_OWN))
        elif name in USER:
            _judge(name, value, USER[name], standard, left)
        elif name not in ("company", "companies", "custom_attributes"):
            _judge(name, value, _custom_check(name, value), custom, left)
    left.extend(_nested(settings))
    companies = tuple(_companies(settings, left))
    return Reading(standard, custom, companies, tuple(left))


def _judge(name: str, value: Any, check: Check, saved: dict[str, Any], left: list[NotSaved], prefix: str = "") -> None:
    why = None if value is None else check(value)
    if not why and value == "" and name in ("user_id", "email"):
        why = "is empty, so it names no user"
    if why:
        left.append(NotSaved(prefix + name, why))
    elif value is not None or name != "user_id":
        saved[name] = value


def _custom_check(name: str, value: Any) -> Check:
    # A date shows itself by its name alone, so text under such a name stays text.
    return seconds if name.endswith("_at") and not whole(value) else scalar


def _nested(settings: dict[str, Any], prefix: str = "") -> Iterator[NotSaved]:
    if "custom_attributes" not in settings:
        return
    nested, name = settings["custom_attributes"], f"{prefix}custom_attributes"
    if not isinstance(nested, dict):
        yield NotSaved(name, NO_OBJECTS if isinstance(nested, list) else "only attributes in line are saved")
        return
    missing = [key for key, value in nested.items() if key not in settings or not _same(settings[key], value)]
    if missing:
        yield NotSaved(name, f"only attributes in line are saved, and these are not: {', '.join(missing)}")


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _companies(settings: dict[str, Any], left: list[NotSaved]) -> Iterator[CompanyReading]:
    listed = settings.get("companies")
    if listed is not None and not isinstance(listed, list):
        left.append(NotSaved("companies", "must be an array of companies"))
        listed = None
    paths = [(f"companies[{place}].", company) for place, company in enumerate(listed or [])]
    if settings.get("company") is not None:
        paths.insert(0, ("company.", settings["company"]))
    for prefix, company in paths:
        reading = _company(company, prefix, left)
        if reading:
            yield reading


def _company(company: Any, prefix: str, left: list[NotSaved]) -> CompanyReading | None:
    why = _company_fault(company)
    if why:
        left.append(NotSaved(prefix.rstrip("."), why))
        return None
    standard: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in company.items():
        if name in COMPANY:
            _judge(name, value, COMPANY[name], standard, left, prefix)
        elif name not in (*_COMPANY_KEYS, "custom_attributes"):
            _judge(name, value, _custom_check(name, value), custom, left, prefix)
    left.extend(_nested(company, prefix))
    return CompanyReading(_company_id(company), company.get("remove") is True, standard, custom)


def _company_fault(company: Any) -> str | None:
    if not isinstance(company, dict):
        return "must be an object with id and name"
    if not _company_id(company):
        return "has no id: Intercom wants id (or company_id) and name"
    has_name = isinstance(company.get("name"), str) and company["name"]
    return None if has_name or company.get("remove") is True else "has no name: Intercom wants id and name"


def _company_id(company: dict[str, Any]) -> str:
    value = company.get("company_id") or company.get("id")
    return str(value) if isinstance(value, str) or not whole(value) else ""
