"""What residents agree to: by purpose, and for records by partner. The latest word counts, all are kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.models import Binding, Consent, Resident


class Purpose(StrEnum):
    """What personal data may be used for; each is asked for by itself."""

    PROGRAMME = "programme"
    PARTNER_RECORDS = "partner_records"
    LOCATION_TRACES = "location_traces"
    STATISTICS = "statistics"
    GROUPS = "groups"
    GREEN_FINANCE = "green_finance"


# the text shown with each question; a new text is a new version, and the old answers keep theirs
TEXT_VERSIONS: Final = {purpose: f"{purpose}/1" for purpose in Purpose}


@dataclass(frozen=True)
class Standing:
    """The latest word on one purpose (and partner)."""

    purpose: Purpose
    partner_id: int | None
    granted: bool
    text_version: str
    at: datetime


def give(session: Session, resident_id: int, purpose: Purpose, partner_id: int | None, now: datetime) -> None:
    """Agree, to today's text. Agreeing again to the same text changes nothing.

    Raises NotFound for an unknown resident, Invalid when a partner is named without need or missing.
    """
    _say(session, resident_id, purpose, partner_id, now, granted=True)


def withdraw(
    session: Session, resident_id: int, purpose: Purpose, partner_id: int | None, now: datetime
) -> None:
    """Withdraw, from now on; a partner's bindings end in the same transaction.

    Taking part itself ends by closing the account, so that purpose is a Conflict here. Raises as `give` does.
    """
    if purpose is Purpose.PROGRAMME:
        said = Text("退出计划请注销账号", "To leave the programme, close the account")
        raise Conflict("close_the_account", said)
    _say(session, resident_id, purpose, partner_id, now, granted=False)
    if purpose is Purpose.PARTNER_RECORDS:
        session.execute(
            update(Binding)
            .where(
                Binding.resident_id == resident_id,
                Binding.partner_id == partner_id,
                Binding.ended_at.is_(None),
            )
            .values(ended_at=now)
        )


def standing(session: Session, resident_id: int) -> list[Standing]:
    """The latest word on each purpose and partner the resident was ever asked about."""
    latest = (
        select(Consent)
        .where(Consent.resident_id == resident_id)
        .ext(distinct_on(Consent.purpose, Consent.partner_id))
        .order_by(Consent.purpose, Consent.partner_id, Consent.consent_id.desc())
    )
    return [
        Standing(Purpose(row.purpose), row.partner_id, row.granted, row.text_version, row.at)
        for row in session.execute(latest).scalars()
    ]


def is_granted(session: Session, resident_id: int, purpose: Purpose, partner_id: int | None = None) -> bool:
    """Whether the latest word on a purpose (and partner) is yes."""
    latest = _latest(session, resident_id, purpose, partner_id)
    return latest is not None and latest[0]


def lock_resident(session: Session, resident_id: int) -> None:
    """Consents and bindings of this resident change here alone until the transaction ends; raises NotFound."""
    row = select(Resident.resident_id).where(Resident.resident_id == resident_id)
    active = row.where(Resident.status == "active").with_for_update(key_share=True)
    if session.execute(active).scalar_one_or_none() is None:
        raise NotFound("resident_unknown", Text("没有此居民", "There is no such resident"))


def _say(
    session: Session,
    resident_id: int,
    purpose: Purpose,
    partner_id: int | None,
    now: datetime,
    *,
    granted: bool,
) -> None:
    if (purpose is Purpose.PARTNER_RECORDS) != (partner_id is not None):
        said = Text("合作方记录须逐一授权", "Partner records name a partner, and only they do")
        raise Invalid("partner_not_fitting", said)
    lock_resident(session, resident_id)
    latest = _latest(session, resident_id, purpose, partner_id)
    if latest == (granted, TEXT_VERSIONS[purpose]) or (latest is None and not granted):
        return
    session.execute(
        insert(Consent).values(
            resident_id=resident_id,
            purpose=purpose.value,
            partner_id=partner_id,
            granted=granted,
            text_version=TEXT_VERSIONS[purpose],
            at=now,
        )
    )


def _latest(
    session: Session, resident_id: int, purpose: Purpose, partner_id: int | None
) -> tuple[bool, str] | None:
    latest = (
        select(Consent.granted, Consent.text_version)
        .where(
            Consent.resident_id == resident_id,
            Consent.purpose == purpose.value,
            Consent.partner_id.is_not_distinct_from(partner_id),
        )
        .order_by(Consent.consent_id.desc())
        .limit(1)
    )
    found = session.execute(latest).one_or_none()
    return None if found is None else (found.granted, found.text_version)
