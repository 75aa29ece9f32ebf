"""Merchants, offers, redemptions and what merchants are paid: points become things, and money."""
