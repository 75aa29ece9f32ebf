"""The composition: the one file that names both the programme and what stands outside it."""

import sys
from dataclasses import replace

from carbon_credits.core.lasting import lasting

with lasting():
    import click
    from flask import Flask
    from flask.cli import FlaskGroup

    import admin
    from carbon_credits import app
    from carbon_credits.config import Settings, WrongSettings, read_settings
    from carbon_credits.core.messages import TextMessages
    from carbon_credits.jobs.settlement import about_bank, between_bank
    from carbon_credits.local.application import adopt_running
    from carbon_credits.rewards.payment_contract import Ways
    from integrations import PROVIDERS
    from integrations.bank_file import BankFile, BankTable
    from integrations.sms_gateway import SmsGateway
    from integrations.sms_outbox import SmsOutbox


def create_app() -> Flask:
    """The application for this environment; where the settings are wrong, says how and exits with 2.

    Beside `make run` a command needs no environment: it speaks to what runs here.
    """
    adopt_running()
    try:
        settings = read_settings()
    except WrongSettings as wrong:
        print(wrong, file=sys.stderr)
        raise SystemExit(2) from None
    with lasting():
        return app.create_app(
            settings,
            PROVIDERS,
            _text_messages,
            _ways_of_paying,
            admin.install,
            doors=not _is_looked_through(),
        )


def _is_looked_through() -> bool:
    """Whether `flask` is only looking for one of our commands here. Whoever serves or lists routes comes otherwise."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def _text_messages(settings: Settings) -> TextMessages:
    """A file in the demonstration, a gateway otherwise."""
    if settings.is_demo:
        return SmsOutbox(settings.home / "outbox" / "sms.jsonl")
    return SmsGateway(settings.sms_url)


def _ways_of_paying(settings: Settings) -> Ways:
    """A file for the bank, which needs nobody's leave, and Stripe where there is a key for it."""
    ways = Ways(rails={"bank": BankFile(about_bank, between_bank)}, bank=BankTable())
    if not settings.stripe_key:
        return ways
    from integrations import stripe_connect  # noqa: PLC0415 - a tenth of a start, for those who pay by it

    stripe = stripe_connect.ways_of(
        settings.stripe_key,
        settings.stripe_webhook_secrets,
        settings.stripe_url or None,
        f"{settings.public_url}/methodologies",
    )
    return replace(
        ways, rails={**ways.rails, **stripe.rails}, collector=stripe.collector, notices=stripe.notices
    )
