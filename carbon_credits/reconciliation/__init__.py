"""What partners' records leave open: corrections, how long a claim waits, cases for people, clawbacks, closed months, mass balance."""
