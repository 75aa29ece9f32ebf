"""Cases as the people who decide them see them: a list by deadline, one with both sides' evidence, whose it is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import AMBIGUOUS, CLAWBACK, DISPUTED, OUTLIER
from carbon_credits.reconciliation.models import CaseKind

# what a case of a kind can come to; the others end with their cause, an objection is answered as one
OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    CLAWBACK: ("upheld", "rejected"),
    OUTLIER: ("upheld", "rejected"),
    AMBIGUOUS: ("upheld", "rejected"),
    DISPUTED: (),
}
MOST_TAKEN: Final = 200
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "unfinished": cases.UNFINISHED,
    "open": ("open",),
    "waiting": ("waiting_for_partner", "waiting_for_resident"),
    "closed": ("decided", "closed"),
}

_COLUMNS: Final = """
select c.case_id, c.kind, k.name_zh, k.name_en, c.subject, c.reason, c.state, c.owner_role, c.owner_id,
       o.name as owner_name, c.opened_at, c.opened_by, c.deadline, c.resident_id, c.occurred_on, c.activity_id,
       c.generation, c.methodology, c.source_id, s.feed, c.file_id, c.asked, c.partner_said, c.partner_words,
       c.outcome, c.answer_zh, c.answer_en, c.decided_by, c.decided_at, r.street
from recon_case c
join recon_case_kind k using (kind)
left join staff o on o.staff_id = c.owner_id
left join source s on s.source_id = c.source_id
left join resident r on r.resident_id = c.resident_id
where (cast(:territory as text[]) is null or r.street = any(cast(:territory as text[])))
"""
_LIST: Final = text(
    _COLUMNS
    + """
  and c.state = any(cast(:states as text[]))
  and (cast(:kind as text) is null or c.kind = :kind)
  and (cast(:owner as int) is null or c.owner_id = :owner)
  and (not cast(:nobodys as boolean) or c.owner_id is null)
  and (cast(:due as timestamptz) is null or c.deadline < :due)
  and (cast(:after as timestamptz) is null or (c.deadline, c.case_id) > (:after, :number))
order by c.deadline, c.case_id
limit :most"""
)
_ONE: Final = text(_COLUMNS + " and c.case_id = :case")
# What a partner told of this resident about the act's time: of the same kind, or at the same time.
_RECORDS: Final = text("""
select a.occurred_on, a.activity_id, a.occurred_from, a.occurred_to, a.methodology, a.monitored, a.told_at, s.feed,
       d.state, d.reasons, m.score, m.pass, m.differs
from activity a
join source s using (source_id)
left join lateral (
  select state, reasons from decision n
  where n.resident_id = a.resident_id and n.occurred_on = a.occurred_on and n.activity_id = a.activity_id
  order by n.generation desc limit 1
) d on true
left join lateral (
  select score, pass, differs from record_match m
  where m.resident_id = a.resident_id and m.record_id = a.activity_id and m.claim_id = :activity
  order by matched_at desc limit 1
) m on true
where a.resident_id = :resident and a.occurred_on between cast(:day as date) - 1 and cast(:day as date) + 1
  and a.source_id <> 0 and a.activity_id <> :activity
  and (a.methodology = :methodology or (a.occurred_from < :ends and a.occurred_to > :begins))
order by a.occurred_from, a.activity_id
limit 20
""")
_PEOPLE: Final = text("""
select staff_id, name from staff where status = 'active' and :role = any(roles) order by name
""")


class Place(NamedTuple):
    """How far one has read: the deadline of the last case seen, and its number."""

    deadline: datetime
    number: int


@dataclass(frozen=True)
class Wanted:
    """Which cases are looked for. `state` is a key of STATES, `due` asks for those with an earlier deadline."""

    state: str = "unfinished"
    kind: str | None = None
    owner: int | None = None
    nobodys: bool = False
    due: datetime | None = None
    territory: Collection[str] | None = None


@dataclass(frozen=True)
class CaseView:
    """A case as it stands."""

    case_id: int
    kind: str
    name: Text
    subject: str
    reason: str
    state: str
    owner_role: str
    owner_id: int | None
    owner_name: str | None
    opened_at: datetime
    opened_by: str
    deadline: datetime
    resident_id: int | None
    street: str | None
    occurred_on: date | None
    activity: str | None
    activity_id: int | None
    methodology: str | None
    feed: str | None
    file_id: int | None
    asked: str | None
    partner_said: bool | None
    partner_words: str | None
    outcome: str | None
    answer: Text | None
    decided_by: str | None
    decided_at: datetime | None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return Place(self.deadline, self.case_id)

    @property
    def is_unfinished(self) -> bool:
        """Whether somebody must still do something about it."""
        return self.state in cases.UNFINISHED

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What it can be decided as at present."""
        if not self.is_unfinished:
            return ()
        if self.kind == CLAWBACK and self.state == "waiting_for_resident":
            return ("rejected",)
        return OUTCOMES.get(self.kind, ())


@dataclass(frozen=True)
class RecordTold:
    """A partner's record beside a claim, and how it was matched with it."""

    activity: str
    feed: str
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    monitored: Mapping[str, int]
    told_at: datetime
    state: str
    reasons: tuple[str, ...]
    score: int | None
    differs: tuple[str, ...]


def listed(session: Session, wanted: Wanted, after: Place | None, most: int) -> list[CaseView]:
    """Cases by deadline, the one to be answered first on top."""
    given = {
        "states": list(STATES[wanted.state]),
        "kind": wanted.kind,
        "owner": wanted.owner,
        "nobodys": wanted.nobodys,
        "due": wanted.due,
        **_within(wanted.territory),
        "after": after and after.deadline,
        "number": after and after.number,
        "most": most,
    }
    return [_view(row) for row in session.execute(_LIST, given).mappings()]


def case_view(session: Session, case_id: int, territory: Collection[str] | None = None) -> CaseView:
    """A case, unlocked. Raises NotFound, for one outside the territory as for none."""
    row = session.execute(_ONE, {"case": case_id, **_within(territory)}).mappings().one_or_none()
    if row is None:
        raise NotFound("case_unknown", Text("没有此事项", "There is no such case"))
    return _view(row)


def kinds(session: Session) -> list[CaseKind]:
    """Every kind of case there is."""
    return list(session.scalars(select(CaseKind).order_by(CaseKind.kind)))


def records_beside(
    session: Session, case: CaseView, begins: datetime, ends: datetime, methodology: int
) -> list[RecordTold]:
    """What partners told of the resident about the time of the act that a case is about."""
    given = {
        "resident": case.resident_id,
        "day": case.occurred_on,
        "activity": case.activity_id,
        "methodology": methodology,
        "begins": begins,
        "ends": ends,
    }
    return [_record(row) for row in session.execute(_RECORDS, given).mappings()]


def people_for(session: Session, case: CaseView) -> list[tuple[int, str]]:
    """Who may own a case: active members of staff with its role, by name."""
    return [(row.staff_id, row.name) for row in session.execute(_PEOPLE, {"role": case.owner_role})]


def hand_over(session: Session, case_id: int, to: int, by: int, seen: int | None) -> None:
    """Give a case to a member of staff, whose it was when it was `seen` (nobody's: None).

    Raises Conflict when somebody else took it meanwhile, or it is decided; NotAllowed where `to` lacks the role.
    """
    case = cases.case_of(session, case_id)
    if case.owner_id != seen:
        name = session.execute(text("select name from staff where staff_id = :id"), {"id": case.owner_id})
        whose = name.scalar_one_or_none() or "—"
        said = Text(f"该事项已由 {whose} 负责", f"The case has gone to {whose} meanwhile")
        raise Conflict("owner_changed", said)
    cases.assign(session, case_id, to, by)


def take_many(session: Session, numbers: Iterable[int], staff_id: int) -> tuple[list[int], list[int]]:
    """Become the owner of those of many cases that are nobody's: taken, and left because they are not.

    Raises Invalid for too many, NotAllowed without the role of one.
    """
    wanted = sorted(set(numbers))
    if not 0 < len(wanted) <= MOST_TAKEN:
        raise Invalid("wrong_number", Text(f"一次可领取 1 至 {MOST_TAKEN} 项", f"1 to {MOST_TAKEN} at once"))
    taken, left = [], []
    for number in wanted:
        try:
            hand_over(session, number, staff_id, staff_id, None)
            taken.append(number)
        except (Conflict, NotFound):
            left.append(number)
    return taken, left


def _within(territory: Collection[str] | None) -> dict[str, Any]:
    return {"territory": None if territory is None else sorted(territory)}


def _view(row: RowMapping) -> CaseView:
    act, methodology = row["activity_id"], row["methodology"]
    same = ("case_id", "kind", "subject", "reason", "state", "owner_role", "owner_id", "owner_name", "opened_at",
            "opened_by", "deadline", "resident_id", "street", "occurred_on", "activity_id", "feed", "file_id", "asked",
            "partner_said", "partner_words", "outcome", "decided_by", "decided_at")  # fmt: skip
    return CaseView(
        name=Text(row["name_zh"], row["name_en"]),
        activity=None if act is None else public_id(row["occurred_on"], act),
        methodology=None if methodology is None else BY_NUMBER[methodology][-1].code,
        answer=None if row["answer_zh"] is None else Text(row["answer_zh"], row["answer_en"]),
        **{name: row[name] for name in same},
    )


def _record(row: RowMapping) -> RecordTold:
    return RecordTold(
        public_id(row["occurred_on"], row["activity_id"]),
        row["feed"],
        BY_NUMBER[row["methodology"]][-1].code,
        row["occurred_from"],
        row["occurred_to"],
        row["monitored"],
        row["told_at"],
        row["state"] or "claimed",
        tuple(row["reasons"] or ()),
        row["score"],
        tuple(row["differs"] or ()),
    )
