"""Segment's calls as the Messenger's settings, ``window.intercomSettings``."""

from .page import messenger_settings as messenger_settings
from .page import settings_of as settings_of
from .person import Person as Person
