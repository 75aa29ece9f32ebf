"""Green finance."""
