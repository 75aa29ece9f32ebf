"""The resident's verbs: claim an act, look at one's acts, object to a decision."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.claims import Claim, exclusive_keys, faults_of
from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.core.crypto import Vault, digest
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.methodologies.catalogue import BY_CODE, BY_NUMBER

__all__ = [
    "ActivityView",
    "AppealView",
    "Claim",
    "Claimed",
    "activities_of",
    "activity_of",
    "appeal",
    "claim",
]

APP = 0
APP_LATE_DAYS = 7
APP_CLASS = "D"


@dataclass(frozen=True)
class Claimed:
    """The answer to a claim: the act's id, and whether this claim made it."""

    id: str
    is_new: bool
    status: str
    occurred_on: date
    evidence_class: str


@dataclass(frozen=True)
class ActivityView:
    """An act and what has become of it."""

    id: str
    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    occurred_on: date
    told_at: datetime
    status: str
    evidence_class: str
    monitored: dict[str, int]
    reduction_mg: int
    points: int
    bonus: int
    matures_on: date | None
    decided_at: datetime | None
    reasons: tuple[str, ...]
    position: tuple[date, int]


@dataclass(frozen=True)
class AppealView:
    """An objection and how it stands."""

    id: int
    activity: str
    state: str
    at: datetime
    answer: str | None


def public_id(occurred_on: date, activity_id: int) -> str:
    """An act's public name: its day and its number. Useless without the resident it belongs to."""
    return f"{occurred_on:%Y%m%d}-{activity_id}"


def parse_public_id(name: str) -> tuple[date, int]:
    """Day and number of a public name; raises NotFound, for a name that cannot be is no act."""
    day, dash, number = name.partition("-")
    if dash and len(day) == 8 and len(number) <= 18 and (day + number).isascii() and (day + number).isdigit():
        try:
            return date(int(day[:4]), int(day[4:6]), int(day[6:])), int(number)
        except ValueError:
            pass
    raise _no_such_activity()


# One statement: the key decides whether the act is new; act and work-list row exist exactly when it is.
RECORD = text(f"""
with key as (
  insert into act_key (source_id, ext_key, activity_id, resident_id, content_digest, occurred_on)
  values (:source, :ext_key, nextval('activity_no'), :resident, :content, :occurred_on)
  on conflict do nothing
  returning activity_id
), told as materialized (
  select activity_id, cast(:resident as bigint) as resident_id, cast(:occurred_from as timestamptz) as occurred_from,
         cast(:occurred_to as timestamptz) as occurred_to, cast(:occurred_on as date) as occurred_on,
         cast(:methodology as smallint) as methodology, cast(:source as smallint) as source_id,
         cast(:evidence_class as text) as evidence_class, cast(:monitored as jsonb) as monitored,
         cast(:evidence as jsonb) as evidence, cast(:vehicle_key as bytea) as vehicle_key,
         cast(:item_key as bytea) as item_key, cast(:transaction_key as bytea) as transaction_key,
         cast(:meter_key as bytea) as meter_key
  from key
), act as (
  insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
    shard_id, evidence_class, monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, evidence_digest)
  select activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
    :shard, evidence_class, monitored, evidence, vehicle_key, item_key, transaction_key, meter_key,
    {evidence_digest("told.")}
  from told
), queued as (
  insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
  select activity_id, :resident, :occurred_on, 1, :shard from key
)
select activity_id from key
""")  # noqa: S608 - made of constants

# The act, whether it is queued, and its newest decision: one row for one act.
VIEW = """
select a.activity_id, a.occurred_on, a.occurred_from, a.occurred_to, a.told_at, a.methodology, a.evidence_class,
       a.monitored, q.activity_id is not null as queued, d.generation, d.state, d.points, d.bonus,
       coalesce((select new_mg from restated r where r.resident_id = a.resident_id and r.activity_id = a.activity_id
                 and r.generation = d.generation order by restatement_id desc limit 1), d.credited_mg) as credited_mg,
       d.matures_on, d.decided_at, d.reasons
from activity a
left join activity_queue q
  on q.shard_id = a.shard_id and q.resident_id = a.resident_id
  and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id
left join lateral (
  select * from decision d
  where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on and d.activity_id = a.activity_id
  order by d.generation desc limit 1
) d on true
where a.resident_id = :resident
"""
ONE = text(VIEW + " and a.occurred_on = :day and a.activity_id = :activity")
PAGE = text(
    VIEW
    + """ and (cast(:day as date) is null or (a.occurred_on, a.activity_id) < (:day, :activity))
order by a.occurred_on desc, a.activity_id desc limit :limit"""
)


def claim(session: Session, vault: Vault, resident_id: int, told: Claim, now: datetime) -> Claimed:
    """Record a resident's claim and queue it for its decision.

    The same act again, under whatever key, is the act already known. Raises Invalid with the faulty fields.
    """
    faults = faults_of(told, now, APP_LATE_DAYS)
    if faults:
        wrong = Text("申报内容有误，未保存", "The claim is wrong and was not stored")
        raise Invalid(faults[0].code, wrong, faults=tuple(faults))
    ext_key = _key_of(resident_id, told)
    row = {
        "source": APP,
        "ext_key": ext_key,
        "resident": resident_id,
        "shard": shard_of(resident_id),
        "content": content_digest(told),
        "occurred_on": told.occurred_on,
        "occurred_from": told.occurred_from,
        "occurred_to": told.occurred_to,
        "methodology": BY_CODE[told.methodology][-1].number,
        "evidence_class": APP_CLASS,
        "monitored": json.dumps(dict(told.monitored)),
        "evidence": None if told.evidence is None else json.dumps(dict(told.evidence)),
        **exclusive_keys(vault, told),
    }
    number = session.execute(RECORD, row).scalar()
    if number is None:
        return _known_already(session, resident_id, ext_key)
    return Claimed(public_id(told.occurred_on, number), True, "claimed", told.occurred_on, APP_CLASS)


def activity_of(session: Session, resident_id: int, name: str) -> ActivityView:
    """One of the resident's acts; raises NotFound for another's as for none."""
    day, number = parse_public_id(name)
    found = session.execute(ONE, {"resident": resident_id, "day": day, "activity": number}).mappings().first()
    if found is None:
        raise _no_such_activity()
    return _view(found)


def activities_of(
    session: Session, resident_id: int, *, before: tuple[date, int] | None, limit: int
) -> list[ActivityView]:
    """The resident's acts, latest day first, `before` a position already seen."""
    day, number = before if before is not None else (None, None)
    page = {"resident": resident_id, "day": day, "activity": number, "limit": limit}
    return [_view(found) for found in session.execute(PAGE, page).mappings()]


def appeal(session: Session, resident_id: int, name: str, words: str) -> AppealView:
    """Object to the newest decision on an act. Raises NotFound; Conflict when there is nothing to object to."""
    day, number = parse_public_id(name)
    found = session.execute(ONE, {"resident": resident_id, "day": day, "activity": number}).mappings().first()
    if found is None:
        raise _no_such_activity()
    if found["queued"] or found["generation"] is None:
        raise Conflict("not_decided", Text("尚未作出决定，暂不能申诉", "Nothing is decided yet"))
    made = session.execute(
        text("""insert into appeal (resident_id, activity_id, occurred_on, generation, words)
                values (:resident, :activity, :day, :generation, :words)
                on conflict (activity_id, generation) do nothing
                returning appeal_id, state, at, answer"""),
        {
            "resident": resident_id,
            "activity": number,
            "day": day,
            "generation": found["generation"],
            "words": words,
        },
    ).first()
    if made is None:
        raise Conflict("already_appealed", Text("该决定已有申诉", "This decision has been appealed already"))
    return AppealView(made.appeal_id, name, made.state, made.at, made.answer)


def content_digest(told: Claim) -> bytes:
    """What an act says of itself, for telling a repetition from a contradiction."""
    words = json.dumps(
        [
            told.methodology,
            told.occurred_from.isoformat(),
            told.occurred_to.isoformat(),
            sorted(told.monitored.items()),
            sorted(told.references.items()),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return digest("act-content", words.encode())[:16]


def _key_of(resident_id: int, told: Claim) -> bytes:
    parts = (
        str(resident_id),
        told.methodology,
        told.occurred_from.isoformat(),
        told.occurred_to.isoformat(),
        json.dumps(sorted(told.references.items()), ensure_ascii=False),
    )
    return digest("resident-act", *(part.encode() for part in parts))[:16]


def _known_already(session: Session, resident_id: int, ext_key: bytes) -> Claimed:
    known = session.execute(
        text("select activity_id, occurred_on from act_key where source_id = :source and ext_key = :ext_key"),
        {"source": APP, "ext_key": ext_key},
    ).one()
    view = activity_of(session, resident_id, public_id(known.occurred_on, known.activity_id))
    return Claimed(view.id, False, view.status, view.occurred_on, view.evidence_class)


def _view(row: RowMapping) -> ActivityView:
    status = "claimed" if row["queued"] or row["state"] is None else row["state"]
    decided: Any = row if status != "claimed" else None
    return ActivityView(
        id=public_id(row["occurred_on"], row["activity_id"]),
        methodology=BY_NUMBER[row["methodology"]][-1].code,
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        occurred_on=row["occurred_on"],
        told_at=row["told_at"],
        status=status,
        evidence_class=row["evidence_class"],
        monitored=row["monitored"],
        reduction_mg=decided["credited_mg"] if decided and status == "credited" else 0,
        points=decided["points"] if decided and status == "credited" else 0,
        bonus=decided["bonus"] if decided and status == "credited" else 0,
        matures_on=decided["matures_on"] if decided else None,
        decided_at=decided["decided_at"] if decided else None,
        reasons=_reasons(decided["reasons"]) if decided else (),
        position=(row["occurred_on"], row["activity_id"]),
    )


def _reasons(codes: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(codes or ())


def _no_such_activity() -> NotFound:
    return NotFound("activity_not_found", Text("没有这条记录", "No such activity"))
