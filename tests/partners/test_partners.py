"""Partners: the register, their clients and tokens, their files, the records set aside."""

from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock, tokens
from carbon_credits.core.clients import NewClient, SecretOf, issue_token
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, NotAuthenticated, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners import aside, clients, files, service
from carbon_credits.partners.contract import FileFault, ParseOptions, Unusable
from carbon_credits.partners.service import Register
from tests.factories.partners import a_feed, a_source
from tests.factories.residents import NOW, a_keyring
from tests.residents.together import together

ROOMS: Mapping[tokens.Audience, SecretOf] = {"partner": clients.secret_of}


@pytest.fixture
def source(session: Session) -> int:
    """The source of a feed just installed, committed."""
    source_id = a_source(session).source_id
    session.commit()
    return source_id


@pytest.fixture
def partner(session: Session, source: int) -> int:
    """The partner of that feed."""
    partner_id: int = service.partner_by_code(session, "test_partner").partner_id
    return partner_id


def test_a_register_knows_each_feed_once() -> None:
    feed = a_feed()
    register = Register([feed, a_feed("other_feed")])
    assert register.feed("test_bikes") is feed
    assert [known.code for known in register] == ["test_bikes", "other_feed"]
    with pytest.raises(NotFound):
        register.feed("nothing")
    with pytest.raises(ValueError, match="test_bikes"):
        Register([feed, feed])


def test_installing_twice_or_ten_times_at_once_is_installing_once(
    session: Session, database_url: str
) -> None:
    feeds = [a_feed(), a_feed("second_feed"), a_feed("third_feed", "second_partner")]
    assert together(database_url, 10, lambda own: service.install(own, feeds)) == [None] * 10
    service.install(session, feeds)
    found = session.execute(
        text("select feed, partner_id, source_id from source where source_id > 0 order by source_id")
    )
    assert [tuple(row) for row in found] == [
        ("test_bikes", 1, 1),
        ("second_feed", 1, 2),
        ("third_feed", 2, 3),
    ]
    assert [row.code for row in service.partners(session)] == ["test_partner", "second_partner"]


def test_a_feed_belongs_to_its_partner(session: Session, source: int, partner: int) -> None:
    assert service.source_by_feed(session, "test_bikes", partner).source_id == source
    with pytest.raises(NotFound):
        service.source_by_feed(session, "test_bikes", partner + 1)
    with pytest.raises(NotFound):
        service.source_by_feed(session, "app")
    with pytest.raises(NotFound):
        service.partner_by_code(session, "nobody")


def test_a_secret_buys_a_token_that_names_the_partner(session: Session, vault: Vault, partner: int) -> None:
    keyring, now = a_keyring(session, vault), clock.now()
    made = clients.add_client(session, vault, partner, now)
    token = issue_token(session, vault, keyring, ROOMS, made, now)
    principal = clients.authenticate(session, keyring, token.access_token)
    assert (principal.kind, principal.id, principal.subject) == ("partner", partner, made.client_id)
    assert principal.actor == f"client:{made.client_id}"
    assert (token.expires_in, token.token_type) == (900, "Bearer")
    with pytest.raises(NotAuthenticated):
        tokens.read(session, keyring, token.access_token, "resident")
    stored = session.execute(text("select c::text from partner_client c")).scalar_one()
    assert made.client_secret not in stored
    assert made.client_secret.encode().hex() not in stored


def test_a_wrong_secret_and_an_unknown_client_hear_the_same(
    session: Session, vault: Vault, partner: int
) -> None:
    keyring = a_keyring(session, vault)
    made = clients.add_client(session, vault, partner, NOW)
    other = clients.add_client(session, vault, partner, NOW)
    attempts = [
        (made.client_id, other.client_secret),
        (made.client_id, made.client_secret[:-1]),
        (made.client_id, ""),
        ("unknown-client", made.client_secret),
        ("", ""),
        ("x\x00", "y"),
    ]
    heard = []
    for client_id, secret in attempts:
        with pytest.raises(NotAuthenticated) as refused:
            issue_token(session, vault, keyring, ROOMS, NewClient(client_id, secret), NOW)
        heard.append((refused.value.code, refused.value.detail))
    assert len(set(heard)) == 1


def test_two_clients_live_side_by_side_and_an_ended_one_is_refused_at_once(
    session: Session, vault: Vault, partner: int
) -> None:
    keyring, now = a_keyring(session, vault), clock.now()
    old, new = (clients.add_client(session, vault, partner, now) for _ in range(2))
    with pytest.raises(Conflict):
        clients.add_client(session, vault, partner, now)
    issued = [issue_token(session, vault, keyring, ROOMS, made, now).access_token for made in (old, new)]
    clients.end_client(session, old.client_id, now)
    clients.end_client(session, old.client_id, now + timedelta(days=1))
    with pytest.raises(NotAuthenticated):
        clients.authenticate(session, keyring, issued[0])
    with pytest.raises(NotAuthenticated):
        issue_token(session, vault, keyring, ROOMS, old, now)
    assert clients.authenticate(session, keyring, issued[1]).id == partner
    assert (
        session.execute(text("select ended_at from partner_client where ended_at is not null")).scalar_one()
        == now
    )
    clients.add_client(session, vault, partner, now)
    with pytest.raises(NotFound):
        clients.end_client(session, "unknown-client", now)


def test_a_closed_partner_is_refused_at_once(session: Session, vault: Vault, partner: int) -> None:
    keyring, now = a_keyring(session, vault), clock.now()
    made = clients.add_client(session, vault, partner, now)
    token = issue_token(session, vault, keyring, ROOMS, made, now)
    session.execute(text("update partner set status = 'closed'"))
    with pytest.raises(NotAuthenticated):
        clients.authenticate(session, keyring, token.access_token)
    with pytest.raises(NotFound):
        clients.add_client(session, vault, partner, now)


def test_ten_clients_asked_for_at_once_are_two(
    session: Session, vault: Vault, partner: int, database_url: str
) -> None:
    heard = together(database_url, 10, lambda own: clients.add_client(own, vault, partner, NOW))
    assert sum(isinstance(answer, NewClient) for answer in heard) == 2
    assert sum(isinstance(answer, Conflict) for answer in heard) == 8


def test_the_same_bytes_are_one_file_and_answer_with_the_first_result(session: Session, source: int) -> None:
    stream = BytesIO(b"one\ntwo\n")
    found = files.measure(stream)
    first = files.receive(session, source, "a.csv", found, NOW)
    assert (first.state, first.counts) == ("seen", None)
    assert files.receive(session, source, "b.csv", found, NOW) == first
    files.apply(session, first.file_id, {"records": 2}, NOW)
    files.apply(session, first.file_id, {"records": 99}, NOW)
    files.refuse(session, first.file_id, FileFault("late", Text("晚", "late")), NOW)
    again = files.receive(session, source, "c.csv", files.measure(stream), NOW)
    assert (again.file_id, again.state, again.counts) == (first.file_id, "applied", {"records": 2})
    other = files.receive(session, source, "a.csv", files.measure(BytesIO(b"one\n")), NOW)
    assert other.file_id != first.file_id
    with pytest.raises(NotFound):
        files.state_of(session, 999)


def test_a_refused_file_says_why_and_where(session: Session, source: int) -> None:
    state = files.receive(session, source, "a.csv", files.measure(BytesIO(b"x")), NOW)
    files.refuse(session, state.file_id, FileFault("cut_short", Text("不完整", "cut"), 7), NOW)
    refused = files.state_of(session, state.file_id)
    assert refused.state == "refused"
    assert refused.fault == {"code": "cut_short", "line": 7, "detail": {"zh": "不完整", "en": "cut"}}


def test_a_file_brought_by_ten_at_once_is_one(session: Session, source: int, database_url: str) -> None:
    found = files.measure(BytesIO(b"x"))
    heard = together(database_url, 10, lambda own: files.receive(own, source, "a.csv", found, NOW))
    assert len({state.file_id for state in heard if isinstance(state, files.FileState)}) == 1


def test_a_whole_file_is_counted_and_rewound() -> None:
    stream = BytesIO(b"one\ntwo\n")
    assert files.check_whole(a_feed(), stream, ParseOptions()) == {"records": 2}
    assert stream.tell() == 0


def waiting(record_id: str, reason: str = "exit_missing") -> Unusable:
    """A record that waits."""
    return Unusable(record_id, 5, (reason,), waiting=True, kept={"card": "card-7788", "n": 1})


def test_what_waits_is_sealed_and_comes_back_as_it_was(session: Session, vault: Vault, source: int) -> None:
    rows = [waiting("a"), waiting("b", "distance_unknown"), Unusable("c", 9, ("not_readable", "late"))]
    aside.set_aside(session, vault, source, rows, None, NOW)
    assert [each.kept for each in aside.waiting(session, vault, source)] == [
        {"card": "card-7788", "n": 1}
    ] * 2
    assert aside.counts(session, source) == {
        ("waiting", "exit_missing"): 1,
        ("waiting", "distance_unknown"): 1,
        ("refused", "not_readable"): 1,
        ("refused", "late"): 1,
    }
    stored = session.execute(text("select r::text from record_set_aside r")).scalars().all()
    assert len(stored) == 3
    assert not any("card-7788" in row or b"card-7788".hex() in row for row in stored)


def test_refused_and_said_to_wait_in_one_delivery_a_record_is_refused(
    session: Session, vault: Vault, source: int
) -> None:
    refused = Unusable("a", 5, ("same_station",))
    rows = [waiting("a"), refused, waiting("a"), waiting("b", "exit_missing"), waiting("b", "entry_missing")]
    aside.set_aside(session, vault, source, rows, None, NOW)
    assert aside.counts(session, source) == {("refused", "same_station"): 1, ("waiting", "entry_missing"): 1}


def test_said_again_a_waiting_record_takes_new_reasons_and_a_settled_one_keeps_its_own(
    session: Session, vault: Vault, source: int
) -> None:
    aside.set_aside(session, vault, source, [waiting("a"), waiting("b")], None, NOW)
    assert aside.placed(session, source, [aside.record_key(vault, source, "b")]) == 1
    assert aside.placed(session, source, [aside.record_key(vault, source, "b")]) == 0
    again = [waiting("a", "distance_unknown"), waiting("b", "distance_unknown")]
    aside.set_aside(session, vault, source, again, None, NOW)
    assert aside.counts(session, source) == {
        ("waiting", "distance_unknown"): 1,
        ("placed", "exit_missing"): 1,
    }
    aside.set_aside(session, vault, source, [Unusable("a", 5, ("same_station",))], None, NOW)
    assert aside.counts(session, source)[("refused", "same_station")] == 1
    kept = session.execute(
        text("select count(*) from record_set_aside where sealed is not null")
    ).scalar_one()
    assert kept == 0


def test_two_files_told_at_once_set_the_same_records_aside_once(
    session: Session, vault: Vault, source: int, database_url: str
) -> None:
    rows = [waiting(str(n)) for n in range(300)]
    orders = iter([rows, rows[::-1]] * 4)
    heard = together(
        database_url, 8, lambda own: aside.set_aside(own, vault, source, next(orders), None, NOW)
    )
    assert heard == [None] * 8
    assert aside.counts(session, source) == {("waiting", "exit_missing"): 300}


def test_a_record_key_differs_between_sources(vault: Vault) -> None:
    assert aside.record_key(vault, 1, "a") != aside.record_key(vault, 2, "a")


def test_the_application_cannot_delete_a_binding_or_a_file(session: Session) -> None:
    for table in ("binding", "partner_file", "record_set_aside", "partner_client"):
        with pytest.raises(DBAPIError):
            session.execute(text(f"delete from {table}"))
        session.rollback()
