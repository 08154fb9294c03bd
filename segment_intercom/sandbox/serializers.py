"""What the inspector shows of a workspace's data: plain JSON, bounded however much there is."""

from __future__ import annotations

from typing import Any

from .people import Event, Person
from .workspace_data import WorkspaceData

SHOWN = 500
_NAMES = ("user_id", "email", "name", "phone")


def person_json(account: WorkspaceData, person: Person) -> dict[str, Any]:
    """A person as the inspector shows them."""
    companies = [account.companies[company_id] for company_id in person.company_ids]
    return {
        "id": person.id,
        "app_id": person.app_id,
        "role": person.role,
        **dict.fromkeys(_NAMES),
        **person.standard,
        "external_id": person.user_id or None,
        "signed_up_at": person.standard.get("created_at"),
        "archived": person.archived,
        "source": person.source,
        "visitor_id": person.visitor_id,
        "custom_attributes": dict(person.custom_attributes),
        "companies": [{"company_id": company.company_id, **company.standard} for company in companies],
        "tags": [account.tags[tag_id].name for tag_id in person.tag_ids],
        "first_seen": person.first_seen,
        "last_seen": person.last_seen,
        "page": person.page,
    }


def event_json(account: WorkspaceData, event: Event) -> dict[str, Any]:
    """An event as the inspector shows it, of the person that its own was merged into."""
    person_id = account.canonical(event.person_id)
    person = account.people.get(person_id)
    return {
        "app_id": event.app_id,
        "person_id": person_id,
        "user_id": person.standard.get("user_id") if person else None,
        "email": person.standard.get("email") if person else None,
        "event_name": event.name,
        "metadata": event.metadata,
        "created_at": event.created_at,
        "source": event.source,
        "at": event.at,
    }


def account_json(account: WorkspaceData) -> dict[str, list[dict[str, Any]]]:
    """The newest of everything that a workspace keeps, the newest at the end."""
    companies = list(account.companies.values())[-SHOWN:]
    return {
        "people": [person_json(account, person) for person in account.people.newest(SHOWN)],
        "companies": [company.as_json() for company in companies],
        "attributes": [attribute.as_json(account.app_id) for attribute in account.attributes],
        "events": [event_json(account, event) for event in account.events.newest(SHOWN)],
        "conversations": [talk.as_json() for talk in account.conversations.values()],
    }


def totals(accounts: list[WorkspaceData]) -> dict[str, int]:
    """How much there is of what is shown in part."""
    return {
        "people": sum(len(account.people) for account in accounts),
        "companies": sum(len(account.companies) for account in accounts),
        "events": sum(account.events.total for account in accounts),
        "attributes": sum(len(account.attributes) for account in accounts),
    }
