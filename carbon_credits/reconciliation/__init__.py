"""What partners' records leave open: corrections, waiting, cases, clawbacks, closed months, the mass balance."""
