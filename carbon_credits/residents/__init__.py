"""Residents: who they are, how they sign in, what they consent to, which partner accounts are theirs."""
