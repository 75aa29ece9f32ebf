"""What residents see and change of themselves, what they consent to, whose partner account is whose."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.core.ids import SHARD_SIZE, shard_of
from carbon_credits.residents import bindings, consents, service
from carbon_credits.residents.bindings import subject_index
from carbon_credits.residents.consents import Purpose
from carbon_credits.residents.service import Street
from tests.factories.partners import a_feed, a_source
from tests.factories.residents import NOW, a_bound_resident, a_resident
from tests.residents.together import together


@pytest.fixture
def partner(session: Session) -> int:
    """The number of a partner called test_partner, committed."""
    source = a_source(session)
    session.commit()
    assert source.partner_id is not None
    return source.partner_id


def bind(
    session: Session, vault: Vault, partner: int, token: str, resident_id: int, at: datetime = NOW
) -> None:
    """Bind a token of test_partner."""
    bindings.bind(session, partner, subject_index(vault, "test_partner", token), resident_id, at)


def test_a_profile_shows_a_masked_phone_and_what_was_changed(session: Session, vault: Vault) -> None:
    resident_id = a_resident(session, vault, "+8613812348000")
    profile = service.profile_of(session, vault, resident_id)
    assert (profile.phone, profile.street, profile.language) == ("138****8000", None, "zh")
    service.change_profile(session, resident_id, street=Street.ZUMIAO)
    service.change_profile(session, resident_id, language="en")
    service.change_profile(session, resident_id)
    profile = service.profile_of(session, vault, resident_id)
    assert (profile.street, profile.language) == (Street.ZUMIAO, "en")
    assert Street.ZUMIAO.text.zh == "祖庙街道"


def test_there_is_no_profile_of_nobody(session: Session, vault: Vault) -> None:
    with pytest.raises(NotFound):
        service.profile_of(session, vault, 999)
    with pytest.raises(NotFound):
        service.change_profile(session, 999, language="en")


def test_residents_are_dealt_to_more_than_one_shard(session: Session, vault: Vault) -> None:
    residents = [a_resident(session, vault) for _ in range(9)]
    rows = session.execute(text("select resident_id, shard_id from resident"))
    shards = {row.resident_id: row.shard_id for row in rows}
    assert shards == {resident: shard_of(resident) for resident in residents}
    assert len(set(shards.values())) == 8
    assert max(residents) < 8 * SHARD_SIZE


def test_a_sealed_phone_opens_in_its_own_row_alone(session: Session, vault: Vault) -> None:
    one, other = a_resident(session, vault), a_resident(session, vault)
    session.execute(
        text(
            """update resident_phone a set sealed = b.sealed from resident_phone b
               where a.resident_id = :a and b.resident_id = :b"""
        ),
        {"a": one, "b": other},
    )
    with pytest.raises(CannotOpen):
        service.profile_of(session, vault, one)


def test_without_the_residents_key_the_phone_is_gone(session: Session, vault: Vault) -> None:
    resident_id = a_resident(session, vault)
    session.execute(text("delete from resident_key"))
    with pytest.raises(NotFound):
        service.profile_of(session, vault, resident_id)


def test_enrolling_is_consenting_to_take_part(session: Session, vault: Vault) -> None:
    resident_id = a_resident(session, vault)
    [standing] = consents.standing(session, resident_id)
    assert (standing.purpose, standing.granted, standing.at) == (Purpose.PROGRAMME, True, NOW)
    assert standing.text_version == "programme/1"


def test_the_latest_word_counts_and_every_word_is_kept(session: Session, vault: Vault, partner: int) -> None:
    resident_id = a_resident(session, vault)
    for moment, say in enumerate((consents.give, consents.give, consents.withdraw, consents.give)):
        say(session, resident_id, Purpose.PARTNER_RECORDS, partner, NOW + timedelta(minutes=moment))
    consents.give(session, resident_id, Purpose.STATISTICS, None, NOW)
    consents.withdraw(session, resident_id, Purpose.STATISTICS, None, NOW)
    latest = {(row.purpose, row.partner_id): row.granted for row in consents.standing(session, resident_id)}
    assert latest == {
        (Purpose.PROGRAMME, None): True,
        (Purpose.PARTNER_RECORDS, partner): True,
        (Purpose.STATISTICS, None): False,
    }
    kept = session.execute(
        text("select granted from consent where partner_id is not null order by consent_id")
    )
    assert kept.scalars().all() == [True, False, True]


def test_withdrawing_what_was_never_given_writes_nothing(session: Session, vault: Vault) -> None:
    resident_id = a_resident(session, vault)
    consents.withdraw(session, resident_id, Purpose.LOCATION_TRACES, None, NOW)
    assert [row.purpose for row in consents.standing(session, resident_id)] == [Purpose.PROGRAMME]


def test_a_partner_is_named_for_records_and_for_nothing_else(
    session: Session, vault: Vault, partner: int
) -> None:
    resident_id = a_resident(session, vault)
    with pytest.raises(Invalid):
        consents.give(session, resident_id, Purpose.PARTNER_RECORDS, None, NOW)
    with pytest.raises(Invalid):
        consents.give(session, resident_id, Purpose.STATISTICS, partner, NOW)
    with pytest.raises(Conflict):
        consents.withdraw(session, resident_id, Purpose.PROGRAMME, None, NOW)
    with pytest.raises(NotFound):
        consents.give(session, 999, Purpose.STATISTICS, None, NOW)


def test_the_history_of_consent_cannot_be_rewritten(session: Session, vault: Vault) -> None:
    a_resident(session, vault)
    with pytest.raises(DBAPIError):
        session.execute(text("update consent set granted = false"))


def test_a_binding_needs_consent_and_is_made_once(session: Session, vault: Vault, partner: int) -> None:
    resident_id = a_resident(session, vault)
    with pytest.raises(NotAllowed):
        bind(session, vault, partner, "rider-1", resident_id)
    consents.give(session, resident_id, Purpose.PARTNER_RECORDS, partner, NOW)
    bind(session, vault, partner, "rider-1", resident_id)
    bind(session, vault, partner, "rider-1", resident_id)
    assert [row.partner_id for row in bindings.bindings_of(session, resident_id)] == [partner]


def test_an_account_bound_to_one_resident_is_not_bound_to_another(
    session: Session, vault: Vault, partner: int
) -> None:
    first = a_bound_resident(session, vault, partner, "test_partner", "rider-1")
    second = a_bound_resident(session, vault, partner, "test_partner", "rider-2")
    with pytest.raises(Conflict):
        bind(session, vault, partner, "rider-1", second)
    later = NOW + timedelta(minutes=1)
    bindings.unbind(session, partner, first, later)
    bind(session, vault, partner, "rider-1", second, later)
    index = subject_index(vault, "test_partner", "rider-1")
    assert bindings.residents_of(session, partner, [index]) == {index: second}


def test_many_subjects_are_found_at_once_and_only_those_in_force(
    session: Session, vault: Vault, partner: int
) -> None:
    other = a_source(session, a_feed("other_feed", "other_partner")).partner_id
    assert other is not None
    mine = a_bound_resident(session, vault, partner, "test_partner", "rider-1")
    gone = a_bound_resident(session, vault, partner, "test_partner", "rider-2")
    frozen = a_bound_resident(session, vault, partner, "test_partner", "rider-3")
    a_bound_resident(session, vault, other, "other_partner", "rider-4")
    bindings.unbind(session, partner, gone, NOW)
    session.execute(text("update resident set status = 'frozen' where resident_id = :r"), {"r": frozen})
    index = {n: subject_index(vault, "test_partner", f"rider-{n}") for n in range(1, 2000)}
    assert bindings.residents_of(session, partner, index.values()) == {index[1]: mine}
    assert bindings.residents_of(session, partner, []) == {}
    assert subject_index(vault, "other_partner", "rider-1") != index[1]


def test_withdrawing_consent_ends_that_partners_bindings_and_no_other(
    session: Session, vault: Vault, partner: int
) -> None:
    other = a_source(session, a_feed("other_feed", "other_partner")).partner_id
    assert other is not None
    resident_id = a_bound_resident(session, vault, partner, "test_partner", "rider-1")
    consents.give(session, resident_id, Purpose.PARTNER_RECORDS, other, NOW)
    bindings.bind(session, other, subject_index(vault, "other_partner", "rider-1"), resident_id, NOW)
    consents.withdraw(session, resident_id, Purpose.PARTNER_RECORDS, partner, NOW)
    assert [row.partner_id for row in bindings.bindings_of(session, resident_id)] == [other]


def test_a_binding_made_while_consent_is_withdrawn_does_not_survive(
    session: Session, vault: Vault, partner: int, database_url: str
) -> None:
    residents = [a_resident(session, vault) for _ in range(20)]
    for resident_id in residents:
        consents.give(session, resident_id, Purpose.PARTNER_RECORDS, partner, NOW)
    session.commit()
    turns = iter([(resident_id, act) for resident_id in residents for act in ("bind", "withdraw")])

    def act(own: Session) -> None:
        resident_id, what = next(turns)
        if what == "bind":
            bind(own, vault, partner, f"rider-{resident_id}", resident_id)
        else:
            consents.withdraw(own, resident_id, Purpose.PARTNER_RECORDS, partner, NOW)

    heard = together(database_url, 40, act)
    assert all(answer is None or isinstance(answer, NotAllowed) for answer in heard)
    in_force = session.execute(text("select count(*) from binding where ended_at is null")).scalar_one()
    assert in_force == 0


def test_one_account_claimed_by_twenty_at_once_is_bound_to_one(
    session: Session, vault: Vault, partner: int, database_url: str
) -> None:
    residents = [a_resident(session, vault) for _ in range(20)]
    for resident_id in residents:
        consents.give(session, resident_id, Purpose.PARTNER_RECORDS, partner, NOW)
    session.commit()
    turns = iter(residents)
    heard = together(database_url, 20, lambda own: bind(own, vault, partner, "rider-1", next(turns)))
    others = [answer for answer in heard if answer is not None and not isinstance(answer, Conflict)]
    assert others == []
    assert sum(answer is None for answer in heard) == 1
