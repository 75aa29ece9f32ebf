"""The console: as staff use it, and as others try to."""
