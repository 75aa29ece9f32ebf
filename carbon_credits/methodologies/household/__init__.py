"""Energy at home."""
