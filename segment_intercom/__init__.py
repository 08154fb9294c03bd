"""Say identify, group, page and track once, Segment's way, and Intercom hears it."""

from .calls import Alias as Alias
from .calls import Group as Group
from .calls import Identify as Identify
from .calls import Page as Page
from .calls import Screen as Screen
from .calls import Track as Track
from .calls import parse as parse
from .csp import csp as csp
from .csp import csp_hash as csp_hash
from .csp import merge_csp as merge_csp
from .errors import CallError as CallError
from .errors import OptionError as OptionError
from .errors import OutboxError as OutboxError
from .errors import SegmentIntercomError as SegmentIntercomError
from .errors import SettingsError as SettingsError
from .errors import TraitError as TraitError
from .errors import TransportError as TransportError
from .extension import SegmentIntercom as SegmentIntercom
from .identity import user_hash as user_hash
from .identity import user_jwt as user_jwt
from .jinja import install as install
from .messenger import messenger_settings as messenger_settings
from .settings import Settings as Settings
from .snippet import render_snippet as render_snippet
