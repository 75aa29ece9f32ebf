"""The second factor: an authenticator's code, good once, and codes on paper for whoever has lost it.

Only who knows the password gets to guess at codes, so wrong ones are few or somebody else has the password: after ten
in a row no code is compared any more, until an administrator resets what this person signs in with.
"""

import base64
import secrets
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault, same
from carbon_credits.staff.models import Credential, RecoveryCode

STEP_S: Final = 30
MOST_WRONG: Final = 10
ISSUER: Final = "禅城碳普惠"
RECOVERY_CODES: Final = 10
_DIGITS: Final = 6
_RECOVERY_CHARACTERS: Final = 10
_RECOVERY_BYTES: Final = 7
PURPOSE: Final = "staff-totp"

_COUNT: Final = text("""
update staff_credential c set wrong_codes = wrong_codes + 1
from staff s
where c.staff_id = :staff and s.staff_id = c.staff_id and s.status = 'active' and wrong_codes < :most
returning c.totp_secret, c.totp_step, c.wrong_codes
""")


def new_secret() -> str:
    """A secret for an authenticator: 160 random bits in base32."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """What an authenticator reads from the picture (`otpauth://totp/…`)."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which half minute a code belongs to, this one or a neighbour; None for a wrong code."""
    if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    here = int(now.timestamp()) // STEP_S
    found = None
    for step in (here - 1, here, here + 1):
        if same(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def check(session: Session, vault: Vault, staff_id: int, code: str, now: datetime) -> bool:
    """Compare a code of the authenticator or one on paper; a right one is used up.

    The outcome is a value, for a wrong guess must stay counted: the door commits, then says no. The statement that
    counts holds the row, so of the same code given twice at a time one is right.
    """
    counted = session.execute(_COUNT, {"staff": staff_id, "most": MOST_WRONG}).one_or_none()
    if counted is None:
        return False
    given = code.strip().replace(" ", "")
    secret = unsealed(vault, bytes(counted.totp_secret), staff_id)
    step = step_of(secret, given, now)
    if step is not None and step > counted.totp_step:
        _right(session, staff_id, step)
        return True
    if step is None and _use_recovery(session, vault, staff_id, given, now):
        _right(session, staff_id, counted.totp_step)
        return True
    if counted.wrong_codes == MOST_WRONG:
        audit.record(session, f"staff:{staff_id}", "staff.codes_refused", f"staff:{staff_id}")
    return False


def sealed(vault: Vault, secret: str, staff_id: int) -> bytes:
    """An authenticator's secret as it is kept."""
    return vault.seal(PURPOSE, secret.encode(), _place(staff_id))


def unsealed(vault: Vault, kept: bytes, staff_id: int) -> str:
    """The secret of what `sealed` made for the same person; raises CannotOpen."""
    return vault.unseal(PURPOSE, kept, _place(staff_id)).decode()


def new_recovery_codes(session: Session, vault: Vault, staff_id: int, now: datetime) -> list[str]:
    """Ten codes for paper, shown this once; those there were are worth nothing any more."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = [_a_code() for _ in range(RECOVERY_CODES)]
    rows = [{"code_mac": _mac(vault, staff_id, code), "staff_id": staff_id, "made_at": now} for code in codes]
    session.execute(insert(RecoveryCode), rows)
    return codes


def recovery_codes_left(session: Session, staff_id: int) -> int:
    """How many codes on paper are still good."""
    unused = select(func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.execute(unused).scalar_one()


def _a_code() -> str:
    drawn = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()[:_RECOVERY_CHARACTERS].lower()
    return f"{drawn[:5]}-{drawn[5:]}"


def _use_recovery(session: Session, vault: Vault, staff_id: int, code: str, now: datetime) -> bool:
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.code_mac == _mac(vault, staff_id, code),
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.staff_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(used).scalar_one_or_none() is None:
        return False
    audit.record(session, f"staff:{staff_id}", "staff.recovery_code_used", f"staff:{staff_id}")
    return True


def _right(session: Session, staff_id: int, step: int) -> None:
    session.execute(
        update(Credential)
        .where(Credential.staff_id == staff_id)
        .values(totp_step=step, wrong_codes=0)
        .execution_options(synchronize_session=False)
    )


def _mac(vault: Vault, staff_id: int, code: str) -> bytes:
    return vault.blind("staff-recovery", f"{staff_id}:{code.lower().replace('-', '')}")


def _place(staff_id: int) -> str:
    return f"staff_credential|totp_secret|{staff_id}"
