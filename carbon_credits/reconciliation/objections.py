"""Objections as the people who answer them see them: by the day they are due, and answered in the resident's terms.

An objection is the business of a case. Granting one lets a decision be taken again, or leaves a credit that was to be
taken back; which word of the case that is depends on what was objected to.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reconciliation import service
from carbon_credits.reconciliation.service import Word

GRANT: Final = "grant"
PARTLY: Final = "partly"
REFUSE: Final = "refuse"
# what an answer is called in the case, by what was objected to
OUTCOMES: Final[Mapping[str, Mapping[str, str]]] = {
    "decision": {GRANT: "upheld", PARTLY: "partly", REFUSE: "rejected"},
    "clawback": {GRANT: "rejected", REFUSE: "upheld"},
}

_COLUMNS: Final = """
select p.appeal_id, p.resident_id, p.activity_id, p.occurred_on, p.generation, p.words, p.at, p.answer_by, p.state,
       p.against, p.answer, p.answer_en, p.decided_at, c.case_id, c.state as case_state, c.owner_id, c.owner_role,
       c.partner_said, c.partner_words, c.asked, c.methodology, r.street, o.name as owner_name, b.name as by_name
from appeal p
join resident r using (resident_id)
left join lateral (
  select * from recon_case k
  where k.activity_id = p.activity_id and k.generation = p.generation
    and k.kind = case p.against when 'decision' then 'disputed' else 'clawback_proposed' end
  order by k.case_id desc limit 1
) c on true
left join staff o on o.staff_id = c.owner_id
left join staff b on b.staff_id = p.decided_by
where (cast(:territory as text[]) is null or r.street = any(cast(:territory as text[])))
"""
_LIST: Final = text(
    _COLUMNS
    + """
  and p.state = 'open' and (cast(:against as text) is null or p.against = :against)
  and (cast(:street as text) is null or r.street = :street)
  and (cast(:due as timestamptz) is null or p.answer_by < :due)
  and (cast(:after as timestamptz) is null or (p.answer_by, p.appeal_id) > (:after, :number))
order by p.answer_by, p.appeal_id
limit :most"""
)
_ONE: Final = text(_COLUMNS + " and p.appeal_id = :appeal")
_COUNT: Final = text("""
select count(*) as n, count(*) filter (where p.answer_by < :now) as overdue, min(p.answer_by) as next_due
from appeal p join resident r using (resident_id)
where p.state = 'open' and (cast(:territory as text[]) is null or r.street = any(cast(:territory as text[])))
""")


class Place(NamedTuple):
    """How far one has read: when the last one seen is due, and its number."""

    due: datetime
    number: int


@dataclass(frozen=True)
class Objection:
    """A resident's objection and the case it is: whose, about what, in which words, due when, and how it stands."""

    appeal_id: int
    resident_id: int
    street: str | None
    activity: str
    generation: int
    methodology: str | None
    against: str
    words: str
    at: datetime
    answer_by: datetime | None
    state: str
    answer: Text | None
    answered_by: str | None
    answered_at: datetime | None
    case_id: int | None
    case_state: str | None
    owner_role: str | None
    owner_name: str | None
    asked: str | None
    partner_said: bool | None
    partner_words: str | None

    @property
    def place(self) -> Place | None:
        """Where it stands in the list."""
        return None if self.answer_by is None else Place(self.answer_by, self.appeal_id)


@dataclass(frozen=True)
class Due:
    """How many objections are open, how many of them late, and when the next is due."""

    n: int
    overdue: int
    next_due: datetime | None


def listed(
    session: Session,
    after: Place | None,
    most: int,
    *,
    against: str | None = None,
    street: str | None = None,
    due: datetime | None = None,
    territory: Collection[str] | None = None,
) -> list[Objection]:
    """Open objections by the day they are due, so that those past it come first; `due` asks for those due before."""
    given: dict[str, Any] = {"against": against, "street": street, "due": due, **_within(territory)}
    given |= {"after": after and after.due, "number": after and after.number, "most": most}
    return [_objection(row) for row in session.execute(_LIST, given).mappings()]


def objection_of(session: Session, appeal_id: int, territory: Collection[str] | None = None) -> Objection:
    """One objection. Raises NotFound, for one outside the territory as for none."""
    row = session.execute(_ONE, {"appeal": appeal_id, **_within(territory)}).mappings().one_or_none()
    if row is None:
        raise NotFound("appeal_unknown", Text("没有此申诉", "There is no such appeal"))
    return _objection(row)


def count(session: Session, now: datetime, territory: Collection[str] | None = None) -> Due:
    """How many are open and late."""
    return Due(*session.execute(_COUNT, {"now": now, **_within(territory)}).one())


def answer(
    session: Session,
    vault: Vault,
    objection: Objection,
    staff_id: int,
    verdict: str,
    words: Text,
    now: datetime,
    evidence_class: str | None = None,
) -> None:
    """Answer an objection: grant it, in part, or refuse it. The resident reads the words where they objected.

    Raises Conflict when it is answered or withdrawn already, NotAllowed without the role of its case, Invalid for what
    an objection of this kind cannot come to.
    """
    outcome = OUTCOMES[objection.against].get(verdict)
    if outcome is None or objection.case_id is None:
        raise Invalid("wrong_outcome", Text("该申诉不能这样答复", "This objection cannot be answered so"))
    service.decide(session, vault, objection.case_id, staff_id, Word(outcome, words, evidence_class), now)


def _within(territory: Collection[str] | None) -> dict[str, Any]:
    return {"territory": None if territory is None else sorted(territory)}


def _objection(row: RowMapping) -> Objection:
    methodology = row["methodology"]
    return Objection(
        appeal_id=row["appeal_id"],
        resident_id=row["resident_id"],
        street=row["street"],
        activity=public_id(row["occurred_on"], row["activity_id"]),
        generation=row["generation"],
        methodology=None if methodology is None else BY_NUMBER[methodology][-1].code,
        against=row["against"],
        words=row["words"],
        at=row["at"],
        answer_by=row["answer_by"],
        state=row["state"],
        answer=None if row["answer"] is None else Text(row["answer"], row["answer_en"]),
        answered_by=row["by_name"],
        answered_at=row["decided_at"],
        case_id=row["case_id"],
        case_state=row["case_state"],
        owner_role=row["owner_role"],
        owner_name=row["owner_name"],
        asked=row["asked"],
        partner_said=row["partner_said"],
        partner_words=row["partner_words"],
    )
