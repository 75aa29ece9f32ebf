"""The mass balance as an operator sees it beside the running programme."""

import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.factories.recycling import Row, a_bag, an_emptying, as_csv
from tests.faults.stack import Stack


def a_town(begins: datetime) -> list[Row]:
    """Six boxes, a bag a day for twenty days; C4 tells 5 % too much and one bag of C1 is out."""
    chance = random.Random(12)
    rows: list[Row] = []
    for box in (f"C{number}" for number in range(6)):
        rows.append(an_emptying(box, begins))
        for day in range(20):
            grams = [chance.randint(2_000, 6_000) for _ in range(3)]
            told = [g * 105 // 100 if box == "C4" else g for g in grams]
            net = int(sum(grams) * chance.uniform(0.97, 1.03))
            net = net * 8 // 10 if (box, day) == ("C1", 3) else net
            kilograms = [f"{g / 1000:.3f}" for g in told]
            number = int(f"{begins:%d}{day:02}")
            rows += a_bag(
                box, number, begins + timedelta(days=day), kilograms, f"{net / 1000:.3f}", f"c-{day % 3}"
            )
    return rows


def test_an_operator_sees_the_station_that_inflates_and_what_was_bought(stack: Stack, tmp_path: Path) -> None:
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=22)
    boxes = tmp_path / "boxes.csv"
    boxes.write_bytes(as_csv(a_town(begins)))
    taken = stack.command("partners", "import", "recycling", str(boxes), "--bind", "subject_token")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    months = sorted({f"{begins + timedelta(days=day):%Y-%m}" for day in (0, 20)})
    run = stack.command("recycling", "balance", "--run", "--month", months[0], "--feed", "recycling")
    assert run.returncode == 0, run.stderr
    assert "质量平衡 / Mass balance" in run.stdout
    reports = [
        json.loads(
            stack.command("recycling", "balance", "--month", month, "--feed", "recycling", "--json").stdout
        )
        for month in months
    ]
    out = [
        each["station"]
        for report in reports
        for each in report["stations"]
        for _ in range(each["bags"].get("out", 0))
    ]
    assert out == ["C1"]
    with stack.as_owner() as connection:
        [held] = connection.execute("select count(*) as n, min(reason) as why from mass_hold").fetchall()
    assert (held["n"], held["why"]) == (3, "bag_does_not_balance")
    told = reports[-1]
    assert {(alarm["station"], alarm["kind"]) for alarm in told["alarms"] if alarm["material"]} == {
        ("C4", "over")
    }
    [paper] = [each for each in told["purchases"] if each["material"] == "recycling.paper"]
    assert (paper["state"], paper["cap_g"]) == ("purchases_missing", None)

    for name in ("回收甲", "回收乙"):
        roles = ("--role", "finance", "--role", "programme")
        assert stack.command("staff", "add", name, *roles).returncode == 0
    bought = tmp_path / "bought.csv"
    lines = [f"{month},paper,9000,INV-{month},大良纸厂" for month in months]
    bought.write_text("\n".join(["month,material,kg,document_no,buyer", *lines, ""]), encoding="utf-8")
    proposed = stack.command(
        "recycling",
        "propose-purchases",
        str(bought),
        "--feed",
        "recycling",
        "--reason",
        "发票",
        "--as",
        "回收甲",
    )
    assert proposed.returncode == 0, proposed.stderr
    (number,) = re.findall(r"#(\d+) waits", proposed.stdout)
    assert stack.command("approvals", "approve", number, "--as", "回收乙").returncode == 0
    shown = stack.command("recycling", "balance", "--month", months[-1]).stdout
    assert "9,900.000" in shown
    assert "未超 within" in shown

    alarm = told["alarms"][0]["alarm_id"]
    decided = stack.command(
        "recycling", "decide", str(alarm), "--explained", "--why", "秤已校准", "--as", "回收甲"
    )
    assert "已解释 / explained" in decided.stdout, decided.stderr
    assert "没有告警" in stack.command("recycling", "alarms").stdout
    assert "秤已校准" in stack.command("recycling", "alarms", "--all").stdout
    unknown = stack.command("recycling", "balance", "--feed", "nobody")
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr
