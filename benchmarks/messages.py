"""What is said? Sample messages in Segment's JSON form, the same for every question about the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

APP_ID = "abcd1234"
TOKEN = "benchmark-access-token"
TRAITS: dict[str, Any] = {
    "email": "ada.lovelace@example.com",
    "name": "Ada Lovelace",
    "createdAt": "2024-05-17T09:30:00Z",
    "plan": "enterprise",
    "jobTitle": "Head of Analysis",
    "city": "London",
    "seats": 42,
    "newsletter": True,
}
COMPANY: dict[str, Any] = {"id": "company-813", "name": "Analytical Engines", "plan": "enterprise", "employees": 120}
EVENT = "Order Completed"
PROPERTIES: dict[str, Any] = {
    "orderId": "order-50314",
    "revenue": "39.95",
    "currency": "USD",
    "items": 3,
    "coupon": "hasbros",
}
_RECORDED = Path(__file__).parent.parent / "tests" / "cases" / "segment-cloud"


def identify(user: str = "user-1234", **traits: Any) -> dict[str, Any]:
    """Who a user is, in eight traits and those given."""
    return _message("identify", user, traits={**TRAITS, "email": f"{user}@example.com", **traits})


def track(user: str = "user-1234", event: str = EVENT) -> dict[str, Any]:
    """What a user did, in five properties."""
    return _message("track", user, event=event, properties=PROPERTIES)


def group(user: str = "user-1234") -> dict[str, Any]:
    """To which company a user belongs."""
    traits = {name: value for name, value in COMPANY.items() if name != "id"}
    return _message("group", user, groupId=COMPANY["id"], traits=traits)


def mix(user: str = "user-1234") -> list[dict[str, Any]]:
    """What a busy application says of one user: who he is, with his company, what he did, where he belongs."""
    return [identify(user, company=COMPANY), *(track(user, f"Event {number}") for number in range(4)), group(user)]


def recorded() -> list[dict[str, Any]]:
    """The messages that Segment's own integration was tested with."""
    return [json.loads(path.read_bytes())["input"] for path in sorted(_RECORDED.glob("*.json"))]


def _message(kind: str, user: str, **fields: Any) -> dict[str, Any]:
    """A message with all that Segment's libraries put around it."""
    return {
        "type": kind,
        "messageId": f"1f0c-{kind}-{user}",
        "timestamp": "2026-03-01T09:30:00.000Z",
        "userId": user,
        "anonymousId": "507f191e810c19729de860ea",
        "context": {"ip": "203.0.113.7", "library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
        **fields,
    }
