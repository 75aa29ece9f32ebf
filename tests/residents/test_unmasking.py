"""A phone in full: for a reason, within one's streets, a hundred times a day and exactly so."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Invalid, NotFound, TooMany
from carbon_credits.residents import service, unmasking
from carbon_credits.residents.service import Street
from carbon_credits.residents.unmasking import Asking
from tests.factories.residents import a_resident
from tests.residents.together import together

PHONE = "+8613800000001"
ANYWHERE = Asking(3, None)


@pytest.fixture
def resident(session: Session, vault: Vault) -> int:
    number = a_resident(session, vault, PHONE)
    service.change_profile(session, number, street=Street.ZUMIAO)
    session.commit()
    return number


def test_nobody_reads_a_phone_without_a_reason_or_in_anothers_street(
    session: Session, vault: Vault, resident: int
) -> None:
    now = clock.now()
    with pytest.raises(Invalid):
        unmasking.show_phone(session, vault, resident, ANYWHERE, "    x   ", now)
    with pytest.raises(NotFound):
        unmasking.show_phone(session, vault, resident, Asking(3, {"shiwan"}), "called us twice", now)
    with pytest.raises(NotFound):
        unmasking.find(session, vault, PHONE, Asking(3, {"shiwan"}))
    assert session.execute(text("select count(*) from audit_entry")).scalar_one() == 0
    mine = Asking(3, {"zumiao"})
    assert unmasking.find(session, vault, "138 0000 0001", mine) == resident
    assert unmasking.show_phone(session, vault, resident, mine, " called us twice ", now) == PHONE
    deed = session.execute(text("select actor, subject, reason, to_jsonb(a)::text from audit_entry a")).one()
    assert deed[:3] == ("staff:3", f"resident:{resident}", "called us twice")
    assert "13800000001" not in deed[3]


def test_of_twelve_at_once_as_many_are_shown_as_are_left_of_the_day(
    session: Session, vault: Vault, resident: int, database_url: str
) -> None:
    now = clock.now()
    for _ in range(unmasking.MOST_A_DAY - 5):
        unmasking.show_phone(session, vault, resident, ANYWHERE, "called us twice", now)
    session.commit()
    heard = together(
        database_url, 12, lambda own: unmasking.show_phone(own, vault, resident, ANYWHERE, "called us", now)
    )
    assert heard.count(PHONE) == 5
    assert sum(isinstance(one, TooMany) for one in heard) == 7
    assert unmasking.show_phone(session, vault, resident, Asking(4, None), "called us", now) == PHONE
    tomorrow = now + timedelta(hours=25)
    assert unmasking.show_phone(session, vault, resident, ANYWHERE, "called us", tomorrow) == PHONE
