"""Planting: carbon removed by trees that live, kept apart from avoided emissions."""
