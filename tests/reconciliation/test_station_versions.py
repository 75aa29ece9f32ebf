"""A later version of a recycler's file takes the place of the earlier one in the balance."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from carbon_credits.activities.delivered import Ground, advance
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.partners import arrivals, keys, progress, service
from carbon_credits.partners.arrivals import Arriving
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register
from carbon_credits.reconciliation import bags
from carbon_credits.reconciliation.bags import Bag
from tests.factories.partner_files import NOW, Sender
from tests.factories.recycling import FEED, Row, a_bag, an_emptying, as_csv

DAWN = datetime(2026, 11, 19, 20, 0, tzinfo=UTC)


def judged(session: Session) -> list[Bag]:
    """Bags that were judged, the watermark being believed."""
    bags.fill(session, NOW, NOW - timedelta(days=60), NOW)
    found = [bag for bag in bags.bags(session) if bag.state != "first"]
    session.rollback()
    return found


def test_a_version_corrects_a_ticket_and_takes_back_a_deposit_and_a_weighing(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    service.install(session, [FEED])
    partner = service.partner_by_code(session, FEED.partner)
    source_id = service.source_by_feed(session, FEED.code).source_id
    sender = Sender(FEED.partner, FEED.code)
    keys.add_key(session, partner.partner_id, sender.public_key, NOW)
    session.commit()
    inbox = Inbox(tmp_path)
    ground = Ground(vault, inbox, FEED, lambda _: None, in_transaction, lambda: NOW)

    def deliver(rows: list[Row], version: int, replaces: str | None) -> str:
        sent = sender.send(as_csv(rows), 1, version, replaces_sha256=replaces)
        stored = inbox.store([sent.file])
        signature = read_signature(sent.signature)
        came = Arriving(partner.partner_id, "door", read_manifest(sent.manifest), signature, stored)
        in_transaction(lambda s: arrivals.arrive(s, inbox, Register([FEED]), came, NOW))
        stored.discard()
        row = in_transaction(lambda s: progress.next_file(s, source_id))
        assert row is not None
        assert advance(ground, row) == "applied"
        return str(sent.told["sha256"])

    bag = a_bag("B1", 1, DAWN, ["6", "4", "2"], "12")
    ticket = bag[-1]
    stray = Row("T-stray", "B1", ticket.at - timedelta(hours=10), "5", "过磅")
    first = deliver([an_emptying("B1", DAWN), *bag, stray], 1, None)
    assert [(each.state, each.net_g) for each in judged(session)] == [("out", 5_000), ("out", 12_000)]
    right = Row(ticket.number, "B1", ticket.at, "10", "过磅")
    second = deliver([an_emptying("B1", DAWN), *bag[:2], right], 2, first)
    assert [(each.state, each.deposited_g, each.net_g) for each in judged(session)] == [
        ("balanced", 10_000, 10_000)
    ]
    # told again by a third version, it counts again
    deliver([an_emptying("B1", DAWN), *bag[:3], right, stray], 3, second)
    assert [each.net_g for each in judged(session)] == [5_000, 10_000]
