"""A credit taken back at once: one member of staff proposes, another approves; the resident is told afterwards."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import parse_public_id
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation import cases
from carbon_credits.reconciliation.cases import FRAUD, act_subject
from carbon_credits.reconciliation.clawbacks import take_back
from carbon_credits.residents.notices import tell

KIND: Final = "clawback.fraud"
_BY = text("select proposed_by, decided_by, reason, decided_at from approval where approval_id = :approval")
TOLD: Final = Text(
    "您 {day} 的记录 {name} 经两名工作人员核定为虚假，已撤回减排量和积分。如有异议，可在该记录中申诉。",
    "Your act {name} of {day} was found false by two members of staff: its grams and points were taken back. "
    "You may appeal on that act.",
)


def check(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless the payload names a resident and an act's public name."""
    wrong = Text("提案有误", "The proposal is wrong")
    if type(payload.get("resident")) is not int or type(payload.get("activity")) is not str:
        raise Invalid("wrong_proposal", wrong)
    try:
        parse_public_id(payload["activity"])
    except NotFound as error:
        raise Invalid("wrong_proposal", wrong) from error


def carry_out(session: Session, vault: Vault, approval_id: int, payload: Mapping[str, Any]) -> int:
    """Take the credit back, as approved; returns the number of the case. Raises Conflict when it is not credited."""
    check(payload)
    resident, name, now = payload["resident"], payload["activity"], clock.now()
    day, activity = parse_public_id(name)
    lock_shard(session, shard_of(resident))
    act = act_subject(session, resident, day, activity)
    if act is None or act.state != "credited" or act.queued:
        raise Conflict("not_credited", Text("该记录不在已计入状态", "This act is not credited"))
    said = session.execute(_BY, {"approval": approval_id}).one()
    actor, subject = f"staff:{said.proposed_by}", f"act:{name}:{act.generation}"
    number = cases.open_case(session, FRAUD, subject, said.reason, actor, now, **act.columns())
    assert number is not None
    case = cases.case_of(session, number)
    take_back(session, case, "clawback_fraud")
    words = Text(*(told.format(day=day, name=name) for told in TOLD))
    cases.decide(session, case, "upheld", words, f"staff:{said.decided_by}", now)
    cases.close(session, case, f"staff:{said.decided_by}", now)
    tell(session, vault, resident, f"case:{number}", words, case.deadline)
    return number
