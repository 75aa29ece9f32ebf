"""What a merchant's systems and tills call."""
