"""Recycling: clean material that replaces primary production."""
