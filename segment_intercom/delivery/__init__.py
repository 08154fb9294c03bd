"""The delivery of calls: each user's in order, sent again after failures, given up when Intercom refuses them."""

from ..api.errors import Unauthorized as Unauthorized
from .deliver import Sender as Sender
from .now import DirectSender as DirectSender
from .process import ProcessState as ProcessState
from .worker import Worker as Worker
