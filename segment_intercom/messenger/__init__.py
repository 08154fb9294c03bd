"""Segment's calls as the Messenger's settings, ``window.intercomSettings``."""

from .commands import in_line as in_line
from .commands import messenger_commands as messenger_commands
from .runtime import runtime_config as runtime_config
from .settings import build_settings as build_settings
from .settings import messenger_settings as messenger_settings
from .user_state import UserState as UserState
