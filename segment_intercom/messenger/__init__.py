"""Segment's calls as the Messenger's settings, ``window.intercomSettings``."""

from .commands import in_line as in_line
from .commands import messenger_commands as messenger_commands
from .page import messenger_settings as messenger_settings
from .page import settings_of as settings_of
from .person import Person as Person
from .runtime import runtime_config as runtime_config
