"""Methodologies: how many milligrams an act avoids, as code that reads like the published document.

`formula` the language · `readings` what a tree is worth · `base` the words · `declaration` what stops the
programme at import · `factors`, `proposals` the cited numbers · `releases` content-addressed documents ·
`quantification` one act · `replay` one act from a document alone · `batch` many acts in SQL · `catalogue`
every methodology, named by hand · `published` what was ever published, frozen.
"""

from carbon_credits.methodologies import catalogue
from carbon_credits.methodologies.base import Methodology, derive
from carbon_credits.methodologies.batch import BatchSql, batch_sql, unmet_reasons
from carbon_credits.methodologies.quantification import Quantification, explain, quantify
from carbon_credits.methodologies.releases import Release, release_on, releases
from carbon_credits.methodologies.replay import recompute

__all__ = [
    "BatchSql",
    "Methodology",
    "Quantification",
    "Release",
    "batch_sql",
    "catalogue",
    "derive",
    "explain",
    "quantify",
    "recompute",
    "release_on",
    "releases",
    "unmet_reasons",
]
