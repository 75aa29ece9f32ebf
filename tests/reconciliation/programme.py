"""A bike company whose riders are residents with wallets, rates and a fund; what its records have come to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.intake import RowResult, take_in, terms_of
from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.ready import SourceTerms
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import service as partners
from carbon_credits.partners.contract import Feed, Record
from carbon_credits.reconciliation.corrections import withdraw
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.factories.residents import a_bound_resident

NOW = clock.now()
DAY = clock.today() - timedelta(days=3)


@dataclass
class City:
    """One feed, its riders by name, and the hands that tell, decide and look."""

    session: Session
    vault: Vault
    source: SourceTerms
    riders: dict[str, int] = field(default_factory=dict)

    def rider(self, name: str) -> str:
        """A resident with a wallet, known to the partner by this name."""
        number = a_bound_resident(self.session, self.vault, self.source.partner_id, self.source.partner, name)
        open_wallet(self.session, number)
        self.session.commit()
        self.riders[name] = number
        return name

    def tell(self, *records: Record) -> list[RowResult]:
        """The partner tells these, in one transaction."""
        results = take_in(self.session, self.vault, self.source, records, NOW)
        self.session.commit()
        return results

    def take_back(self, record_id: str, version: int) -> int:
        """The partner takes a record back as of a version."""
        moved = withdraw(self.session, self.source.source_id, {record_id: version})
        self.session.commit()
        return moved

    def decide(self, *names: str) -> None:
        """Run the batch where these riders are, or all, until nothing waits."""
        shards = sorted({shard_of(self.riders[name]) for name in names or self.riders})
        # what one shard lets go may be for another to decide, whichever comes first
        while sum(self._batch(shard) for shard in shards):
            pass

    def _batch(self, shard: int) -> int:
        picked = credit_batch(self.session, shard, clock.today()).picked
        self.session.commit()
        return picked

    def wallet(self, name: str) -> tuple[int, int, int]:
        """Points, verified and claimed milligrams of a rider."""
        return tuple(
            self.session.execute(
                text(
                    "select available + pending + held - debt, verified_mg, claimed_mg from wallet where resident_id = :r"
                ),
                {"r": self.riders[name]},
            ).one()
        )

    def acts(self, name: str) -> list[tuple[int, str, tuple[str, ...]]]:
        """Metres, state and reasons of each of a rider's acts, from the newest decision or the work list."""
        found = self.session.execute(
            text("""
                select (a.monitored->>'distance_m')::int as m, coalesce(d.state, 'claimed') as state,
                       coalesce(d.reasons, '{}') as reasons
                from activity a
                left join lateral (select * from decision d where d.activity_id = a.activity_id
                                   and d.resident_id = a.resident_id order by generation desc limit 1) d on true
                where a.resident_id = :r order by 1, 2"""),
            {"r": self.riders[name]},
        )
        return [(row.m, row.state, tuple(row.reasons)) for row in found]

    def queued(self) -> list[tuple[int, int, str | None, tuple[str, ...]]]:
        """Metres, generation, verdict and reasons of what is on the work list."""
        found = self.session.execute(
            text("""select (a.monitored->>'distance_m')::int, q.generation, q.verdict, coalesce(q.reasons, '{}')
                    from activity_queue q join activity a using (resident_id, occurred_on, activity_id) order by 1""")
        )
        return [(row[0], row[1], row[2], tuple(row[3])) for row in found]


def a_city(session: Session, vault: Vault, feed: Feed) -> City:
    """Rates for every class, a full fund, the feed installed."""
    people = two_staff(session)
    fund = a_fund(session, people, 10**9)
    for letter, rate in (("A", "0.001"), ("B", "0.0008"), ("D", "0.0002")):
        a_rate(session, people, fund, letter, rate)
    partners.install(session, [feed])
    session.commit()
    return City(session, vault, terms_of(session, feed.code))


def a_ride(
    number: str = "ride", rider: str = "rider", distance_m: int = 3_000, version: int = 1, **changes: object
) -> Record:
    """A ride of twenty minutes on a bicycle of its own."""
    starts = datetime(DAY.year, DAY.month, DAY.day, 2, tzinfo=UTC)
    told: dict[str, object] = {
        "record_id": number,
        "subject_token": rider,
        "methodology": "travel.shared_bicycle",
        "occurred_from": starts,
        "occurred_to": starts + timedelta(minutes=20),
        "monitored": {"distance_m": distance_m},
        "references": {"vehicle": f"bike-{number}"},
        "version": version,
    }
    return Record(**{**told, **changes})  # type: ignore[arg-type]


def numbers(results: Iterable[RowResult]) -> list[int]:
    """The act numbers of results."""
    return [parse_public_id(result.id)[1] for result in results if result.id is not None]
