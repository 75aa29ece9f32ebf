"""What each partner's records come to: the numbers, the corrections, and totals that disagree."""

import json
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

from carbon_credits.activities.claims import Claim, faults_of
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.factors import factor
from carbon_credits.partners.contract import FileFault, Item, ParseOptions, Record, Unusable
from integrations import (
    bus_taps,
    carpool,
    ev_charging,
    ev_sessions,
    household_meters,
    recycling,
    shop_bills,
    tree_planting,
)
from integrations.ev_sessions import Scale
from tests.integrations import partner_samples as told
from tests.integrations.samples import DISTANCES, parsed


def acts(items: list[Item]) -> dict[str, Record]:
    """The records by number."""
    return {item.record_id: item for item in items if isinstance(item, Record)}


def reasons(items: list[Item]) -> Counter[tuple[str, ...]]:
    """How many items are no act, by their reasons."""
    return Counter(item.reasons for item in items if isinstance(item, Unusable))


def test_energy_becomes_metres_by_the_methodologys_own_numbers() -> None:
    per_km, loss = (factor(name).values[-1].amount for name in ("car_wh_per_km", "charging_loss_share"))
    assert per_km * (1 + loss) == ev_sessions.CHARGED_WH_PER_KM
    [order] = acts(parsed(ev_charging.FEED, told.CDRS)).values()
    assert order.monitored == {"distance_m": 200_000}
    assert order.references == {"vehicle": "account o_7Qm2x", "order_no": "S-1"}


def test_a_credit_cdr_takes_another_back_and_waits() -> None:
    [credit] = [
        item for item in parsed(ev_charging.FEED, told.CDRS) if isinstance(item, Unusable) and item.kept
    ]
    assert credit.reasons == ("correction_waits",)
    assert credit.kept is not None
    assert (credit.kept["corrects"], credit.kept["action"]) == ("CN:CCX:CDR-1", "void")


def test_sessions_done_before_start_and_after_unplug_are_each_named() -> None:
    bound = ParseOptions(bind_column="stationID")
    found = reasons(parsed(ev_charging.FEED, told.ACN, bound))
    assert found == {("done_before_start",): 1, ("done_after_unplug",): 1, ("not_readable",): 1}
    assert ev_charging.FEED.summary(BytesIO(told.ACN), bound)["energy_wh"] == 9_900


@pytest.mark.parametrize(
    ("total", "said", "found"),
    [("OrderCount", 3, "2"), ("TotalOrderPower", 41.93, "41.92"), ("TotalOrderMoney", 37.33, "37.34")],
)
def test_a_daily_check_whose_totals_disagree_counts_nothing(total: str, said: object, found: str) -> None:
    with pytest.raises(FileFault, match="totals_disagree") as refused:
        parsed(ev_charging.FEED, json.dumps({**told.CHECK, total: said}).encode())
    assert total in refused.value.detail.en
    assert str(said) in refused.value.detail.en
    assert found in refused.value.detail.en


def test_a_partner_that_sends_scaled_whole_numbers_says_so_once() -> None:
    scaled = ev_charging.feed_of("scaled", "scaled", Text("甲", "A"), Scale(per_kwh=100, per_yuan=1_000_000))
    order = told.an_order("1", 3300, 27_340_000)
    [item] = acts(parsed(scaled, json.dumps(order).encode())).values()
    assert item.monitored == {"distance_m": 200_000}
    assert scaled.summary(BytesIO(json.dumps(order).encode()), ParseOptions())["money_fen"] == 2_734


def test_deposits_are_acts_and_weighings_and_declarations_wait() -> None:
    items = parsed(recycling.FEED, told.EVENTS)
    paper, textiles = acts(items).values()
    assert (paper.methodology, paper.monitored) == (
        "recycling.paper",
        {"mass_g": 2360, "contamination_ppm": 100_000},
    )
    assert textiles.monitored == {"mass_g": 1200, "contamination_ppm": 20_000, "reused_ppm": 0}
    assert reasons(items) == {
        ("unknown_material",): 1,
        ("correction_waits",): 1,
        ("weighing_waits",): 1,
        ("not_a_deposit",): 1,
        ("not_readable",): 1,
    }
    assert recycling.FEED.summary(BytesIO(told.EVENTS), ParseOptions())["weighed_g"] == 812_500


def test_a_session_of_two_materials_is_two_orders() -> None:
    items = parsed(recycling.FEED, told.DEPOSITS)
    assert {item.references["order_no"] for item in acts(items).values()} == {"S-1:废纸", "S-1:塑料"}
    [void] = [item for item in items if isinstance(item, Unusable) and item.kept]
    assert void.kept is not None
    assert void.kept["corrects"] in acts(items)


def test_a_boarding_waits_for_its_alighting_and_a_void_for_its_day(tmp_path: Path) -> None:
    path = tmp_path / "distances.csv"
    path.write_bytes(DISTANCES)
    items = parsed(bus_taps.FEED, told.BUS, ParseOptions(distances=path))
    [ride] = acts(items).values()
    assert (ride.methodology, ride.monitored, ride.settles) == (
        "travel.bus",
        {"distance_m": 3100},
        ("B-1", "B-2"),
    )
    assert reasons(items) == {
        ("correction_waits",): 1,
        ("not_a_bus_tap",): 1,
        ("alighting_missing",): 1,
        ("boarding_missing",): 1,
    }
    [void] = [item for item in items if isinstance(item, Unusable) and item.reasons == ("correction_waits",)]
    assert void.kept is not None
    assert void.kept["corrects"] == "B-3"


def test_each_seat_is_an_act_and_proves_what_the_platform_can_prove() -> None:
    seats = acts(parsed(carpool.FEED, told.CARPOOL))
    assert {number: seat.evidence_class for number, seat in seats.items()} == {
        "t-1:driver": "A",
        "j-1:passenger": "A",
        "t-2:driver": "D",
        "j-2:passenger": "B",
        "j-3:passenger": "D",
    }
    assert seats["t-1:driver"].monitored == {
        "distance_m": 9800,
        "ridden_m": 9800,
        "share_ppm": 500_000,
        "count": 2,
    }
    assert seats["t-2:driver"].monitored["share_ppm"] == 333_333


def test_rides_that_follow_each_other_make_the_way_longer() -> None:
    later = {"datetime": "2026-03-02T08:40:00+08:00", "lat": 23.0, "lon": 113.1}
    two = [told.a_journey("j-1", "t-1"), told.a_journey("j-2", "t-1", end=later)]
    two[1]["start"] = {**two[1]["start"], "datetime": "2026-03-02T08:32:00+08:00"}
    seats = acts(parsed(carpool.FEED, json.dumps(two).encode()))
    assert seats["t-1:driver"].monitored["distance_m"] == 19_600


def test_planting_waits_and_its_survey_counts_the_living() -> None:
    items = parsed(tree_planting.FEED, told.PLANTINGS)
    [survey] = acts(items).values()
    assert survey.monitored == {"biomass_gain_g": 4100, "half_width_g": 300, "count": 2, "age_days": 413}
    assert (survey.references, survey.settles) == ({"item": "PL-2/1"}, ("PL-2",))
    assert reasons(items)[("survival_not_checked",)] == 1
    assert reasons(items)[("more_survive_than_planted",)] == 1


def test_rounding_never_saves_a_household_anything() -> None:
    meters = acts(parsed(household_meters.FEED, told.METERS))
    assert meters["R-1"].monitored == {
        "base_wh": 150_000,
        "mean_wh": 160_000,
        "energy_wh": 120_501,
        "period_days": 28,
    }
    assert meters["R-4"].monitored == {"energy_wh": 301_250}
    assert {meter.methodology for meter in meters.values()} == set(household_meters.FEED.methodologies)


@pytest.mark.parametrize(
    ("bill", "old", "new"),
    [
        (told.WECHAT_DAILY, "`3,`20.00,`32.50", "`4,`20.00,`32.50"),
        (told.WECHAT_DAILY, "`32.50,`12.50\n", "`32.50,`12.51\n"),
        (told.STATEMENT, "共2笔记录", "共3笔记录"),
        (told.STATEMENT, "支出：1笔 12.00元", "支出：1笔 12.01元"),
        (told.ALIPAY, "商家实收共30.00元", "商家实收共31.00元"),
        (told.ALIPAY, "#退款合计：1笔", "#退款合计：2笔"),
    ],
)
def test_a_bill_whose_totals_are_not_those_of_its_rows_counts_nothing(
    bill: bytes, old: str, new: str
) -> None:
    changed = bill.replace(old.encode(), new.encode())
    assert changed != bill
    with pytest.raises(FileFault, match="totals_disagree"):
        parsed(shop_bills.FEED, changed)


@pytest.mark.parametrize("bill", [told.WECHAT_DAILY, told.ALIPAY])
def test_a_refund_takes_back_the_sale_it_is_of(bill: bytes) -> None:
    items = parsed(shop_bills.FEED, bill)
    [sale] = acts(items).values()
    [refund] = [item for item in items if isinstance(item, Unusable) and item.kept]
    assert refund.kept is not None
    assert (refund.kept["corrects"], refund.reasons) == (sale.record_id, ("correction_waits",))
    assert reasons(items)[("not_a_green_purchase",)] == 1


def test_one_order_may_leave_out_two_things() -> None:
    orders = acts(parsed(shop_bills.FEED, told.LINES))
    assert {order.references["order_no"] for order in orders.values()} == {
        "M-1/purchases.own_bag",
        "M-1/purchases.no_cutlery",
    }


def test_every_feed_asks_of_its_methodologies_only_what_they_monitor() -> None:
    feeds = [
        (ev_charging.FEED, told.CDRS),
        (recycling.FEED, told.EVENTS),
        (carpool.FEED, told.CARPOOL),
        (tree_planting.FEED, told.PLANTINGS),
        (household_meters.FEED, told.METERS),
        (shop_bills.FEED, told.LINES),
    ]
    for feed, content in feeds:
        for act in acts(parsed(feed, content)).values():
            claim = Claim(
                act.methodology,
                act.occurred_from,
                act.occurred_to,
                act.monitored,
                act.references,
                act.evidence,
            )
            assert faults_of(claim, act.occurred_to, feed.late_days) == []


def test_a_meter_read_anew_is_a_record_under_the_number_it_supersedes() -> None:
    rows = told.METERS.decode().splitlines()
    header = f"{rows[0]},record_type,supersedes,record_version"
    anew = "R-9,E-1,o_7Qm2x,electricity,2026-02-01,2026-02-28,110,kWh,150,160,,,,CORRECT,R-1,3"
    back = "R-8,W-1,o_7Qm2x,water,2026-02-01,2026-02-28,9,m3,11,12,120.5,,,VOID,R-3,"
    items = parsed(household_meters.FEED, "\n".join((header, anew, back, "")).encode(), ParseOptions())
    assert isinstance(items[0], Record)
    assert (items[0].record_id, items[0].version) == ("R-1", 3)
    assert isinstance(items[1], Unusable)
    assert items[1].kept is not None
    assert (items[1].kept["corrects"], items[1].kept["action"]) == ("R-3", "void")
