"""The accepting of calls from server code, as Segment's own library for Python does it."""

from .analytics import Analytics as Analytics
from .analytics import given as given
from .office import Office as Office
