"""The command line: ``segment-intercom``, and the same commands as ``flask intercom ...``."""

from . import delivery as delivery
from . import page as page
from . import serving as serving
from .group import main as main
