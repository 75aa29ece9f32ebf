"""What a milligram earns, kept in the process for a moment: every claim is told an estimate, and rates seldom change."""

import threading
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.programme.models import EarningRate
from carbon_credits.programme.service import EVERYTHING, rates

KEPT_S: Final = 5.0


@dataclass(frozen=True)
class Rate:
    """What a milligram earns on a day, for one family and evidence class."""

    points_per_mg: Decimal
    mature_days: int
    fund_id: int


class RateCard:
    """Every rate as it was at most KEPT_S ago. Threads may share one; a decision never asks it, only an estimate."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._rows: list[EarningRate] = []
        self._read_at = -kept_s
        self._lock = threading.Lock()

    def rate_for(self, session: Session, family: str, evidence_class: str, on: date) -> Rate | None:
        """The rate in force for a family and class on a day; the family's own before the general one."""
        row = min(
            (row for row in self._as_kept(session) if _holds(row, family, evidence_class, on)),
            key=lambda row: row.family == EVERYTHING,
            default=None,
        )
        return None if row is None else Rate(row.points_per_mg, row.mature_days, row.fund_id)

    def _as_kept(self, session: Session) -> list[EarningRate]:
        if time.monotonic() - self._read_at >= self._kept_s:
            with self._lock:
                if time.monotonic() - self._read_at >= self._kept_s:
                    found = rates(session)
                    for row in found:
                        session.expunge(row)
                    self._rows, self._read_at = found, time.monotonic()
        return self._rows


def _holds(row: EarningRate, family: str, evidence_class: str, on: date) -> bool:
    return (
        row.family in (family, EVERYTHING)
        and row.evidence_class == evidence_class
        and row.in_force <= on
        and (row.until is None or on < row.until)
    )
