"""The demo site: the extension and the sandbox in one process, on the pages of an invented product."""

from .app import create_demo as create_demo
