"""The delivery of calls: each user's in order, sent again after failures, given up when Intercom refuses them."""

from .delivery import Sender as Sender
from .outcome import Unauthorized as Unauthorized
from .worker import Worker as Worker
