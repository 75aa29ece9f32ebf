"""What money that came in is: a green loan, a green bond, a special fund, or one's own, by instrument and document.

A tag comes with the money, in the payload that two people agree on; another is a row of its own, with a reason and two
people behind it. Money is known by the approval it came in under.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Date, DateTime, Identity, SmallInteger, Text, func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core import audit, i18n
from carbon_credits.core.db import Model
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound

RETAG: Final = "money.retag"
KINDS: Final[Mapping[str, i18n.Text]] = {
    "green_credit": i18n.Text("绿色信贷", "Green credit"),
    "green_bond": i18n.Text("绿色债券", "Green bond"),
    "special_fund": i18n.Text("专项资金", "Special fund"),
    "own": i18n.Text("自有资金", "Own money"),
}
MATURING: Final = frozenset({"green_credit", "green_bond"})
NAMES: Final = frozenset({"kind", "instrument", "issuer", "matures_on", "document"})
# what brings money in; the approval of one of these is what a tag is of
MONEY: Final = ("fund.deposit", "funding.ask", "purse.pay_in")
_MOST: Final = {"instrument": 120, "issuer": 120, "document": 200}


class MoneyTag(Model):
    """What money is, by the approval it came in under; the highest version counts. Never changed."""

    __tablename__ = "money_tag"

    tag_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    money_approval: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    instrument: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text)
    matures_on: Mapped[date | None] = mapped_column(Date)
    document: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    approval_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


def faults(payload: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Every fault of the tag in a payload that brings money in; a payload without one has none."""
    if payload.get("tag") is not None:
        yield from _faults(payload["tag"])


def record(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Write down the tag that money came with, under the approval it came in under; nothing where it has none."""
    if payload.get("tag") is not None:
        _write(session, approval_id, approval_id, payload["tag"], None)


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of a proposed change: `{money_approval, tag, reason}`."""
    found = []
    if set(payload) != {"money_approval", "tag", "reason"}:
        found.append(
            FieldFault("", "wrong_form", i18n.Text("字段不符", "its fields are money_approval, tag, reason"))
        )
    else:
        if type(payload["money_approval"]) is not int:
            said = i18n.Text("应为资金的审批号", "the number of the approval that the money came in under")
            found.append(FieldFault("/money_approval", "not_a_number", said))
        if not _is_text(payload["reason"], 500):
            found.append(
                FieldFault("/reason", "wrong_length", i18n.Text("应为 1–500 个字", "1 to 500 characters"))
            )
        found += _faults(payload["tag"])
    if found:
        raise Invalid("wrong_proposal", i18n.Text("提案有误", "The proposal is wrong"), faults=tuple(found))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Put another tag on money that came in. Raises NotFound for no such money, Conflict where it says the same."""
    known = session.execute(
        text(
            "select 1 from approval where approval_id = :money and kind = any(:kinds) and state = 'approved' for share"
        ),
        {"money": payload["money_approval"], "kinds": list(MONEY)},
    ).scalar()
    if known is None:
        raise NotFound("money_unknown", i18n.Text("没有此笔资金", "No money came in under that approval"))
    before = newest(session).get(payload["money_approval"])
    if before is not None and told(before) == payload["tag"]:
        raise Conflict("tag_unchanged", i18n.Text("标签没有变化", "The tag says the same"))
    _write(session, payload["money_approval"], approval_id, payload["tag"], payload["reason"])


def newest(session: Session) -> dict[int, MoneyTag]:
    """The tag that counts of all money that has one, by the approval it came in under."""
    asked = (
        select(MoneyTag)
        .ext(distinct_on(MoneyTag.money_approval))
        .order_by(MoneyTag.money_approval, MoneyTag.version.desc())
    )
    return {tag.money_approval: tag for tag in session.scalars(asked)}


def history(session: Session, money_approval: int) -> Sequence[MoneyTag]:
    """Every tag some money ever had, the newest first."""
    asked = (
        select(MoneyTag).where(MoneyTag.money_approval == money_approval).order_by(MoneyTag.version.desc())
    )
    return session.scalars(asked).all()


def told(tag: MoneyTag) -> dict[str, Any]:
    """A tag as a payload has it."""
    day = None if tag.matures_on is None else tag.matures_on.isoformat()
    return {**{name: getattr(tag, name) for name in NAMES}, "matures_on": day}


def _write(
    session: Session, money: int, approval_id: int, tag: Mapping[str, Any], reason: str | None
) -> None:
    last = session.execute(
        select(func.max(MoneyTag.version)).where(MoneyTag.money_approval == money)
    ).scalar()
    day = tag["matures_on"]
    row = {
        **tag,
        "matures_on": None if day is None else date.fromisoformat(day),
        "money_approval": money,
        "version": (last or 0) + 1,
        "reason": reason,
        "approval_id": approval_id,
    }
    session.execute(insert(MoneyTag).values(row))
    audit.record(session, f"approval:{approval_id}", "money.tagged", f"money:{money}", None, dict(tag))


def _faults(tag: Any) -> Iterator[FieldFault]:
    if not isinstance(tag, Mapping) or set(tag) != NAMES:
        said = i18n.Text("标签字段不符", f"its fields are {', '.join(sorted(NAMES))}")
        yield FieldFault("/tag", "wrong_form", said)
        return
    if tag["kind"] not in KINDS:
        yield FieldFault("/tag/kind", "not_a_kind", i18n.Text("没有此类资金", f"one of {', '.join(KINDS)}"))
    for name, most in _MOST.items():
        if not _is_text(tag[name], most):
            yield FieldFault(
                f"/tag/{name}", "wrong_length", i18n.Text(f"应为 1–{most} 个字", f"1 to {most} characters")
            )
    if tag["kind"] in KINDS and not _is_day(tag["matures_on"], needed=tag["kind"] in MATURING):
        said = i18n.Text("信贷和债券须有到期日，其余不填", "a day for a loan or a bond, none for others")
        yield FieldFault("/tag/matures_on", "not_a_day", said)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value.strip()) >= 1 and len(value) <= most and value.isprintable()


def _is_day(value: Any, *, needed: bool) -> bool:
    if value is None or not needed:
        return value is None and not needed
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
