"""Chunks made ready beside one another are what one process would have made of them, in their order."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import active_children
from typing import Any

import pytest

from carbon_credits.activities import made, told
from carbon_credits.activities.made import made_beside, made_of_parts, make
from carbon_credits.activities.ready import SourceTerms
from carbon_credits.activities.told import Intake
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, Item, Record, Unusable
from tests.factories.partners import a_record

NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)


class Trap(dict[str, Any]):
    """Monitored numbers that stop whichever process looks at them, unless it is `spared`."""

    def __init__(self, spared: int, stops: Any) -> None:
        super().__init__(distance_m=5_000)
        self.spared, self.stops = spared, stops

    def items(self) -> Any:
        if os.getpid() != self.spared:
            self.stops()
        return super().items()


@pytest.fixture
def intake(vault: Vault) -> Intake:
    """A feed whose records land by the hour of the test."""
    terms = SourceTerms(7, 3, "metro", "metro_taps", "A", frozenset({a_record().methodology}), 30_000)
    return Intake(vault, terms, NOW, drops_strangers=True)


@pytest.fixture(autouse=True)
def processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with three."""
    monkeypatch.setattr(made, "processors", lambda: 3)


def chunks(many: int, size: int = 40) -> Iterator[list[Item]]:
    """Chunks of good records, with one that is refused and one that waits in each."""
    for chunk in range(many):
        items: list[Item] = [a_record(f"{chunk}-{number}") for number in range(size)]
        waits = Unusable(f"{chunk}-waits", 3, ("exit_missing",), waiting=True, kept={"tap_id": "x"})
        yield [*items, Unusable(f"{chunk}-bad", 2, ("broken_row",)), waits]


@pytest.mark.parametrize("many", [0, 1, 2, 3, 8])
def test_what_several_make_is_what_one_makes_in_the_order_of_the_chunks(intake: Intake, many: int) -> None:
    assert list(made_beside(intake, chunks(many))) == [make(intake, items) for items in chunks(many)]


@pytest.mark.parametrize("many", [0, 1, 2, 5])
def test_parts_made_beside_one_another_are_all_chunks_of_each_in_their_order(
    intake: Intake, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "CHUNK", 30)
    parts = [partial(iter, items) for items in chunks(many)]
    cut = [items[at : at + 30] for items in chunks(many) for at in (0, 30)]
    assert list(made_of_parts(intake, parts)) == [make(intake, items) for items in cut]


def test_others_read_parts_and_a_part_whose_reader_is_killed_is_read_here(intake: Intake) -> None:
    readers: list[int] = []

    def part(items: list[Item], spared: int) -> Iterator[Item]:
        readers.append(os.getpid())
        if os.getpid() != spared:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from items

    told = [*chunks(3)]
    parts = [partial(iter, told[0]), partial(part, told[1], os.getpid()), partial(iter, told[2])]
    assert list(made_of_parts(intake, parts)) == [make(intake, items) for items in told]
    # what another process appends to is its own copy
    assert readers == [os.getpid()]


def test_what_is_wrong_with_a_part_is_raised_here(intake: Intake) -> None:
    def broken() -> Iterator[Item]:
        yield a_record("good")
        raise FileFault("distances_not_found", Text("无", "none"))

    made = made_of_parts(
        intake, [partial(iter, [a_record("first")]), broken, partial(iter, [a_record("last")])]
    )
    assert next(made) == make(intake, [a_record("first")])
    with pytest.raises(FileFault):
        list(made)
    assert active_children() == []


def test_others_make_chunks_and_a_single_one_is_made_here(intake: Intake) -> None:
    whom: list[Any] = []

    def seen(items: list[Item]) -> list[Item]:
        trap = Trap(0, lambda: whom.append(os.getpid()))
        return [_with(items[0], trap), *items[1:]]

    # what another process appends to is its own copy
    list(made_beside(intake, (seen(items) for items in chunks(4))))
    assert whom == []
    list(made_beside(intake, (seen(items) for items in chunks(1))))
    assert set(whom) == {os.getpid()}


def test_a_chunk_whose_process_is_killed_is_made_here(intake: Intake) -> None:
    trap = Trap(os.getpid(), lambda: os.kill(os.getpid(), signal.SIGKILL))
    told = [*chunks(5)]
    told[2][0] = _with(told[2][0], trap)
    assert list(made_beside(intake, iter(told))) == [make(intake, items) for items in told]


def test_what_is_wrong_with_a_chunk_is_raised_here_and_nothing_goes_on(intake: Intake) -> None:
    def stumble() -> None:
        raise LookupError("a word of a record")

    told = [*chunks(6)]
    told[1][0] = _with(told[1][0], Trap(0, stumble))
    found = made_beside(intake, iter(told))
    assert next(found) == make(intake, told[0])
    with pytest.raises(LookupError):
        next(found)
    assert active_children() == []


def _with(item: Item, monitored: Trap) -> Record:
    assert isinstance(item, Record)
    now = NOW - timedelta(days=1)
    return Record(
        item.record_id, item.subject_token, item.methodology, now, now + timedelta(minutes=9), monitored
    )
