"""What somebody signs in with: set once by invitation, changed by its holder, forgotten when the account ends."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff import guessing, passwords, second_factor, sessions
from carbon_credits.staff.models import Credential, RecoveryCode
from carbon_credits.staff.sessions import Member


def set_up(
    session: Session, vault: Vault, staff_id: int, password_hash: str, secret: str, step: int, now: datetime
) -> list[str]:
    """Give somebody a password and an authenticator whose code of `step` was shown; returns codes for paper."""
    values = {
        "password_hash": password_hash,
        "password_set_at": now,
        "totp_secret": second_factor.sealed(vault, secret, staff_id),
        "totp_step": step,
    }
    fresh = {"must_change": False, "totp_next": None, "wrong": 0, "locked_until": None, "wrong_codes": 0}
    made = insert(Credential).values(staff_id=staff_id, **values)
    session.execute(made.on_conflict_do_update(index_elements=[Credential.staff_id], set_=values | fresh))
    audit.record(session, f"staff:{staff_id}", "staff.credential_set", f"staff:{staff_id}")
    return second_factor.new_recovery_codes(session, vault, staff_id, now)


def forget(session: Session, staff_id: int) -> None:
    """Nothing signs this person in any more."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.execute(delete(Credential).where(Credential.staff_id == staff_id))


def replace_password(
    session: Session, staff_id: int, name: str, password: str, by: str, now: datetime, keep: int | None = None
) -> None:
    """Set another password and end every session but `keep`. Raises Invalid for one that will not do, NotFound."""
    passwords.judge(password, name)
    held = session.execute(
        select(Credential.password_hash).where(Credential.staff_id == staff_id)
    ).scalar_one_or_none()
    if held is None:
        raise nothing_set()
    if passwords.is_right(held, password):
        told = Text("不得与原密码相同", "It must not be the one you have")
        raise Invalid("weak_password", told, faults=(FieldFault("/password", "weak_password", told),))
    _set(session, staff_id, password_hash=passwords.hash_of(password), password_set_at=now, must_change=False)
    sessions.end_all(session, staff_id, "password_changed", by, now, but=keep)
    audit.record(session, by, "staff.password_changed", f"staff:{staff_id}")


def change_password(
    session: Session, member: Member, address: str, old: str, new: str, now: datetime
) -> bool:
    """One's own password, the old one shown; the other sessions end. False when the old one is wrong, and counted.

    Raises Invalid for a new one that will not do, TooMany for an address with too many wrong guesses.
    """
    passwords.judge(new, member.name)
    account = guessing.count(session, member.name, address, now)
    if not passwords.is_right(None if account is None else account.password_hash, old) or account is None:
        return False
    guessing.was_right(session, account, address)
    replace_password(session, member.staff_id, member.name, new, member.actor, now, keep=member.session_id)
    return True


def require_change(session: Session, staff_id: int, by: str, reason: str) -> None:
    """Ask for another password at the next sign-in. Raises NotFound when there is none."""
    _set(session, staff_id, must_change=True)
    audit.record(session, by, "staff.password_to_change", f"staff:{staff_id}", reason=reason)


def propose_authenticator(session: Session, vault: Vault, staff_id: int) -> str:
    """The secret of another authenticator, which counts once its first code is shown; the same until then.

    Raises NotFound when nothing was set up.
    """
    held = select(Credential.totp_next).where(Credential.staff_id == staff_id).with_for_update()
    row = session.execute(held).one_or_none()
    if row is None:
        raise nothing_set()
    if row.totp_next is not None:
        return second_factor.unsealed(vault, bytes(row.totp_next), staff_id)
    secret = second_factor.new_secret()
    _set(session, staff_id, totp_next=second_factor.sealed(vault, secret, staff_id))
    return secret


def take_authenticator(session: Session, vault: Vault, member: Member, code: str, now: datetime) -> list[str]:
    """The other authenticator's first code: from now on it counts alone. Returns new codes for paper.

    Its holder has stepped up. Raises Invalid for a wrong code, Conflict when none was proposed.
    """
    held = select(Credential.totp_next).where(Credential.staff_id == member.staff_id).with_for_update()
    sealed = session.execute(held).scalar_one_or_none()
    if sealed is None:
        raise Conflict("no_authenticator_proposed", Text("请先添加验证器", "Add the authenticator first"))
    secret = second_factor.unsealed(vault, bytes(sealed), member.staff_id)
    step = second_factor.step_of(secret, code.strip().replace(" ", ""), now)
    if step is None:
        raise wrong_code()
    _set(session, member.staff_id, totp_secret=sealed, totp_next=None, totp_step=step, wrong_codes=0)
    audit.record(session, member.actor, "staff.authenticator_changed", f"staff:{member.staff_id}")
    return second_factor.new_recovery_codes(session, vault, member.staff_id, now)


def renew_recovery_codes(session: Session, vault: Vault, member: Member, now: datetime) -> list[str]:
    """Other codes for paper; the holder has stepped up. Raises NotFound when nothing was set up."""
    held = select(Credential.staff_id).where(Credential.staff_id == member.staff_id)
    if session.execute(held).scalar_one_or_none() is None:
        raise nothing_set()
    audit.record(session, member.actor, "staff.recovery_codes_renewed", f"staff:{member.staff_id}")
    return second_factor.new_recovery_codes(session, vault, member.staff_id, now)


def nothing_set() -> NotFound:
    """There is nothing that this person signs in with."""
    return NotFound("credential_unknown", Text("尚未设置登录方式", "Nothing to sign in with has been set up"))


def wrong_code() -> Invalid:
    """A first code that is not that of the authenticator being set up."""
    told = Text("验证码不正确，请核对手机时间", "The code is wrong: check the time on your phone")
    return Invalid("wrong_code", told, faults=(FieldFault("/code", "wrong_code", told),))


def _set(session: Session, staff_id: int, **values: object) -> None:
    changed = (
        update(Credential)
        .where(Credential.staff_id == staff_id)
        .values(**values)
        .returning(Credential.staff_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(changed).scalar_one_or_none() is None:
        raise nothing_set()
