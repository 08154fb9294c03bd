"""The Flask extension: the only part of the package's core that knows Flask."""

from .extension import SegmentIntercom as SegmentIntercom
from .state import NAME as NAME
from .state import State as State
