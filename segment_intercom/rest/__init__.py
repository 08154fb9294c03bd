"""Calls as requests to Intercom's REST API: plain data, in today's dialect or in the classic one."""

from .mapping import CLASSIC as CLASSIC
from .mapping import Introduction as Introduction
from .mapping import introduction as introduction
from .mapping import rest_operations as rest_operations
from .operation import Operation as Operation
from .operation import Reference as Reference
from .subject import Subject as Subject
