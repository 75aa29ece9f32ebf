"""Draft, trial, filed, superseded: the one table, and what it keeps out of crediting."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from carbon_credits.methodologies.base import Confidence, Grade, Source, Status
from carbon_credits.methodologies.catalogue import (
    BY_CODE,
    DECLARED,
    METHODOLOGIES,
    VERSIONS,
    catalogued,
    with_drafts,
)
from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.lifecycle import FOLLOWS, Stage, may_credit, may_succeed, stage_on
from carbon_credits.methodologies.travel import cycling

V1 = cycling.V1
ENDS = date(2027, 1, 1)
ENDED = replace(V1, until=ENDS)
DRAFT = replace(V1, version=2, status=Status.DRAFT, in_force=ENDS)


def filed(version: int, since: date, until: date | None = None) -> object:
    read = Source("A paper", "https://example.org/paper", Grade.A, Confidence.VERIFIED)
    parameters = tuple(
        replace(p, values=tuple(replace(value, source=read) for value in p.values)) for p in V1.parameters
    )
    return replace(
        V1, version=version, status=Status.FILED, in_force=since, until=until, parameters=parameters
    )


def test_the_table_knows_every_stage_and_leads_nowhere_back() -> None:
    assert set(FOLLOWS) == set(Stage)
    reached: list[Stage] = []
    for stage in Stage:
        reached.append(stage)
        assert not set(FOLLOWS[stage]) & set(reached)
    assert {Stage(status) for status in Status} == set(Stage) - {Stage.SUPERSEDED}


def test_a_version_is_superseded_from_the_day_it_no_longer_decides() -> None:
    assert stage_on(ENDED, ENDS - timedelta(days=1)) is Stage.TRIAL
    assert stage_on(ENDED, ENDS) is Stage.SUPERSEDED
    assert stage_on(V1, ENDS) is Stage.TRIAL
    assert stage_on(replace(DRAFT, until=date(2027, 2, 1)), date(2028, 1, 1)) is Stage.DRAFT


def test_a_draft_credits_nothing_and_is_listed_after_the_others() -> None:
    by_code = catalogued([V1])
    listed = with_drafts(by_code, [V1, DRAFT])
    assert by_code["travel.cycling"] == (V1,)
    assert listed["travel.cycling"] == (V1, DRAFT)
    assert [may_credit(m) for m in listed["travel.cycling"]] == [True, False]
    assert with_drafts({}, [DRAFT]) == {"travel.cycling": (DRAFT,)}


@pytest.mark.parametrize("draft", [replace(DRAFT, version=1), replace(DRAFT, number=999)])
def test_a_draft_takes_no_number_and_no_version_of_another(draft: object) -> None:
    with pytest.raises(DeclarationError):
        with_drafts(catalogued([V1]), [V1, draft])  # type: ignore[list-item]


def test_a_draft_of_a_new_code_takes_no_others_number() -> None:
    with pytest.raises(DeclarationError):
        with_drafts(catalogued([V1]), [replace(DRAFT, code="travel.rowing")])


def test_a_version_is_succeeded_on_the_same_footing_or_a_firmer_one() -> None:
    later = filed(2, ENDS)
    assert catalogued([ENDED, later])["travel.cycling"] == (ENDED, later)  # type: ignore[list-item]
    with pytest.raises(DeclarationError, match="is trial while v2 is filed"):
        catalogued([filed(2, V1.in_force, ENDS), replace(V1, version=3, in_force=ENDS)])  # type: ignore[list-item]
    assert may_succeed(V1, replace(V1, version=2))


def test_what_is_declared_is_what_credits_and_the_drafts() -> None:
    assert set(METHODOLOGIES) <= set(DECLARED)
    assert {m for m in DECLARED if may_credit(m)} == set(METHODOLOGIES)
    assert set(BY_CODE) <= set(VERSIONS)
