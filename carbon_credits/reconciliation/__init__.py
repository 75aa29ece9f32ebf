"""What partners' records leave open: how long a claim waits, cases for people, clawbacks, months that close."""
