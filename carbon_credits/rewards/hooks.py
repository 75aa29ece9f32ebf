"""What merchants are told unasked (Standard Webhooks): where to, about what, and the secret that signs.

Whoever books something that merchants wait for calls `announce` in the same transaction: what is told is a row, and
`jobs/hooks` carries it out. A new secret signs beside the old one for a day, so that a merchant changes at its own time.
"""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import addresses, audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.merchant_models import HookDelivery, Merchant, MerchantHook

Event = Literal["redemption.captured", "redemption.reversed", "settlement.paid"]
EVENTS: Final[tuple[Event, ...]] = ("redemption.captured", "redemption.reversed", "settlement.paid")
TEST: Final = "hook.test"
MOST_LIVE: Final = 5
OVERLAP: Final = timedelta(hours=24)
SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"
# what Standard Webhooks asks for: a notice is thin, and who wants more asks for it
MOST_BYTES: Final = 20_000
WHY_NOT: Final[Mapping[str, Text]] = {
    "address_malformed": Text("地址格式有误", "The address is malformed"),
    "host_malformed": Text("主机名格式有误", "The name of the host is malformed"),
    "scheme_not_called": Text("只接受 https 地址", "Only https is called"),
    "port_not_called": Text("端口只能是 443 或 8443", "The port is 443 or 8443"),
    "address_not_public": Text("不是公网地址", "Not the address of a public host"),
}
HEARS: Final = (
    "select from merchant_hook where merchant_id = :merchant_id and ended_at is null and disabled_at is null"
)
_ANNOUNCE: Final = text(f"""
insert into hook_delivery (hook_id, event, cause, payload)
{HEARS.replace("select", "select hook_id, :event, :cause, cast(:payload as jsonb)", 1)} and :event = any(events)
on conflict (hook_id, event, cause) do nothing
returning 1
""")
_GIVE_UP: Final = text("""
update hook_delivery set state = 'dead', finished_at = :now, last_error = :why where hook_id = :hook and state = 'waiting'
""")


def announce(session: Session, merchant_id: int, event: Event, cause: str, payload: Mapping[str, Any]) -> int:
    """Write down that a merchant's live hooks hear of an event; returns how many do.

    `cause` is what happened (a capture's number): a hook hears of it once, however often this is called.
    """
    told = json.dumps(payload, ensure_ascii=False)
    if len(told.encode()) > MOST_BYTES:
        raise ValueError("a notice is thin")
    given = {"merchant_id": merchant_id, "event": event, "cause": cause, "payload": told}
    return len(session.execute(_ANNOUNCE, given).all())


def add(
    session: Session,
    vault: Vault,
    merchant_id: int,
    url: str,
    events: Sequence[str],
    actor: str,
    rules: addresses.Rules = addresses.PUBLIC,
) -> MerchantHook:
    """Have a merchant told of events at an address.

    Raises Invalid for an address that is never called, and Conflict when there are MOST_LIVE already.
    """
    try:
        addresses.read_address(url, rules)
    except addresses.NotCalled as refusal:
        faults = (FieldFault("/url", refusal.reason, WHY_NOT[refusal.reason]),)
        raise Invalid(
            "address_refused", Text("不能向该地址推送", "This address is not called"), faults=faults
        ) from refusal
    lock = select(Merchant.merchant_id).where(Merchant.merchant_id == merchant_id)
    session.execute(lock.with_for_update(key_share=True)).one()
    if len(listed(session, merchant_id)) >= MOST_LIVE:
        raise Conflict("too_many_hooks", Text(f"最多 {MOST_LIVE} 个推送地址", f"At most {MOST_LIVE} hooks"))
    made = MerchantHook(merchant_id=merchant_id, url=url, events=sorted(set(events)), secret=b"-")
    session.add(made)
    session.flush()
    # what is sealed is bound to its row, whose number is known only now
    made.secret = _new_secret(vault, made.hook_id)
    session.flush()
    session.refresh(made)
    after = {"url": url, "events": made.events}
    audit.record(session, actor, "hook.added", f"hook:{made.hook_id}", None, after)
    return made


def listed(session: Session, merchant_id: int) -> list[MerchantHook]:
    """A merchant's hooks that have not ended, oldest first."""
    asked = select(MerchantHook).where(
        MerchantHook.merchant_id == merchant_id, MerchantHook.ended_at.is_(None)
    )
    return list(session.execute(asked.order_by(MerchantHook.hook_id)).scalars())


def hook_of(session: Session, merchant_id: int, hook_id: int, *, lock: bool = False) -> MerchantHook:
    """One of a merchant's hooks. Raises NotFound, the same for another merchant's, an ended and an unknown one."""
    asked = select(MerchantHook).where(
        MerchantHook.hook_id == hook_id,
        MerchantHook.merchant_id == merchant_id,
        MerchantHook.ended_at.is_(None),
    )
    if lock:
        asked = asked.with_for_update()
    found = session.execute(asked.execution_options(populate_existing=lock)).scalar_one_or_none()
    if found is None:
        raise unknown()
    return found


def unknown() -> NotFound:
    """The one answer to a hook that is not this merchant's, whatever it is."""
    return NotFound("hook_unknown", Text("没有此推送地址", "There is no such hook"))


def secret_of(vault: Vault, hook: MerchantHook) -> str:
    """The secret as its owner sets it in the receiving system: `whsec_` and base64."""
    return PREFIX + base64.b64encode(_opened(vault, hook.hook_id, hook.secret)).decode()


def signing_secrets(
    vault: Vault, hook_id: int, secret: bytes, old: bytes | None, old_until: datetime | None, now: datetime
) -> list[bytes]:
    """The secrets that sign at a moment, the newest first: one, or two during a rotation."""
    found = [_opened(vault, hook_id, secret)]
    if old is not None and old_until is not None and old_until > now:
        found.append(_opened(vault, hook_id, old))
    return found


def rotate(
    session: Session, vault: Vault, merchant_id: int, hook_id: int, now: datetime, actor: str
) -> MerchantHook:
    """Bring in a new secret; the old one signs beside it for OVERLAP.

    Raises NotFound, and Conflict while the last rotation runs.
    """
    hook = hook_of(session, merchant_id, hook_id, lock=True)
    if hook.old_until is not None and hook.old_until > now:
        detail = Text("上一次更换尚未结束", "The last rotation has not ended yet")
        raise Conflict("rotation_running", detail)
    hook.old_secret, hook.old_until = hook.secret, now + OVERLAP
    hook.secret = _new_secret(vault, hook_id)
    audit.record(session, actor, "hook.rotated", f"hook:{hook_id}")
    session.flush()
    return hook


def end(session: Session, merchant_id: int, hook_id: int, now: datetime, actor: str) -> None:
    """Tell it nothing from now on, what waits included. Raises NotFound."""
    hook = hook_of(session, merchant_id, hook_id, lock=True)
    hook.ended_at = now
    audit.record(session, actor, "hook.ended", f"hook:{hook_id}")
    session.flush()
    session.execute(_GIVE_UP, {"hook": hook_id, "now": now, "why": "hook_ended"})


def disable(session: Session, hook_id: int, why: str, now: datetime) -> None:
    """Stop telling an address that is gone, what waits included; its owner sees why."""
    session.execute(
        update(MerchantHook)
        .where(MerchantHook.hook_id == hook_id, MerchantHook.disabled_at.is_(None))
        .values(disabled_at=now, why=why)
        .execution_options(synchronize_session=False)
    )
    session.execute(_GIVE_UP, {"hook": hook_id, "now": now, "why": why})


def test(session: Session, merchant_id: int, hook_id: int) -> HookDelivery:
    """Have a hook told that this is a test. Raises NotFound, and Conflict when it is disabled or a test waits already."""
    hook = hook_of(session, merchant_id, hook_id, lock=True)
    if hook.disabled_at is not None:
        raise Conflict("hook_disabled", Text("该推送地址已停用", "The hook is disabled"))
    waiting = select(func.count()).where(
        HookDelivery.hook_id == hook_id, HookDelivery.event == TEST, HookDelivery.state == "waiting"
    )
    if session.execute(waiting).scalar_one():
        raise Conflict("test_waiting", Text("上一次测试尚未完成", "The last test has not been taken yet"))
    values = {"hook_id": hook_id, "event": TEST, "cause": str(uuid4()), "payload": {"hook": str(hook_id)}}
    return session.execute(insert(HookDelivery).values(**values).returning(HookDelivery)).scalar_one()


def deliveries(
    session: Session, merchant_id: int, hook_id: int, before: UUID | None, most: int
) -> list[HookDelivery]:
    """What a hook was told, newest first, from before a delivery on. Raises NotFound."""
    hook_of(session, merchant_id, hook_id)
    asked = select(HookDelivery).where(HookDelivery.hook_id == hook_id)
    if before is not None:
        asked = asked.where(HookDelivery.delivery_id < before)
    return list(session.execute(asked.order_by(HookDelivery.delivery_id.desc()).limit(most)).scalars())


def _new_secret(vault: Vault, hook_id: int) -> bytes:
    return vault.seal("hook", secrets.token_bytes(SECRET_BYTES), _place(hook_id))


def _opened(vault: Vault, hook_id: int, sealed: bytes) -> bytes:
    return vault.unseal("hook", sealed, _place(hook_id))


def _place(hook_id: int) -> str:
    """One place for both columns: an old secret is a secret that was moved, and of the same row."""
    return f"merchant_hook|secret|{hook_id}"
