"""The words a methodology is written in: monitored data, cited parameters, conditions, formula, examples.

A methodology file reads like the published document; `declaration.py` refuses at import what does not fit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from carbon_credits.methodologies import declaration
from carbon_credits.methodologies.formula import Expr, Number, Truth


class Text(NamedTuple):
    """One statement in the two languages of the programme."""

    zh: str
    en: str


class Grade(StrEnum):
    """How good the document is in which a value was read."""

    A = "A"  # the issuer's own text
    B = "B"  # press or a secondary paper quoting the issuer
    C = "C"  # a transcription of the issuer's table
    D = "D"  # arithmetic or a choice of ours


class Confidence(StrEnum):
    """Whether a value was read somewhere, is a choice of the programme, or is only remembered."""

    VERIFIED = "VERIFIED"
    PROPOSAL = "PROPOSAL"
    RECALLED = "RECALLED"


class Status(StrEnum):
    """A draft credits nothing; a trial may lean on proposals; a filed methodology may not. See lifecycle.py."""

    DRAFT = "draft"
    TRIAL = "trial"
    FILED = "filed"


class Pool(StrEnum):
    """Avoided emissions and removals by trees are never added together."""

    AVOIDED = "avoided"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from. The address is a URL, or a path in this repository for our own proposals."""

    title: str
    address: str
    grade: Grade
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A number from a date on. `uncertainty`: relative 90 % half-width; one `correlation` errs together."""

    since: date
    amount: Decimal
    source: Source
    uncertainty: Decimal = Decimal(0)
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number fixed in advance, with its dated values, oldest first. The name ends in the unit."""

    name: str
    unit: str
    description: Text
    values: tuple[Value, ...]

    def on(self, day: date) -> Value | None:
        """The value in force on a day; None before the first."""
        return next((value for value in reversed(self.values) if value.since <= day), None)


@dataclass(frozen=True, slots=True)
class Monitored:
    """A whole number measured for each act, and the range in which it is plausible (both ends included)."""

    name: str
    description: Text
    unit: str
    least: int
    most: int


# What the programme works out itself from the act's times; a claimant never supplies these.
DERIVED: Mapping[str, Monitored] = {
    "duration_s": Monitored(
        "duration_s",
        Text("从开始到结束的整秒数", "Whole seconds from start to end"),
        "s",
        least=1,
        most=6 * 3600,  # a motion lasts at most six hours; the search for overlapping acts relies on it
    )
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for the methodology to apply. `text` may name parameters in braces."""

    reason: str
    text: Text
    holds: Callable[..., Truth]


@dataclass(frozen=True, slots=True)
class NoGrams:
    """Why an act comes to nothing: always where there is no formula, else where the formula gives nothing.

    Such an act is credited with 0 mg and this reason; points, if any, are policy. `text` may name parameters in braces.
    """

    reason: str
    text: Text


@dataclass(frozen=True, slots=True)
class Boundary:
    """The sources and sinks counted: what happens without the act, with it, and elsewhere because of it."""

    baseline: Text
    project: Text
    leakage: Text


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference (order_no, trip_id, vehicle, meter, item) that feeds an exclusivity basis."""

    basis: str
    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case: monitored and derived numbers, milligrams credited, the raw ones where they differ."""

    title: Text
    on: date
    monitored: Mapping[str, int]
    reduction_mg: int
    reasons: tuple[str, ...] = ()
    raw_mg: int | None = None


def worked(
    zh: str,
    en: str,
    reduction_mg: int,
    *reasons: str,
    on: date = date(2026, 3, 2),
    raw_mg: int | None = None,
    **monitored: int,
) -> Example:
    """An example in one line: its title in both languages, milligrams, reasons, and what was monitored."""
    return Example(Text(zh, en), on, monitored, reduction_mg, reasons, raw_mg)


@dataclass(frozen=True, slots=True, eq=False)
class Methodology:
    """One version of one methodology. The formula gives milligrams of CO2e before the one rounding down.

    Without a formula it earns no grams, says why in `no_grams`, and reads as the constant 0.
    In force from `in_force` up to, not including, `until`. Raises DeclarationError if it contradicts itself.
    """

    code: str
    number: int
    version: int
    title: Text
    summary: Text
    status: Status
    in_force: date
    boundary: Boundary
    monitored: tuple[Monitored, ...]
    parameters: tuple[Parameter, ...]
    conditions: tuple[Condition, ...]
    bases: tuple[str, ...]
    needs_partner: bool  # a phone's claim alone awaits the partner's record
    verifiable: bool  # False: claimed grams for ever, whatever the evidence class
    examples: tuple[Example, ...]
    formula: Callable[..., Number] | None = None
    no_grams: NoGrams | None = None
    references: tuple[Reference, ...] = ()
    derived: tuple[str, ...] = ()
    pool: Pool = Pool.AVOIDED
    cap_quantity: str | None = None  # the monitored quantity that science caps count
    mature_days: int | None = None  # None: policy decides
    until: date | None = None
    tree: Expr = field(init=False)
    tests: tuple[Expr, ...] = field(init=False)

    def __post_init__(self) -> None:
        tree, tests = declaration.read_trees(self)
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "tests", tests)
        declaration.check(self)

    @property
    def family(self) -> str:
        """The part of the code before the dot."""
        return self.code.partition(".")[0]

    @property
    def quantities(self) -> tuple[Monitored, ...]:
        """What must be known of an act: monitored data, then what the programme derives."""
        return *self.monitored, *(DERIVED[name] for name in self.derived)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason code of its own: unmet conditions, then why an act comes to nothing."""
        own = () if self.no_grams is None else (self.no_grams.reason,)
        return *(condition.reason for condition in self.conditions), *own

    def in_force_on(self, day: date) -> bool:
        """Whether this version applies to acts of that day."""
        return self.in_force <= day and (self.until is None or day < self.until)


def derive(methodology: Methodology, occurred_from: datetime, occurred_to: datetime) -> dict[str, int]:
    """The derived numbers of an act, from its times (whole seconds, rounded down). Raises ValueError if naive."""
    if occurred_from.tzinfo is None or occurred_to.tzinfo is None:
        raise ValueError("an act's times carry their zone")
    # in UTC: two times of one zone would otherwise be subtracted by the clock on the wall, summer time or not
    lasted = occurred_to.astimezone(UTC) - occurred_from.astimezone(UTC)
    whole = {"duration_s": lasted // timedelta(seconds=1)}
    return {name: whole[name] for name in methodology.derived}
