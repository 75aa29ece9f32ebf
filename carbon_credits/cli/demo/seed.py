"""What the demonstration starts with. Harmless to repeat: what is there stays."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import pyotp
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.cli import people
from carbon_credits.cli.demo import colleagues, rules, shops
from carbon_credits.cli.demo.partners import FEEDS as OWN_FEEDS
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.signing import ensure_keys
from carbon_credits.crediting.releases import publish
from carbon_credits.jobs.surroundings import settings
from carbon_credits.partners import clients, service
from carbon_credits.partners.contract import Feed
from carbon_credits.partners.models import Partner, PartnerClient
from carbon_credits.residents import consents
from carbon_credits.residents.service import Street
from carbon_credits.staff import second_factor

RESIDENTS: Final = 10
FEEDS: Final = "CARBON_FEEDS"
Credentials = dict[str, dict[str, Any]]


def require_demo() -> None:
    """Raises UsageError outside demonstration mode."""
    if not settings().is_demo:
        raise click.UsageError("仅限演示模式 / only in demonstration mode (CARBON_MODE=demo)")


def feeds() -> list[Feed]:
    """The programme's feeds and those of the demonstration alone."""
    return [*current_app.config[FEEDS], *OWN_FEEDS]


def subject_of(feed: str, number: int) -> str:
    """What a demonstration partner calls the n-th demonstration resident."""
    return f"{feed}-{number:06}"


def district_file() -> Path:
    """Where the demonstration's accounts are listed."""
    return settings().home / "demo.json"


@click.command()
@plainly
def seed() -> None:
    """Load the demonstration district; once more changes nothing."""
    require_demo()
    vault, now = settings().vault, clock.now()
    with transaction() as session:
        ensure_keys(session, vault)
        publish(session)
        service.install(session, feeds())
        first_of_staff = rules.ensure(session)
        partners = service.partners(session)
        residents = [_resident(session, vault, number, partners, now) for number in range(1, RESIDENTS + 1)]
        known = _known_clients(session)
        credentials = [_client(session, vault, partner, known, now) for partner in partners]
        merchants = shops.ensure(session, vault, _listed("merchants"), now)
        staff = colleagues.ensure(session, vault, [*first_of_staff, *shops.STAFF], _listed("staff"), now)
    _write(
        {
            "residents": residents,
            "merchants": merchants,
            "partners": credentials,
            "staff": staff,
        }
    )
    click.echo(f"演示区已就绪 / the demonstration district is ready: {district_file()}")


@click.command()
@click.argument("name")
@plainly
def code(name: str) -> None:
    """What a member of the demonstration's staff types to sign in: the password, and the code of this half minute."""
    require_demo()
    found = next((each for each in _listed("staff") if each["name"] == name), None)
    if found is None:
        known = ", ".join(each["name"] for each in _listed("staff"))
        raise click.UsageError(f"没有此人 / nobody of this name; {known}")
    now = clock.now()
    left = second_factor.STEP_S - int(now.timestamp()) % second_factor.STEP_S
    click.echo(f"密码 / password: {found['password']}")
    click.echo(f"验证码 / code: {pyotp.TOTP(found['totp_secret']).at(now)}  ({left} s)")


def furnish(
    session: Session,
    vault: Vault,
    number: int,
    street: Street,
    partners: Iterable[Partner],
    now: datetime,
) -> int:
    """The n-th demonstration resident, with an account at every partner and the consent to traces; repeatable."""
    resident_id = people.settle_in(session, vault, people.phone(number), street, now)
    consents.give(session, resident_id, consents.Purpose.LOCATION_TRACES, None, now)
    for partner in partners:
        account = people.Account(partner.partner_id, partner.code, subject_of(partner.code, number))
        people.hold(session, vault, resident_id, account, now)
    return resident_id


def _resident(
    session: Session, vault: Vault, number: int, partners: Iterable[Partner], now: datetime
) -> dict[str, str]:
    street = people.STREETS[number % len(people.STREETS)]
    furnish(session, vault, number, street, partners, now)
    return {"phone": people.phone(number), "street": street.value}


def credentials() -> list[dict[str, Any]]:
    """The partners' clients as the district's file lists them; none before there is one."""
    return _listed("partners")


def merchants() -> list[dict[str, Any]]:
    """The merchants as the district's file lists them, each with a client; none before there is one."""
    return _listed("merchants")


def _listed(name: str) -> list[dict[str, Any]]:
    try:
        listed: list[dict[str, Any]] = json.loads(district_file().read_text())[name]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return listed


def _known_clients(session: Session) -> Credentials:
    """The clients of the file that are still live; a secret cannot be read back from the database."""
    told = credentials()
    live = set(session.scalars(select(PartnerClient.client_id).where(PartnerClient.ended_at.is_(None))))
    return {client["partner"]: client for client in told if client["client_id"] in live}


def _client(
    session: Session, vault: Vault, partner: Partner, known: Credentials, now: datetime
) -> dict[str, Any]:
    if partner.code in known:
        return known[partner.code]
    mine = (PartnerClient.partner_id == partner.partner_id, PartnerClient.ended_at.is_(None))
    for lost in session.scalars(select(PartnerClient.client_id).where(*mine)).all():
        clients.end_client(session, lost, now)
    made = clients.add_client(session, vault, partner.partner_id, now)
    return {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "partner": partner.code,
        "feeds": [feed.code for feed in feeds() if feed.partner == partner.code],
    }


def _write(district: Mapping[str, Any]) -> None:
    """Whole or not at all, and for its owner alone: it holds secrets."""
    path = district_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(district, file, ensure_ascii=False, indent=2)
        file.write("\n")
    part.replace(path)
