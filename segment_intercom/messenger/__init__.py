"""Segment's calls as the Messenger's settings, ``window.intercomSettings``."""

from .page import messenger_settings as messenger_settings
