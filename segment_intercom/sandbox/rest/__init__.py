"""Intercom's REST API, in today's dialect (2.x) and in the classic one (1.4), without HTTP."""

from .api import RESOURCES as RESOURCES
from .api import answer as answer
from .call import ApiReply as ApiReply
from .call import Asked as Asked
