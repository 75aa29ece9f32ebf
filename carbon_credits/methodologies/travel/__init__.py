"""Travel: low-carbon trips in place of the average urban mode."""
