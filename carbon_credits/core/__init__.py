"""The ground floor: what any programme needs and nothing that knows of carbon."""
