"""What an application may listen to: blinker signals, as Flask's own."""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()
# Sent by the application with ``call``, once a call of server code or of the collector is in the outbox.
call_accepted = _signals.signal("call-accepted")
