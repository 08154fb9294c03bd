"""Where calls wait for delivery."""

from .address import claim as claim
from .address import open_outbox as open_outbox
from .base import Counts as Counts
from .base import DeadLetter as DeadLetter
from .base import Lease as Lease
from .base import Outbox as Outbox
from .base import QueuedMessage as QueuedMessage
from .sqlite import SqliteOutbox as SqliteOutbox
