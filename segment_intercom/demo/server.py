"""What the workbench says from the server: the line of Python, and the call that it stands for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flask import abort, request

from ..errors import SettingsError
from . import session
from .people import COMPANIES

_ORDER = MappingProxyType({"revenue": "19.99", "currency": "EUR"})
_NOBODY = (
    "Nothing can be sent of a visitor: without an id or an e-mail, Intercom keeps nothing. Log in as somebody, above."
)
_ACCEPTED = "{method}() is in the outbox; its requests appear below."


@dataclass(frozen=True, slots=True)
class ServerCall:
    """One call of the extension, as a view makes it: the method, and its arguments by name."""

    method: str
    arguments: Mapping[str, Any]

    @property
    def line(self) -> str:
        """The line that a developer writes in a view for it."""
        written = ", ".join(f"{name}={_python(value)}" for name, value in self.arguments.items())
        return f"intercom.{self.method}({written})"

    def make(self) -> None:
        """Make the call, with exactly the arguments that the line shows."""
        getattr(session.intercom, self.method)(**self.arguments)


def settings(address: str | None, outbox: Path | None) -> dict[str, Any]:
    """The keys with which server code reaches the sandbox under the site's address; none without an address."""
    if address is None:
        return {}
    if outbox is None:
        raise SettingsError("outbox", "must be given beside the address: the file in which the demo's calls wait")
    return {
        "INTERCOM_ACCESS_TOKEN": secrets.token_urlsafe(32),
        "INTERCOM_API_URL": f"{address}/sandbox",
        "INTERCOM_OUTBOX": f"sqlite:///{outbox}",
        "INTERCOM_DELIVER": "thread",
    }


def calls() -> tuple[ServerCall, ...]:
    """What the workbench offers; the group is the chosen company, else the first there is."""
    company = session.current_company() or next(iter(COMPANIES.values()))
    return (
        ServerCall("identify", {"traits": {"shift": "Night"}}),
        ServerCall("group", {"group_id": company["id"], "traits": {"name": company["name"]}}),
        ServerCall("track", {"event": "Order Completed", "properties": dict(_ORDER)}),
    )


def remark() -> str | None:
    """Why nothing can be sent now, or None."""
    return None if session.current_user() else _NOBODY


def say() -> tuple[dict[str, str], int]:
    """Make the call whose button was pressed, and say what became of it."""
    offered = {call.method: call for call in calls()}
    call = offered.get(request.form.get("call", ""))
    if call is None:
        abort(400, "call must be one of " + ", ".join(offered))
    if refusal := remark():
        return {"refused": refusal}, 409
    call.make()
    return {"accepted": _ACCEPTED.format(method=call.method)}, 200


def _python(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(name)}: {_python(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
