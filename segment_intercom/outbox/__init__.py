"""Where calls wait for delivery."""

from .base import Counts as Counts
from .base import DeadLetter as DeadLetter
from .base import Lease as Lease
from .base import Letter as Letter
from .base import Outbox as Outbox
