"""What is sent in one go: a call's operations, or those of several identify calls that waited together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..api import LEGACY, UserPayload, rest_operations, user_payload
from ..api.leads import merges_lead
from ..calls import Call, Delete, Identify, Page, parse
from ..diagnostics import logger
from ..errors import CallError, SegmentIntercomError
from ..outbox import QueuedMessage
from ..partition import lead_key, workspace_of, workspace_prefix
from ..serialize import read
from ..settings import Settings
from ..transport import Operation

# In the context of a call that is kept although before_send failed on it: why.
UNDELIVERABLE = "segmentIntercomUndeliverable"
_PEOPLE = {"/contacts": "external_id", "/users": "user_id"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages and what they ask of Intercom; ``problem`` says why nothing can be made of a message.

    ``creates_attributes`` is False where a call's option ``createAttributes`` is: one from a browser, whose write key
    anyone can read. ``forgets_user``: their dead letters go with them. ``waits_for``: the partition of which everything
    that was accepted before must have been delivered. ``app_id``: the workspace, where it is not the settings' own.
    """

    messages: tuple[QueuedMessage, ...]
    operations: tuple[Operation, ...] = ()
    user_payload: UserPayload = dict
    problem: str | None = None
    creates_attributes: bool = True
    forgets_user: bool = False
    waits_for: str | None = None
    app_id: str | None = None

    @classmethod
    def of(cls, message: QueuedMessage, settings: Settings) -> Batch:
        """What one message asks for."""
        try:
            call = parse(read(message.body))
            if UNDELIVERABLE in call.context:
                call = _tried_again(call, settings)
            operations = tuple(rest_operations(call, settings))
        except SegmentIntercomError as error:
            return cls((message,), problem=str(error))
        except Exception as error:  # a bug of ours: the message is kept, and the next ones go on
            logger.exception("a call could not be mapped; it is kept as a dead letter")
            return cls((message,), problem=f"could not be mapped: {type(error).__name__}")
        creates = call.options.get("createAttributes") is not False
        payload, forgets = partial(user_payload, call, settings), isinstance(call, Delete)
        app_id = workspace_of(call, settings)
        prefix = workspace_prefix(app_id)
        return cls(
            (message,),
            operations,
            payload,
            creates_attributes=creates,
            forgets_user=forgets,
            waits_for=prefix + lead_key(str(call.anonymous_id)) if _is_leads_user(call, settings) else None,
            app_id=app_id,
        )

    def merge(self, later: Batch) -> Batch | None:
        """This batch and a later one as one, or None: identify calls of one user, and no company in them.

        A request sets fields, and the last to set one counts; so both requests in one leave the same behind.
        """
        if not self.operations or not later.operations or self.operations[1:] != later.operations[1:]:
            return None
        if any(operation.path != "/contacts/merge" for operation in self.operations[1:]):
            return None
        if (self.creates_attributes, self.waits_for, self.app_id) != (
            later.creates_attributes,
            later.waits_for,
            later.app_id,
        ):
            return None
        operation = _merged(self.operations[0], later.operations[0])
        if operation is None:
            return None
        operations = (operation, *self.operations[1:])
        return replace(later, messages=(*self.messages, *later.messages), operations=operations)


def _is_leads_user(call: Call, settings: Settings) -> bool:
    """Whether a call tells who a lead is, so that what was said of the lead comes first."""
    return isinstance(call, Identify) and merges_lead(call, settings) and settings.api_version != LEGACY


def changed_call(before_send: Callable[[Any], Any], call: Call) -> Call | None:
    """Return what ``before_send`` makes of a call: a call, or None to drop it; raises CallError for anything else."""
    changed = before_send(call)
    if changed is not None and not isinstance(changed, Call):
        raise CallError("before_send", f"must return a call or None, not {type(changed).__name__}")
    return changed


def _tried_again(call: Call, settings: Settings) -> Call:
    """A call that ``before_send`` failed on: once it is mended, the call goes through it again."""
    problem = str(call.context[UNDELIVERABLE])
    call = replace(call, context={name: value for name, value in call.context.items() if name != UNDELIVERABLE})
    if settings.before_send is None:
        raise CallError("before_send", problem)
    try:
        changed = changed_call(settings.before_send, call)
    except Exception:
        raise CallError("before_send", problem) from None
    return Page(None) if changed is None else changed  # which has no effect


def next_batch(messages: Sequence[QueuedMessage], settings: Settings) -> Batch:
    """As many of the first messages as can be sent in one go."""
    batch = Batch.of(messages[0], settings)
    for message in messages[1:]:
        joined = batch.merge(Batch.of(message, settings))
        if joined is None:
            break
        batch = joined
    return batch


def _merged(first: Operation, then: Operation) -> Operation | None:
    key = _PEOPLE.get(first.path)
    earlier, later = first.body or {}, then.body or {}
    if key is None or then.path != first.path or first.method != "POST" or not _is_same(earlier, later, key):
        return None
    body = {**earlier, **later}
    if custom := {**earlier.get("custom_attributes", {}), **later.get("custom_attributes", {})}:
        body["custom_attributes"] = custom
    return replace(then, body=body)


def _is_same(earlier: Mapping[str, Any], later: Mapping[str, Any], key: str) -> bool:
    if "companies" in earlier or "companies" in later or earlier.get(key) != later.get(key):
        return False
    return key in earlier or earlier.get("email") == later.get("email")
