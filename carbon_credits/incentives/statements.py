"""Statements: a resident tells one bank their tier, signed by us, for some days, until it is revoked.

A statement says who signs, for whom, a name that only this bank knows the resident by, programme, tier and days, and
where its status is published. It says nothing of grams, acts, telephone or street; and nobody can ask who has none.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import jwt
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring, Keys
from carbon_credits.core.tokens import ALGORITHM
from carbon_credits.incentives import grams, status_lists
from carbon_credits.incentives.models import Incentive, IncentiveOutcome, IncentiveStatement
from carbon_credits.incentives.programmes import Programme, programme, unknown
from carbon_credits.incentives.terms import Tier
from carbon_credits.residents import consents
from carbon_credits.residents import service as residents

TYPE: Final = "incentive-statement+jwt"
MOST_LIVE: Final = 3
MOST_LISTED: Final = 200
SEALED_FOR: Final = "incentive-grams"
Why = Literal["resident", "consent", "fraud", "error", "erasure"]


@dataclass(frozen=True)
class Issued:
    """A statement as it is handed over, this once: the signed text is kept nowhere."""

    id: str
    statement: str
    tier: Tier
    expires_at: datetime
    status_url: str


@dataclass(frozen=True)
class Given:
    """A statement that was given, as its resident sees it; `outcome` is the bank's latest word, if it has said one."""

    id: str
    programme: Programme
    tier: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    outcome: str | None
    reported_at: datetime | None


def issue(
    session: Session,
    vault: Vault,
    keyring: Keyring,
    resident_id: int,
    incentive_id: int,
    consent_version: str,
    now: datetime,
) -> Issued:
    """Sign a statement of the tier that the resident has reached. Naming the wording's version is agreeing to it.

    Raises NotFound (no such active programme), Conflict for another wording (`consent_changed`), for too few grams
    (`no_tier_yet`) and for more than MOST_LIVE of this programme that are alive (`statements_enough`).
    """
    consents.lock_resident(session, resident_id)
    found = _agreed_to(session, incentive_id, consent_version)
    _refuse_more(session, resident_id, found.terms.code, now)
    days = grams.window(clock.day_of(now), found.terms.window_months)
    milligrams = grams.counted(session, resident_id, found.terms, days)
    tier = grams.reached(found.terms.tiers, milligrams)
    if tier is None:
        raise Conflict("no_tier_yet", Text("尚未达到任何档位", "No tier is reached yet"))
    consents.give(session, resident_id, consents.Purpose.GREEN_FINANCE, None, now)
    keys = keyring.of("statement").keys(session)
    row = _row(found, tier, resident_id, keys.signing_kid, now)
    row["grams"] = _sealed(session, vault, resident_id, row["jti"], milligrams)
    list_id, idx = _placed(session, row)
    deed = {"programme": found.terms.code, "tier": tier.code}
    audit.record(session, "resident", "statement.issued", f"statement:{row['jti']}", None, deed)
    url = status_lists.address(keyring, list_id)
    claims = {
        "iss": keyring.issuer,
        "sub": pseudonym(vault, found.bank.code, resident_id),
        "status": {"status_list": {"idx": idx, "uri": url}},
        **_claims(found, tier, days),
    }
    return Issued(row["jti"], _signed(keys, claims, row), tier, row["expires_at"], url)


def revoke_own(session: Session, resident_id: int, jti: str, now: datetime) -> None:
    """Take one's own statement back; once more changes nothing. Raises NotFound, also for another's."""
    own = (IncentiveStatement.jti == jti) & (IncentiveStatement.resident_id == resident_id)
    if session.execute(select(IncentiveStatement.jti).where(own)).scalar_one_or_none() is None:
        raise no_statement()
    _revoke(session, own, "resident", "resident", now)


def revoke_all(session: Session, resident_id: int, why: Why, now: datetime, by: str = "resident") -> int:
    """Revoke whatever of a resident is alive: consent withdrawn, account closed, fraud proven; how many.

    `by` is the actor, as the audit names it.
    """
    live = (IncentiveStatement.resident_id == resident_id) & (IncentiveStatement.expires_at > now)
    return _revoke(session, live, why, by, now)


def revoke(session: Session, jti: str, why: Literal["fraud", "error"], by: int, now: datetime) -> None:
    """A member of staff revokes a statement that should not have been. Raises NotFound, also when it is revoked."""
    if not _revoke(session, IncentiveStatement.jti == jti, why, f"staff:{by}", now):
        raise no_statement()


def statements_of(session: Session, resident_id: int) -> Sequence[Given]:
    """What a resident has given, the newest MOST_LISTED first."""
    heard = (
        select(IncentiveOutcome.outcome, IncentiveOutcome.reported_at)
        .where(IncentiveOutcome.jti == IncentiveStatement.jti)
        .order_by(IncentiveOutcome.version.desc())
        .limit(1)
        .lateral()
    )
    asked = (
        select(IncentiveStatement, heard.c.outcome, heard.c.reported_at)
        .outerjoin(heard, IncentiveStatement.jti.is_not(None))
        .where(IncentiveStatement.resident_id == resident_id)
        .order_by(IncentiveStatement.issued_at.desc(), IncentiveStatement.jti)
        .limit(MOST_LISTED)
    )
    rows = session.execute(asked).all()
    about = {number: programme(session, number) for number in {row[0].incentive_id for row in rows}}
    return [
        Given(
            made.jti,
            about[made.incentive_id],
            made.tier,
            made.issued_at,
            made.expires_at,
            made.revoked_at,
            outcome,
            reported_at,
        )
        for made, outcome, reported_at in rows
    ]


def pseudonym(vault: Vault, bank: str, resident_id: int) -> str:
    """What one bank knows a resident by: always the same there, and comparable with no other bank's."""
    blind = vault.blind("bank-subject", f"{bank}:{resident_id}")
    return base64.urlsafe_b64encode(blind).rstrip(b"=").decode()


def grams_place(jti: str) -> str:
    """Where sealed grams stand."""
    return f"incentive_statement|grams|{jti}"


def no_statement() -> NotFound:
    """The answer for a statement that is not there, or not for the one who asks."""
    return NotFound("statement_unknown", Text("没有此声明", "There is no such statement"))


def _agreed_to(session: Session, incentive_id: int, consent_version: str) -> Programme:
    found = programme(session, incentive_id)
    if found.state != "active":
        raise unknown()
    if consent_version != found.terms.consent_version:
        said = Text("授权文本已更新，请重新阅读", "The wording is another: read it again")
        raise Conflict("consent_changed", said)
    return found


def _new_number() -> str:
    """One that nobody guesses; none begins with a dash, which a terminal takes for an option, a table for a formula."""
    while (number := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return number


def _row(found: Programme, tier: Tier, resident_id: int, kid: str, now: datetime) -> dict[str, Any]:
    return {
        "jti": _new_number(),
        "incentive_id": found.id,
        "tier": tier.code,
        "resident_id": resident_id,
        "kid": kid,
        "consent_version": found.terms.consent_version,
        "issued_at": now,
        "expires_at": now + timedelta(days=found.terms.valid_days),
    }


def _claims(found: Programme, tier: Tier, days: grams.Window) -> dict[str, Any]:
    return {
        "aud": found.bank.audience,
        "tier": tier.code,
        "programme": {"code": found.terms.code, "version": found.version},
        "window": {"from": str(days.first), "to": str(days.last)},
    }


def _refuse_more(session: Session, resident_id: int, code: str, now: datetime) -> None:
    live = (
        select(func.count())
        .select_from(IncentiveStatement)
        .join(Incentive, Incentive.incentive_id == IncentiveStatement.incentive_id)
        .where(
            IncentiveStatement.resident_id == resident_id,
            Incentive.code == code,
            IncentiveStatement.revoked_at.is_(None),
            IncentiveStatement.expires_at > now,
        )
    )
    if session.execute(live).scalar_one() >= MOST_LIVE:
        said = Text(
            f"同一方案至多 {MOST_LIVE} 份有效声明，请先撤销一份",
            f"{MOST_LIVE} are alive: revoke one of them first",
        )
        raise Conflict("statements_enough", said)


def _sealed(session: Session, vault: Vault, resident_id: int, jti: str, milligrams: int) -> bytes:
    key = residents.resident_key(session, vault, resident_id)
    return residents.seal_for(key, SEALED_FOR, str(milligrams).encode(), grams_place(jti))


def _placed(session: Session, row: dict[str, Any]) -> tuple[int, int]:
    """Write the row at a free place of the newest list, or of the next when that is full."""
    list_id = status_lists.newest(session)
    while True:
        for _ in range(status_lists.DRAWS):
            idx = status_lists.draw()
            made = (
                insert(IncentiveStatement)
                .values(**row, list_id=list_id, idx=idx)
                .on_conflict_do_nothing(index_elements=["list_id", "idx"])
            )
            if session.execute(made.returning(IncentiveStatement.jti)).scalar_one_or_none() is not None:
                return list_id, idx
        list_id = status_lists.open_after(session, list_id)


def _signed(keys: Keys, claims: dict[str, Any], row: Mapping[str, Any]) -> str:
    issued = int(row["issued_at"].timestamp())
    dated = {"iat": issued, "nbf": issued, "exp": int(row["expires_at"].timestamp()), "jti": row["jti"]}
    headers = {"kid": keys.signing_kid, "typ": TYPE}
    return jwt.encode({**claims, **dated}, keys.signing_key, algorithm=ALGORITHM, headers=headers)


def _revoke(session: Session, which: ColumnElement[bool], why: Why, by: str, now: datetime) -> int:
    done = session.execute(
        update(IncentiveStatement)
        .where(which, IncentiveStatement.revoked_at.is_(None))
        .values(revoked_at=now, revoked_why=why)
        .returning(IncentiveStatement.list_id, IncentiveStatement.jti)
        .execution_options(synchronize_session=False)
    ).all()
    status_lists.changed(session, [row.list_id for row in done])
    for row in done:
        audit.record(session, by, "statement.revoked", f"statement:{row.jti}", None, {"why": why})
    return len(done)
