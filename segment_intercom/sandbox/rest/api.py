"""The REST API's one way in: whose request it is, whether there is room, who answers, and what is logged of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from ..faults import Fault
from ..identity import without_secrets
from ..rate_status import RateStatus
from ..refusal import RefusedError, not_found
from ..store import Store
from ..workspace import Workspace
from . import classic, companies, contacts, data_attributes, events, me, not_imitated, search, tags
from .auth import workspace_of
from .call import ApiCall, ApiReply, Asked, sent

Handler = Callable[..., ApiReply]
Routes = tuple[tuple[str, str, Handler], ...]

# The first steps of all paths, which the sandbox answers even where it answers with 404.
RESOURCES = ("me", "contacts", "companies", "events", "data_attributes", "tags", "users", "visitors")
# The first that fits answers, so a name stands before an id: "companies/scroll" before "companies/*".
TODAY: Routes = (
    *((method, pattern, not_imitated.refuse) for method, pattern in not_imitated.PATHS),
    ("GET", "me", me.show),
    ("POST", "contacts", contacts.create),
    ("GET", "contacts", search.show_all),
    ("POST", "contacts/search", search.search),
    ("POST", "contacts/merge", contacts.merge),
    ("GET", "contacts/find_by_external_id/*", contacts.find),
    ("PUT", "contacts/*", contacts.update),
    ("GET", "contacts/*", contacts.show),
    ("DELETE", "contacts/*", contacts.delete),
    ("POST", "contacts/*/archive", contacts.archive),
    ("POST", "contacts/*/unarchive", contacts.unarchive),
    ("POST", "contacts/*/companies", companies.attach),
    ("GET", "contacts/*/companies", companies.of_contact),
    ("DELETE", "contacts/*/companies/*", companies.detach),
    ("POST", "contacts/*/tags", tags.attach),
    ("GET", "contacts/*/tags", tags.of_contact),
    ("DELETE", "contacts/*/tags/*", tags.detach),
    ("POST", "tags", tags.save),
    ("GET", "tags", tags.show_all),
    ("POST", "companies", companies.save),
    ("GET", "companies", companies.find),
    ("POST", "companies/list", companies.show_all),
    ("GET", "companies/*", companies.show),
    ("PUT", "companies/*", companies.update),
    ("DELETE", "companies/*", companies.delete),
    ("GET", "companies/*/contacts", search.of_company),
    ("POST", "events", events.save),
    ("GET", "events", events.show),
    ("POST", "data_attributes", data_attributes.create),
    ("GET", "data_attributes", data_attributes.show),
    ("PUT", "data_attributes/*", data_attributes.update),
)
_CLASSIC: Routes = (
    ("GET", "me", me.show),
    ("POST", "users", classic.save_user),
    ("GET", "users", classic.find_user),
    ("GET", "users/*", classic.show_user),
    ("POST", "companies", classic.save_company),
    ("GET", "companies", companies.find),
    ("GET", "companies/*", companies.show),
    ("POST", "events", events.save),
    ("GET", "events", events.show),
    ("POST", "tags", tags.save),
    ("GET", "tags", tags.show_all),
)
_VERSIONS = {"1": range(5), "2": range(17)}
_NEWEST = "2.16"
_BODY_SHOWN = 65_536


@dataclass(slots=True)
class _Visit:
    """What is known of a request so far, for its log entry and the headers of its answer."""

    asked: Asked
    started: float = field(default_factory=time.perf_counter)
    workspace: Workspace | None = None
    call: ApiCall | None = None
    standing: RateStatus | None = None
    fault: str | None = None
    dropped: bool = False


def answer(store: Store, asked: Asked) -> ApiReply:
    """Answer one request; whatever comes of it, it is logged and carries the headers of the rate limit."""
    visit = _Visit(asked)
    refused: RefusedError | None = None
    try:
        reply = _answer(store, visit)
    except RefusedError as error:
        refused = error
        reply = ApiReply(error.status, error.as_json(), dict(error.headers), visit.dropped)
    with store.lock:
        reply.headers |= {**_standing(store, visit), "Date": formatdate(store.clock(), usegmt=True)}
        store.log.add(_entry(store, visit, reply, refused))
    return reply


def _standing(store: Store, visit: _Visit) -> dict[str, str]:
    if visit.standing is None:  # no workspace let the request in, so the first one must do
        first = next(iter(store.workspaces.values()), None)
        return store.standing(first).headers() if first else {}
    return visit.standing.headers()


def _answer(store: Store, visit: _Visit) -> ApiReply:
    asked = visit.asked
    with store.lock:
        visit.workspace = workspace = workspace_of(store.workspaces, asked.authorization)
        _count(store, visit, workspace)
        struck = [fault for fault in workspace.faults if fault.strikes(asked.line)]
    visit.fault = "; ".join(fault.name for fault in struck) or None
    _strike(store, visit, [fault for fault in struck if not fault.after_write])
    with store.lock:
        reply = _handle(store, visit, workspace)
    _strike(store, visit, [fault for fault in struck if fault.after_write])
    return reply


def _count(store: Store, visit: _Visit, workspace: Workspace) -> None:
    windows = store.windows(workspace.app_id)
    room, visit.standing = windows.take(store.clock(), workspace.rate_limit, workspace.rate_window)
    if not room:
        remedy = "wait until X-RateLimit-Reset"
        raise RefusedError("rate_limit_exceeded", "Exceeded the rate limit", None, 429, remedy)


def _strike(store: Store, visit: _Visit, faults: list[Fault]) -> None:
    slow = sum(fault.slow for fault in faults)
    if slow:
        store.pause(slow)
    broken = next((fault for fault in faults if fault.breaks), None)
    if broken:
        visit.dropped = broken.drop
        raise broken.refusal()


def _handle(store: Store, visit: _Visit, workspace: Workspace) -> ApiReply:
    asked, version = visit.asked, _version(visit.asked.version)
    visit.call = ApiCall(asked, workspace, store.account(workspace.app_id), version, store.clock())
    handler, ids = _route(asked, _CLASSIC if version[0] == 1 else TODAY)
    not_imitated.check_query(asked.query)
    return handler(visit.call, *ids)


def _version(header: str | None) -> tuple[int, int]:
    major, _, minor = (header or _NEWEST).partition(".")
    if not minor.isdecimal() or str(int(minor)) != minor or int(minor) not in _VERSIONS.get(major, ()):
        remedy = "Intercom-Version is one of 1.0 to 1.4 and 2.0 to 2.16"
        raise RefusedError("intercom_version_invalid", "The requested version could not be found", None, 400, remedy)
    return int(major), int(minor)


def _route(asked: Asked, routes: Routes) -> tuple[Handler, list[str]]:
    allowed = []
    for method, pattern, handler in routes:
        steps = pattern.split("/")
        if len(steps) == len(asked.parts) and all(map(_fits, steps, asked.parts)):
            if method == asked.method:
                return handler, [part for step, part in zip(steps, asked.parts, strict=True) if step == "*"]
            allowed.append(method)
    if allowed:
        refused = RefusedError("method_not_allowed", f"Method not allowed: {', '.join(allowed)}", None, 405)
        refused.headers["Allow"] = ", ".join(allowed)
        raise refused
    hint = "2.x has contacts, 1.4 has users"
    raise not_found("The requested resource does not exist", remedy=f"look at the path and at Intercom-Version: {hint}")


def _fits(step: str, part: str) -> bool:
    return step in ("*", part)


def _entry(store: Store, visit: _Visit, reply: ApiReply, refused: RefusedError | None) -> dict[str, Any]:
    asked, call = visit.asked, visit.call
    return {
        "at": store.clock(),
        "app_id": visit.workspace.app_id if visit.workspace else None,
        "region": visit.workspace.region if visit.workspace else None,
        "origin": None,
        "kind": "rest",
        "method": asked.method,
        "path": asked.target,
        "version": asked.version or _NEWEST,
        "status": reply.status,
        "code": refused.code if refused else None,
        "refused": refused.reason if refused else None,
        "not_saved": [{"name": left.name, "why": left.why} for left in (call.not_saved if call else [])],
        "notes": call.notes if call else [],
        "person_id": call.person.id if call and call.person else None,
        "body": _body_shown(asked),
        "answer": reply.body,
        "milliseconds": round((time.perf_counter() - visit.started) * 1000, 1),
        "fault": visit.fault,
    }


def _body_shown(asked: Asked) -> Any:
    if not asked.body:
        return None
    if len(asked.body) > _BODY_SHOWN:
        return f"({len(asked.body)} bytes: too many to show)"
    body = sent(asked)
    return without_secrets(body) if isinstance(body, dict) else body
