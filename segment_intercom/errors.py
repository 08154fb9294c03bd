"""Everything that this package raises by itself.

    SegmentIntercomError
    ├── SettingsError      a setting is wrong: raised at start-up, names the key and what is accepted
    ├── OptionError        an argument of a helper is wrong: an unknown option, a bad nonce, an unknown load strategy
    ├── CallError          a call or a Segment message is malformed
    ├── TraitError         the value of a trait or property cannot be sent
    ├── OutboxError        the outbox cannot be read or written: says which, why, and the remedy
    ├── TransportError     Intercom did not answer: a time-out, a broken connection, an unknown host
    └── DeliveryError      with deliver="now": Intercom refused the call, or did not answer

Messages name the field and the remedy, never the value: a value may be a secret or a user's data.
"""

from __future__ import annotations


class SegmentIntercomError(Exception):
    """Base of all errors of this package."""


class _FieldError(SegmentIntercomError):
    """An error about one field, kept in ``field``."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class SettingsError(_FieldError):
    """A setting is wrong."""


class OptionError(_FieldError):
    """An argument of a template helper is wrong."""


class CallError(_FieldError):
    """A call, or a message in Segment's form, is malformed."""


class TraitError(_FieldError):
    """The value of a trait or property cannot be sent to Intercom."""


class OutboxError(SegmentIntercomError):
    """The place where calls wait for delivery cannot be read or written; the call was not accepted."""


class DeliveryError(SegmentIntercomError):
    """Intercom refused a call that was sent at once (``deliver="now"``), or did not answer: it is not delivered."""


class TransportError(SegmentIntercomError):
    """Intercom did not answer; the request may or may not have arrived."""
