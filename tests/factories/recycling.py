"""A recycler who sends files of deposits, emptyings and tickets, in either format, through the real parsers."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.files import Delivery, Taken, take_in_file
from carbon_credits.core.crypto import Vault
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import service
from carbon_credits.partners.contract import ParseOptions
from integrations import recycling
from integrations.recycling_rows import COLUMNS
from tests.factories.residents import NOW, a_bound_resident

FEED = recycling.FEED
HEADER = ",".join(COLUMNS)
MATERIAL = {"废纸": "paper", "塑料": "plastics"}
STEPS = {"投放": "collecting", "过磅": "receiving", "清运": "removing"}


@dataclass(frozen=True)
class Row:
    """One thing told of a box: a deposit, an emptying (清运) or a ticket (过磅), in kilograms as text."""

    number: str
    box: str
    at: datetime
    kg: str = ""
    status: str = "投放"
    who: str = ""
    category: str = "废纸"

    def as_csv(self) -> str:
        """A row of the CSV twin."""
        return f"{self.number},{self.box},{self.who},{self.at.isoformat()},{self.category},{self.kg},{self.status},0"

    def as_event(self) -> dict[str, Any]:
        """An EPCIS event; a ticket has its mass as a sensor report, an emptying lists its material."""
        quantity = {"epcClass": f"https://id.cc.example/material/{MATERIAL[self.category]}", "uom": "KGM"}
        event: dict[str, Any] = {
            "type": "AggregationEvent" if self.status == "清运" else "ObjectEvent",
            "eventID": f"urn:uuid:{self.number}-{self.box}",
            "eventTime": self.at.isoformat(),
            "eventTimeZoneOffset": "+00:00",
            "action": "ADD",
            "bizStep": STEPS[self.status],
            "readPoint": {"id": f"https://id.cc.example/box/{self.box}"},
            "cc:subjectToken": self.who,
            "cc:session": self.number,
        }
        if self.status == "清运":
            return event | {"childQuantityList": [quantity | {"quantity": 0}]}
        if self.status == "过磅":
            report = {"type": "Mass", "value": float(self.kg), "uom": "KGM"}
            event |= {"sensorElementList": [{"sensorReport": [report]}]}
        return event | {"quantityList": [quantity | {"quantity": float(self.kg)}]}


def as_csv(rows: Iterable[Row]) -> bytes:
    """A file of the CSV twin."""
    return "\n".join([HEADER, *(row.as_csv() for row in rows), ""]).encode()


def as_epcis(rows: Iterable[Row]) -> bytes:
    """An EPCIS document."""
    body = {"eventList": [row.as_event() for row in rows]}
    return json.dumps({"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": body}).encode()


@dataclass(frozen=True)
class Recycler:
    """The feed, and the customers who are residents."""

    session: Session
    vault: Vault
    residents: tuple[int, ...]

    def tell(self, content: bytes, at: datetime = NOW) -> Taken:
        """Take a file in."""
        delivery = Delivery(FEED, io.BytesIO(content), "boxes", ParseOptions())
        return take_in_file(self.vault, delivery, at)

    def credit(self) -> None:
        """Let the batch decide everything that waits."""
        for shard in sorted({(resident - 1) // 16_384 for resident in self.residents}):
            while credit_batch(self.session, shard, NOW.date()).picked:
                self.session.commit()
            self.session.commit()

    def queued(self) -> list[tuple[str | None, list[str] | None]]:
        """What lies on the work list: verdicts with reasons."""
        rows = self.session.execute(text("select verdict, reasons from activity_queue order by activity_id"))
        return [(row.verdict, row.reasons) for row in rows]

    def states(self) -> list[str]:
        """The newest state of each act, in the order of time."""
        rows = self.session.execute(
            text("""select distinct on (occurred_from, activity_id) state from decision
                    order by occurred_from, activity_id, generation desc""")
        )
        return list(rows.scalars())

    def held(self) -> dict[str, str]:
        """Sessions held, by when their deposit was, and why."""
        rows = self.session.execute(
            text("""select d.at, h.reason from mass_hold h join station_deposit d using (source_id, ext_key)
                    where h.released_at is null order by d.at, d.ext_key""")
        )
        return {row.at.isoformat(): row.reason for row in rows}


def a_recycler(session: Session, vault: Vault, *customers: str) -> Recycler:
    """The recycler's feed with these customers bound to residents who have wallets."""
    service.install(session, (FEED,))
    partner = service.partner_by_code(session, FEED.partner)
    residents = []
    for customer in customers:
        resident = a_bound_resident(session, vault, partner.partner_id, partner.code, customer)
        open_wallet(session, resident)
        residents.append(resident)
    session.commit()
    return Recycler(session, vault, tuple(residents))


def a_bag(
    box: str, number: int, begins: datetime, kilograms: Iterable[str], net_kg: str, who: str = ""
) -> list[Row]:
    """Deposits an hour apart from an hour after the beginning, and the ticket twenty hours after it."""
    rows = [
        Row(f"S-{box}-{number}-{place}", box, begins + timedelta(hours=place), kg, who=who)
        for place, kg in enumerate(kilograms, 1)
    ]
    return [*rows, Row(f"T{number}", box, begins + timedelta(hours=20), net_kg, "过磅")]


def an_emptying(box: str, at: datetime) -> Row:
    """The box is empty from then on."""
    return Row(f"E-{at:%m%d%H}", box, at, status="清运")


def void(row: Row) -> Row:
    """The row taken back."""
    return replace(row, status={"投放": "撤销", "过磅": "过磅撤销"}[row.status])
