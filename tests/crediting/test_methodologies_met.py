"""A batch reads the methodologies that its connection has met; whatever else comes is decided all the same."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.crediting.working_tables import methodologies_met, remember_methodologies
from carbon_credits.ledger.service import open_wallet
from carbon_credits.methodologies.catalogue import BY_CODE
from tests.crediting.conftest import PEOPLE
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.programme import a_fund, a_rate, two_staff

METRO, CYCLING, WALKING = (
    BY_CODE[code][-1].number for code in ("travel.metro", "travel.cycling", "travel.walking")
)


def test_a_methodology_not_met_before_is_decided_on_its_day_also_where_it_only_stands_there(
    session: Session,
) -> None:
    staff = two_staff(session)
    fund = a_fund(session, staff, 10**9)
    for letter in "AD":
        a_rate(session, staff, fund, letter, "0.0002")
    a_partner_source(session)
    person, day = PEOPLE[0], clock.today() - timedelta(days=2)
    open_wallet(session, person)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def tell(code: str, hour: int, metres: int, letter: str) -> None:
        begins = at + timedelta(hours=hour)
        ends = begins + timedelta(minutes=25)
        a_claimed_act(session, person, code, begins, ends, {"distance_m": metres}, evidence_class=letter)

    def credit(*met: int) -> frozenset[int]:
        """Decide what there is where these were met; what was met afterwards."""
        remember_methodologies(session, frozenset(met))
        assert credit_batch(session, shard_of(person), clock.today()).by_state == {"credited": 1}
        now_met = methodologies_met(session)
        session.commit()
        return now_met

    tell("travel.cycling", 1, 5_000, "D")
    assert credit() == {CYCLING}
    # the ride that stands on the day is of a methodology that was not met here
    tell("travel.metro", 3, 9_000, "A")
    assert credit(METRO) == {METRO, CYCLING}
    tell("travel.walking", 5, 1_500, "D")
    assert credit(METRO, CYCLING) == {METRO, CYCLING, WALKING}
    told = session.execute(text("select count(*), count(reasons), min(credited_mg) from decision")).one()
    assert (told[0], told[1]) == (3, 0)
    assert told[2] > 0
