"""The command line: ``segment-intercom``, and the same commands as ``flask intercom ...``."""

from . import bulk as bulk
from . import collector as collector
from . import delivery as delivery
from . import history as history
from . import page as page
from . import serving as serving
from . import status as status
from .group import main as main
