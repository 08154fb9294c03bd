"""What may be wrong with a configuration, with delivery and with a page, each finding with its remedy.

Source: Segment's documentation page for Intercom, "Troubleshooting".
"""

from .answer import Answer as Answer
from .answer import fetch as fetch
from .configuration import check_configuration as check_configuration
from .configuration import check_keys as check_keys
from .findings import Finding as Finding
from .page import check_page as check_page
from .server import check_server as check_server
