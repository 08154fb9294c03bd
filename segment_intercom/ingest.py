"""Accepts calls: validates and serializes them, puts them into the outbox, and starts delivery in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple, cast

from .api import LEGACY
from .at_exit import AT_EXIT
from .calls import Call, Delete, Group, Identify, Track, parse, user_id_text
from .delivery import DirectSender, ProcessState
from .delivery.batch import UNDELIVERABLE, changed_call
from .diagnostics import WARNINGS, Diagnostics, logger
from .errors import CallError, OutboxError
from .partition import HAVE_EFFECT, partition_key
from .serialize import read, write
from .settings import Settings
from .traits import companies_of, company_of, split
from .traits.event_names import is_wanted
from .transport import PATIENCE, HttpTransport, Transport

_LOOK = 0.25
_UNKNOWN_USER = "is needed, or an e-mail in the traits: Intercom keeps nothing of an unknown user"
_UNKNOWN_GROUP = (
    'is needed, or a name in the traits: group(user, "org_17", {...}); in Flask, where a user_loader names the user, '
    'group("org_17", {...})'
)
_NO_DELETION = 'needs the contacts API: set INTERCOM_API_VERSION to "2.16"'
_LEFT = (
    "calls of this process that still wait in the outbox after %g s (exit_timeout): %d; the next process with this "
    "outbox that makes a call delivers them, or `segment-intercom worker` does"
)


# What the outbox's put() takes: the partition key, the message, and its id.
_Put = tuple[str, bytes, str | None]


class PlainMessage(NamedTuple):
    """A call that is written already: the user's id, the JSON of ``plain_message``, and what else is asked of it."""

    user_id: str
    body: bytes
    message_id: str | None
    event: str | None

    def call(self) -> Call:
        """The call that it is."""
        return parse(read(self.body))


class Ingest:
    """Accepts calls for one workspace; opens the outbox and starts delivery with the first call after any fork.

    ``on_accepted`` hears the messages of ``enqueue_all`` once they are stored.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport | None = None,
        *,
        on_accepted: Callable[[list[bytes]], None] | None = None,
    ) -> None:
        self.settings = settings
        self._on_accepted = on_accepted
        self._transport = transport
        self._locks: dict[int, threading.Lock] = {}
        self._state: ProcessState | None = None
        self._event_names: set[str] = set()
        self._senders: dict[int, DirectSender] = {}

    def enqueue(self, call: Call, *, strict: bool = True, connection: Any = None) -> Call | None:
        """Put a call that has an effect into the outbox; once this returns it survives the end of the process.

        Returns it as it was accepted, after ``before_send``, or None where it was dropped.

        With an application's ``connection`` to the outbox's database it is kept exactly when that commits. Raises
        CallError or TraitError for what cannot be sent, or logs it where ``strict`` is False; OutboxError when
        the outbox cannot be written.
        """
        prepared = self.prepare(call, strict=strict)
        message = None if prepared is None else self.validate(prepared, strict=strict)
        if message is None or not self.settings.enabled:
            return None
        if self.settings.deliver == "now":
            if connection is not None:
                raise CallError("connection", 'needs an outbox, and deliver="now" uses none')
            self._direct().send(*message[:2])
            return prepared
        state = self._open(strict=strict)
        if connection is not None:
            state.outbox.put_within(connection, *message)
        elif not (state.outbox.replace if _strikes(prepared) else state.outbox.put)(*message):
            logger.info("a call with a message id of the last 24 hours came again; it is not sent twice")
        state.deliver()
        return prepared

    def enqueue_all(self, calls: Iterable[Call | PlainMessage]) -> int:
        """Put those calls that have an effect into the outbox, all of them or none; return how many are new.

        A value that cannot be sent is logged and left out. Raises OutboxError when the outbox cannot be written.
        """
        parts = self._parts(calls)
        messages = [message for part, _ in parts for message in part]
        if not messages or not self.settings.enabled:
            return 0
        if self.settings.deliver == "now":
            for user, body, _ in messages:
                self._direct().send(user, body)
            return len(messages)
        state = self._open(strict=False)
        accepted = sum(
            state.outbox.replace(*part[0]) if strikes else state.outbox.put_all(part) for part, strikes in parts
        )
        state.deliver()
        if self._on_accepted is not None:
            self._on_accepted([body for _, body, _ in messages])
        return accepted

    def _parts(self, calls: Iterable[Call | PlainMessage]) -> list[tuple[list[_Put], bool]]:
        """The messages of calls, in parts that are each kept together: a deletion, which strikes, is one by itself."""
        parts: list[tuple[list[_Put], bool]] = [([], False)]
        for item in calls:
            call = self._prepared(item)
            if type(call) is PlainMessage:
                if call.event is not None and call.event not in self._event_names:
                    self._count_name(call.event)
                parts[-1][0].append((call.user_id, call.body, call.message_id))
            elif call is not None and (message := self.validate(cast("Call", call), strict=False)) is not None:
                if _strikes(call):
                    parts += [([message], True), ([], False)]
                else:
                    parts[-1][0].append(message)
        return [part for part in parts if part[0]]

    def prepare(self, call: Call, *, strict: bool) -> Call | None:
        """Return a call as ``before_send`` wants it sent, or None where it is to be dropped, which is counted.

        An exception in it is the application's, and raised if ``strict``; else the call is kept as a dead letter. An
        event that ``allow_events`` or ``deny_events`` keep from Intercom is dropped as well.
        """
        prepared = call if self.settings.before_send is None else self._changed(call, strict=strict)
        if isinstance(prepared, Track) and not is_wanted(prepared.event, self.settings):
            WARNINGS.warn("event %.200r: not told to Intercom, by allow_events and deny_events", prepared.event)
            return None
        return prepared

    def _changed(self, call: Call, *, strict: bool) -> Call | None:
        """Return what ``before_send`` makes of a call."""
        try:
            prepared = changed_call(cast("Callable[[Any], Any]", self.settings.before_send), call)
        except Exception as error:
            if strict:
                raise
            logger.exception("before_send raised; the call is kept and not delivered")
            return replace(call, context={**call.context, UNDELIVERABLE: f"before_send raised {type(error).__name__}"})
        if prepared is None:
            WARNINGS.warn("before_send drops a %s call", type(call).__name__.lower())
        return prepared

    def _prepared(self, call: Call | PlainMessage) -> Call | PlainMessage | None:
        if self.settings.before_send is None and not (self.settings.allow_events or self.settings.deny_events):
            return call
        return self.prepare(call.call() if isinstance(call, PlainMessage) else call, strict=False)

    def _direct(self) -> DirectSender:
        """What sends at once, in this process."""
        sender = self._senders.get(os.getpid())
        if sender is None:
            # Each thread waits for its own call here, so that none keeps another workspace's from being sent.
            transport = (
                self._transport if self._transport is not None else HttpTransport(self.settings, patience=PATIENCE)
            )
            sender = self._senders[os.getpid()] = DirectSender(self.settings, transport)
        return sender

    def validate(self, call: Call, *, strict: bool) -> _Put | None:
        """Return the arguments of the outbox's ``put``, or None for a call that has no effect at Intercom.

        Raises CallError or TraitError if ``strict``, else logs what cannot be sent.
        """
        if not isinstance(call, HAVE_EFFECT) or not call.for_intercom:
            return None
        diagnostics = Diagnostics(strict)
        key = partition_key(call, self.settings)
        if key is None:
            if strict:
                raise CallError("user_id", _UNKNOWN_USER)
            WARNINGS.warn("a %s call is left out: user_id %s", type(call).__name__.lower(), _UNKNOWN_USER)
            return None
        if isinstance(call, Delete) and self.settings.api_version == LEGACY:
            if strict:
                raise CallError("delete", _NO_DELETION)
            WARNINGS.warn("a delete call is left out: it %s", _NO_DELETION)
            return None
        if isinstance(call, Group) and not self._names_a_company(call, strict=strict):
            return None
        if isinstance(call, Track):
            self._count_name(call.event)
        elif (
            strict
            and not isinstance(call, Delete)
            and (isinstance(call, Group) or "company" in call.traits or "companies" in call.traits)
        ):
            _check_companies(call, self.settings, diagnostics)  # better heard of now than when it is delivered
        return key, write(call, diagnostics), user_id_text(call.message_id, "message_id")

    def _names_a_company(self, call: Group, *, strict: bool) -> bool:
        """Whether a group call says which company; raises CallError if ``strict`` where it does not."""
        if call.group_id is not None or company_of(call.traits, self.settings, Diagnostics(False)) is not None:
            return True
        if strict:
            raise CallError("group_id", _UNKNOWN_GROUP)
        WARNINGS.warn("a group call is left out: group_id %s", _UNKNOWN_GROUP)
        return False

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered or given up, and return how many calls are left.

        It returns at once where another process delivers, and where Intercom refuses the token.
        """
        state = self._state
        if state is None or state.pid != os.getpid():
            return 0
        end = None if timeout is None else time.monotonic() + timeout
        while (left := state.outbox.left()) and state.is_delivering():
            rest = _LOOK if end is None else min(_LOOK, end - time.monotonic())
            if rest <= 0:
                break
            state.wait(rest)
        return left

    def start(self) -> None:
        """Begin to deliver what waits, before this process has accepted anything itself."""
        self._open(strict=False).deliver()

    def check(self) -> None:
        """Raise OutboxError where calls cannot be kept now."""
        self._open(strict=False).outbox.next_due()

    def is_delivering(self) -> bool:
        """Return whether this process delivers, and Intercom lets it."""
        state = self._state
        return state is not None and state.pid == os.getpid() and state.is_delivering()

    def finish(self, timeout: float) -> None:
        """Wait, at the end of the process, for what it handed in, and say what is left and who delivers that."""
        state = self._state
        if state is None or state.pid != os.getpid() or self.settings.deliver != "thread":
            return
        try:
            left = self.flush(timeout)
        except OutboxError as error:
            logger.error("at the end of the process: %s", error)
            return
        if left:
            logger.warning(_LEFT, self.settings.exit_timeout, left)

    def close(self) -> None:
        """Let go of the outbox without waiting for delivery; what waits in it stays. A later call opens it again."""
        state, self._state = self._state, None
        AT_EXIT.drop(self)
        if state is not None and state.pid == os.getpid():
            state.close()

    def _open(self, *, strict: bool) -> ProcessState:
        state, pid = self._state, os.getpid()
        if state is not None and state.pid == pid:
            return state
        with self._locks.setdefault(pid, threading.Lock()):
            if self._state is None or self._state.pid != pid:
                self._state = ProcessState(self.settings, self._transport, strict=strict)
                AT_EXIT.add(self, self.settings.exit_timeout)
            return self._state

    def _count_name(self, event: str) -> None:
        limit = self.settings.event_name_limit
        if event in self._event_names or len(self._event_names) > limit:
            return
        self._event_names.add(event)
        if len(self._event_names) > limit:
            logger.warning(
                "more than %d names of events were tracked: Intercom refuses the events of further names, which "
                "`segment-intercom status` then counts as given up",
                limit,
            )


def _strikes(call: Call | PlainMessage | None) -> bool:
    """Whether what waits for the user of a call goes with it: of one who is archived all is told before."""
    return isinstance(call, Delete) and not call.archive


def _check_companies(call: Identify | Group, settings: Settings, diagnostics: Diagnostics) -> None:
    """Read the companies of a call as its delivery will; raises TraitError for one that cannot be read."""
    if isinstance(call, Group):
        group_id = {} if call.group_id is None else {"id": call.group_id}
        company_of({**call.traits, **group_id}, settings, diagnostics)
    else:
        companies_of(split(call.traits, diagnostics, server=True)[0], settings, diagnostics)
