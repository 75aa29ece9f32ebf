"""What a gram is worth, how often and out of which budget: dated rows, each decided by two people."""
