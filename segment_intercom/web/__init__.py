"""Everything about pages, whatever the framework."""
