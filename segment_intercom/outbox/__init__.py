"""Where calls wait for delivery."""

from .address import claim as claim
from .address import open_outbox as open_outbox
from .base import Counts as Counts
from .base import DeadLetter as DeadLetter
from .base import Lease as Lease
from .base import Letter as Letter
from .base import Outbox as Outbox
from .sqlite import SqliteOutbox as SqliteOutbox
