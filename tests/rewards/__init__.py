"""Merchants and what is had from them."""
