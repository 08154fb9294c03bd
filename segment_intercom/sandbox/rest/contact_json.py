"""A contact in the words of today's API."""

from __future__ import annotations

from typing import Any

from ..people import Person
from ..workspace_data import WorkspaceData

# Fields of Intercom's answers that the sandbox leaves empty.
_UNKNOWN = dict.fromkeys(
    (
        "owner_id last_replied_at last_contacted_at last_email_opened_at last_email_clicked_at language_override "
        "browser browser_version browser_language os "
        "android_app_name android_app_version android_device android_os_version android_sdk_version "
        "android_last_seen_at ios_app_name ios_app_version ios_device ios_os_version ios_sdk_version ios_last_seen_at "
        "utm_campaign utm_content utm_medium utm_source utm_term referrer enabled_push_messaging"
    ).split()
)
_LOCATION = {"type": "location", **dict.fromkeys("country region city country_code continent_code".split())}
_COMPANIES_SHOWN = 10


def contact_json(account: WorkspaceData, person: Person) -> dict[str, Any]:
    """The contact, with every field that Intercom's answers have."""
    said = person.standard
    return {
        "type": "contact",
        "id": person.id,
        "workspace_id": account.app_id,
        "external_id": said.get("user_id"),
        "role": person.role,
        **({"email": said["email"]} if "email" in said else {}),
        **{name: said.get(name) for name in ("phone", "name", "avatar")},
        **_UNKNOWN,
        "owner_id": said.get("owner_id"),
        "location": _LOCATION,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": bool(said.get("unsubscribed_from_emails")),
        "created_at": int(person.first_seen),
        "updated_at": int(person.updated_at),
        "signed_up_at": said.get("created_at"),
        "last_seen_at": seen_at(person),
        "custom_attributes": dict(person.custom_attributes),
        **{name: _part(person, path) for name, path in _PARTS.items()},
        "tags": _tags(person),
        "companies": _companies(account, person),
    }


def reference(person: Person, **state: bool) -> dict[str, Any]:
    """The short form in which archiving and deleting answer."""
    return {"type": "contact", "id": person.id, "external_id": person.standard.get("user_id"), **state}


def seen_at(person: Person) -> int | None:
    """When the person was seen last: as the API was told, else by the Messenger."""
    told: int | None = person.standard.get("last_seen_at")
    return int(person.last_seen) if told is None and person.visitor_id else told


_PARTS = {
    "notes": "notes",
    "opted_out_subscription_types": "subscriptions",
    "opted_in_subscription_types": "subscriptions",
}


def _part(person: Person, path: str) -> dict[str, Any]:
    return {"type": "list", "data": [], "url": f"/contacts/{person.id}/{path}", "total_count": 0, "has_more": False}


def _tags(person: Person) -> dict[str, Any]:
    ids = list(person.tag_ids)
    shown = [{"type": "tag", "id": tag_id, "url": f"/tags/{tag_id}"} for tag_id in ids[:_COMPANIES_SHOWN]]
    count = {"total_count": len(ids), "has_more": len(ids) > _COMPANIES_SHOWN}
    return {**_part(person, "tags"), "data": shown, **count}


def _companies(account: WorkspaceData, person: Person) -> dict[str, Any]:
    ids = [account.companies[company_id].id for company_id in person.company_ids]
    shown = [
        {"type": "company", "id": company_id, "url": f"/companies/{company_id}"}
        for company_id in ids[:_COMPANIES_SHOWN]
    ]
    count = {"total_count": len(ids), "has_more": len(ids) > _COMPANIES_SHOWN}
    return {**_part(person, "companies"), "data": shown, **count}
