"""``python -m segment_intercom`` is the command line."""

from .cli import main

main(prog_name="segment-intercom")
