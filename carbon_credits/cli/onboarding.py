"""`flask merchants onboard`: a merchant's account at Stripe, and whether it can be paid to."""

import click

from carbon_credits.cli.fundings import needed_collector
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Unavailable
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import onboarding
from carbon_credits.rewards.payment_contract import Refused, Unknown


@click.command("onboard")
@click.argument("code")
@plainly
def command(code: str) -> None:
    """Open a merchant's account at Stripe, or a fresh link to complete it; `propose-account` puts it in force."""
    collector = needed_collector()
    try:
        ready = onboarding.can_be_paid(collector, code)
        if ready:
            click.echo(f"{code}: 账户可收款 / the account can be paid to")
            return
        made = onboarding.onboard(collector, code)
    except Refused as no:
        raise Conflict("account_refused", Text("Stripe 不接受", f"Stripe refused it: {no.code}")) from no
    except Unknown as unknown:
        raise Unavailable(
            "no_answer", Text("Stripe 没有答复，请稍后再试", "Stripe gave no answer")
        ) from unknown
    until = made.expires_at.astimezone(clock.PROGRAMME_ZONE)
    click.echo(f"{code}: {made.reference}\n链接 link: {made.url}\n有效至 good until: {until:%H:%M:%S}")
