"""Intercom's REST API, one file a resource: how an operation is built and how it is performed stand together.

``rest_operations`` gives the operations of a call as plain data, ``perform`` sends one of them.
"""

from .cache import IntercomCache as IntercomCache
from .client import LeasedClient as LeasedClient
from .data_attributes import AttributeCreator as AttributeCreator
from .endpoint import Api as Api
from .endpoint import UserPayload as UserPayload
from .mapping import LEGACY as LEGACY
from .mapping import perform as perform
from .mapping import rest_operations as rest_operations
from .mapping import user_payload as user_payload
from .user_ref import UserRef as UserRef
