"""`flask` commands: the operator's door. Each opens its transaction, calls a service, says what happened."""

from pathlib import Path
from typing import Final

from flask import Flask
from flask_migrate import Migrate

from carbon_credits.cli.later import LaterGroup
from carbon_credits.core.db import database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# where each command is; what is below a group stands beside that group
PLACES: Final = {
    "approvals": "policy:approvals_group",
    "bench": "bench:command",
    "campaigns": "campaigns:group",
    "cases": "cases:group",
    "config": "running:config",
    "credits": "ledger:credits",
    "demo": "demo:group",
    "evaluation": "indicators:evaluation_group",
    "factors": "factors:factors",
    "fundings": "fundings:group",
    "funds": "policy:funds",
    "groups": "groups:group",
    "incentives": "incentives:group",
    "inbox": "fundings:inbox_group",
    "indicators": "indicators:group",
    "keys": "running:keys",
    "ledger": "ledger:ledger",
    "merchants": "merchants:group",
    "methodologies": "running:methodologies",
    "offers": "offers:offers",
    "partners": "partners:group",
    "proceeds": "proceeds:group",
    "programme": "policy:programme",
    "purses": "offers:purse_group",
    "reconciliation": "reconciliation:group",
    "recycling": "recycling:group",
    "reviews": "reviews:group",
    "scheduler": "running:scheduler",
    "settlements": "settlements:group",
    "staff": "staff:group",
    "trips": "trips:group",
    "worker": "running:worker",
}


def register(app: Flask) -> None:
    """Give an application its commands; `flask db` is Flask-Migrate's."""
    Migrate(app, database, directory=str(MIGRATIONS))
    given = app.cli.commands
    app.cli = LaterGroup(app.name, places=PLACES)
    app.cli.commands.update(given)
