"""Where calls wait for delivery."""

from .address import claim as claim
from .address import claimed_by as claimed_by
from .address import is_same as is_same
from .address import open_outbox as open_outbox
from .base import Counts as Counts
from .base import DeadLetter as DeadLetter
from .base import Lease as Lease
from .base import Outbox as Outbox
from .base import QueuedMessage as QueuedMessage
from .presence import SEEN_EVERY as SEEN_EVERY
from .presence import last_problem as last_problem
from .presence import note_end as note_end
from .presence import note_problem as note_problem
from .presence import note_worker as note_worker
from .presence import worker_seen as worker_seen
from .sqlite import SqliteOutbox as SqliteOutbox
