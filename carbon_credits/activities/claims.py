"""What may be claimed: the checks an act passes at every door before it becomes a row.

A claim that fails here was never an act: the claimant hears which field is wrong, and nothing is stored.
Whether the act then earns anything is the batch's decision, not the door's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from carbon_credits.activities.reasons import REASONS
from carbon_credits.core.clock import day_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.base import Methodology, Monitored
from carbon_credits.methodologies.catalogue import BY_CODE, on

AHEAD = timedelta(minutes=5)
LONGEST_MOTION = timedelta(hours=6)
COLUMN_OF_BASIS = {
    "vehicle": "vehicle_key",
    "item": "item_key",
    "transaction": "transaction_key",
    "meter_interval": "meter_key",
}


@dataclass(frozen=True)
class Claim:
    """An act as told. Times are aware; monitored quantities are whole numbers in the unit their name ends in.

    `occurred_on` is the programme's day of the act, the day in Shanghai on which it ended; `times` are its beginning and
    end as ISO 8601 writes them.
    """

    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    monitored: Mapping[str, int]
    references: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Any] | None = None
    occurred_on: date = field(init=False, repr=False, compare=False)
    times: tuple[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # one spelling for each instant: UTC, whole seconds; the key of the act is made from it
        for name in ("occurred_from", "occurred_to"):
            instant: datetime = getattr(self, name)
            if instant.tzinfo is not UTC or instant.microsecond:
                object.__setattr__(self, name, instant.astimezone(UTC).replace(microsecond=0))
        # made once and asked for several times, of each of a file's hundreds of thousands
        object.__setattr__(self, "occurred_on", day_of(self.occurred_to))
        object.__setattr__(self, "times", (self.occurred_from.isoformat(), self.occurred_to.isoformat()))


def faults_of(claim: Claim, now: datetime, late_days: int) -> list[FieldFault]:
    """Everything wrong with a claim, each fault with the field it is about; an empty list is a good claim."""
    if claim.methodology not in BY_CODE:
        return [_fault("/methodology", "unknown_methodology")]
    methodology = _version(claim.methodology, claim.occurred_on)
    return [
        *_faults_of_time(claim, methodology, now, late_days),
        *_faults_of_quantities(claim, methodology),
        *_faults_of_references(claim, methodology),
    ]


@lru_cache(maxsize=1_024)
def _version(code: str, day: date) -> Methodology:
    return on(code, day) or BY_CODE[code][-1]


@lru_cache(maxsize=64)
def _oldest(now: datetime, late_days: int) -> date:
    """The first day that is not too long ago; asked with one instant for all of a file."""
    return day_of(now) - timedelta(days=late_days)


def _faults_of_time(
    claim: Claim, methodology: Methodology, now: datetime, late_days: int
) -> Iterator[FieldFault]:
    if claim.occurred_to < claim.occurred_from:
        yield _fault("/occurred_to", "ends_before_start")
    if claim.occurred_to > now + AHEAD:
        yield _fault("/occurred_to", "in_the_future")
    if claim.occurred_on < _oldest(now, late_days):
        yield _fault("/occurred_to", "too_old")
    if "person_motion" in methodology.bases:
        if claim.occurred_to - claim.occurred_from > LONGEST_MOTION:
            yield _fault("/occurred_to", "too_long")
        elif claim.occurred_to == claim.occurred_from:
            yield _fault("/occurred_to", "ends_before_start")


def _faults_of_quantities(claim: Claim, methodology: Methodology) -> Iterator[FieldFault]:
    known = _quantities_of(methodology)
    for name in claim.monitored:
        if name not in known:
            yield _fault(f"/monitored/{name}", "monitored_unknown")
    for name, quantity in known.items():
        if name not in claim.monitored:
            yield _fault(f"/monitored/{name}", "monitored_missing")
        elif not quantity.least <= claim.monitored[name] <= quantity.most:
            bounds = f"{quantity.least}–{quantity.most} {quantity.unit}"
            detail = Text(f"应在 {bounds} 之间", f"Must lie within {bounds}")
            yield FieldFault(f"/monitored/{name}", "out_of_range", detail)


@cache
def _quantities_of(methodology: Methodology) -> dict[str, Monitored]:
    return {quantity.name: quantity for quantity in methodology.monitored}


def _faults_of_references(claim: Claim, methodology: Methodology) -> Iterator[FieldFault]:
    for reference in methodology.references:
        if reference.required and reference.name not in claim.references:
            yield _fault(f"/references/{reference.name}", "reference_missing")


def _fault(pointer: str, code: str) -> FieldFault:
    return FieldFault(pointer, code, REASONS[code])


def match_key(vault: Vault, claim: Claim) -> bytes | None:
    """The 16 bytes by which a phone's claim and a partner's record of one resident name the same thing.

    Without the partner's name, which the phone does not know; what a partner adds behind a slash to tell two acts of
    one order apart is left out. None where no order, session, item or meter is named.
    """
    for reference in BY_CODE[claim.methodology][-1].references:
        value = claim.references.get(reference.name)
        if value is not None and reference.basis != "vehicle":
            return vault.blind("match:" + reference.basis, value.partition("/")[0])
    return None


def exclusive_keys(vault: Vault, claim: Claim, namespace: str = "") -> dict[str, bytes | None]:
    """The keyed digests that the exclusivity bases compare, by column; None where the act claims nothing.

    A partner's own numbers are kept apart by its code, so that bicycle 7 of one is not bicycle 7 of another.
    """
    keys: dict[str, bytes | None] = dict.fromkeys(COLUMN_OF_BASIS.values())
    for reference in BY_CODE[claim.methodology][-1].references:
        value = claim.references.get(reference.name)
        if value is not None:
            whole = f"{namespace}:{value}" if namespace else value
            keys[COLUMN_OF_BASIS[reference.basis]] = vault.blind("reference:" + reference.basis, whole)
    return keys
