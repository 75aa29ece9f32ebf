"""What an operator types to prove, to foresee, to restate and to bound, beside the running programme."""

import json
import re

from tests.faults.stack import Stack


def test_every_credit_of_the_played_day_replays(stack: Stack, played: str) -> None:
    assert played
    one = stack.command("credits", "replay", "--json")
    assert one.returncode == 0, one.stdout + one.stderr
    told = json.loads(one.stdout)
    assert (told["mismatches"], told["findings"]) == (0, [])
    assert told["credits"] > 50
    two = json.loads(stack.command("credits", "replay", "--json", "--processes", "2").stdout)
    assert (two["credits"], two["mismatches"], two["processes"]) == (told["credits"], 0, 2)
    none = json.loads(stack.command("credits", "replay", "--json", "--since", "2031-01-01").stdout)
    assert none["credits"] == 0


def test_a_changed_byte_ends_with_one_and_the_act_s_number(stack: Stack, played: str) -> None:
    assert played
    with stack.as_owner() as connection:
        connection.execute("set session_replication_role = replica")
        act = connection.execute(
            "update decision set raw_mg = raw_mg + 1 where (activity_id, generation) in (select activity_id, generation"
            " from decision where state = 'credited' limit 1) returning activity_id, generation"
        ).fetchone()
    assert act is not None
    told = stack.command("credits", "replay")
    with stack.as_owner() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update decision set raw_mg = raw_mg - 1 where activity_id = %s", (act["activity_id"],)
        )
    assert told.returncode == 1
    assert re.search(rf"-{act['activity_id']} #{act['generation']}", told.stdout), told.stdout
    assert "raw_mg" in told.stdout


def test_bounds_are_smaller_than_what_they_bound(stack: Stack, played: str) -> None:
    assert played
    told = stack.command("credits", "bounds", "--json")
    assert told.returncode == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert {line["code"] for line in lines} >= {"travel.metro", "travel.cycling", None}
    assert all(0 <= line["conservative_mg"] <= line["central_mg"] for line in lines)
    assert any(line["conservative_mg"] < line["central_mg"] for line in lines)
    assert "合计 total" in stack.command("credits", "bounds").stdout


def test_impact_is_told_beforehand_and_writes_nothing(stack: Stack, played: str) -> None:
    assert played
    told = stack.command(
        "methodologies", "impact", "travel.metro", "--factor", "metro_g_per_km=23.35", "--json"
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["points"] == "unaffected"
    assert found["acts_changed"] == found["acts"] > 0
    assert found["before_mg"] // 2 - found["acts"] <= found["after_mg"] <= found["before_mg"] // 2
    table = stack.command("methodologies", "impact", "travel.metro", "--against", "1")
    assert table.returncode == 0, table.stderr
    assert "unaffected" in table.stdout
    for wrong in (
        ("travel.rowing", "--against", "1"),
        ("travel.metro",),
        ("travel.metro", "--factor", "x=1"),
    ):
        refused = stack.command("methodologies", "impact", *wrong)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
    assert "travel.metro" in stack.command("methodologies", "list").stdout


def test_a_restatement_is_proposed_approved_and_carried_out_once(stack: Stack, played: str) -> None:
    assert played
    for name in ("丙", "丁"):
        stack.command("staff", "add", name, "--role", "programme")
    asked = ("travel.metro", "--against", "1", "--since", "2026-01-01", "--reason", "a test", "--as", "丙")
    proposed = stack.command("credits", "restate", *asked)
    assert proposed.returncode == 0, proposed.stderr
    (number,) = re.findall(r"#(\d+) waits", proposed.stdout)
    early = stack.command("credits", "restate", "--approval", number)
    assert (early.returncode, "restatement_unknown" in early.stderr) == (1, True)
    assert stack.command("approvals", "approve", number, "--as", "丁").returncode == 0
    first = stack.command("credits", "restate", "--approval", number)
    assert first.returncode == 0, first.stderr
    # the same version again changes no figure: acts are looked at, nothing is posted
    assert re.search(r"[1-9]\d* acts restated, 0 postings", first.stdout), first.stdout
    assert "0 acts restated, 0 postings" in stack.command("credits", "restate", "--approval", number).stdout
    assert stack.command("credits", "restate", "travel.metro").returncode == 2
    checked = stack.command("ledger", "check", "--seal-delay", "120")
    assert checked.returncode == 0, checked.stdout
