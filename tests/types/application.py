"""What a user's application writes, for type checkers: each ignored line is one that they must refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, redirect

from segment_intercom import (
    Analytics,
    Call,
    Identify,
    Operation,
    SegmentIntercom,
    Settings,
    Track,
    messenger_settings,
    parse,
    rest_operations,
)

app = Flask(__name__)


def before_send(call: Call) -> Call | None:
    return None if isinstance(call, Track) and call.event == "Debug" else call


intercom = SegmentIntercom(app, before_send=before_send, exclude_if=lambda request: "admin" in request.path)


@intercom.user_loader
def current_user() -> dict[str, Any] | None:
    return {"id": 42, "email": "ann@example.com"}


@intercom.company_loader
def current_company() -> dict[str, Any]:
    return {"id": "813", "name": "Acme"}


@intercom.workspace_loader
def workspace() -> str | None:
    return None


@app.post("/orders")
def order() -> tuple[str, int]:
    intercom.track("Order Completed", {"revenue": "19.99"})
    intercom.identify({"plan": "pro"}, timestamp=datetime.now(UTC))
    intercom.group("org_17", {"name": "Tea"}, context={"ip": "192.0.2.1"}, message_id="m-1")
    intercom.track(current_user(), "Paid", {"price": 1}, integrations={"All": False, "Intercom": True})
    intercom.track("Paid", evnt="x")  # type: ignore[call-arg]
    intercom.identify("u", message_id=5)  # type: ignore[arg-type]
    return "", 204


@app.get("/logout")
def logout() -> Response:
    return intercom.logout(Response())


@app.get("/bye")
def bye() -> Any:
    return intercom.logout(redirect("/"))


captured: list[Call] = intercom.captured
user: dict[str, Any] | None = current_user()  # a decorated loader keeps its type
settings = Settings(app_id="abc12345", region="eu")
Settings(region="mars")  # type: ignore[arg-type]
Settings(app="abc12345")  # type: ignore[call-arg]
analytics = Analytics(settings, before_send=before_send)
analytics.track("u", "Paid", {"revenue": 5}, timestamp=datetime.now(UTC))
analytics.track(event="Paid", user="u")  # type: ignore[call-arg]
left: int = analytics.flush(timeout=5)
operations: list[Operation] = rest_operations(Identify("u", {"plan": "pro"}), settings)
rendered: dict[str, Any] = messenger_settings([parse({"type": "identify", "userId": "u"})], settings)
