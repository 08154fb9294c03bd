"""What typed calls become: the Messenger's settings and commands, and what is said of the values that do not fit."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from .._json import dumps
from ..calls import Alias, Call, Screen, Track, parse
from ..diagnostics import WARNINGS, logger
from ..errors import CallError, OptionError, SettingsError, TraitError
from ..messenger import messenger_commands, messenger_settings, runtime_config
from ..settings import Settings
from . import outcome
from .python_calls import read_python

BODY_LIMIT = 32 * 1024
KINDS = ("identify", "group", "track", "page", "screen", "alias")
# It proves nothing: the demo's own workspace has a secret of its own.
SECRET = "an-example-secret"  # noqa: S105
_APP_ID = "abcd1234"
_MOST_CALLS = 20
_SPEAKER = re.compile(r"^Intercom: (?:\w+, (?=trait ))?")
_SETTINGS = ("identity", "strict", "region", "nested_handling", "rich_links")


def play(body: bytes) -> dict[str, Any]:
    """Map the calls of a body, ``{"text", "form", "kind", "settings"}``.

    ``text`` is Segment's JSON, one message or a list, or with the form "python" calls as Python has them.
    """
    try:
        asked = _object(_read("body", body), "body")
        settings = _settings(_object(asked.get("settings") or {}, "settings"))
        messages = _messages(asked.get("text"), asked.get("form"))
        answer = _answer([_call(message, asked.get("kind")) for message in messages], settings)
        # Of what was typed as Python, the page has no other way to know.
        return {**answer, "messages": messages if asked.get("form") == "python" else None}
    except (CallError, OptionError, SettingsError, TraitError) as error:
        return refused(error.field, error.problem)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return refused("text", "holds a value that has no form in JSON, or is nested too deep; leave it out")


def refused(field: str, problem: str) -> dict[str, Any]:
    """The answer where nothing could be mapped: which field, and what it takes."""
    return _result(error={"field": field[:200], "problem": problem})


def _answer(calls: list[Call], settings: Settings) -> dict[str, Any]:
    with _listening() as warnings:
        commands = messenger_commands(calls, settings)
        intercom_settings = messenger_settings([call for call in calls if not isinstance(call, Track)], settings)
    warnings += _on_calls(calls, commands)
    with _listening() as remarks:
        requests = outcome.requests_of(calls, settings)
    dumps([intercom_settings, commands, requests])  # so that what has no form in JSON is refused here
    html = outcome.html_of(intercom_settings, settings)
    return _result(
        settings=intercom_settings,
        commands=commands,
        warnings=list(dict.fromkeys(warnings)),
        runtime=runtime_config(settings, messenger_settings([], settings), booted=False, lazy=False),
        requests=requests,
        remarks=[remark for remark in dict.fromkeys(remarks) if remark not in warnings],
        python=outcome.python_of(calls),
        html=html,
        policy=outcome.policy_of(html, settings),
    )


def _result(**fields: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"settings": None, "commands": [], "warnings": [], "error": None, "runtime": None}
    return {
        **nothing,
        "requests": None,
        "messages": None,
        "remarks": [],
        "python": "",
        "html": "",
        "policy": "",
        **fields,
    }


def _on_calls(calls: list[Call], commands: list[list[Any]]) -> list[str]:
    """What no trait is to blame for: calls that have no effect, and events of visitors."""
    remarks = []
    if not all(call.for_intercom for call in calls):
        remarks.append("integrations: a call switches Intercom off, so that nothing of it is sent")
    elif all(isinstance(call, Screen | Alias) for call in calls):
        remarks.append("type: a screen and an alias have no effect in Intercom")
    elif not commands:
        remarks.append(
            "user: nobody is known by a user id or an e-mail, so that nothing is sent; identify somebody first"
        )
    elif any(isinstance(call, Track) for call in calls) and not {"user_id", "email"} & commands[0][1].keys():
        remarks.append("user: the event is of a visitor, for nobody was identified before it")
    return remarks


def _messages(text: object, form: object) -> list[Any]:
    typed = text if isinstance(text, str) else ""
    messages = read_python(typed) if form == "python" and typed.strip() else _read("text", typed)
    listed = messages if isinstance(messages, list) else [messages]
    if not listed or len(listed) > _MOST_CALLS:
        raise CallError("text", f"must hold from one to {_MOST_CALLS} calls")
    return listed


def _call(message: object, kind: object) -> Call:
    fields = _object(message, "message")
    call = parse({"type": kind, **fields})
    if fields.get("type", kind) not in KINDS:
        raise CallError("type", "must be one of " + ", ".join(KINDS) + " here")
    return call


def _read(field: str, text: str | bytes) -> Any:
    """Read typed JSON; an error says where it is."""
    if not text.strip():
        raise CallError(field, "is empty; type a call, or pick an example")
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise CallError(field, f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None


def _no_number(name: str) -> NoReturn:
    raise CallError("text", f"holds {name}, which is not JSON; send a number, or leave it out")


def _object(value: object, field: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CallError(field, f"must be a JSON object, not {type(value).__name__}")
    return value


def _settings(chosen: Mapping[str, Any]) -> Settings:
    """The playground's settings, as chosen beside the text; a slip in one is refused as at an application's start."""
    for name in chosen:
        if name not in _SETTINGS:
            raise SettingsError(name, "is not for the playground to set; it has " + ", ".join(_SETTINGS))
    values = {"strict": False, **chosen}
    identity = values.pop("identity", "none")
    proof = {} if identity == "none" else {"identity": identity, "identity_secret": SECRET}
    return Settings(app_id=_APP_ID, **values, **proof)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what the mapping logs in this thread; it goes to whoever types, and not into the log."""
    heard: list[str] = []
    thread = threading.get_ident()

    def hears(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        heard.append(_SPEAKER.sub("", record.getMessage()))  # here it is clear who speaks, and of what
        return False

    WARNINGS.reset()  # who types the same again is told the same again
    logger.logger.addFilter(hears)
    try:
        yield heard
    finally:
        logger.logger.removeFilter(hears)
