"""Calls as requests to Intercom's REST API: plain data, in today's dialect or in the classic one."""

from .operation import Operation as Operation
from .operation import Reference as Reference
