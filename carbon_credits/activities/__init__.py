"""Low-carbon acts as they were told, the states they pass through, and what only one of them may claim."""
