"""Reads calls that somebody typed as Python, ``analytics.track("u", "Baked", {"loaves": 12})``, without running it.

The values are literals, and dates and decimals as ``datetime(2026, 3, 1)``, ``date(...)`` and ``Decimal("19.99")``.
"""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from ..errors import CallError

# The arguments of each method in their order, as the clients of Segment and ours have them, by the names of messages.
_ARGUMENTS = {
    "identify": ("userId", "traits"),
    "track": ("userId", "event", "properties"),
    "group": ("userId", "groupId", "traits"),
    "page": ("userId", "category", "name", "properties"),
    "screen": ("userId", "category", "name", "properties"),
    "alias": ("previousId", "userId"),
}
_COMMON = ("context", "timestamp", "anonymousId", "integrations", "messageId")
_KEYWORDS = {"user_id": "userId", "group_id": "groupId", "previous_id": "previousId", "anonymous_id": "anonymousId"}
_KEYWORDS |= {"message_id": "messageId"}
_OBJECTS = ("analytics", "intercom")
_MAKERS: dict[str, Any] = {"datetime": datetime, "date": date, "Decimal": Decimal}
_EXAMPLE = 'type calls such as analytics.identify("user1234", {"email": "teemo@segment.com"})'


def read_python(text: str) -> list[dict[str, Any]]:
    """Return the calls of a text as Segment's messages; raises CallError, which says what is wrong and where."""
    try:
        statements = ast.parse(text.strip()).body
    except SyntaxError as error:
        raise CallError("text", f"is no Python: line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise CallError("text", "is no Python; " + _EXAMPLE) from None
    calls = [_message(statement) for statement in statements if not isinstance(statement, ast.Import | ast.ImportFrom)]
    if not calls:
        raise CallError("text", _EXAMPLE)
    return calls


def _message(statement: ast.stmt) -> dict[str, Any]:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), method), arguments, keywords)) if name in _OBJECTS:
            pass
        case _:
            _refuse(statement, _EXAMPLE)
    if method not in _ARGUMENTS:
        _refuse(statement, f"there is no {method}(); there are " + ", ".join(_ARGUMENTS))
    names = (*_ARGUMENTS[method], *_COMMON)
    if len(arguments) > len(names):
        _refuse(statement, f"{method}() takes {len(names)} arguments at most")
    message = {"type": method, **{name: _value(node) for name, node in zip(names, arguments, strict=False)}}
    for keyword in keywords:
        known = _KEYWORDS.get(keyword.arg or "", keyword.arg)
        if known not in names:
            _refuse(
                keyword.value, f"{method}() takes no keyword {keyword.arg}; it takes " + ", ".join(map(_python, names))
            )
        message[known] = _value(keyword.value)
    return {name: value for name, value in message.items() if value is not None}


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(ast.Name(maker), arguments, []) if maker in _MAKERS:
            return _made(maker, [_value(argument) for argument in arguments], node)
        case ast.Dict(keys, values):
            pairs = [(key, value) for key, value in zip(keys, values, strict=True) if key is not None]
            return {str(_value(key)): _value(value) for key, value in pairs}
        case ast.List(items) | ast.Tuple(items) | ast.Set(items):
            return [_value(item) for item in items]
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        _refuse(node, "is no literal: type its value")
    if isinstance(value, bytes | complex) or value is ...:
        _refuse(node, f"{type(value).__name__} has no form in JSON")
    return value


def _made(maker: str, values: list[Any], node: ast.expr) -> Any:
    try:
        made = _MAKERS[maker](*values)
    except (TypeError, ValueError, InvalidOperation):
        _refuse(node, f"this is no {maker}")
    if isinstance(made, datetime):
        return made.replace(tzinfo=UTC).isoformat() if made.tzinfo is None else made.isoformat()
    return str(made)


def _python(name: str) -> str:
    return next((keyword for keyword, known in _KEYWORDS.items() if known == name), name)


def _refuse(node: ast.AST, problem: str) -> NoReturn:
    raise CallError("text", f"line {getattr(node, 'lineno', 1)}: {problem}")
