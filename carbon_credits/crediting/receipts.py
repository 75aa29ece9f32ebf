"""The receipt of an act: every number that led to its grams and points, with its source, ready to be recomputed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.reasons import explain
from carbon_credits.activities.retellings import Retelling, retelling_of
from carbon_credits.activities.verification import TripView, trip_of
from carbon_credits.activities.views import ActivityView, activity_of
from carbon_credits.crediting.campaign_views import GivenBonus, given_for
from carbon_credits.crediting.releases import document_of
from carbon_credits.crediting.restating import restatements_of
from carbon_credits.crediting.terms import terms_of
from carbon_credits.methodologies.base import derive
from carbon_credits.methodologies.catalogue import on as methodology_on
from carbon_credits.methodologies.formula import plain
from carbon_credits.methodologies.quantification import Step, quantify
from carbon_credits.methodologies.replay import recompute
from carbon_credits.methodologies.standing import status_on

DECISION = text("""
select d.generation, d.raw_mg, d.credited_mg, d.points, d.bonus, d.counted, d.journal_id, d.release_id, d.fund_id,
       d.pool, d.state, d.against, d.evidence_class, r.code, r.version, r.in_force,
       encode(r.digest, 'hex') as digest, encode(r.formula_digest, 'hex') as formula_digest,
       encode(r.parameters_digest, 'hex') as parameters_digest
from decision d
left join formula_release r using (release_id)
where d.resident_id = :resident and d.occurred_on = :day and d.activity_id = :activity
order by d.generation desc
limit 1
""")
BOOKED = text("""
select p.journal_id, p.line, p.wallet_seq, p.booked_on, p.points, p.verified_mg, p.claimed_mg, p.removal_mg,
       p.balance_after, p.lot_on, k.name as contra, f.code as fund, encode(j.content_hash, 'hex') as content_hash,
       m.seal_no, encode(s.hash, 'hex') as seal_hash
from posting p
join journal j on j.journal_id = p.journal_id and j.shard_id = p.shard_id
join contra_kind k using (contra_kind)
left join fund f on f.fund_id = p.contra_ref and k.name in ('grant', 'bonus', 'clawback', 'breakage')
left join seal_member m on m.journal_id = p.journal_id and m.shard_id = p.shard_id
left join seal s using (seal_no)
where p.resident_id = :resident and p.activity_id = :activity and p.effective_on = :day
order by p.wallet_seq
""")
POOLS = {"v": "verified", "c": "claimed", "r": "removal", None: None}


def receipt(session: Session, resident_id: int, name: str) -> Mapping[str, Any]:
    """Everything behind an act, JSON-ready: integers with their unit in the name, decimals as strings.

    Raises NotFound for another's act as for none. An undecided act has no calculation yet.
    """
    act = activity_of(session, resident_id, name)
    day, activity = act.position
    given = {"resident": resident_id, "day": day, "activity": activity}
    decision = session.execute(DECISION, given).mappings().first()
    booked = session.execute(BOOKED, given).mappings().all()
    told = {**_told(act), "record": _record(retelling_of(session, resident_id, act.position))}
    if decision is None or act.status == "claimed":
        return {
            **told,
            "trip": None,
            "calculation": None,
            "terms": None,
            "result": None,
            "postings": [],
            "restatements": [],
        }
    return {
        **told,
        "calculation": None
        if decision["release_id"] is None
        else _calculation(session, act, decision["release_id"], decision),
        "trip": _trip(trip_of(session, resident_id, activity)),
        "terms": terms_of(session, act.methodology, act.evidence_class, day),
        "result": _result(decision, act, given_for(session, resident_id, day, activity)),
        "postings": [_posting(row) for row in booked],
        "restatements": restatements_of(session, resident_id, activity),
    }


def _told(act: ActivityView) -> dict[str, Any]:
    """What is known of an act before anything is decided."""
    return {
        "activity": act.id,
        "status": act.status,
        "methodology": act.methodology,
        "methodology_status": status_on(act.methodology, act.occurred_on).value,
        "occurred_from": _utc(act.occurred_from),
        "occurred_to": _utc(act.occurred_to),
        "occurred_on": act.occurred_on.isoformat(),
        "evidence_class": act.evidence_class,
        "monitored": dict(act.monitored),
        "reasons": [{"code": code, "text": explain(code).both()} for code in act.reasons],
    }


def _record(retelling: Retelling | None) -> dict[str, Any] | None:
    """What the partner told of the same record before or after; None where it told it once."""
    if retelling is None:
        return None
    return {
        "version": retelling.version,
        "corrects": retelling.corrects,
        "corrected": retelling.is_corrected,
        "corrected_by": retelling.corrected_by,
        "withdrawn_at": None if retelling.withdrawn_at is None else _utc(retelling.withdrawn_at),
    }


def _calculation(
    session: Session, act: ActivityView, release_id: int, decision: RowMapping
) -> dict[str, Any]:
    """The formula with this act's numbers: by the exact reading, and once more from the published document."""
    document = document_of(session, release_id)
    methodology = methodology_on(act.methodology, act.occurred_on)
    assert methodology is not None
    quantities = {**act.monitored, **derive(methodology, act.occurred_from, act.occurred_to)}
    found = quantify(methodology, quantities, act.occurred_on)
    again = recompute(document, quantities)
    release = json.loads(document)
    return {
        "version": decision["version"],
        "status": release["status"],
        "in_force": decision["in_force"].isoformat(),
        "release_digest": "sha256:" + decision["digest"],
        "formula_digest": "sha256:" + decision["formula_digest"],
        "parameters_digest": "sha256:" + decision["parameters_digest"],
        "quantities": quantities,
        "parameters": release["parameters"],
        "steps": [_step(step) for step in found.steps],
        "rounding": release["rounding"],
        "raw_mg": decision["raw_mg"],
        "recomputed_mg": None if decision["raw_mg"] is None else again.raw_mg,
        "agrees": decision["raw_mg"] is None or again.raw_mg == decision["raw_mg"],
        "document": release,
    }


def _trip(view: TripView | None) -> dict[str, Any] | None:
    """What a look at the act's trace found; the features are whole numbers, none of them a place."""
    if view is None:
        return None
    return {
        "decision": view.decision,
        "reasons": [{"code": code, "text": explain(code).both()} for code in view.reasons],
        "judged_at": _utc(view.judged_at),
        "by_a_person": view.by_a_person,
        "rules_version": view.rules_version,
        "features": None if view.features is None else dict(view.features),
    }


def _bonus(given: GivenBonus | None) -> dict[str, Any] | None:
    """What a campaign gave for the act, how it came about and why not more; None where none gave anything."""
    if given is None:
        return None
    return {
        "campaign": given.code,
        "name": given.name.both(),
        "how": given.how.both(),
        "entitled": given.entitled,
        "points": given.points,
        "reasons": [{"code": code, "text": explain(code).both()} for code in given.reasons],
    }


def _result(decision: RowMapping, act: ActivityView, given: GivenBonus | None) -> dict[str, Any]:
    return {
        "generation": decision["generation"],
        "reduction_mg": act.reduction_mg,
        "pool": POOLS[decision["pool"]],
        "counted_quantity": decision["counted"],
        "points": act.points,
        "bonus_points": act.bonus,
        "bonus": _bonus(given),
        "matures_on": act.matures_on.isoformat() if act.matures_on else None,
        "decided_at": _utc(act.decided_at) if act.decided_at else None,
    }


def _posting(row: RowMapping) -> dict[str, Any]:
    return {
        "journal": row["journal_id"],
        "line": row["line"],
        "wallet_seq": row["wallet_seq"],
        "booked_on": row["booked_on"].isoformat(),
        "contra": row["contra"],
        "fund": row["fund"],
        "points": row["points"],
        "verified_mg": row["verified_mg"],
        "claimed_mg": row["claimed_mg"],
        "removal_mg": row["removal_mg"],
        "balance_after": row["balance_after"],
        "usable_until": row["lot_on"].isoformat() if row["lot_on"] else None,
        "journal_hash": "sha256:" + row["content_hash"],
        "seal": row["seal_no"],
        "seal_hash": None if row["seal_hash"] is None else "sha256:" + row["seal_hash"],
    }


def _step(step: Step) -> dict[str, Any]:
    return {"text": step.text, "value": step.value if isinstance(step.value, bool) else plain(step.value)}


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
