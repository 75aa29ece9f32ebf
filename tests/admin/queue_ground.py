"""Acts that wait for a person, made as they come about: by the phone's call, the look at the trace, and the batch."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import text

from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.check import check
from carbon_credits.ledger.service import open_wallet
from tests.api.conftest import Caller, sign_in
from tests.api.credited import decide, look
from tests.api.test_traces import a_traced_ride, agree
from tests.factories.acts import a_claimed_act
from tests.factories.residents import a_resident


def a_doubtful_ride(
    app: Flask, vault: Vault, phone: str = "+8613800000001", street: str = ""
) -> tuple[Caller, str]:
    """A ride of which more is told than its trace shows: held for a person by the rules themselves."""
    resident = sign_in(app, vault, phone)
    if street:
        assert resident.call("PATCH", "/v1/me", json={"street": street}).status_code == 200
    agree(resident)
    told = resident.claim(a_traced_ride(monitored={"distance_m": 3_900})).get_json()
    look(app)
    decide(app, resident)
    assert resident.get(f"/v1/activities/{told['id']}").get_json()["status"] == "held"
    return resident, told["id"]


def held_for(app: Flask, vault: Vault, reasons: list[str], many: int = 1) -> list[tuple[int, str]]:
    """Deposits of one resident that somebody put on hold for these reasons: (resident, public name)."""
    with app.app_context(), transaction() as session:
        resident = a_resident(session, vault)
        open_wallet(session, resident)
        at = clock.now().replace(microsecond=0) - timedelta(days=1)
        made = [
            a_claimed_act(
                session,
                resident,
                "recycling.paper",
                at,
                at,
                {"mass_g": 900 + n, "contamination_ppm": 0},
                number=n,
            )
            for n in range(many)
        ]
        day = clock.day_of(at)
        acts = [ActRef(resident, day, number) for number in made if number is not None]
        put_back(session, acts, "held", reasons)
        credit_batch(session, shard_of(resident), clock.today())
    return [(resident, f"{day:%Y%m%d}-{act.activity_id}") for act in acts]


def decided(app: Flask, resident: int) -> dict[str, tuple[str, list[str]]]:
    """The newest decision on each act of a resident, when the batch has run: state and reasons by public name."""
    with app.app_context(), transaction() as session:
        credit_batch(session, shard_of(resident), clock.today())
        rows = session.execute(
            text("""select distinct on (activity_id) to_char(occurred_on, 'YYYYMMDD') || '-' || activity_id as name,
                      state, reasons from decision where resident_id = :resident
                    order by activity_id, generation desc"""),
            {"resident": resident},
        ).all()
    return {row.name: (row.state, list(row.reasons or ())) for row in rows}


def deeds(app: Flask, action: str) -> list[Any]:
    """What the audit has of an action, the oldest first."""
    with app.app_context(), transaction() as session:
        return list(
            session.execute(
                text(
                    "select actor, subject, after, reason from audit_entry where action = :action order by audit_id"
                ),
                {"action": action},
            ).all()
        )


def balanced(app: Flask) -> None:
    """The books of the ledger hold."""
    with app.app_context(), transaction() as session:
        assert [found.name for found in check(session) if found.violations] == []
