"""The resident's verbs: claim an act, look at one's acts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import traces
from carbon_credits.activities.claims import Claim, exclusive_keys, faults_of, match_key
from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.activities.names import public_id
from carbon_credits.activities.views import ActivityView, activities_of, activity_of
from carbon_credits.core.crypto import Vault, digest
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.residents.consents import Purpose, is_granted

__all__ = [
    "ActivityView",
    "Claim",
    "Claimed",
    "activities_of",
    "activity_of",
    "claim",
]

APP = 0
APP_LATE_DAYS = 7
APP_CLASS = "D"
# an encoder is made once, for a file asks for hundreds of thousands of these
_CONTENT: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Claimed:
    """The answer to a claim: the act's id, whether this claim made it, and what becomes of its trace."""

    id: str
    is_new: bool
    status: str
    occurred_on: date
    evidence_class: str
    of_trace: str | None = None


# One statement: the key decides whether the act is new; the act exists exactly when it is, and so does its row on the
# work list, which an act with a trace gets when the trace is judged.
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
    shard_id, evidence_class, monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, evidence_digest,
    ext_key, match_key)
  select activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
    :shard, evidence_class, monitored, evidence, vehicle_key, item_key, transaction_key, meter_key,
    {evidence_digest("told.")}, :ext_key, :match_key
  from told
), queued as (
  insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
  select activity_id, :resident, :occurred_on, 1, :shard from key where not :traced
)
select activity_id from key
""")  # noqa: S608 - made of constants


def claim(
    session: Session,
    vault: Vault,
    resident_id: int,
    told: Claim,
    now: datetime,
    trace: Mapping[str, Any] | None = None,
) -> Claimed:
    """Record a resident's claim and queue it for its decision, or its trace (in the API's shape) for a look first.

    The same act again, under whatever key, is the act already known. Raises Invalid with the faulty fields.
    """
    faults = faults_of(told, now, APP_LATE_DAYS)
    if faults:
        wrong = Text("申报内容有误，未保存", "The claim is wrong and was not stored")
        raise Invalid(faults[0].code, wrong, faults=tuple(faults))
    ext_key = _key_of(resident_id, told)
    of_trace = None if trace is None else _what_of_the_trace(session, resident_id, told)
    traced = of_trace == "trace_being_verified"
    row = {**_row(vault, resident_id, told), "ext_key": ext_key, "traced": traced}
    number = session.execute(RECORD, row).scalar()
    if number is None:
        return _known_already(session, resident_id, ext_key)
    if traced and trace is not None:
        traces.keep(session, vault, resident_id, (told.occurred_on, number), trace)
    return Claimed(
        public_id(told.occurred_on, number), True, "claimed", told.occurred_on, APP_CLASS, of_trace
    )


def _row(vault: Vault, resident_id: int, told: Claim) -> dict[str, Any]:
    return {
        "source": APP,
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
        "match_key": match_key(vault, told),
    }


def content_digest(told: Claim) -> bytes:
    """What an act says of itself, for telling a repetition from a contradiction."""
    words = _CONTENT(
        [
            told.methodology,
            *told.times,
            sorted(told.monitored.items()),
            sorted(told.references.items()),
        ]
    )
    return digest("act-content", words)[:16]


def _key_of(resident_id: int, told: Claim) -> bytes:
    parts = (
        str(resident_id),
        told.methodology,
        told.occurred_from.isoformat(),
        told.occurred_to.isoformat(),
        json.dumps(sorted(told.references.items()), ensure_ascii=False),
    )
    return digest("resident-act", *(part.encode() for part in parts))[:16]


def _what_of_the_trace(session: Session, resident_id: int, told: Claim) -> str:
    """A trace is kept of a motion, and with the consent for it; without, it is dropped here and now."""
    if "person_motion" not in BY_CODE[told.methodology][-1].bases:
        return "trace_not_needed"
    if not is_granted(session, resident_id, Purpose.LOCATION_TRACES):
        return "trace_needs_consent"
    return "trace_being_verified"


def _known_already(session: Session, resident_id: int, ext_key: bytes) -> Claimed:
    known = session.execute(
        text("select activity_id, occurred_on from act_key where source_id = :source and ext_key = :ext_key"),
        {"source": APP, "ext_key": ext_key},
    ).one()
    view = activity_of(session, resident_id, public_id(known.occurred_on, known.activity_id))
    return Claimed(view.id, False, view.status, view.occurred_on, view.evidence_class)
