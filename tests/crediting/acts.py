"""An act and what is decided about it, for the plain program that decides beside the batch."""

from dataclasses import dataclass, field
from datetime import date, datetime

from carbon_credits.methodologies.base import Methodology

PARTNERS = frozenset("AB")


@dataclass
class Act:
    """A claimed act, and what is decided about it."""

    id: int
    resident: int
    f: datetime
    t: datetime
    on: date
    methodology: Methodology
    evidence: str
    monitored: dict[str, int]
    keys: dict[str, bytes]
    source: int
    ext_key: bytes
    match_key: bytes | None
    state: str = ""
    reasons: list[str] = field(default_factory=list)
    raw: int | None = None
    counted: int = 0
    credited: int = 0
    points: int = 0
    fund: int | None = None
    matures: date | None = None
    lot: date | None = None
    pool: str | None = None

    @property
    def motion(self) -> bool:
        return "person_motion" in self.methodology.bases

    @property
    def order(self) -> tuple[int, bytes]:
        return self.source, self.ext_key

    @property
    def first(self) -> tuple[str, datetime, tuple[int, bytes]]:
        return self.evidence, self.f, self.order

    @property
    def is_record(self) -> bool:
        return self.evidence in PARTNERS

    def shares_with(self, other: "Act") -> int:
        """0 little, 1 more than a fifth, 2 more than seven tenths of the shorter."""
        shared = min(self.t, other.t) - max(self.f, other.f)
        shorter = min(self.t - self.f, other.t - other.f)
        return 2 if 10 * shared > 7 * shorter else 1 if 10 * shared > 2 * shorter else 0

    def meets(self, other: "Act") -> bool:
        return self.f < other.t and self.t > other.f

    def refuse(self, state: str, reason: str) -> None:
        self.state, self.reasons = state, [reason]
