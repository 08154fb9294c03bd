"""Say identify, group, page and track once, Segment's way, and Intercom hears it.

What needs Flask or Jinja is imported on first use, so that a worker or a script that maps calls loads neither.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from .analytics import Analytics as Analytics
from .api import rest_operations as rest_operations
from .calls import Alias as Alias
from .calls import Call as Call
from .calls import Delete as Delete
from .calls import Group as Group
from .calls import Identify as Identify
from .calls import Page as Page
from .calls import Screen as Screen
from .calls import Track as Track
from .calls import parse as parse
from .errors import CallError as CallError
from .errors import DeliveryError as DeliveryError
from .errors import OptionError as OptionError
from .errors import OutboxError as OutboxError
from .errors import SegmentIntercomError as SegmentIntercomError
from .errors import SettingsError as SettingsError
from .errors import TraitError as TraitError
from .errors import TransportError as TransportError
from .identity import user_hash as user_hash
from .identity import user_jwt as user_jwt
from .messenger import messenger_settings as messenger_settings
from .settings import Settings as Settings
from .transport import Operation as Operation
from .transport import Reference as Reference
from .web.csp import csp as csp
from .web.csp import csp_hash as csp_hash
from .web.csp import merge_csp as merge_csp

if _TYPE_CHECKING:
    from .integrations.collector import collector_blueprint as collector_blueprint
    from .integrations.flask import SegmentIntercom as SegmentIntercom
    from .web.helpers import install as install
    from .web.snippet import render_snippet as render_snippet

_ON_FIRST_USE = {
    "SegmentIntercom": "integrations.flask",
    "collector_blueprint": "integrations.collector",
    "install": "web.helpers",
    "render_snippet": "web.snippet",
}


if not _TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> _Any:
        if name not in _ON_FIRST_USE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(_import_module(f".{_ON_FIRST_USE[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE})
