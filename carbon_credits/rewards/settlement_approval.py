"""Two people for what is paid: one approval covers a day of many merchants, as they were when it was asked for.

The proposal holds the digest of all its settlements. A settlement that was kept out, let in or altered since makes it
another day than the one proposed, and it is refused.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import digest
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import statements
from carbon_credits.rewards.settlement_models import Settlement
from carbon_credits.staff.service import Role, require_role

KIND: Final = "settlement.pay"
NAMES: Final = frozenset({"day", "settlements", "amount_fen", "digest"})

_WAITING = text("""
select settlement_id, amount_fen, digest from settlement
where day = :day and state = 'frozen' order by settlement_id for update
""")


def payload_of(session: Session, day: date) -> dict[str, Any]:
    """What is put before the second person: the day's unpaid settlements, their sum in fen and one digest over them.

    Raises Conflict where none waits.
    """
    rows = session.execute(_WAITING, {"day": day}).all()
    if not rows:
        said = Text(f"{day} 没有待批准的结算单", f"No settlement of {day} waits for approval")
        raise Conflict("nothing_to_settle", said)
    return _payload(day, rows)


def check(payload: Mapping[str, Any]) -> None:
    """Whether a proposal has the form that `payload_of` gives; raises Invalid."""
    right = (
        set(payload) == NAMES
        and _is_day(payload["day"])
        and all(type(payload[name]) is int and payload[name] > 0 for name in ("settlements", "amount_fen"))
        and re.fullmatch(r"[0-9a-f]{64}", str(payload["digest"])) is not None
    )
    if not right:
        fault = FieldFault("", "wrong_form", Text("应由 settlements propose 生成", "as propose makes it"))
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=(fault,))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Approve the day's settlements for payment. Raises Conflict settlements_changed, InvariantBroken."""
    rows = session.execute(_WAITING, {"day": date.fromisoformat(payload["day"])}).all()
    if not rows or _payload(date.fromisoformat(payload["day"]), rows) != dict(payload):
        said = Text(
            "提案之后结算单有变化，请重新提交", "The settlements changed since the proposal: propose again"
        )
        raise Conflict("settlements_changed", said)
    numbers = [row.settlement_id for row in rows]
    if wrong := statements.altered(session, numbers):
        raise InvariantBroken(f"settlements {wrong} are not what was frozen")
    approved = (
        update(Settlement)
        .where(Settlement.settlement_id.in_(numbers), Settlement.state == "frozen")
        .values(state="approved", approval_id=approval_id)
    )
    session.execute(approved)


def keep_out(session: Session, settlement_id: int, reason: str, by: int) -> None:
    """Refuse a settlement for now; it is not paid with its day. Raises NotFound, Conflict, NotAllowed."""
    _move(session, settlement_id, ("frozen", "refused"), reason, by)


def let_in(session: Session, settlement_id: int, reason: str, by: int) -> None:
    """Let a refused settlement wait for approval again. Raises NotFound, Conflict, NotAllowed."""
    _move(session, settlement_id, ("refused", "frozen"), reason, by)


def _move(session: Session, settlement_id: int, step: tuple[str, str], reason: str, by: int) -> None:
    require_role(session, by, Role.FINANCE)
    before, after = step
    moved = (
        update(Settlement)
        .where(Settlement.settlement_id == settlement_id, Settlement.state == before)
        .values(state=after)
        .returning(Settlement.settlement_id)
    )
    if session.execute(moved).scalar_one_or_none() is None:
        state = statements.whole(session, settlement_id).settlement.state
        raise Conflict("wrong_state", Text(f"结算单状态为 {state}", f"The settlement is {state}"))
    subject = f"settlement:{settlement_id}"
    told = {"state": after, "reason": reason}
    audit.record(session, f"staff:{by}", f"settlement.{after}", subject, {"state": before}, told)


def _payload(day: date, rows: Sequence[Row[Any]]) -> dict[str, Any]:
    parts = [row.settlement_id.to_bytes(8, "big") + bytes(row.digest) for row in rows]
    return {
        "day": day.isoformat(),
        "settlements": len(rows),
        "amount_fen": sum(row.amount_fen for row in rows),
        "digest": digest("settlement-day", *parts).hex(),
    }


def _is_day(value: Any) -> bool:
    try:
        return type(value) is str and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
