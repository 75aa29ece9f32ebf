"""Weighings and emptyings of recycling boxes in EPCIS and in the CSV twin."""

import json
from datetime import UTC, datetime
from typing import Any

from carbon_credits.partners.contract import Item, ParseOptions, Record, Unusable, Weighing
from integrations import recycling
from tests.integrations import partner_samples as told
from tests.integrations.samples import parsed

PAPER, PLASTICS = "https://id.cc.example/material/paper", "https://id.cc.example/material/plastics"
TICKET = {"bizStep": "receiving", "sensorElementList": [told.TICKET]}
AT = datetime(2026, 3, 2, 11, 40, 12, tzinfo=UTC)
HEADER = told.DEPOSITS.split(b"\n", 1)[0] + b"\n"


def events(*given: dict[str, Any]) -> list[Item]:
    """What becomes of events, one a line."""
    return parsed(recycling.FEED, b"\n".join(json.dumps(event).encode() for event in given))


def rows(*given: str) -> list[Item]:
    """What becomes of rows of the CSV twin."""
    return parsed(recycling.FEED, HEADER + "\n".join([*given, ""]).encode())


def test_an_emptying_of_two_materials_is_two_bags() -> None:
    quantities = [{"epcClass": each, "quantity": 0, "uom": "KGM"} for each in (PAPER, PLASTICS)]
    event = told.an_event(
        1, "paper", 0, type="AggregationEvent", bizStep="removing", childQuantityList=quantities
    )
    paper, plastics = events(event)
    assert isinstance(paper, Weighing)
    assert isinstance(plastics, Weighing)
    assert (paper.methodology, plastics.methodology) == ("recycling.paper", "recycling.plastics")
    assert paper.record_id != plastics.record_id
    assert (paper.station, paper.emptied_at, paper.net_g) == ("CC-BOX-0173", AT, None)


def test_a_ticket_of_the_bridge_names_the_box_and_when_it_was_emptied() -> None:
    [ticket] = events(
        told.an_event(
            1,
            "paper",
            0,
            **TICKET,
            **{"cc:machine": "https://id.cc.example/box/B-9", "cc:emptiedAt": "2026-03-02T08:00:00+08:00"},
        )
    )
    assert isinstance(ticket, Weighing)
    assert (ticket.station, ticket.net_g) == ("B-9", 812_500)
    assert ticket.emptied_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_one_mass_of_two_materials_cannot_be_shared_out() -> None:
    quantities = [{"epcClass": each, "quantity": 0, "uom": "KGM"} for each in (PAPER, PLASTICS)]
    [mixed] = events(told.an_event(1, "paper", 0, **TICKET) | {"quantityList": quantities})
    assert isinstance(mixed, Unusable)
    assert mixed.reasons == ("unknown_material",)


def test_goods_received_without_a_mass_and_bags_moved_elsewhere_are_no_weighings() -> None:
    items = events(
        told.an_event(1, "paper", 1, bizStep="receiving"),
        told.an_event(2, "paper", 1, type="AggregationEvent", bizStep="shipping"),
    )
    assert [item.reasons for item in items if isinstance(item, Unusable)] == [("not_a_deposit",)] * 2


def test_a_declaration_takes_a_weighing_back_by_its_own_number_and_a_deposit_out_of_its_bag() -> None:
    ticket = told.an_event(1, "paper", 0, **TICKET)
    deposit = told.an_event(2, "paper", 2.36)
    weighed, unweighed, act, declared = events(
        ticket, ticket | {"errorDeclaration": told.WRONG}, deposit, deposit | {"errorDeclaration": told.WRONG}
    )
    assert isinstance(weighed, Weighing)
    assert isinstance(unweighed, Weighing)
    assert (weighed.record_id, weighed.is_withdrawn, unweighed.is_withdrawn) == (
        unweighed.record_id,
        False,
        True,
    )
    assert isinstance(act, Record)
    assert isinstance(declared, Unusable)
    assert [each.is_withdrawn for each in (*act.deposits, *declared.deposits)] == [False, True]
    assert {each.record_id for each in (*act.deposits, *declared.deposits)} == {act.record_id}


def test_the_rows_of_a_box_are_told_apart_from_those_of_a_session() -> None:
    emptied, weighed, voided, void_of_session, later = rows(
        "E-1,B1,,2026-03-02 19:40:12,废纸,,0,,,,,清运,0",
        "T-1,B1,,2026-03-02 19:40:12,废纸,812.5,0,,,,,过磅,0",
        "T-1,B1,,2026-03-02 19:40:12,废纸,812.5,0,,,,,过磅撤销,0",
        "S-1,B1,u,2026-03-02 19:40:12,废纸,2.36,1,,,,,撤销,0",
        "S-1,B1,u,2026-03-02 19:40:12,废纸,2.36,1,,,,,回收,0",
    )
    assert isinstance(weighed, Weighing)
    assert isinstance(emptied, Weighing)
    assert (emptied.net_g, weighed.net_g, weighed.emptied_at) == (None, 812_500, AT)
    assert isinstance(voided, Weighing)
    assert (voided.record_id, voided.is_withdrawn) == (weighed.record_id, True)
    assert isinstance(void_of_session, Unusable)
    assert [each.mass_g for each in void_of_session.deposits if each.is_withdrawn] == [2_360]
    assert isinstance(later, Unusable)
    assert later.deposits == ()


def test_what_is_flagged_lies_in_the_bag_and_what_cannot_be_believed_does_not() -> None:
    flagged, absurd = rows(
        "S-1,B1,u,2026-03-02 19:40:12,废纸,9.1,1,,,,,投放,1",
        "S-2,B1,u,2026-03-02 19:40:12,废纸,9100,1,,,,,投放,0",
    )
    assert isinstance(flagged, Unusable)
    assert isinstance(absurd, Unusable)
    assert ([each.mass_g for each in flagged.deposits], absurd.deposits) == ([9_100], ())


def test_shifted_days_move_the_bag_as_they_move_the_act() -> None:
    options = ParseOptions(shift_days=10)
    [paper, *_] = parsed(recycling.FEED, told.EVENTS, options)
    assert isinstance(paper, Record)
    assert paper.deposits[0].at == paper.occurred_from
