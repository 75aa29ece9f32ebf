"""Parameters the programme proposes itself: thresholds that one methodology needs and no source gives.

They are cited as what they are, grade D and PROPOSAL, so only a trial may use them; the note says why.
"""

from datetime import date
from decimal import Decimal

from carbon_credits.methodologies.base import Confidence, Grade, Parameter, Source, Text, Value

ADDRESS = "carbon_credits/methodologies/proposals.py"


def proposal(
    name: str, unit: str, since: date, amount: int | Decimal, description: Text, why: str
) -> Parameter:
    """A parameter with one value, exact by choice. Append a further dated Value where the choice changes."""
    source = Source("Proposal of the programme", ADDRESS, Grade.D, Confidence.PROPOSAL, note=why)
    return Parameter(name, unit, description, (Value(since, Decimal(amount), source),))
