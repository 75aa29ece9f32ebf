"""Reconciliation: partners' records against claims, and against what else is known of the same things."""
