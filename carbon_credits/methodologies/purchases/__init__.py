"""Purchases: what is left out of an order or kept in use."""
