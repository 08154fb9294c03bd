"""A strict imitation of Intercom, so that a page can be tried and tested without an account."""

from .app import create_sandbox as create_sandbox
from .faults import Fault as Fault
from .workspace import Workspace as Workspace
