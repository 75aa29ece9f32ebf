"""Asking a partner about a case, and its answer. It is told of the act's times and numbers, never who it was."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.partners.service import source_by_feed
from carbon_credits.reconciliation.cases import case_of, pass_on

ANSWER_WITHIN: Final = timedelta(days=7)

# What a partner is asked at present, the oldest first; with the key of its own record where the case is about one.
_ASKED = text("""
select c.case_id, s.feed, c.asked, c.deadline, c.occurred_on, c.activity_id, c.methodology, a.occurred_from,
       a.occurred_to, a.monitored
from recon_case c
join source s using (source_id)
left join activity a on a.resident_id = c.resident_id and a.occurred_on = c.occurred_on
  and a.activity_id = c.activity_id and a.shard_id = c.shard_id
where c.state = 'waiting_for_partner' and s.partner_id = :partner
  and (cast(:feed as text) is null or s.feed = :feed)
order by c.deadline, c.case_id
limit :most
""")
_WHOSE = text("select s.partner_id from recon_case c join source s using (source_id) where c.case_id = :case")


def ask(session: Session, case_id: int, feed: str, question: str, staff_id: int, now: datetime) -> None:
    """Ask the partner of a feed; it has seven days. Raises NotFound, Conflict when the case is not open."""
    case, source = case_of(session, case_id), source_by_feed(session, feed)
    if source.partner_id is None:
        raise NotFound("feed_unknown", Text("没有此数据源", "There is no such feed of a partner"))
    deadline = max(case.deadline, now + ANSWER_WITHIN)
    told = {"asked": question, "partner_said": None, "partner_words": None, "source_id": source.source_id}
    pass_on(session, case, "waiting_for_partner", f"staff:{staff_id}", deadline=deadline, **told)


def asked_of(
    session: Session, partner_id: int, feed: str | None = None, most: int = 100
) -> list[Mapping[str, Any]]:
    """The questions that wait for a partner's answer: case, feed, words, until when, and the act in question."""
    rows = session.execute(_ASKED, {"partner": partner_id, "feed": feed, "most": most}).mappings()
    return [
        {
            "case": str(row["case_id"]),
            "feed": row["feed"],
            "question": row["asked"],
            "answer_by": row["deadline"],
            "activity": public_id(row["occurred_on"], row["activity_id"]) if row["activity_id"] else None,
            "methodology": BY_NUMBER[row["methodology"]][-1].code if row["methodology"] else None,
            "occurred_from": row["occurred_from"],
            "occurred_to": row["occurred_to"],
            "monitored": row["monitored"],
        }
        for row in rows
    ]


def answer(session: Session, case_id: int, partner_id: int, *, confirms: bool, words: str | None) -> None:
    """A partner's answer: it confirms its record (or that there was such an act), or not; the case is ours again.

    Raises NotFound for another partner's case as for none, Conflict when nothing is asked (any more).
    """
    whose = session.execute(_WHOSE, {"case": case_id}).scalar_one_or_none()
    if whose != partner_id:
        raise NotFound("case_unknown", Text("没有此事项", "There is no such case"))
    case = case_of(session, case_id)
    if case.state != "waiting_for_partner":
        raise Conflict("nothing_asked", Text("该事项没有待答问题", "Nothing is asked in this case"))
    said = {"partner_said": confirms, "partner_words": words}
    pass_on(session, case, "open", f"partner:{partner_id}", **said)
