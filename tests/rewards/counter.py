"""A counter at a merchant's: somebody with points on one side, a till on the other."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import ProgrammeError
from carbon_credits.core.signing import Keyring
from carbon_credits.rewards import redemptions, reversals
from carbon_credits.rewards.captures import Capture, capture
from carbon_credits.rewards.looking import Till
from carbon_credits.rewards.redemptions import Redemption
from tests.factories.redemptions import an_offer
from tests.ledger.books import pockets
from tests.ledger.conftest import Door


@dataclass
class Counter:
    """One merchant, one till with a manager at it, and a resident with two hundred points."""

    door: Door
    vault: Vault
    keyring: Keyring
    merchant_id: int
    till: Till
    resident_id: int
    owner_url: str

    def offer(self, **changes: object) -> int:
        with self.door() as session:
            return an_offer(session, self.merchant_id, **changes)

    def reserve(self, offer_id: int, **how: object) -> Redemption:
        with self.door() as session:
            return redemptions.reserve(
                session,
                self.vault,
                self.resident_id,
                offer_id,
                clock.now(),
                **how,  # type: ignore[arg-type]
            )

    def take(
        self, code: str, till: Till | None = None, now: datetime | None = None, **how: object
    ) -> Capture:
        with self.door() as session:
            return capture(
                session,
                self.vault,
                self.keyring,
                till or self.till,
                code,
                now or clock.now(),
                **how,  # type: ignore[arg-type]
            )

    def cancel(self, redemption_id: UUID) -> Redemption:
        with self.door() as session:
            return redemptions.cancel(session, self.resident_id, redemption_id, clock.today())

    def undo(self, capture_id: UUID, till: Till | None = None) -> Capture:
        with self.door() as session:
            return reversals.reverse(session, till or self.till, capture_id, "wrong cup")

    def say(self, statement: str, **given: object) -> None:
        with self.door() as session:
            session.execute(text(statement), given)

    def left(self, offer_id: int) -> int:
        with self.door() as session:
            stock = text("select sum(left_n) from offer_stock where offer_id = :offer")
            return int(session.execute(stock, {"offer": offer_id}).scalar_one())

    def pockets(self) -> tuple[int, int, int, int]:
        return pockets(self.door, self.resident_id)


def refused(what: str) -> "pytest.RaisesExc[ProgrammeError]":
    """Refused with this code."""
    return pytest.RaisesExc(ProgrammeError, check=lambda error: error.code == what)


def time_passes(counter: Counter, made: Redemption) -> None:
    """The owner's hand moves its ends into the past; the application may not."""
    with psycopg.connect(counter.owner_url.replace("+psycopg", "")) as owner:
        for table, key in (("hold", "hold_id"), ("redemption", "redemption_id")):
            owner.execute(
                f"update {table} set expires_at = clock_timestamp() - interval '1 second' where {key} = %s",
                (made.id,),
            )
