"""Two books, grams and points: wallets, journals, postings, lots, holds, funds, and their proof."""
