"""What may be put before a second person, in words: one table, kind → how it is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from admin.proposals import campaigns, colleagues, money, people, plan, rules, terms
from admin.proposals.shape import Renderer, Told, as_table
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.proposals import Proposal

__all__ = ("KINDS", "as_table", "tell", "title_of")

KINDS: Final[Mapping[str, tuple[Text, Renderer]]] = {
    "programme.rate": (Text("积分费率", "Earning rate"), rules.rate),
    "programme.cap": (Text("上限", "Cap"), rules.cap),
    "campaign": (Text("活动", "Campaign"), campaigns.campaign),
    "credits.restate": (Text("减排量重述", "Restatement"), rules.restatement),
    "groups.criterion": (Text("创建条件", "Criterion of a drive"), rules.criterion),
    "groups.award": (Text("授牌名单", "Award list"), rules.award),
    "incentive.programme": (Text("金融激励方案", "Incentive"), terms.incentive),
    "fund.deposit": (Text("资金池充值", "Deposit"), money.deposit),
    "settlement.pay": (Text("结算付款", "Settlement"), money.settlement),
    "settlement.take_back": (Text("追回付款", "Money asked back"), money.take_back),
    "funding.ask": (Text("赞助款", "Sponsor's payment"), money.funding),
    "funding.refund": (Text("赞助退款", "Refund to a sponsor"), money.refund),
    "point.value": (Text("积分价值", "Value of a point"), money.value),
    "purse.pay_in": (Text("补贴资金入账", "Payment into a purse"), money.pay_in),
    "money.retag": (Text("资金标签更改", "What money is"), plan.retag),
    "indicator.official": (Text("官方数值", "Official value"), plan.official),
    "evaluation.finalise": (Text("年度评估定稿", "Evaluation made final"), plan.final),
    "recycling.purchases": (Text("回收销售凭证", "Recycler's documents"), money.purchases),
    "period.close": (Text("对账关账", "Closing of a month"), money.closing),
    "merchant.admit": (Text("商户准入", "Admission of a merchant"), people.admission),
    "merchant.resume": (Text("商户恢复", "Resumption of a merchant"), people.resumption),
    "merchant.account": (Text("收款账户变更", "Change of account"), people.account),
    "offer.approve": (Text("权益上架", "Offer"), people.offer),
    "staff.admit": (Text("新成员", "Somebody taken in"), colleagues.admission),
    "staff.change": (Text("变更角色或辖区", "Other roles or streets"), colleagues.change),
    "staff.reset": (Text("重置登录方式", "Reset of a sign-in"), colleagues.reset),
    "clawback.fraud": (Text("作弊收回", "Fraud"), people.fraud),
}


def title_of(kind: str) -> Text:
    """What a kind of proposal is called; one that is not in the table, by its code."""
    return KINDS[kind][0] if kind in KINDS else Text(kind, kind)


def tell(session: Session, proposal: Proposal) -> Told:
    """A proposal in words; one without words of its own, or older than its words, line by line.

    What holds now stands beside what waits; beside what is decided it would be what was decided.
    """
    plain = Told(title_of(proposal.kind), as_table(proposal.payload))
    if proposal.kind not in KINDS:
        return plain
    try:
        told = KINDS[proposal.kind][1](session, proposal.payload)
    except (KeyError, TypeError, ValueError, NotFound):
        # what was proposed under other rules, or about a thing that is gone, is still shown whole
        return plain
    if proposal.state == "proposed":
        return told
    lines = [replace(line, before=None) for line in told.lines if not line.is_of_now]
    return replace(told, lines=lines)
