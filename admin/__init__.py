"""DOOR: the staff console. One module for each noun; who may open what stands in `access.py`, and nowhere else."""

from admin.console import install

__all__ = ("install",)
