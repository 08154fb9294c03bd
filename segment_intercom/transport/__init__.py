"""The only opener of sockets: requests to Intercom's REST API, within its rate limit."""

from .base import Operation as Operation
from .base import Reference as Reference
from .base import Reply as Reply
from .base import Transport as Transport
from .http import HttpTransport as HttpTransport
from .rate_limiter import PATIENCE as PATIENCE
