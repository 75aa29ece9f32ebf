"""Proposals of money in words: what is paid to whom, for what, and what stands behind it now."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from admin.proposals.plan import tag_lines
from admin.proposals.shape import Line, Table, Told, Value, points, yuan
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import fund_list
from carbon_credits.reporting.numbers import grouped
from carbon_credits.rewards import fundings, point_value, purses, settlement_runs


def deposit(session: Session, payload: Mapping[str, Any]) -> Told:
    """Points bought for a fund."""
    fund = fund_list.fund(session, payload["fund_id"])
    bought, fen = payload["points"], payload["amount_fen"]
    return Told(
        Text(f"为资金池“{fund.name_zh}”购入积分", f"Buy points for the fund “{fund.name_en}”"),
        (
            Line(Text("购入积分", "Points bought"), points(bought)),
            Line(Text("金额", "Amount"), yuan(fen)),
            Line(Text("每千积分", "A thousand points cost"), yuan(fen * 1_000 // bought)),
            *tag_lines(payload),
            Line(Text("预算", "Budget"), points(fund.budget + bought), points(fund.budget), is_of_now=True),
        ),
        page=("funds.one", {"fund": fund.fund_id}),
    )


def settlement(session: Session, payload: Mapping[str, Any]) -> Told:
    """A day of settlements to be paid."""
    day = date.fromisoformat(payload["day"])
    before = settlement_runs.day_before(session, day)
    run = settlement_runs.run_of(session, day)
    return Told(
        Text(f"支付 {day} 的商户结算单", f"Pay merchants what they are owed for {day}"),
        (
            Line(
                Text("结算单", "Settlements"),
                grouped(payload["settlements"]),
                None if before is None else grouped(before.merchants),
            ),
            Line(
                Text("合计", "In all"),
                yuan(payload["amount_fen"]),
                None if before is None else yuan(before.fen),
            ),
            Line(Text("其中暂缓", "Kept out of it"), str(run.kept_out), is_of_now=True),
        ),
        before=Text("上一结算日", "The day before"),
        page=("settlements.run", {"day": day.isoformat()}),
    )


def take_back(session: Session, payload: Mapping[str, Any]) -> Told:
    """Money that was paid, asked back."""
    paid = settlement_runs.payment(session, payload["payment_id"])
    return Told(
        Text(f"向商户“{paid.name_zh}”追回款项", f"Ask money back of the merchant “{paid.name_en}”"),
        (
            Line(Text("追回", "To come back"), yuan(payload["amount_fen"])),
            Line(Text("原付款", "It was paid"), yuan(paid.amount_fen)),
            Line(Text("结算日", "For the day"), paid.day.isoformat()),
        ),
        page=("settlements.one", {"settlement": paid.settlement_id}),
    )


def funding(session: Session, payload: Mapping[str, Any]) -> Told:
    """A sponsor asked for money."""
    lines = [
        Line(Text("赞助方", "Sponsor"), payload["sponsor"]),
        Line(Text("金额", "Amount"), yuan(payload["amount_fen"])),
        Line(Text("收款方式", "By"), payload["means"]),
    ]
    if payload["fund_id"] is not None:
        fund = fund_list.fund(session, payload["fund_id"])
        lines.append(Line(Text("资金池", "For the fund"), Text(fund.name_zh, fund.name_en)))
        lines.append(Line(Text("购入积分", "Points bought"), points(payload["points"])))
    else:
        purse = purses.purse(session, payload["purse_id"])
        lines.append(Line(Text("补贴资金", "Into the purse"), Text(purse.name_zh, purse.name_en)))
    lines += tag_lines(payload)
    return Told(
        Text(f"请“{payload['sponsor']}”支付赞助款", f"Ask “{payload['sponsor']}” to pay"),
        lines,
        page=("funds.sponsors", {}),
    )


def refund(session: Session, payload: Mapping[str, Any]) -> Told:
    """Unspent money given back to its sponsor."""
    paid = fundings.funding_of(session, payload["funding_id"])
    taken: Value = Text("不涉及积分", "no points") if payload["points"] is None else points(payload["points"])
    return Told(
        Text(f"向“{paid.sponsor}”退款", f"Give money back to “{paid.sponsor}”"),
        (
            Line(Text("退款", "Given back"), yuan(payload["amount_fen"])),
            Line(Text("原赞助款", "It had paid"), yuan(paid.amount_fen)),
            Line(Text("此前已退", "Back already"), yuan(paid.refunded_fen), is_of_now=True),
            Line(Text("收回积分", "Points taken out of the fund"), taken),
        ),
        page=("funds.sponsors", {}),
    )


def value(session: Session, payload: Mapping[str, Any]) -> Told:
    """What a merchant is paid for a point."""
    now = point_value.value_on(session, date.fromisoformat(payload["in_force"]))
    return Told(
        Text("积分价值（商户每积分所得）", "What a merchant is paid for a point"),
        (
            Line(
                Text("每千积分", "A thousand points"),
                _worth(payload["micro_fen"]),
                None if now is None else _worth(now),
            ),
            Line(Text("生效日", "In force from"), payload["in_force"]),
            Line(Text("理由", "Reason"), payload["reason"]),
        ),
        page=("rules.show", {}),
    )


def pay_in(session: Session, payload: Mapping[str, Any]) -> Told:
    """Money that came in for a purse."""
    purse = purses.purse(session, payload["purse_id"])
    return Told(
        Text(f"补贴资金“{purse.name_zh}”入账", f"Book money into the purse “{purse.name_en}”"),
        (
            Line(Text("入账", "Paid in"), yuan(payload["amount_fen"])),
            *tag_lines(payload),
            Line(
                Text("累计入账", "Paid in altogether"),
                yuan(purse.paid_in_fen + payload["amount_fen"]),
                yuan(purse.paid_in_fen),
                is_of_now=True,
            ),
        ),
        page=("funds.show", {}),
    )


def purchases(_: Session, payload: Mapping[str, Any]) -> Told:
    """What a recycler sold on, by documents."""
    lines = payload["lines"]
    return Told(
        Text(
            f"登记 {payload['feed']} 的回收物销售凭证 {len(lines)} 行",
            f"Note {len(lines)} lines of what {payload['feed']} sold on",
        ),
        (Line(Text("合计", "In all"), f"{grouped(sum(line['bought_g'] for line in lines))} g"),),
        table=Table(
            Text("凭证", "Documents"),
            (
                Text("凭证号", "Document"),
                Text("月份", "Month"),
                Text("物料", "Material"),
                Text("克", "Grams"),
                Text("买方", "Buyer"),
            ),
            [
                (
                    line["document_no"],
                    line["month"],
                    line["material"],
                    grouped(line["bought_g"]),
                    line["buyer"],
                )
                for line in lines
            ],
        ),
    )


def closing(_: Session, payload: Mapping[str, Any]) -> Told:
    """A feed's month closed with cases let stand."""
    numbers = ", ".join(f"#{case}" for case in payload["cases"])
    return Told(
        Text(
            f"关账：{payload['feed']} {payload['month']}，保留未结差异",
            f"Close {payload['month']} of {payload['feed']} with open cases let stand",
        ),
        (
            Line(Text("保留的差异", "Cases let stand"), numbers),
            Line(Text("数量", "How many"), str(len(payload["cases"]))),
        ),
    )


def _worth(micro_fen: int) -> str:
    """Micro-fen a point as yuan a thousand points, every digit."""
    whole, rest = divmod(micro_fen * 1_000, 100_000_000)
    places = f"{rest:08}".rstrip("0").ljust(2, "0")
    return f"¥{grouped(whole)}.{places}"
