"""Reporting: what the programme's records add up to, for staff, auditors and the public. It reads and never decides."""
