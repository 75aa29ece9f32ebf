"""`flask` commands: the operator's door. Each opens its transaction, calls a service, says what happened."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from carbon_credits.cli import (
    bench,
    bounding,
    cases,
    conformance,
    demo,
    factors,
    fundings,
    impact,
    ledger,
    merchants,
    offers,
    onboarding,
    partner_files,
    partner_secrets,
    partners,
    policy,
    reconciliation,
    recycling,
    replaying,
    restating,
    reviews,
    running,
    settlements,
    trips,
)
from carbon_credits.core.db import database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def register(app: Flask) -> None:
    """Give an application its commands; `flask db` is Flask-Migrate's."""
    Migrate(app, database, directory=str(MIGRATIONS))
    for command in (
        *running.COMMANDS,
        *policy.COMMANDS,
        *ledger.COMMANDS,
        *factors.COMMANDS,
        partners.group,
        merchants.group,
        fundings.group,
        fundings.inbox_group,
        *offers.COMMANDS,
        trips.group,
        reviews.group,
        cases.group,
        reconciliation.group,
        recycling.group,
        settlements.group,
        demo.group,
        bench.command,
    ):
        app.cli.add_command(command)
    for command in (replaying.command, restating.command, bounding.command):
        ledger.credits.add_command(command)
    for command in (
        partner_files.key_group,
        partner_files.file_group,
        partner_secrets.group,
        conformance.command,
    ):
        partners.group.add_command(command)
    merchants.group.add_command(onboarding.command)
    for command in impact.COMMANDS:
        running.methodologies.add_command(command)
