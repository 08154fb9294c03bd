"""The package in web frameworks: one file each."""
