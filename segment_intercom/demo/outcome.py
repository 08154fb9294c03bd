"""What becomes of typed calls beside the Messenger: requests to Intercom's API, HTML with its policy, and Python."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..api import rest_operations
from ..calls import Alias, Call, Group, Identify, Page, Screen, Track
from ..settings import Settings
from ..transport import Operation, Reference
from ..web.csp import csp_hash, merge_csp
from ..web.snippet import render_snippet

# The dialects of Intercom's API by their names here: the contacts API and the classic one.
_VERSIONS = {"contacts": "2.16", "classic": "1.4"}
_NAMING = (Identify, Group, Track, Page, Screen)
_WIDTH = 72
_POLICY = "default-src 'self'; base-uri 'self'; script-src 'self' {hash}"


def requests_of(calls: Sequence[Call], settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The requests for calls in their order, ``{method, path, body}``, by the name of the dialect.

    A page remembers the identified user; on the server each call names them, so each call here is given the user id.
    """
    identified = _named(calls)
    return {
        dialect: [
            _request(operation)
            for call in identified
            for operation in rest_operations(call, replace(settings, api_version=version))
        ]
        for dialect, version in _VERSIONS.items()
    }


def _named(calls: Sequence[Call]) -> list[Call]:
    identified: list[Call] = []
    user = None
    for call in calls:
        if isinstance(call, _NAMING):
            user = call.user_id or user
            identified.append(replace(call, user_id=user))
        else:
            identified.append(call)
    return identified


def _request(operation: Operation) -> dict[str, Any]:
    ids = {name: _described(reference) for name, reference in operation.ids.items()}
    path = operation.path
    for name, words in ids.items():
        path = path.replace(f"{{{name}}}", words)
    return {"method": operation.method, "path": path, "body": _body(operation.body)}


def _body(value: Any) -> Any:
    if isinstance(value, Reference):
        return _described(value)
    if isinstance(value, Mapping):
        return {name: _body(item) for name, item in value.items()}
    return [_body(item) for item in value] if isinstance(value, list | tuple) else value


def _described(reference: Reference) -> str:
    """Intercom's own id is found before the request is sent; here it is told whose it is."""
    return f"{{id of {reference.model} {reference.value}}}"


def html_of(intercom_settings: Mapping[str, Any], settings: Settings) -> str:
    """The script element that a template renders for these settings."""
    return str(render_snippet(intercom_settings, settings=settings))


def policy_of(html: str, settings: Settings) -> str:
    """A Content-Security-Policy that lets this script and the Messenger in, and little else."""
    return merge_csp(_POLICY.format(hash=csp_hash(html)), settings)


def python_of(calls: Sequence[Call]) -> str:
    """The same calls as server code says them through the Flask extension."""
    return "\n".join(map(_statement, _named(calls)))


def _statement(call: Call) -> str:
    name, leading, body = _arguments(call)
    written = [_written(value) for value in (*leading, *([body] if body else []))]
    options = {option: getattr(call, option) for option in ("context", "integrations", "timestamp")}
    written += [f"{option}={_written(value)}" for option, value in options.items() if value]
    # The extension has no method for what has no effect in Intercom.
    return f"{'analytics' if isinstance(call, Screen | Alias) else 'intercom'}.{name}({', '.join(written)})"


def _arguments(call: Call) -> tuple[str, list[Any], Mapping[str, Any]]:
    """The method of a call, what stands first in it, and its traits or properties."""
    match call:
        case Identify():
            return "identify", [call.user_id], call.traits
        case Group():
            return "group", [call.user_id, call.group_id], call.traits
        case Track():
            return "track", [call.user_id, call.event], call.properties
        case Page() | Screen():
            return type(call).__name__.lower(), [call.user_id, call.category, call.name], call.properties
        case Alias():
            return "alias", [call.previous_id, call.user_id], {}
    raise TypeError(type(call).__name__)


def _written(value: Any, depth: int = 0) -> str:
    """A value of JSON as Python writes it, over several lines where it is long."""
    if isinstance(value, Mapping):
        parts, (left, right) = [f"{_written(name)}: {_written(item, depth + 1)}" for name, item in value.items()], "{}"
    elif isinstance(value, list):
        parts, (left, right) = [_written(item, depth + 1) for item in value], "[]"
    else:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    line = f"{left}{', '.join(parts)}{right}"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    inner = "    " * (depth + 1)
    return "".join([left, *(f"\n{inner}{part}," for part in parts), f"\n{inner[4:]}{right}"])
