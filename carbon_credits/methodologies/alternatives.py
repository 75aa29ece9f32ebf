"""What if: a methodology as it would read over days before its own, or with another factor.

An alternative is a methodology like any other, checked at once and with releases of its own; it stands in no catalogue.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from carbon_credits.methodologies.base import Confidence, Grade, Methodology, Parameter, Source, Status, Value


def reaching_back(methodology: Methodology, since: date) -> Methodology:
    """The version as it would decide acts from `since` on, without end.

    A parameter keeps its dated values; the oldest also stands for the days before it, for it is what is known.
    """
    first = min(since, methodology.in_force)
    parameters = tuple(_from(parameter, first) for parameter in methodology.parameters)
    return replace(methodology, in_force=first, until=None, parameters=parameters)


def with_factor(methodology: Methodology, name: str, amount: Decimal) -> Methodology:
    """The version with one parameter at another amount, for all its days. Raises KeyError for an unknown name."""
    if name not in {parameter.name for parameter in methodology.parameters}:
        raise KeyError(name)
    parameters = tuple(
        replace(p, values=(_supposed(p.values[0], amount),)) if p.name == name else p
        for p in methodology.parameters
    )
    return replace(methodology, status=Status.DRAFT, parameters=parameters)


def _from(parameter: Parameter, since: date) -> Parameter:
    oldest, *later = parameter.values
    if oldest.since <= since:
        return parameter
    return replace(parameter, values=(replace(oldest, since=since), *later))


def _supposed(before: Value, amount: Decimal) -> Value:
    supposed = Source(
        "Supposed", "methodologies/alternatives.py", Grade.D, Confidence.PROPOSAL, "to see its impact"
    )
    return replace(before, amount=amount, source=supposed)
