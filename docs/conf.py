"""How Sphinx builds these pages: ``make docs``."""

from importlib.metadata import version as version_of

project = "segment-intercom"
author = "The segment-intercom authors"
release = version_of("segment-intercom")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "segment-intercom"
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
