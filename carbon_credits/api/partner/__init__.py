"""What a partner's systems call: a token for their secret, and records for their feeds."""
