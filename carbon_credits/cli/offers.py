"""Commands for offers: what waits, what two people approve, what ends; what a point is worth; purses that top up."""

from typing import Any, Literal

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tagging import tag_of, tagged
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import merchants, offer_approval, offer_register, point_value, purses
from carbon_credits.rewards import offers as offer_service
from carbon_credits.rewards.offer_list import Wish, to_be_had
from carbon_credits.staff.service import by_name


@click.group()
def offers() -> None:
    """权益 / What points buy."""


@offers.command("list")
@click.option("--waiting", is_flag=True, help="those that merchants have put forward")
@plainly
def list_offers(waiting: bool) -> None:
    """Offers open now, or those that wait for approval, with who pays what of each in fen."""
    with reading() as session:
        if waiting:
            for known in offer_service.waiting(session):
                code = merchants.merchant(session, known.merchant_id).code
                click.echo(f"#{known.offer_id} {code:<24} {known.title_zh} / {known.title_en}")
                click.echo(
                    f"   {known.points:,} points, {known.face_fen} fen, {known.stock} in all, to {known.to_at:%F}"
                )
            return
        for one in to_be_had(session, Wish(), clock.now(), None, 1_000):
            row, value = one.row, one.value
            click.echo(f"#{row.offer_id} {row.merchant_code:<24} {row.title_zh} / {row.title_en}")
            click.echo(
                f"   {row.points:,} points, {row.left_n} left; {row.face_fen} fen: points {value.points_fen}, "
                f"programme {value.subsidy_fen}, sponsor {value.sponsor_fen}, merchant {value.merchant_fen}"
            )


@offers.command("propose-approval")
@click.argument("offer", type=int)
@click.option("--subsidy-fen", type=int, default=0, show_default=True, help="on top of the points, for each")
@click.option("--purse", help="whose money; its whole need is reserved")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_approval(offer: int, subsidy_fen: int, purse: str | None, reason: str, name: str) -> None:
    """Propose to put an offer up as it stands; a second person approves (role merchant)."""
    with reading() as session:
        payload = offer_approval.proposal(session, offer, subsidy_fen, purse)
    put_before(offer_approval.APPROVE, payload, reason, name)


@offers.command("refuse")
@click.argument("offer", type=int)
@click.option("--reason", required=True, help="the merchant reads it")
@click.option("--as", "name", required=True)
@plainly
def refuse(offer: int, reason: str, name: str) -> None:
    """Say no to what a merchant put forward (role merchant)."""
    _stop(offer, "refuse", reason, name)


@offers.command("end")
@click.argument("offer", type=int)
@click.option("--reason", required=True, help="the merchant reads it")
@click.option("--as", "name", required=True)
@plainly
def end(offer: int, reason: str, name: str) -> None:
    """End an offer for good; what is out is honoured (role merchant)."""
    _stop(offer, "end", reason, name)


@offers.command("point-value")
@plainly
def show_value() -> None:
    """What a point is and was worth to merchants, in millionths of a fen."""
    with reading() as session:
        for value in point_value.values(session):
            click.echo(f"{value.in_force} …  {value.micro_fen:>12,} micro-fen  {value.reason}")


@offers.command("propose-point-value")
@click.option("--micro-fen", type=int, required=True, help="millionths of a fen")
@click.option("--from", "in_force", required=True, help="first day, such as 2027-01-31")
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_value(micro_fen: int, in_force: str, reason: str, name: str) -> None:
    """Propose what merchants are paid for a point; offers approved before keep their own (role finance)."""
    payload = {"micro_fen": micro_fen, "in_force": in_force, "reason": reason}
    put_before(point_value.SET, payload, reason, name)


@click.group("purses")
def purse_group() -> None:
    """补贴资金 / Money that tops offers up."""


@purse_group.command("create")
@click.argument("code")
@click.option("--kind", required=True, type=click.Choice(["programme", "sponsor"]))
@click.option("--zh", required=True)
@click.option("--en", required=True)
@plainly
def create_purse(code: str, kind: purses.Kind, zh: str, en: str) -> None:
    """Create a purse without money."""
    with transaction() as session:
        purses.create(session, code, kind, Text(zh, en))
        audit.record(session, "operator", "purse.created", f"purse:{code}", None, {"kind": kind})
    click.echo(f"已创建 / created: {code}")


@purse_group.command("show")
@plainly
def show_purses() -> None:
    """Each purse: paid in, and of that reserved, spent, refunded, free; in fen."""
    with reading() as session:
        for row in purses.purses(session):
            free = row.paid_in_fen - row.reserved_fen - row.spent_fen - row.refunded_fen
            click.echo(f"{row.code:<20} {row.kind:<10} {row.name_zh} / {row.name_en}")
            click.echo(
                f"  in {row.paid_in_fen:,}  reserved {row.reserved_fen:,}  spent {row.spent_fen:,}"
                f"  refunded {row.refunded_fen:,}  free {free:,}"
            )


@purse_group.command("propose-pay-in")
@click.argument("code")
@click.option("--amount-fen", type=int, required=True)
@tagged
@click.option("--reason", required=True)
@click.option("--as", "name", required=True)
@plainly
def propose_pay_in(code: str, reason: str, name: str, **given: Any) -> None:
    """Propose to book money that came in for a purse; a second person approves (role finance)."""
    with reading() as session:
        purse_id = purses.by_code(session, code).purse_id
    put_before(purses.PAY_IN, {"purse_id": purse_id, **tag_of(given)}, reason, name)


def _stop(offer: int, step: Literal["refuse", "end"], reason: str, name: str) -> None:
    with transaction() as session:
        state = offer_register.stop(session, offer, step, reason, by_name(session, name).staff_id).state
    click.echo(f"#{offer}: {state}")
